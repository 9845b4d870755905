"""The server for whoever changes the console, before an API that is a server of the test's."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

import serve
from local import console
from local.errors import LocalError


class Api(BaseHTTPRequestHandler):
    """Says what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        told = {"path": self.path, "token": self.headers["authorization"], "body": body}
        self.send_response(409)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "vendor").mkdir()
    for name in ("index.html", "app.css", "icon.svg", "vendor/preact.js"):
        (tmp_path / name).write_bytes((serve.STATIC / name).read_bytes())
    (tmp_path / "app.js").write_text("first();\n")
    monkeypatch.setattr(serve, "STATIC", tmp_path)
    return tmp_path


@pytest.fixture
def http(static: Path) -> Iterator[httpx.Client]:
    with (
        serving(ThreadingHTTPServer(("127.0.0.1", 0), Api)) as api,
        serving(console.server(f"{api}/stage", 0)) as address,
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        yield client


def test_a_change_of_a_file_is_there_at_the_next_request(http: httpx.Client, static: Path) -> None:
    version = http.get("/console").text.partition("./console/")[2].partition("/")[0]

    (static / "app.js").write_text("second();\n")

    assert http.get(f"/console/{version}/app.js").text.endswith("second();\n")
    assert version not in http.get("/console").text


def test_a_module_that_breaks_a_rule_says_so_instead_of_the_page(http: httpx.Client, static: Path) -> None:
    (static / "app.js").write_text("export default 1;\n")

    answer = http.get("/console")

    assert (answer.status_code, answer.text[:8]) == (500, "app.js:1")


def test_what_is_not_the_console_s_is_the_stack_s(http: httpx.Client) -> None:
    answer = http.post("/api/admin/stop?a=b", headers={"authorization": "Bearer x"}, content="{}")

    assert answer.status_code == 409
    assert answer.json() == {"path": "/stage/api/admin/stop?a=b", "token": "Bearer x", "body": "{}"}


def test_nothing_else_is_passed_on(http: httpx.Client) -> None:
    answer = http.get("/")

    assert (answer.status_code, answer.text) == (404, "The console is at /console.\n")


def test_a_stack_that_is_gone_is_a_502(static: Path) -> None:
    with serving(console.server("http://127.0.0.1:9/stage", 0)) as address:
        answer = httpx.get(f"{address}/api/admin/stop", trust_env=False)

    assert answer.status_code == 502
    assert answer.text.startswith("The stack does not answer: ")


def test_forms_may_be_posted_to_the_stack(http: httpx.Client) -> None:
    policy = http.get("/console").headers["content-security-policy"]

    assert " http://127.0.0.1:" in policy.partition("connect-src 'self'")[2].partition(";")[0]


def test_a_port_that_is_taken_is_said_to_be(http: httpx.Client) -> None:
    taken = http.base_url.port
    assert taken

    with pytest.raises(LocalError, match=rf"Port {taken} cannot be listened on .*make console PORT=\.\."):
        console.server("http://127.0.0.1:9", taken)
