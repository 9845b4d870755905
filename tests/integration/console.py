"""An operator at the admin API, whose requests are those of the event files; and what happens beside him."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from botocore.exceptions import ClientError
from pynamodb.connection import Connection
from pynamodb.exceptions import UpdateError

import boosts.api
import operations.audit
import operations.health
import operations.stop
from tests.account import Account
from tests.integration.conftest import Functions
from tests.template_reader import ROOT

EXAMPLE = "bst_01KAJ3W5V0SM0FKVYVXB9EQT6N"
TERMS = {"video_id": "abc123", "total_count": 2500, "duration_days": 1, "pattern": "steady", "daily_limit": 5000}

_FUNCTIONS = {
    "boosts/api": "BoostsApiFunction",
    "operations/audit": "OperationsAuditFunction",
    "operations/health": "OperationsHealthFunction",
    "operations/stop": "OperationsStopFunction",
}
_APPS = (boosts.api.app, operations.audit.app, operations.health.app, operations.stop.app)
_requests = count(1)


@dataclass(frozen=True)
class Answer:
    """What a function answered over HTTP."""

    status: int
    body: Any
    headers: dict[str, Any]

    @property
    def refusal(self) -> tuple[int, str, str]:
        return self.status, self.body["code"], self.body["message"]

    @property
    def fields(self) -> list[str]:
        return [error["field"] for error in self.body["errors"]]


def an_event(file: str) -> dict[str, Any]:
    """A file in `events/`, without its `.json`."""
    event: dict[str, Any] = json.loads((ROOT / f"events/{file}.json").read_text())
    return event


class Console:
    """Sends requests, each with an id of its own, and checks of each answer what holds for all of them."""

    def __init__(self, aws: Account, functions: Functions, clock: Any) -> None:
        self.aws = aws
        self.functions = functions
        self.clock = clock

    def send(
        self,
        file: str,
        campaign_id: str = EXAMPLE,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        subject: str = "ada",
        role: str = "admin",
        key: str | None = None,
        request_id: str | None = None,
    ) -> Answer:
        event = an_event(file)
        event["rawPath"] = event["rawPath"].replace(EXAMPLE, campaign_id)
        event["requestContext"]["http"]["path"] = event["rawPath"]
        event["requestContext"]["requestId"] = request_id or f"request-{next(_requests)}"
        event["requestContext"]["authorizer"] = {"lambda": {"subject": subject, "role": role}}
        event["headers"].pop("idempotency-key", None)
        if key is not None:
            event["headers"]["idempotency-key"] = key
        if body is not None:
            event["body"] = json.dumps(body)
        if query is not None:
            event["rawQueryString"] = urlencode(query)
            event["queryStringParameters"] = dict(parse_qsl(event["rawQueryString"], keep_blank_values=True))
        with _an_environment_of_its_own():
            answer = self.functions.call(_FUNCTIONS[file.partition("-")[0]], event)
        if not answer["headers"]["Content-Type"].startswith("application/json"):
            return Answer(answer["statusCode"], answer["body"], answer["headers"])
        _check(event, answer)
        return Answer(answer["statusCode"], json.loads(answer["body"]), answer["headers"])

    def text(self, file: str, campaign_id: str, query: dict[str, Any]) -> Answer:
        """A request whose answer is a text."""
        answer = self.send(file, campaign_id or EXAMPLE, query=query)
        assert answer.status == 200, answer.body
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        return answer

    def create(self, **terms: Any) -> str:
        """The id of a new campaign."""
        answer = self.send("boosts/api-create", body=TERMS | terms)
        assert answer.status == 201, answer.body
        return str(answer.body["id"])

    def get(self, campaign_id: str) -> dict[str, Any]:
        answer = self.send("boosts/api-get", campaign_id)
        assert answer.status == 200, answer.body
        return answer.body

    def command(self, verb: str, campaign_id: str) -> dict[str, Any]:
        """A command that is obeyed."""
        answer = self.send(f"boosts/api-{verb}", campaign_id)
        assert answer.status == 200, answer.body
        return answer.body

    def running(self, **terms: Any) -> str:
        """The id of a campaign that was executed; its message is taken off the queue."""
        campaign_id = self.create(**terms)
        self.command("execute", campaign_id)
        self.take()
        return campaign_id

    def work(self, campaign_id: str, step: int, message_id: str | None = None) -> None:
        """Deliver a step's message to the worker, which acknowledges it."""
        event = an_event("boosts/worker-steps")
        event["Records"][0]["body"] = json.dumps({"campaign_id": campaign_id, "step": step})
        event["Records"][0]["messageId"] = message_id or f"message-{next(_requests)}"
        assert self.functions.call("BoostsWorkerFunction", event) == {"batchItemFailures": []}

    def sweep(self) -> dict[str, int]:
        answer: dict[str, int] = self.functions.call("OperationsSweeperFunction", an_event("operations/sweeper-period"))
        return answer

    def take(self) -> list[dict[str, Any]]:
        """Takes all messages off the queue, those with a delay too."""
        sqs = self.aws.client("sqs")
        found = []
        self.clock.shift(timedelta(minutes=15))
        while messages := self.aws.messages("BoostsQueue"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.aws.ref("BoostsQueue"), ReceiptHandle=message["ReceiptHandle"])
        self.clock.shift(timedelta(minutes=-15))
        return found

    def item(self, campaign_id: str) -> dict[str, Any]:
        """A campaign's item, as it is stored."""
        items = self.aws.items("BoostsTable")
        return deepcopy(next(item for item in items if (item["id"], item["part"]) == (campaign_id, "campaign")))

    def put_usage(self, month: str = "2026-11", **counters: int) -> None:
        """Puts a month's use where a test wants it."""
        item = {name: {"N": str(value)} for name, value in counters.items()}
        key = {"id": {"S": f"usage#{month}"}, "part": {"S": "usage"}, "kind": {"S": "usage"}}
        self.aws.client("dynamodb").put_item(TableName=self.aws.ref("BoostsTable"), Item=key | item)

    def usage(self, month: str = "2026-11") -> dict[str, Any]:
        return next((item for item in self.aws.items("BoostsTable") if item["id"] == f"usage#{month}"), {})

    def actions(self, campaign_id: str) -> list[str]:
        """The actions in a campaign's audit log, oldest first."""
        entries = [item for item in self.aws.items("AuditTable") if item["entity"] == campaign_id]
        ordered = sorted(entries, key=lambda entry: int(entry["number"]))
        return [entry["action"].removeprefix("FAKE_VIEWS_CAMPAIGN_") for entry in ordered]


@contextmanager
def _an_environment_of_its_own() -> Iterator[None]:
    """Lets a request be answered in the middle of another one, as in Lambda each has a process of its own.

    Powertools keeps the request that it answers in globals.
    """
    before = {name: getattr(BaseRouter, name, None) for name in ("current_event", "lambda_context")}
    contexts = [(app.context, dict(app.context)) for app in _APPS]
    for context, _ in contexts:
        context.clear()
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(BaseRouter, name, value)
        for context, content in contexts:
            context.clear()
            context.update(content)


def _check(event: dict[str, Any], answer: dict[str, Any]) -> None:
    body = json.loads(answer["body"])
    assert answer["headers"]["Content-Type"] == "application/json"
    if answer["statusCode"] >= 400:
        assert body.keys() == {"message", "code", "errors", "request_id"}
        assert body["message"]
        assert body["request_id"] == event["requestContext"]["requestId"]
    for campaign in body.get("items", [body]):
        if "total_count" in campaign:
            assert campaign["executed_count"] + campaign["remaining_count"] == campaign["total_count"]


@contextmanager
def before_the_first(call: str, act: Callable[[], Any]) -> Iterator[None]:
    """Lets others act when something was read and computed, and before the first `call` to DynamoDB writes it."""
    with _intercepted(call, before=act):
        yield


def throttled() -> None:
    """What a busy table does to a write."""
    response: Any = {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}
    raise UpdateError("Failed", ClientError(response, "UpdateItem"))


@contextmanager
def answer_lost_of_the_first(call: str) -> Iterator[None]:
    """The first `call` to DynamoDB has its effect, and its caller dies before he hears of it."""

    def die() -> None:
        raise KeyboardInterrupt

    with _intercepted(call, after=die):
        yield


@contextmanager
def _intercepted(call: str, before: Callable[[], Any] | None = None, after: Callable[[], Any] | None = None) -> Any:
    real = getattr(Connection, call)
    acted: list[bool] = []

    def intercepted(self: Connection, *args: Any, **kwargs: Any) -> Any:
        if acted:
            return real(self, *args, **kwargs)
        acted.append(True)
        if before:
            before()
        answer = real(self, *args, **kwargs)
        if after:
            after()
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Connection, call, intercepted)
        yield
    assert acted, f"{call} was never called"
