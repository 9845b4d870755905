"""WhatsApp's providers over real HTTP, on one port: Evolution API 2.3, Meta's Cloud API, and AWS's socialmessaging.

Their calls are taken in one list, which a script makes go wrong; their webhooks go where each instance is told to.
Signatures of AWS are not checked.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from threading import Semaphore, Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import urllib3
from botocore.session import get_session

from local.fakes import webhooks
from local.fakes.http import TOKEN, Answer, Request, Served, request_of, send
from local.fakes.messages import RETRY_SECONDS, Call, FakeMessages, Fault
from local.fakes.webhooks import STATUSES, Webhook
from sluice.clock import Clock

_EVOLUTION_SEND = re.compile(r"/message/(?P<kind>sendText|sendMedia)/(?P<instance>[^/]+)")
_EVOLUTION_FIND = re.compile(r"/chat/findMessages/(?P<instance>[^/]+)")
_META_SEND = re.compile(r"/v\d+\.\d+/(?P<instance>[^/]+)/messages")
_EVOLUTION_STATE = re.compile(r"/instance/connectionState/(?P<instance>[^/]+)")
_META_TEMPLATES = re.compile(r"/v\d+\.\d+/(?P<account>[^/]+)/message_templates")
_META_NUMBER = re.compile(r"/v\d+\.\d+/(?P<instance>[^/]+)")
_AWS_SEND = "/v1/whatsapp/send"
_SENDS_AGAIN = 3
_HOOKS_AT_ONCE = 2
"""How many webhooks are on their way: a stack on this machine starts a process for each call that comes meanwhile."""
_HOOK_SECONDS = 30.0
_NEVER_AGAIN = frozenset({400, 401, 403, 404, 422})
_EVENTS = {
    Fault.WEBHOOK_NEVER: (),
    Fault.READ: ("sent", "delivered", "read"),
    Fault.WRONG_ORDER: ("read", "delivered", "sent"),
}


@dataclass(frozen=True)
class Hook:
    """Where the webhooks of an instance go: a URL; of AWS, the URL of a queue. `secret`: what signs them."""

    url: str
    secret: str = ""


class FakeWhatsApp(Served):
    """Serves a `FakeMessages` as the three providers do."""

    def __init__(self, clock: Clock, enqueue: Callable[[str, bytes], None] | None = None) -> None:
        """`enqueue`: puts a message of AWS into the queue of a URL."""
        super().__init__()
        self._enqueue = enqueue or _queue
        self.messages = FakeMessages(clock)
        self.hooks: dict[tuple[str, str], Hook] = {}
        """By provider and instance."""
        self.most_found = 100
        """Messages on one page of Evolution's look-up."""
        self.keeps_messages = True
        """Whether Evolution has a database of messages."""
        self.states: dict[str, str] = {}
        """Evolution's instances that are not `open`."""
        self.templates: list[dict[str, str]] = []
        """Meta's, of every account: `{"name", "language", "status", "category"}`."""
        self.knows_windows = True
        """Whether Evolution looks up by time: some of its versions do not."""
        self._http_out = urllib3.PoolManager(retries=False, timeout=_HOOK_SECONDS, maxsize=_HOOKS_AT_ONCE)
        self._turns = Semaphore(_HOOKS_AT_ONCE)

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        request = request_of(handler)
        if request.path.startswith("/_fake/"):
            send(handler, self._controlled(request))
        elif found := _EVOLUTION_FIND.fullmatch(request.path):
            send(handler, self._found(request, found["instance"]))
        elif request.method == "GET":
            send(handler, self._asked(request))
        elif call := self._call(request):
            self._answer(handler, request, call)
        else:
            send(
                handler, Answer(404, {"status": 404, "error": "Not Found", "response": {"message": ["No such route"]}})
            )

    def _call(self, request: Request) -> Call | None:
        now, form = self.messages.clock.now(), request.form
        if request.method != "POST":
            return None
        if found := _EVOLUTION_SEND.fullmatch(request.path):
            text = form["text"] if found["kind"] == "sendText" else form.get("caption", "")
            return Call("evolution", found["instance"], form["number"], text, "", dict(form), now)
        if found := _META_SEND.fullmatch(request.path):
            return _cloud_call("meta", found["instance"], dict(form), now)
        if request.path == _AWS_SEND:
            body = json.loads(b64decode(form["message"]))
            return _cloud_call("aws", form["originationPhoneNumberId"], body, now)
        return None

    def _answer(self, handler: BaseHTTPRequestHandler, request: Request, call: Call) -> None:
        if not _is_known(request, call):
            send(handler, _said(call, Fault.TOKEN))
            return
        call = self.messages.take(call, _new_id(call.provider))
        if call.fault is Fault.WEBHOOK_FIRST:
            self._tell(call)
        match call.fault:
            case Fault.HANG | Fault.SLOW:
                self._tell_later(call)
                self.closing.wait()
                handler.close_connection = True
                return
            case Fault.DROPPED | Fault.LOST:
                handler.close_connection = True
            case _:
                send(handler, _said(call, call.fault))
                call.answered_at = self.messages.clock.now()
        self._tell_later(call)

    def _tell_later(self, call: Call) -> None:
        if call.message_id and call.fault is not Fault.WEBHOOK_FIRST:
            Thread(target=self._tell, args=(call,), daemon=True).start()

    def _tell(self, call: Call) -> None:
        for word in _EVENTS.get(call.fault, STATUSES) if call.fault else STATUSES:
            for _ in range(2 if call.fault is Fault.WEBHOOK_TWICE else 1):
                self.status(call, word)

    def status(self, call: Call, word: str) -> None:
        """Send a status of a message, if its instance has a hook."""
        hook = self.hooks.get((call.provider, call.instance))
        if hook:
            self._deliver(call.provider, hook, webhooks.status(call, word, self.messages.clock.now(), hook.secret))

    def inbound(self, provider: str, instance: str, sender: str, text: str) -> None:
        """Let a person write to an instance's number."""
        hook = self.hooks[provider, instance]
        said = webhooks.inbound(provider, instance, sender, text, self.messages.clock.now(), hook.secret)
        self._deliver(provider, hook, said)

    def _deliver(self, provider: str, hook: Hook, webhook: Webhook) -> None:
        if provider == "aws":
            self._enqueue(hook.url, webhook.body)
            return
        for attempt in range(_SENDS_AGAIN):
            if self.closing.wait(0.5 * attempt):
                return
            try:
                with self._turns:
                    answer = self._http_out.request("POST", hook.url, body=webhook.body, headers=webhook.headers)
            except urllib3.exceptions.HTTPError as error:
                print(f"A webhook to {hook.url} failed: {type(error).__name__}", flush=True)
                continue
            if answer.status < 300 or answer.status in _NEVER_AGAIN:
                return

    def _found(self, request: Request, instance: str) -> Answer:
        """The messages of Evolution's database, the newest first."""
        if request.headers.get("apikey") != TOKEN:
            return Answer(401, _evolution_error(401, "Unauthorized", "Unauthorized"))
        window = request.form["where"]["messageTimestamp"]
        since, until = (datetime.fromisoformat(window[each]) for each in ("gte", "lte"))
        wanted = request.form["where"]["key"].get("remoteJid")
        found = [
            self._record(each)
            for each in reversed(self.messages.accepted())
            if each.provider == "evolution"
            and each.instance == instance
            and (since <= each.began_at <= until or not self.knows_windows)
        ]
        found = [each for each in found if wanted in (None, each["key"]["remoteJid"])] if self.keeps_messages else []
        size = min(int(request.form["offset"]), self.most_found)
        page = int(request.form["page"])
        records = found[(page - 1) * size : page * size]
        total = {"total": len(found), "pages": -(-len(found) // size), "currentPage": page}
        return Answer(200, {"messages": total | {"records": records}})

    def _asked(self, request: Request) -> Answer:
        """Whether an instance is connected, whether a number is there, and an account's templates."""
        if found := _EVOLUTION_STATE.fullmatch(request.path):
            if request.headers.get("apikey") != TOKEN:
                return Answer(401, _evolution_error(401, "Unauthorized", "Unauthorized"))
            name = found["instance"]
            return Answer(200, {"instance": {"instanceName": name, "state": self.states.get(name, "open")}})
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            error = {"message": "Error validating access token", "type": "OAuthException", "code": 190}
            return Answer(401, {"error": error})
        if _META_TEMPLATES.fullmatch(request.path):
            # By the beginning of the name, as Meta does.
            name, language = request.one("name"), request.one("language")
            data = [
                each for each in self.templates if each["name"].startswith(name) and language in ("", each["language"])
            ]
            return Answer(200, {"data": data, "paging": {}})
        if found := _META_NUMBER.fullmatch(request.path):
            return Answer(200, {"id": found["instance"], "quality_rating": "GREEN"})
        return Answer(404, {"error": {"message": "Unknown path", "code": 2500}})

    def _record(self, call: Call) -> dict[str, Any]:
        jid = self.messages.jids.get(call.to, f"{call.to}@s.whatsapp.net")
        is_text = "text" in call.body
        message = {"conversation": call.text} if is_text else {"imageMessage": {"caption": call.text}}
        return {
            "key": {"id": call.message_id, "fromMe": True, "remoteJid": jid},
            "message": message,
            "messageTimestamp": int(call.began_at.timestamp()),
            "MessageUpdate": [{"status": "SERVER_ACK"}],
        }

    def _controlled(self, request: Request) -> Answer:
        """`PUT /_fake/faults {faults, to}`, `GET, DELETE /_fake/calls`, `GET /_fake/count?to=`,
        `PUT /_fake/webhooks {provider, instance, url, secret}`, `POST /_fake/statuses {message_id, status}`,
        `POST /_fake/inbound {provider, instance, from, text}`. A fault may be null.
        """
        form, messages = request.form, self.messages
        match request.method, request.path.removeprefix("/_fake/"):
            case "PUT", "faults":
                messages.script(*(Fault(each) if each else None for each in form["faults"]), to=form.get("to", ""))
            case "GET", "calls":
                return Answer(200, messages.shown())
            case "DELETE", "calls":
                messages.forget()
            case "GET", "count":
                to = request.one("to") or None
                return Answer(200, {"calls": messages.made(to), "accepted": len(messages.accepted(to))})
            case "PUT", "webhooks":
                self.hooks[form["provider"], form["instance"]] = Hook(form["url"], form.get("secret", ""))
            case "POST", "statuses":
                call = messages.get(form["message_id"])
                if call is None:
                    return Answer(404, {"error": "There is no such message"})
                self.status(call, form["status"])
            case "POST", "inbound":
                if (form["provider"], form["instance"]) not in self.hooks:
                    return Answer(404, {"error": "The instance has no webhook: PUT /_fake/webhooks"})
                self.inbound(form["provider"], form["instance"], form["from"], form["text"])
            case _:
                return Answer(404, {"error": "There is no such route"})
        return Answer(200, {})


def _cloud_call(provider: str, instance: str, body: dict[str, Any], now: datetime) -> Call:
    kind = body["type"]
    said = body[kind].get("body") or body[kind].get("caption") or body[kind].get("name") or ""
    callback = body.get("biz_opaque_callback_data", "")
    return Call(provider, instance, body["to"].removeprefix("+"), said, callback, body, now)


def _new_id(provider: str) -> str:
    match provider:
        case "evolution":
            return f"3EB0{uuid4().hex[:16].upper()}"
        case "meta":
            return f"wamid.{uuid4().hex}"
    return str(uuid4())


def _is_known(request: Request, call: Call) -> bool:
    match call.provider:
        case "evolution":
            return request.headers.get("apikey") == TOKEN
        case "meta":
            return request.headers.get("authorization") == f"Bearer {TOKEN}"
    return request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 ")


def _said(call: Call, fault: Fault | None) -> Answer:
    """The answer to a call."""
    match fault:
        case Fault.GATEWAY if call.provider != "aws":
            return Answer(502, "<html>Bad Gateway</html>")
        case Fault.GARBAGE:
            return Answer(201 if call.provider == "evolution" else 200, "<html>Welcome</html>")
    match call.provider:
        case "evolution":
            return _evolution_said(call, fault)
        case "meta":
            return _meta_said(call, fault)
    return _aws_said(call, fault)


def _evolution_said(call: Call, fault: Fault | None) -> Answer:
    match fault:
        case Fault.UNKNOWN_NUMBER:
            jid = f"{call.to}@s.whatsapp.net"
            number = {"jid": jid, "exists": False, "number": call.to}
            return Answer(400, _evolution_error(400, "Bad Request", number))
        case Fault.TOKEN:
            return Answer(401, _evolution_error(401, "Unauthorized", "Unauthorized"))
        case Fault.THROTTLED:
            return Answer(429, {"message": "Too many requests"}, {"Retry-After": str(RETRY_SECONDS)})
        case Fault.THROTTLED_BARE:
            return Answer(429, {"message": "Too many requests"})
        case Fault.NO_ID:
            return Answer(201, {"message": "(#131047) Re-engagement message", "code": 131047, "error_data": {}})
        case Fault.FAILED:
            return Answer(500, _evolution_error(500, "Internal Server Error", "TypeError"))
        case Fault.BAD_REQUEST:
            return Answer(400, _evolution_error(400, "Bad Request", "Error: Connection Closed"))
    jid = f"{call.to}@s.whatsapp.net"
    return Answer(
        201,
        {
            "key": {"remoteJid": jid, "fromMe": True, "id": call.message_id},
            "status": "PENDING",
            "message": {"conversation": call.text},
            "messageType": "conversation",
            "messageTimestamp": int(call.began_at.timestamp()),
        },
    )


def _evolution_error(status: int, error: str, said: Any) -> dict[str, Any]:
    return {"status": status, "error": error, "response": {"message": [said]}}


_META_ERRORS = {
    Fault.UNKNOWN_NUMBER: (400, 131026, "Message undeliverable"),
    Fault.LATER: (400, 131056, "Pair rate limit hit"),
    Fault.TEMPLATE: (400, 132015, "Template is paused"),
    Fault.TOKEN: (401, 190, "Error validating access token"),
    Fault.THROTTLED: (429, 130429, "Rate limit hit"),
    Fault.THROTTLED_BARE: (429, 130429, "Rate limit hit"),
    Fault.FAILED: (500, 131000, "Something went wrong"),
    Fault.BAD_REQUEST: (400, 135000, "Generic user error"),
}


def _meta_said(call: Call, fault: Fault | None) -> Answer:
    if fault is Fault.NO_ID:
        return Answer(200, {"messaging_product": "whatsapp"})
    if fault in _META_ERRORS:
        status, code, said = _META_ERRORS[fault]
        headers = {"Retry-After": str(RETRY_SECONDS)} if fault is Fault.THROTTLED else {}
        error = {"message": f"(#{code}) {said}", "type": "OAuthException", "code": code, "fbtrace_id": "A"}
        return Answer(status, {"error": error | {"error_data": {"details": said}}}, headers)
    contacts = [{"input": f"+{call.to}", "wa_id": call.to}]
    sent = [{"id": call.message_id, "message_status": "accepted"}]
    return Answer(200, {"messaging_product": "whatsapp", "contacts": contacts, "messages": sent})


_AWS_ERRORS = {
    Fault.UNKNOWN_NUMBER: (400, "InvalidParametersException"),
    Fault.TOKEN: (403, "AccessDeniedException"),
    Fault.THROTTLED: (429, "ThrottledRequestException"),
    Fault.THROTTLED_BARE: (429, "ThrottledRequestException"),
    Fault.FAILED: (500, "InternalServiceException"),
    Fault.GATEWAY: (502, "DependencyException"),
    Fault.BAD_REQUEST: (400, "SomethingNewException"),
}


def _aws_said(call: Call, fault: Fault | None) -> Answer:
    if fault is Fault.NO_ID:
        return Answer(200, {})
    if fault in _AWS_ERRORS:
        status, code = _AWS_ERRORS[fault]
        headers = {"x-amzn-errortype": code}
        if fault is Fault.THROTTLED:
            headers["Retry-After"] = str(RETRY_SECONDS)
        return Answer(status, {"message": f"This is {code}"}, headers)
    return Answer(200, {"messageId": call.message_id})


def _queue(url: str, body: bytes) -> None:
    """Put a message into a queue of the stack on this machine."""
    parts = urlsplit(url)
    sqs: Any = get_session().create_client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=f"{parts.scheme}://{parts.netloc}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    sqs.send_message(QueueUrl=url, MessageBody=body.decode())
