"""A receiver of webhooks on this machine: it keeps each request, and answers what it was given."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from threading import Condition
from time import monotonic

from local.fakes.http import Answer, Served, send


@dataclass(frozen=True)
class Received:
    """A request: its headers by their names in small letters, its bytes, and when it came on a clock of its own."""

    headers: Mapping[str, str]
    body: bytes
    at: float


class Receiver(Served):
    """Answers 200, or first the statuses that it was given."""

    def __init__(self, *statuses: int) -> None:
        super().__init__()
        self.requests: list[Received] = []
        self._statuses = deque(statuses)
        self._came = Condition()

    @property
    def url(self) -> str:
        return f"http://{self.host}/hooks"

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._came:
            self.requests.append(Received(headers, body, monotonic()))
            self._came.notify_all()
            status = self._statuses.popleft() if self._statuses else 200
        send(handler, Answer(status, {"ok": status == 200}))

    def wait(self, count: int, seconds: float) -> list[Received]:
        """The requests as soon as there are `count`; after so many seconds those that came."""
        with self._came:
            self._came.wait_for(lambda: len(self.requests) >= count, seconds)
            return list(self.requests)
