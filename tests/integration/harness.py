"""One harness for all functions: the events of `events/` go in, and what comes of them is in tables and on queues."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from importlib import import_module
from itertools import count
from types import ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.account import Account
from tests.faults.environment import kept_apart
from tests.gateway import Context
from tests.template_reader import ROOT

ON_A_CLUSTER_TOO = pytest.mark.parametrize("redis_mode", ["single", "cluster"], indirect=True)
"""For a test whose scripts, moves or errors are others on a cluster; the rest is proved on one server."""
NOTHING = object()
"""A body that is not sent at all."""
_numbers = count(1)


@dataclass(frozen=True)
class Answer:
    """What a function answered over HTTP. The body as JSON, if it says that it is."""

    status: int
    body: Any
    headers: dict[str, Any]
    cookies: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "Answer":
        is_json = answer["headers"]["Content-Type"].startswith("application/json")
        body = json.loads(answer["body"]) if is_json else answer["body"]
        return cls(answer["statusCode"], body, answer["headers"], answer.get("cookies", []))

    @property
    def refusal(self) -> tuple[int, str, str]:
        return self.status, self.body["code"], self.body["message"]

    @property
    def fields(self) -> list[str]:
        return [error["field"] for error in self.body["errors"]]

    @property
    def session(self) -> str:
        return str(self.body["session"])


def an_event(file: str) -> dict[str, Any]:
    """A file in `events/`, without its `.json`."""
    event: dict[str, Any] = json.loads(_text(file))
    return event


@cache
def _text(file: str) -> str:
    return (ROOT / f"events/{file}.json").read_text()


class Functions:
    """The functions of the template, each called with its own environment and nothing more."""

    def __init__(self, aws: Account) -> None:
        self._aws = aws
        self._running = 0
        self.environment: dict[str, str] = {}
        """What stands above the template's own, such as the address of a test's server."""

    def call(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a function by its logical id, as Lambda would: also in the middle of another, and of itself."""
        path = self._aws.resources[function]["Properties"]["Handler"]
        handlers = {name: _module(each) for name, each in self._handlers().items()} if self._running else {}
        self._running += 1
        try:
            with (
                kept_apart(list(handlers.values())) if handlers else nullcontext(),
                patch.dict("os.environ", self._aws.environment(function) | self.environment),
            ):
                handler: Callable[[dict[str, Any], Context], Any]
                handler = getattr(_module(path), path.rpartition(".")[2])
                return handler(event, Context())
        finally:
            self._running -= 1

    def of(self, file: str) -> str:
        """The logical id of the function that a file of `events/` is for: the file is named after its module."""
        module = file.rpartition("-")[0].replace("/", ".")
        (found,) = [name for name, path in self._handlers().items() if path.rpartition(".")[0] == module]
        return found

    def _handlers(self) -> dict[str, str]:
        return {
            name: resource["Properties"]["Handler"]
            for name, resource in self._aws.resources.items()
            if resource["Type"] == "AWS::Lambda::Function"
        }


def _module(path: str) -> ModuleType:
    return import_module(path.rpartition(".")[0])


class Harness:
    """Drives the functions, and looks at what they leave. A context adds its own words to it."""

    def __init__(self, aws: Account, functions: Functions, clock: Any) -> None:
        self.aws = aws
        self.functions = functions
        self.clock = clock

    def invoke(self, file: str, event: dict[str, Any] | None = None) -> Any:
        """Call a function with its event, or with another one of its kind."""
        return self.functions.call(self.functions.of(file), an_event(file) if event is None else event)

    def request(
        self,
        file: str,
        *path: tuple[str, str],
        body: Any = None,
        query: dict[str, Any] | None = None,
        role: str = "admin",
        subject: str = "ada",
        key: str | None = None,
        request_id: str | None = None,
    ) -> Answer:
        """Send the request of a file, with an id of its own, and check what holds for every answer.

        `path` are replacements in its path. `body` takes the place of the file's: as it is if a text, else as JSON.
        """
        event = an_event(file)
        for old, new in path:
            event["rawPath"] = event["rawPath"].replace(old, new)
        event["requestContext"]["http"]["path"] = event["rawPath"]
        event["requestContext"]["requestId"] = request_id or f"request-{next(_numbers)}"
        event["requestContext"]["authorizer"] = {"lambda": {"subject": subject, "role": role}}
        event["headers"].pop("idempotency-key", None)
        if key is not None:
            event["headers"]["idempotency-key"] = key
        if body is NOTHING:
            event.pop("body", None)
        elif body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        if query is not None:
            event["rawQueryString"] = urlencode(query)
            event["queryStringParameters"] = dict(parse_qsl(event["rawQueryString"], keep_blank_values=True))
        answer = Answer.of(self.invoke(file, event))
        if answer.status >= 400:
            assert answer.headers["Content-Type"] == "application/json"
            assert answer.body.keys() == {"message", "code", "errors", "request_id"}
            assert answer.body["message"]
            assert answer.body["request_id"] == event["requestContext"]["requestId"]
        return answer

    def done(self, file: str, *path: tuple[str, str], status: int = 200, **more: Any) -> Any:
        """The body of an answer that is no refusal."""
        answer = self.request(file, *path, **more)
        assert answer.status == status, answer.body
        return answer.body

    def hand_over(self, file: str, body: Any, message_id: str | None = None) -> bool:
        """Whether a worker acknowledged a message, given as it is on the queue or as a dict."""
        event = an_event(file)
        name = message_id or f"message-{next(_numbers)}"
        event["Records"][0] |= {"body": body if isinstance(body, str) else json.dumps(body), "messageId": name}
        failures = self.invoke(file, event)["batchItemFailures"]
        assert failures in ([], [{"itemIdentifier": name}])
        return not failures

    def take(self, queue: str, *, ahead: timedelta = timedelta(minutes=15)) -> list[str]:
        """Take all messages off a queue, those with a delay too: the bodies, as they are."""
        sqs, found = self.aws.client("sqs"), []
        self.clock.shift(ahead)
        while messages := self.aws.messages(queue):
            for message in messages:
                found.append(str(message["Body"]))
                sqs.delete_message(QueueUrl=self.aws.ref(queue), ReceiptHandle=message["ReceiptHandle"])
        self.clock.shift(-ahead)
        return found

    def steps(self, queue: str) -> list[dict[str, Any]]:
        """Take all steps off a chain's queue."""
        return [json.loads(body) for body in self.take(queue)]

    def sweep(self) -> dict[str, int]:
        answer: dict[str, int] = self.invoke("operations/sweeper-period")
        return answer

    def turn(self, command: str) -> None:
        """Stop or resume the platform."""
        self.done(f"operations/stop-{command}")

    def verified(self, entity: str) -> dict[str, Any]:
        """What the audit trail says of an entity's chain."""
        event = an_event("operations/audit-verify")
        path = f"/api/admin/audit/{entity}/verify"
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        return dict(Answer.of(self.invoke("operations/audit-verify", event)).body)

    def totals(self) -> dict[str, int]:
        """The counters by their keys."""
        return {str(item["key"]): int(item["views"]) for item in self.aws.items("TotalsTable")}

    def entries(self, entity: str | None = None) -> list[dict[str, Any]]:
        """An entity's audit log, oldest first; of all of them, by number."""
        found = [item for item in self.aws.items("AuditTable") if entity in (None, item["entity"])]
        return sorted(found, key=lambda entry: int(entry["number"]))

    def actions(self, entity: str) -> list[str]:
        """The actions in an entity's audit log, oldest first."""
        return [str(entry["action"]) for entry in self.entries(entity)]
