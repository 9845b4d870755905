"""A proxy that puts a prefix before all paths, as a company's own gateway does."""

import http.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from local.console import BESIDE_THE_BODY


class Prefixed:
    """Serves while it is open; its value is the address that stands for `target`."""

    def __init__(self, target: str, prefix: str) -> None:
        to = urlsplit(target)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._pass_on("GET")

            def do_POST(self) -> None:
                self._pass_on("POST", self.rfile.read(int(self.headers.get("content-length", 0))))

            def _pass_on(self, method: str, sent: bytes | None = None) -> None:
                assert self.path.startswith(prefix), f"{self.path} is not below {prefix}"
                asked = {name: value for name, value in self.headers.items() if name.lower() not in BESIDE_THE_BODY}
                connection = http.client.HTTPConnection(to.netloc)
                connection.request(method, to.path + self.path.removeprefix(prefix), sent, asked)
                answer = connection.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in BESIDE_THE_BODY:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                connection.close()

            def log_message(self, *_: object) -> None:
                """Nothing: pytest shows what a test prints."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._url = f"http://127.0.0.1:{self._server.server_port}{prefix}"

    def __enter__(self) -> str:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self._url

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
