"""A small HTTP server that plays the API. docs/openapi.json is the judge of what the command asks."""

import json
import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator

from local.paths import ROOT

BASE = "/_aws/execute-api/sluice"
TOKEN = "a-token-of-the-tests"
UPLOAD = "/bucket"
_TEXTS = {"date-time": "2027-01-31T09:00:00Z", "date": "2027-01-31"}


@dataclass(frozen=True)
class Asked:
    """A request as it came, its path without the base."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Played:
    """An answer to give; `lost`: the connection is cut instead."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False


class Contract:
    """What docs/openapi.json allows."""

    def __init__(self) -> None:
        self.document = json.loads((ROOT / "docs" / "openapi.json").read_text())
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path)
            for path in sorted(self.document["paths"], key=lambda path: path.count("{"))
        ]

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        found = self.name(method, path)
        return dict(self.document["paths"][found.partition(" ")[2]][method.lower()]) if found else None

    def name(self, method: str, path: str) -> str:
        """`GET /api/campaigns/{campaign_id}`; "" for none."""
        for pattern, template in self._paths:
            if method.lower() in self.document["paths"][template] and pattern.fullmatch(path):
                return f"{method} {template}"
        return ""

    def fields(self, name: str) -> set[str]:
        """The query and the fields of the body that an operation takes."""
        method, _, path = name.partition(" ")
        found = self.document["paths"][path][method.lower()]
        query = {each["name"] for each in found.get("parameters", []) if each["in"] == "query"}
        return query | self._properties(_json_of(found.get("requestBody", {})) or {})

    def _properties(self, schema: dict[str, Any]) -> set[str]:
        if "$ref" in schema:
            return self._properties(self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        parts = [self._properties(each) for each in schema.get("anyOf", [])]
        return set(schema.get("properties", {})).union(*parts)

    def problems(self, asked: Asked) -> list[str]:
        """What is wrong with a request."""
        operation = self.operation(asked.method, asked.path)
        if operation is None:
            return [f"there is no {asked.method} {asked.path}"]
        known = {each["name"]: each["schema"] for each in operation.get("parameters", []) if each["in"] == "query"}
        found = [f"{asked.path} has no query parameter {name!r}" for name in asked.query if name not in known]
        for name, value in asked.query.items():
            if name in known and not any(self.is_valid(known[name], each) for each in _meanings(value)):
                found.append(f"{asked.path}: {name}={value} is not allowed")
        schema = _json_of(operation.get("requestBody", {}))
        if schema is None or (not asked.body and not operation["requestBody"].get("required")):
            return found + ([f"{asked.path} takes no body"] if asked.body and schema is None else [])
        return found + [f"{asked.path}: {each.json_path}: {each.message}" for each in self._errors(schema, asked.json)]

    def is_valid(self, schema: dict[str, Any], value: object) -> bool:
        return not self._errors(schema, value)

    def answer(self, method: str, path: str, status: int | None = None) -> Any:
        """An example of the answer of a route: its first good one."""
        responses = (self.operation(method, path) or {})["responses"]
        code = str(status) if status else next(each for each in responses if each[0] == "2")
        schema = _json_of(responses[code])
        return None if schema is None else self.example(schema)

    def status(self, method: str, path: str) -> int:
        return int(next(each for each in (self.operation(method, path) or {})["responses"] if each[0] == "2"))

    def example(self, schema: dict[str, Any]) -> Any:
        if "$ref" in schema:
            return self.example(self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            return self.example(schema["anyOf"][0])
        given = [
            schema.get("const"),
            schema.get("default"),
            *schema.get("enum", [])[:1],
            *schema.get("examples", [])[:1],
        ]
        for each in given:
            if each is not None:
                return each
        match schema.get("type"):
            case "object":
                return {name: self.example(each) for name, each in schema.get("properties", {}).items()}
            case "array":
                return [self.example(schema["items"])]
        return _scalar(schema)

    def _errors(self, schema: dict[str, Any], value: object) -> list[Any]:
        judge = Draft202012Validator({**schema, "components": self.document["components"]})
        return list(judge.iter_errors(value))


class Api:
    """The server. What is not played is answered with an example of the contract."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.asked: list[Asked] = []
        self.problems: list[str] = []
        self.part: Callable[[Asked], Played | None] = lambda asked: None
        """A part of the API that has a state: it answers first, or leaves the answer to what is played."""
        self._played: dict[tuple[str, str], deque[Played]] = defaultdict(deque)
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                api._handle(self)

            def log_message(self, *_: Any) -> None:
                pass

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler._any)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A command that ends in the middle of an answer is a case of these tests."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @cached_property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return self.origin + BASE

    def play(self, method: str, path: str, *answers: Played | dict[str, Any]) -> None:
        """Answers in their order; the last one is given again and again."""
        self._played[method, path].extend(
            each if isinstance(each, Played) else Played(body=json.dumps(each).encode()) for each in answers
        )

    def like(self, method: str, path: str, **changes: Any) -> dict[str, Any]:
        """The example of a route's answer, with changes."""
        return {**self.contract.answer(method, path), **changes}

    def problem(self, status: int, code: str, message: str, **more: Any) -> Played:
        body = {"code": code, "message": message, "errors": [], "request_id": "req-1", **more}
        return Played(status, json.dumps(body).encode(), {"x-request-id": "req-1"})

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        asked = Asked(
            request.command,
            parts.path.removeprefix(BASE),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in request.headers.items()},
            request.rfile.read(int(request.headers.get("content-length", 0))),
        )
        self.asked.append(asked)
        if asked.path != UPLOAD:
            self.problems += self.contract.problems(asked)
        answer = self._answer(asked)
        if answer.lost:
            request.close_connection = True
            request.connection.shutdown(2)
            return
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        request.send_header("content-length", str(len(answer.body)))
        request.end_headers()
        request.wfile.write(answer.body)

    def _answer(self, asked: Asked) -> Played:
        if answered := self.part(asked):
            return answered
        played = self._played.get((asked.method, asked.path))
        if played:
            return played.popleft() if len(played) > 1 else played[0]
        if asked.path == UPLOAD:
            return Played(204)
        if self.contract.operation(asked.method, asked.path) is None:
            return self.problem(404, "not_found", "There is no such route")
        found = self.contract.answer(asked.method, asked.path)
        if found is None:
            return Played(200, b"id,status\r\nbst_01,running\r\n", {"content-type": "text/csv"})
        return Played(self.contract.status(asked.method, asked.path), json.dumps(found).encode())


def _scalar(schema: dict[str, Any]) -> Any:
    match schema.get("type"):
        case "string":
            return _TEXTS.get(schema.get("format", ""), "text")
        case "boolean":
            return True
        case "integer" | "number":
            return max(1, int(schema.get("minimum", 1)))
    return None


def _json_of(part: dict[str, Any]) -> dict[str, Any] | None:
    found = part.get("content", {}).get("application/json")
    return dict(found["schema"]) if found else None


def _meanings(text: str) -> list[object]:
    try:
        return [text, json.loads(text)]
    except ValueError:
        return [text]
