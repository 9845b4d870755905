"""Public bug reports of the field, each as a test of ours, over HTTP at the sandbox.

Others are where their subject is: chatwoot#14529, postmangovsg#2151, botpress#15029, botpress#15083 and capo-v1#182 in
test_broadcasts_webhooks.py, agent-crm#84 and whatomate#285 in test_broadcasts_imports.py, evolution-api#2192 in
test_providers.py.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import EndpointConnectionError

from broadcasts.ports import Accepted, Message, Outcome, Throttled
from broadcasts.providers.sandbox import Sandbox, Script
from sluice.clock import rfc3339
from tests.account import Account
from tests.factories import NOON
from tests.integration.broadcasts_world import INSTANCE, OWNER, QUEUE, Broadcaster, people, phones
from tests.integration.harness import Functions
from tests.packages import nothing_cached


class Sandboxed(Broadcaster):
    """Campaigns at the sandbox, which counts what it is asked and what it accepts."""

    def __init__(self, aws: Account, functions: Functions, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(aws, functions, clock)
        self.calls: list[tuple[datetime, str, Outcome]] = []
        self.asks_to_wait = 2.0
        """Seconds that a throttle asks for."""
        real = Sandbox.send

        def send(sandbox: Sandbox, message: Message, attempt: str, deadline: float) -> Outcome:
            outcome = real(sandbox, message, attempt, deadline)
            if isinstance(outcome, Throttled):
                outcome = Throttled(self.asks_to_wait)
            self.calls.append((datetime.now(UTC), message.to, outcome))
            return outcome

        monkeypatch.setattr(Sandbox, "send", send)

    @property
    def accepted(self) -> list[str]:
        """The phones of the messages that it accepted."""
        return [phone for _, phone, outcome in self.calls if isinstance(outcome, Accepted)]

    def is_at_rest(self, campaign_id: str) -> bool:
        return self.get(campaign_id)["status"] in ("PAUSED", "COMPLETED", "FAILED")


@pytest.fixture
def sandboxed(aws: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Sandboxed(aws, functions, clock, monkeypatch)


def scripted(count: int, script: Script, every: int) -> list[dict[str, Any]]:
    """People, every so many of whom meets a script of the sandbox."""
    return [
        {"phone": f"55{11 + number}9{number % 10}{number % 10}{script}" if number % every == 0 else phone}
        for number, phone in enumerate(phones(count))
    ]


def test_a_campaign_that_is_paused_changed_and_resumed_three_times_sends_to_everybody_once(
    sandboxed: Sandboxed,
) -> None:
    """S5-46, S5-48. listmonk#2860, #2591, #2168: "finished" at 2,061 of 5,239 after pause, limit, resume."""
    instance = sandboxed.instance()
    made = sandboxed.running(60, instanceId=instance)

    for round_ in (1, 2, 3):
        sandboxed.work(until=lambda most=15 * round_: len(sandboxed.accepted) >= most)
        assert sandboxed.act("pause", made).status == 200
        body = {"rateLimit": 60 - 10 * round_}
        sandboxed.done(
            "broadcasts/lists/api-changeinstance", (INSTANCE, instance), body=body, subject=OWNER, role="user"
        )
        with nothing_cached():  # the functions are new ones
            sandboxed.work()
            assert sandboxed.get(made)["status"] == "PAUSED"
            assert sandboxed.get(made)["sentCount"] == len(sandboxed.accepted) < 60
            assert sandboxed.act("resume", made).status == 200
    sandboxed.work()

    found = sandboxed.get(made)
    assert (found["status"], found["sentCount"]) == ("COMPLETED", 60)
    assert sorted(sandboxed.accepted) == phones(60)


def test_a_campaign_whose_start_comes_hours_late_is_put_before_a_person(sandboxed: Sandboxed) -> None:
    """listmonk#1801: scheduled for 8:00, sent at 13:00 from a snapshot that was restored, for the second time."""
    made = sandboxed.ready(3, scheduledFor=rfc3339(NOON + timedelta(minutes=2)))
    sandboxed.clock.shift(timedelta(hours=7))

    sandboxed.sweep()
    sandboxed.work()

    paused = sandboxed.get(made)
    assert (paused["status"], paused["pauseReason"], sandboxed.calls) == ("PAUSED", "missed_start", [])
    sandboxed.start(made)
    sandboxed.work()
    assert sandboxed.get(made)["status"] == "COMPLETED"
    assert sorted(sandboxed.accepted) == phones(3)


def test_a_running_campaign_whose_step_comes_hours_late_is_put_before_a_person(sandboxed: Sandboxed) -> None:
    """listmonk#1801."""
    made = sandboxed.running(10)
    sandboxed.work(until=lambda: len(sandboxed.accepted) == 4)
    sandboxed.take(QUEUE)
    sandboxed.clock.shift(timedelta(hours=7))

    sandboxed.sweep()
    sandboxed.work(until=lambda: sandboxed.is_at_rest(made))

    paused = sandboxed.get(made)
    assert (paused["status"], paused["pauseReason"], len(sandboxed.accepted)) == ("PAUSED", "gap", 4)
    assert sandboxed.act("resume", made).status == 200
    sandboxed.work()
    assert sorted(sandboxed.accepted) == phones(10)


def test_two_campaigns_on_a_number_keep_its_limit_in_every_window(sandboxed: Sandboxed) -> None:
    """listmonk#2816, #2184, #2622: a limit of 1 a window sent 2 in each, and one of 2 sent 3."""
    instance = sandboxed.instance(rateLimit=2)
    first = sandboxed.ready(people(20)[:10], instanceId=instance, rateLimit=2)
    second = sandboxed.ready(people(20)[10:], instanceId=instance, rateLimit=2)
    sandboxed.start(first)
    sandboxed.start(second)

    sandboxed.work()

    times = [at for at, _, _ in sandboxed.calls]
    assert sorted(sandboxed.accepted) == phones(20)
    for begin in times:
        assert len([at for at in times if begin <= at < begin + timedelta(minutes=1)]) <= 2 + 1
    assert times[-1] - times[0] <= timedelta(minutes=10)


def test_a_throttle_is_no_error_and_loses_nobody(sandboxed: Sandboxed) -> None:
    """listmonk#2974, #746: a throttled recipient counted as an error, and was skipped silently."""
    sandboxed.asks_to_wait = 2.0

    made = sandboxed.finished(scripted(20, Script.THROTTLED, every=2), message="Hello")

    found = sandboxed.get(made)
    assert (found["sentCount"], found["failedCount"], found["pauseReason"]) == (20, 0, None)
    assert {each["retryCount"] for each in sandboxed.recipients(made)} == {0}
    throttled = [at for at, _, outcome in sandboxed.calls if isinstance(outcome, Throttled)]
    assert len(throttled) == 10
    for at in throttled:
        assert not [each for each, _, _ in sandboxed.calls if at < each < at + timedelta(seconds=2)]


def test_a_recipient_who_is_refused_for_good_stops_nobody_else(sandboxed: Sandboxed) -> None:
    """craft-campaign#331, #430, #254: one suppressed address stopped the whole send-out, and every resume of it."""
    made = sandboxed.finished(scripted(10, Script.REFUSED, every=10), message="Hello")

    found = sandboxed.get(made)
    assert (found["sentCount"], found["failedCount"], found["pauseReason"]) == (9, 1, None)
    (refused,) = sandboxed.recipients(made, status="FAILED")
    assert refused["error"]["code"] == "131026"
    assert "BROADCAST_PAUSED" not in sandboxed.actions(made)


def test_what_fails_is_counted_once_and_everybody_is_tried(sandboxed: Sandboxed) -> None:
    """craft-campaign#547: failed ones were subtracted twice from what was pending, so the send-out ended early."""
    made = sandboxed.running(scripted(30, Script.REFUSED, every=3), message="Hello")
    seen = []

    def is_finished() -> bool:
        found = sandboxed.progress(made)
        seen.append(found["pendingCount"])
        settled = sum(found[f"{each}Count"] for each in ("sent", "failed", "skipped", "unknown"))
        assert found["pendingCount"] + settled == found["totalRecipients"] == 30
        assert found["pendingCount"] >= 30 - len(sandboxed.calls)
        return bool(found["status"] == "COMPLETED")

    sandboxed.work(until=is_finished)

    found = sandboxed.get(made)
    assert (len(sandboxed.calls), found["sentCount"], found["failedCount"]) == (30, 20, 10)
    assert seen == sorted(seen, reverse=True)


def test_a_scheduled_campaign_starts_at_its_time_by_itself(sandboxed: Sandboxed) -> None:
    """S5-54. chatwoot#14816: a campaign that was scheduled once never left its status."""
    starts_at = NOON + timedelta(seconds=90)
    made = sandboxed.campaign(3, scheduledFor=rfc3339(starts_at))

    sandboxed.work(until=lambda: sandboxed.get(made)["status"] == "RUNNING")

    started_at = datetime.fromisoformat(sandboxed.get(made)["startedAt"])
    assert timedelta() <= started_at - starts_at <= timedelta(seconds=60)
    sandboxed.work()
    assert len(sandboxed.accepted) == 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"mediaUrl": "ftp://x/y", "mediaType": "image"}, "mediaUrl"),
        ({"message": "{{name}}{{name}}{{name}}"}, "recipients.0.variables"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is_saved(
    sandboxed: Sandboxed, wrong: dict[str, Any], field: str
) -> None:
    """chatwoot#14185, #13807: a bad media URL raised while the body was built, and the message stayed "sending"."""
    body = sandboxed.body([{"phone": phones(1)[0], "variables": {"name": "x" * 2000}}])

    refused = sandboxed.ask("create", body=body | wrong)

    assert (refused.status, refused.fields) == (400, [field])
    assert sandboxed.told("page")["items"] == []


def test_a_worker_that_loses_the_database_in_mid_message_locks_nothing(
    sandboxed: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """postal#3041, #645: the message was locked for ever. Here its outcome is looked up within 20 minutes."""
    made = sandboxed.running(2)
    is_lost = False
    dynamo = sandboxed.aws.dynamo
    assert dynamo
    real, send = dynamo.call, Sandbox.send

    def call(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if is_lost:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")
        return real(operation, arguments)

    def losing(sandbox: Sandbox, message: Message, attempt: str, deadline: float) -> Outcome:
        nonlocal is_lost
        outcome = send(sandbox, message, attempt, deadline)
        is_lost = True
        return outcome

    monkeypatch.setattr(dynamo, "call", call)
    monkeypatch.setattr(Sandbox, "send", losing)
    step = max(sandboxed.steps(QUEUE), key=lambda each: int(each["step"]))
    assert not sandboxed.hand_over("broadcasts/worker-steps", step)
    assert is_lost
    is_lost = False
    monkeypatch.setattr(Sandbox, "send", send)
    assert "SENDING" in sandboxed.statuses(made)
    began = datetime.now(UTC)

    sandboxed.hand_over("broadcasts/worker-steps", step)
    sandboxed.work()

    assert datetime.now(UTC) - began <= timedelta(minutes=20)
    assert set(sandboxed.statuses(made)) <= {"SENT", "DELIVERED"}
    assert sandboxed.get(made)["status"] == "COMPLETED"
    assert sorted(sandboxed.accepted) == phones(2)
