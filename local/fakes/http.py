"""A fake network over real HTTP: its API's routes, the faults of its script, and routes that set both."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.fakes.network import RESET_SECONDS, WITHOUT_EFFECT, Duplicate, FakeNetwork, Fault, Operation
from promotions.ports import Account, Kind, Metrics

TOKEN = "fake-token"  # the one that the fakes take


@dataclass(frozen=True)
class Request:
    """A request of a client. `form` has the fields of a body of any kind: of `name[]` a list."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    form: Mapping[str, Any]
    host: str

    def one(self, name: str, default: str = "") -> str:
        """The first value in the query."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True)
class Answer:
    """An answer to a client; a `body` that is a text is sent as it is."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


type Effect = Callable[[Request, re.Match[str], Fault | None], Answer]


@dataclass(frozen=True)
class Route:
    """What a request does; the fault it is given is LATER, HIDDEN or none."""

    operation: Operation
    method: str
    path: str
    effect: Effect


class Served:
    """Something that answers HTTP on this machine, each request in a thread."""

    def __init__(self) -> None:
        self.closing = Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                server.serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the server's names

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True

    @property
    def host(self) -> str:
        """`127.0.0.1:<port>`."""
        return f"127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve while the block runs; gives the host."""
        thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self.host
        finally:
            self.closing.set()
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request, or let its client wait until `closing`."""
        raise NotImplementedError


class FakeServer(Served):
    """Serves a network's API. A network gives its routes, and the answers that its faults have."""

    routes: tuple[Route, ...]

    def __init__(self, network: FakeNetwork) -> None:
        super().__init__()
        self.network = network
        self._lock = Lock()

    def limited(self, reset: datetime | None) -> Answer:
        """429, and when to come again, if it is said."""
        raise NotImplementedError

    def refused(self, fault: Fault) -> Answer:
        """REFUSED, DUPLICATE or EXPIRED."""
        raise NotImplementedError

    def odd(self, answer: Answer) -> Answer:
        """An answer with a header of the rate limit that is no time."""
        raise NotImplementedError

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        request = request_of(handler)
        if request.path.startswith("/_fake/"):
            with self._lock:
                send(handler, self._controlled(request))
            return
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            send(handler, self.refused(Fault.EXPIRED))
            return
        for route in self.routes:
            found = re.fullmatch(route.path, request.path)
            if found and route.method == request.method:
                self._meet(handler, route, request, found)
                return
        send(handler, Answer(404, {"error": "Record not found", "title": "Not Found Error"}))

    def _meet(self, handler: BaseHTTPRequestHandler, route: Route, request: Request, found: re.Match[str]) -> None:
        with self._lock:
            fault = self.network.asked(route.operation)
            answer = None if fault in WITHOUT_EFFECT else self._effect(route, request, found, fault)
        match fault:
            case Fault.HANG:
                self.closing.wait()
                handler.close_connection = True
            case Fault.LOST | Fault.LATER | Fault.HIDDEN:
                handler.close_connection = True
            case _:
                send(handler, self._said(fault, answer))

    def _effect(self, route: Route, request: Request, found: re.Match[str], fault: Fault | None) -> Answer:
        try:
            return route.effect(request, found, fault)
        except Duplicate:
            return self.refused(Fault.DUPLICATE)

    def _said(self, fault: Fault | None, answer: Answer | None) -> Answer:
        match fault:
            case Fault.LIMITED:
                return self.limited(self.network.clock.now() + timedelta(seconds=RESET_SECONDS))
            case Fault.LIMITED_BARE:
                return self.limited(None)
            case Fault.REFUSED | Fault.DUPLICATE | Fault.EXPIRED:
                return self.refused(fault)
            case Fault.UNAVAILABLE:
                return Answer(503, "<html>Service Unavailable</html>")
            case Fault.GATEWAY:
                return Answer(504, "<html>Gateway Time-out</html>")
            case Fault.FAILED:
                return Answer(500, {"error": "Internal server error"})
            case Fault.UNREADABLE:
                return Answer(200, "<html>Welcome</html>")
            case Fault.NO_ID:
                return Answer(200, {})
            case Fault.ODD_RESET:
                return self.odd(answer or Answer())
            case _:
                return answer or Answer()

    def _controlled(self, request: Request) -> Answer:
        """`PUT /_fake/faults {operation, faults}`, `PUT /_fake/accounts/{handle}`, `GET /_fake/posts`,
        `PUT /_fake/posts/{id}/engagement {like: [handle], ..., metrics: {likes, ...}}`.
        """
        match request.method, *request.path.removeprefix("/_fake/").split("/"):
            case "PUT", "faults":
                self.network.script(Operation(request.form["operation"]), *map(Fault, request.form["faults"]))
            case "PUT", "accounts", handle:
                fields = {"id": self.network.account(handle).id, "handle": handle} | dict(request.form)
                if "created_at" in fields:
                    fields["created_at"] = datetime.fromisoformat(fields["created_at"])
                self.network.accounts[handle.lower()] = Account(**fields)
            case "PUT", "posts", post_id, "engagement":
                metrics = request.form.get("metrics")
                engaged = {kind: request.form[kind] for kind in Kind if kind in request.form}
                self.network.engage(post_id, engaged, Metrics(**metrics) if metrics else None)
            case "GET", "posts":
                return Answer(200, [asdict(each) for each in self.network.posts])
            case _:
                return Answer(404, {"error": "There is no such route"})
        return Answer(200, {})


def request_of(handler: BaseHTTPRequestHandler) -> Request:
    """Read a request."""
    url = urlsplit(handler.path)
    body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
    headers = {name.lower(): value for name, value in handler.headers.items()}
    form = _form(headers.get("content-type", ""), body)
    return Request(handler.command, url.path, parse_qs(url.query), headers, form, headers.get("host", ""))


def _form(content_type: str, body: bytes) -> Mapping[str, Any]:
    if content_type.startswith("application/json"):
        found: Mapping[str, Any] = json.loads(body)
        return found
    if content_type.startswith("multipart/form-data"):
        parts = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
        return {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
            for part in parts.iter_parts()
        }
    return {name: values if name.endswith("[]") else values[-1] for name, values in parse_qs(body.decode()).items()}


def send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    """Send an answer."""
    is_text = isinstance(answer.body, str)
    body = answer.body.encode() if is_text else json.dumps(answer.body, default=str).encode()
    handler.send_response(answer.status)
    handler.send_header("Content-Type", "text/html" if is_text else "application/json")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
