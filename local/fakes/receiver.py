"""A receiver of webhooks on this machine: it keeps each request, and answers as it is told."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from time import monotonic


@dataclass(frozen=True)
class Received:
    """A request: its headers by their names in small letters, its bytes, and when it came on a clock of its own."""

    headers: Mapping[str, str]
    body: bytes
    at: float


class Receiver:
    """Answers 204, or first what `answers` has."""

    def __init__(self, *answers: int) -> None:
        self.requests: list[Received] = []
        self._answers = deque(answers)
        self._came = Condition()

    @contextmanager
    def listening(self) -> Iterator[str]:
        """The address at which it listens."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(receiver._take(Received(headers, body, monotonic())))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hooks"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def wait(self, count: int, seconds: float) -> list[Received]:
        """The requests as soon as there are `count`; after so many seconds those that came."""
        with self._came:
            self._came.wait_for(lambda: len(self.requests) >= count, seconds)
            return list(self.requests)

    def _take(self, request: Received) -> int:
        with self._came:
            self.requests.append(request)
            self._came.notify_all()
            return self._answers.popleft() if self._answers else 204
