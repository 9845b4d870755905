"""Evolution API 2.3: a client of one instance at a server of the user's own.

It knows no idempotency key. An unknown message is looked for among those that the server keeps: by its text and its
window of time, in code, since some versions ignore the window, and since a server may know a person by another id than
the phone (`...@lid`; Brazilian mobiles without their ninth digit).
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import jwt

from broadcasts.ports import (
    PATIENT,
    Accepted,
    Event,
    InboundEvent,
    Message,
    Outcome,
    Patience,
    Refused,
    Scope,
    StatusEvent,
    Untrusted,
)
from broadcasts.providers.answers import Answer, Asked, Post, inner, json_object, objects, one_line, text_in, throttled
from broadcasts.providers.cloud import cut, digits, file_name, moment, refusal
from broadcasts.row import Evidence
from sluice.outward import Absent, CannotTell, Found, Seen, Unknown

TYPING_MS = 0
"""`delay`: so long the server holds the call, and pretends to type. 31 s of it were sent several times (#2192)."""
LEAST_KEY_BYTES = 32
_TOKEN_LIFE = timedelta(minutes=10)
_LEEWAY = timedelta(seconds=60)
_PAGE = 100
_PAGES = 10
_LOOK_SECONDS = 10.0
_PERSON = "@s.whatsapp.net"
_ANONYMOUS = "@lid"
_WORDS = {
    "SERVER_ACK": Evidence.SENT,
    "SENT": Evidence.SENT,
    "DELIVERY_ACK": Evidence.DELIVERED,
    "DELIVERED": Evidence.DELIVERED,
    "READ": Evidence.READ,
    "PLAYED": Evidence.READ,
    "ERROR": Evidence.FAILED,
    "FAILED": Evidence.FAILED,
}


class Evolution:
    """As `Provider`, for the instance `name` at `base_url`."""

    can_be_asked = True
    absence_is_proof = False

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: str,
        jwt_key: str,
        post: Post,
        patience: Patience = PATIENT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`jwt_key`: signs the webhooks, at least 32 bytes; with a shorter one none is trusted."""
        self.patience = patience
        self._name = quote(name, safe="")
        self._base_url = base_url.rstrip("/")
        self._headers = {"apikey": api_key, "Content-Type": "application/json"}
        self._jwt_key = jwt_key
        self._post = post
        self._monotonic = monotonic

    def send(self, message: Message, attempt: str, deadline: float) -> Outcome:  # noqa: ARG002 - it knows no keys
        """As `Provider.send`. Templates are the Cloud API's: here their text is sent."""
        body: dict[str, Any] = {"number": message.to, "delay": TYPING_MS}
        if message.media:
            path = "message/sendMedia"
            body |= {
                "mediatype": message.media.type.value,
                "media": message.media.url,
                "caption": message.text,
                "fileName": file_name(message.media.url),
            }
        else:
            path = "message/sendText"
            body |= {"text": message.text, "linkPreview": False}
        answer = self._ask(path, body, deadline)
        return _outcome(answer) if isinstance(answer, Answer) else answer

    def _ask(self, path: str, body: Mapping[str, Any], deadline: float) -> Asked:
        return self._post(f"{self._base_url}/{path}/{self._name}", self._headers, json.dumps(body).encode(), deadline)

    def find(
        self,
        message: Message,
        attempt: str,  # noqa: ARG002 - it knows no keys
        since: datetime,
        until: datetime,
        is_taken: Callable[[str], bool],
    ) -> Seen:
        """As `Provider.find`. Of a person whom the server knows by another id, nobody can tell."""
        is_in_doubt = False
        earliest, latest = since.replace(microsecond=0), until + timedelta(seconds=1)
        deadline = self._monotonic() + _LOOK_SECONDS
        for number in range(1, _PAGES + 1):
            page = self._page(number, earliest, latest, deadline)
            if page is None:
                return CannotTell("The messages cannot be read")
            for each in page:
                sent_at = _sent_at(each)
                if sent_at is None or not earliest <= sent_at <= latest or _text(each).strip() != message.text.strip():
                    continue
                key = inner(each, "key")
                message_id = text_in(key, "id")
                if key.get("fromMe") is not True or not message_id or is_taken(message_id):
                    continue
                match _person(key):
                    case None:
                        is_in_doubt = True
                    case person if is_same_person(person, message.to):
                        return Found(message_id)
            if len(page) < _PAGE or _is_past(page, earliest):
                return CannotTell("The server knows people by other ids") if is_in_doubt else Absent()
        return CannotTell(f"It is not among the last {_PAGES * _PAGE:,} messages")

    def _page(self, number: int, since: datetime, until: datetime, deadline: float) -> list[Mapping[str, Any]] | None:
        """The messages of a page, the newest first; None if they cannot be read."""
        window = {"gte": _iso(since), "lte": _iso(until)}
        query = {"where": {"key": {"fromMe": True}, "messageTimestamp": window}, "page": number, "offset": _PAGE}
        answer = self._ask("chat/findMessages", query, deadline)
        if not isinstance(answer, Answer) or answer.status not in (200, 201):
            return None
        records = inner(answer.json(), "messages").get("records")
        return objects(records) if isinstance(records, list) else None

    def parse_events(self, body: bytes, headers: Mapping[str, str], now: datetime) -> list[Event]:
        """As `Provider.parse_events`: the instance's own token stands in `Authorization`."""
        self._verify(next((value for name, value in headers.items() if name.lower() == "authorization"), ""), now)
        found = json_object(body)
        many = found.get("data")
        events = objects(many) if isinstance(many, list) else objects([many])
        read: Callable[[Mapping[str, Any], datetime], Event | None]
        match text_in(found, "event").lower().replace("_", "."):
            case "messages.update":
                read = _status
            case "messages.upsert":
                read = _inbound
            case _:
                return []
        return [event for each in events if (event := read(each, now))]

    def _verify(self, authorization: str, now: datetime) -> None:
        if len(self._jwt_key.encode()) < LEAST_KEY_BYTES:
            raise Untrusted("The instance has no key for webhooks")
        try:
            claims = jwt.decode(
                authorization.removeprefix("Bearer "),
                self._jwt_key,
                algorithms=["HS256"],
                # Its times are judged by `now`.
                options={"require": ["exp", "iat"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
        except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError, OSError):
            raise Untrusted("The token is not the instance's") from None  # it may quote the token
        if claims.get("app") != "evolution":
            raise Untrusted("The token is for another use")
        if not now - _LEEWAY < expires_at <= now + _TOKEN_LIFE + _LEEWAY:
            raise Untrusted("The token has expired, or lives too long")


def _outcome(answer: Answer) -> Outcome:
    body = answer.json()
    match answer.status:
        case 200 | 201:
            return _created(answer, body)
        case 400:
            numbers = objects(inner(body, "response").get("message"))
            if any(each.get("exists") is False for each in numbers):
                return Refused(Scope.RECIPIENT, True, "not_on_whatsapp", "The number is not on WhatsApp")
        case 401 | 403 | 404:
            # Of the key, or of the instance's name: judged before anything is sent.
            return Refused(Scope.INSTANCE, True, str(answer.status), _said(body))
        case 429:
            return throttled(answer.headers)
    return Unknown(one_line(f"{answer.status}: {_said(body)}"))


def _created(answer: Answer, body: Mapping[str, Any]) -> Outcome:
    """A message has a key. Without one, the Cloud API behind the server refused it, and its error is the answer."""
    message_id = text_in(inner(body, "key"), "id")
    if message_id:
        return Accepted(message_id)
    if not body:
        return Unknown("The answer is no message")
    error = inner(body, "error") or body
    # Final, unless its code says otherwise: what is not known is not sent again by itself.
    code = str(error.get("code", "no_id"))
    return refusal(error, answer.headers) or Refused(Scope.RECIPIENT, True, code, _said(error))


def _said(body: Mapping[str, Any]) -> str:
    found = inner(body, "response").get("message") or body.get("message") or body.get("error") or ""
    return one_line("; ".join(map(str, found)) if isinstance(found, list) else found)


def _status(found: Mapping[str, Any], now: datetime) -> StatusEvent | None:
    """Its own time is the server's local one, and says UTC: so it is now."""
    status = _WORDS.get(text_in(found, "status").upper())
    message_id = text_in(found, "keyId") or text_in(inner(found, "key"), "id")
    if status is None or not message_id or found.get("fromMe") is not True:
        return None
    if status is not Evidence.FAILED:
        return StatusEvent(status, message_id, None, now)
    text = "WhatsApp did not take the message"
    return StatusEvent(status, message_id, None, now, code="ERROR", text=text, retryable=True)


def _inbound(found: Mapping[str, Any], now: datetime) -> InboundEvent | None:
    key = inner(found, "key")
    message_id = text_in(key, "id")
    sender = _person(key)
    if not sender or not message_id or key.get("fromMe") is not False:
        return None
    return InboundEvent(sender, cut(_text(found)), moment(found.get("messageTimestamp"), now), message_id)


def _person(key: Mapping[str, Any]) -> str | None:
    """The phone of whom a message is to or from; None if the key does not say it. Groups are empty."""
    ids = [text_in(key, name) for name in ("remoteJid", "remoteJidAlt", "senderPn")]
    phones = (digits(each.removesuffix(_PERSON).partition(":")[0]) for each in ids if each.endswith(_PERSON))
    return next((each for each in phones if each), None if ids[0].endswith(_ANONYMOUS) else "")


def is_same_person(one: str, other: str) -> bool:
    """Whether two phones are one: a Brazilian mobile may be without its ninth digit."""
    return one == other or _without_ninth(one) == _without_ninth(other)


def _without_ninth(phone: str) -> str:
    is_mobile = len(phone) == 13 and phone.startswith("55") and phone[4] == "9"
    return phone[:4] + phone[5:] if is_mobile else phone


def _text(found: Mapping[str, Any]) -> str:
    """The text of a message, or its caption."""
    message = inner(found, "message")
    said = text_in(message, "conversation") or text_in(inner(message, "extendedTextMessage"), "text")
    captions = (text_in(inner(message, f"{kind}Message"), "caption") for kind in ("image", "video", "document"))
    return said or next((each for each in captions if each), "")


def _sent_at(found: Mapping[str, Any]) -> datetime | None:
    seconds = found.get("messageTimestamp")
    try:
        return datetime.fromtimestamp(int(seconds), UTC) if seconds is not None else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _is_past(page: list[Mapping[str, Any]], earliest: datetime) -> bool:
    """Whether the next pages are older still: this one ends before the window, and runs backwards."""
    first, last = _sent_at(page[0]), _sent_at(page[-1])
    return first is not None and last is not None and last < earliest and last < first


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
