"""An operator at the admin API, whose requests are those of the event files; and what happens beside him."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.connection import Connection
from pynamodb.exceptions import UpdateError

from tests.integration.harness import Answer, Harness

EXAMPLE = "bst_01KAJ3W5V0SM0FKVYVXB9EQT6N"
TERMS = {"video_id": "abc123", "total_count": 2500, "duration_days": 1, "pattern": "steady", "daily_limit": 5000}


class Console(Harness):
    """Boosts over the admin API, and their queue."""

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
        answer = self.request(
            file,
            (EXAMPLE, campaign_id),
            body=body,
            query=query,
            subject=subject,
            role=role,
            key=key,
            request_id=request_id,
        )
        if answer.headers["Content-Type"].startswith("application/json"):
            for campaign in answer.body.get("items", [answer.body]):
                if "total_count" in campaign:
                    assert campaign["executed_count"] + campaign["remaining_count"] == campaign["total_count"]
        return answer

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
        self.waiting()
        return campaign_id

    def work(self, campaign_id: str, step: int, message_id: str | None = None) -> None:
        """Deliver a step's message to the worker, which acknowledges it."""
        assert self.hand_over("boosts/worker-steps", {"campaign_id": campaign_id, "step": step}, message_id)

    def waiting(self) -> list[dict[str, Any]]:
        """Takes all steps off the queue, those with a delay too."""
        return self.steps("BoostsQueue")

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
        return [action.removeprefix("FAKE_VIEWS_CAMPAIGN_") for action in super().actions(campaign_id)]


@contextmanager
def before_the_first(call: str, act: Callable[[], Any]) -> Iterator[None]:
    """Lets others act when something was read and computed, and before the first `call` to DynamoDB writes it."""
    with _intercepted(call, before=act):
        yield


@contextmanager
def after_the_first(call: str, act: Callable[[], Any]) -> Iterator[None]:
    """Lets others act when the first `call` to DynamoDB has written, and before its caller does anything else."""
    with _intercepted(call, after=act):
        yield


def throttled() -> None:
    """What a busy table does to a write."""
    response: Any = {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}
    raise UpdateError("Failed", ClientError(response, "UpdateItem"))


@contextmanager
def answer_lost_of_the_first(call: str) -> Iterator[None]:
    """The first `call` to DynamoDB has its effect, and its caller dies before it hears of it."""

    def die() -> None:
        raise KeyboardInterrupt

    with _intercepted(call, after=die):
        yield


@contextmanager
def every_commit_repeated() -> Iterator[None]:
    """The answer of each commit is lost, and the SDK's repeat is another request, whose condition fails."""
    real = Connection.transact_write_items

    def twice(self: Connection, *args: Any, **kwargs: Any) -> Any:
        real(self, *args, **kwargs)
        return real(self, *args, **kwargs | {"client_request_token": "another"})

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Connection, "transact_write_items", twice)
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
