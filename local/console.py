"""A server for whoever changes the console: the tree's files, read again at each request, before `make up`'s stack.

Whatever is not the console's is passed on to the stack, so that the page has its API beside it as it has it on AWS.
"""

import argparse
import base64
import http.client
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import serve
from local import stack
from local.errors import LocalError, run

DEFAULT_PORT = 4580
PATH = "/console"
PASSED_ON = ("/api/", "/v2/", "/webhooks/", "/health")
BESIDE_THE_BODY = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
"""Headers of a connection, not of a message: each connection has its own."""
_SECONDS = 60


class Handler(BaseHTTPRequestHandler):
    """Of one connection; `api_url` is where the stack's API is."""

    protocol_version = "HTTP/1.1"
    api_url = ""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == PATH or path.startswith(f"{PATH}/"):
            self._console(path.removeprefix(f"{PATH}/") if path != PATH else None)
        else:
            self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_PUT(self) -> None:
        self._pass_on()

    def do_PATCH(self) -> None:
        self._pass_on()

    def do_DELETE(self) -> None:
        self._pass_on()

    def _console(self, proxy: str | None) -> None:
        try:
            site = serve.Site(serve.STATIC, _origins(self.api_url))
        except (serve.Unjoinable, OSError) as error:
            self._answer(500, {"content-type": "text/plain; charset=utf-8"}, f"{error}\n".encode())
            return
        if proxy:
            # Whatever version the page was loaded with: what it asks for is made of the files as they are now.
            proxy = f"{site.version}/{proxy.partition('/')[2]}"
        answer = site.answer(proxy, {name.lower(): value for name, value in self.headers.items()})
        body = base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"].encode()
        self._answer(answer["statusCode"], {**answer["headers"], "cache-control": "no-cache"}, body)

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not self.path.startswith(PASSED_ON):
            self._answer(404, {"content-type": "text/plain"}, f"The console is at {PATH}.\n".encode())
            return
        address = urlsplit(self.api_url)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in BESIDE_THE_BODY}
        connection = http.client.HTTPConnection(address.netloc, timeout=_SECONDS)
        try:
            connection.request(self.command, address.path + self.path, body, headers)
            answer = connection.getresponse()
            found = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._answer(502, {"content-type": "text/plain"}, f"The stack does not answer: {error}\n".encode())
            return
        finally:
            connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in BESIDE_THE_BODY}
        self._answer(answer.status, kept, found)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != http.client.NOT_MODIFIED:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
        """Nothing but what failed: a page asks every few seconds."""
        if int(code) >= 400:
            super().log_request(code)


def _origins(url: str) -> list[str]:
    """Where forms that the API signs upload to, and where hints come from: the stack has one port for all of AWS."""
    parts = urlsplit(url)
    return [f"{parts.scheme}://{parts.netloc}", f"ws://{parts.netloc}"]


def server(api_url: str, port: int) -> ThreadingHTTPServer:
    """Not started; port 0 is a free one."""
    kind: Callable[..., BaseHTTPRequestHandler] = type("Handler", (Handler,), {"api_url": api_url})
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), kind)
    except OSError as error:
        raise LocalError(f"Port {port} cannot be listened on ({error.strerror}): make console PORT=..") from error


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.console", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    given = parser.parse_args()
    embedded = stack.running()
    with server(embedded.api_url, given.port) as serving:
        address = f"http://127.0.0.1:{serving.server_port}{PATH}"
        print(f"Console: {address}, from console/static; reload the page after a change. Ctrl-C ends it.", flush=True)
        stack.tell_link(embedded, address)
        serving.serve_forever()


if __name__ == "__main__":
    run(main)
