"""The global stop, on its event files: while it stands no batch commits, and afterwards all goes on by itself."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from pynamodb.connection import Connection

from operations.switch import Switch
from sluice import platform
from sluice.audit import EntryItem, Head
from sluice.dynamodb import Database, bind
from sluice.errors import Conflicting
from sluice.outbox import EventItem
from sluice.platform import Platform, PlatformStatus
from sluice.requests import Requester
from tests.account import Account
from tests.factories import NOON, FixedClock
from tests.integration.console import Console, before_the_first
from tests.integration.harness import Answer, Functions

REASON = "The counts of video abc123 look wrong"


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Console(aws, functions, clock)


# --- The commands


def test_a_platform_that_was_never_stopped_is_open(console: Console) -> None:
    answer = state(console)

    assert answer == {"status": "open", "reason": None, "actor": None, "since": None}
    assert verified(console) == {"entity": "platform", "valid": True, "entries": 0, "problem": None, "rolled_back": []}


def test_a_stop_tells_since_when_by_whom_and_why(console: Console) -> None:
    answer = stop(console, subject="grace")

    told = {"status": "stopped", "reason": REASON, "actor": "grace", "since": "2026-11-20T12:00:00.000000Z"}
    assert (answer.status, answer.body) == (200, told)
    assert state(console) == told


def test_a_resume_tells_the_same_of_itself(console: Console) -> None:
    stop(console)
    console.clock.shift(60)

    answer = resume(console, body={"reason": "All is well"}, subject="grace")

    told = {"status": "open", "reason": "All is well", "actor": "grace", "since": "2026-11-20T12:01:00.000000Z"}
    assert (answer.status, answer.body) == (200, told)
    assert state(console) == told


def test_a_stop_of_what_is_stopped_is_refused_and_changes_nothing(console: Console) -> None:
    stop(console, subject="grace")
    before = console.item("platform")

    answer = stop(console, body={"reason": "Another"})

    message = "The platform is stopped already: GET /api/admin/stop says by whom and why"
    assert answer.refusal == (409, "platform_already_stopped", message)
    assert console.item("platform") == before


@pytest.mark.parametrize("was_stopped", [False, True])
def test_a_resume_of_what_is_open_is_refused(console: Console, was_stopped: bool) -> None:
    if was_stopped:
        stop(console)
        resume(console)

    answer = resume(console)

    message = "The platform is not stopped: there is nothing to resume"
    assert answer.refusal == (409, "platform_not_stopped", message)


@pytest.mark.parametrize("name", ["request_id", "key"])
def test_a_repeat_of_a_request_is_answered_as_the_first_was(console: Console, name: str) -> None:
    for command, words in ((stop, "once"), (resume, "again")):
        first = command(console, **{name: words})
        console.clock.shift(1)

        repeat = command(console, **{name: words})

        assert (repeat.status, repeat.body) == (200, first.body)
    assert actions(console) == ["PLATFORM_STOPPED", "PLATFORM_RESUMED"]


def test_a_late_retry_of_a_stop_does_not_stop_what_was_resumed_since(console: Console) -> None:
    first = stop(console, key="s1")
    resume(console, key="r1", subject="grace")

    again = stop(console, key="s1")

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert console.item("platform")["status"] == "open"
    assert actions(console) == ["PLATFORM_STOPPED", "PLATFORM_RESUMED"]


@pytest.mark.parametrize("change", [{"body": {"reason": "Another"}}, {"subject": "grace"}])
def test_another_request_with_the_same_key_is_not_a_repeat(console: Console, change: dict[str, Any]) -> None:
    stop(console, key="one")

    answer = stop(console, key="one", **change)

    assert answer.status == 409


@pytest.mark.parametrize("length", [1, 500])
def test_a_reason_may_have_1_to_500_characters(console: Console, length: int) -> None:
    answer = stop(console, body={"reason": "ü" * length})

    assert (answer.status, answer.body["reason"]) == (200, "ü" * length)


@pytest.mark.parametrize("command", ["stop", "resume"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": 7}, "reason"),
        ({"reason": "two\nlines"}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"reason": "a\x7fb"}, "reason"),
        ({"reason": "a\x85b"}, "reason"),
        ({"reason": "\ud800"}, "reason"),
        ({"reason": "why", "until": "tomorrow"}, "until"),
    ],
)
def test_bodies_that_say_no_reason_or_more_than_one_are_refused(
    console: Console, command: str, body: dict[str, Any], field: str
) -> None:
    answer = console.send(f"operations/stop-{command}", body=body)

    assert (answer.status, answer.fields) == (400, [field])
    assert state(console)["status"] == "open"


@pytest.mark.parametrize("command", ["stop", "resume"])
@pytest.mark.parametrize("role", ["user", "service", "operator"])
def test_only_an_admin_stops_and_resumes(console: Console, command: str, role: str) -> None:
    answer = console.send(f"operations/stop-{command}", role=role)

    assert (answer.status, answer.body["code"]) == (403, "forbidden")


@pytest.mark.parametrize(("role", "status"), [("user", 403), ("service", 403), ("operator", 200), ("admin", 200)])
def test_an_operator_sees_whether_it_is_stopped(console: Console, role: str, status: int) -> None:
    answer = console.send("operations/stop-get", role=role)

    assert answer.status == status


# --- What goes with them


def test_each_stop_and_resume_leaves_an_entry_in_a_chain_that_verifies(console: Console) -> None:
    for _ in range(2):
        stop(console, subject="grace")
        resume(console)

    answer = console.send("operations/audit-list", query={"entity": "platform"})

    assert actions(console) == ["PLATFORM_STOPPED", "PLATFORM_RESUMED"] * 2
    first = answer.body["items"][-1]
    assert {name: first[name] for name in ("entity", "number", "actor", "before", "after")} == {
        "entity": "platform",
        "number": 1,
        "actor": "grace",
        "before": {"status": "open", "reason": None},
        "after": {"status": "stopped", "reason": REASON},
    }
    assert verified(console) == {"entity": "platform", "valid": True, "entries": 4, "problem": None, "rolled_back": []}


@pytest.mark.parametrize(("number", "problem"), [(1, "entry 1 was removed"), (2, "entry 2 was cut off")])
def test_an_entry_that_was_removed_is_missed(console: Console, number: int, problem: str) -> None:
    stop(console)
    resume(console)
    key = {"entity": {"S": "platform"}, "number": {"N": str(number)}}
    console.aws.client("dynamodb").delete_item(TableName=console.aws.ref("AuditTable"), Key=key)

    answer = verified(console)

    assert (answer["valid"], answer["problem"]) == (False, problem)


def test_entries_of_a_platform_whose_item_was_removed_are_noticed(console: Console) -> None:
    stop(console)
    key = {"id": {"S": "platform"}, "part": {"S": "campaign"}}
    console.aws.client("dynamodb").delete_item(TableName=console.aws.ref("BoostsTable"), Key=key)

    answer = verified(console)

    ahead = "entry 1 is ahead of the entity: it was restored to an earlier moment, or they were added"
    assert (answer["valid"], answer["problem"]) == (False, ahead)


def test_each_stop_and_resume_leaves_an_event(console: Console) -> None:
    stop(console)
    console.clock.shift(1)
    resume(console, body={"reason": "All is well"})

    rows = sorted(console.aws.items("OutboxTable"), key=lambda row: str(row["id"]))
    assert [(row["name"], json.loads(row["data"])) for row in rows] == [
        ("PlatformStopped", {"status": "stopped", "reason": REASON}),
        ("PlatformResumed", {"status": "open", "reason": "All is well"}),
    ]


def test_of_two_stops_at_once_one_is_done_and_the_other_is_told(console: Console) -> None:
    others: list[Answer] = []

    with before_the_first("transact_write_items", lambda: others.append(stop(console, subject="grace"))):
        answer = stop(console)

    assert (others[0].status, answer.status) == (200, 409)
    assert state(console)["actor"] == "grace"
    assert verified(console)["entries"] == 1


def test_a_stop_that_was_stopped_and_resumed_by_others_meanwhile_is_done_after_them(console: Console) -> None:
    def meanwhile() -> None:
        stop(console, subject="grace")
        resume(console, subject="grace")

    with before_the_first("transact_write_items", meanwhile):
        answer = stop(console)

    assert (answer.status, answer.body["actor"]) == (200, "ada")
    assert actions(console) == ["PLATFORM_STOPPED", "PLATFORM_RESUMED", "PLATFORM_STOPPED"]
    assert verified(console)["valid"]


def test_a_repeat_after_an_answer_that_was_lost_is_answered(console: Console) -> None:
    """The SDK sends again what had its effect already, which fails its condition."""
    real = Connection.transact_write_items
    sent: list[bool] = []

    def twice(self: Connection, *args: Any, **kwargs: Any) -> Any:
        if not sent:
            sent.append(True)
            real(self, *args, **kwargs)
            kwargs["client_request_token"] = "another"
        return real(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Connection, "transact_write_items", twice)
        answer = stop(console)

    assert answer.status == 200
    assert actions(console) == ["PLATFORM_STOPPED"]


class TestSeveralContexts:
    """Each has a table, with a copy of its own."""

    @pytest.fixture
    def copies(self, console: Console) -> dict[str, Any]:
        client = console.aws.client("dynamodb")
        keys = [("id", "HASH"), ("part", "RANGE")]
        client.create_table(
            TableName="Other",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        bind(EntryItem, console.aws.ref("AuditTable"))
        bind(EventItem, console.aws.ref("OutboxTable"))
        return {"boosts": platform.items_in(console.aws.ref("BoostsTable")), "other": platform.items_in("Other")}

    def test_all_copies_are_written_in_one_transaction(self, copies: dict[str, Any]) -> None:
        switch = Switch(Database(), copies, FixedClock())

        switch.stop(REASON, Requester("ada", "one"))

        assert [platform.read(items).is_stopped for items in copies.values()] == [True, True]

    def test_a_copy_that_another_stop_changed_meanwhile_keeps_all_from_being_written(
        self, copies: dict[str, Any]
    ) -> None:
        switch = Switch(Database(), copies, FixedClock())
        alone = Switch(Database(), {"other": copies["other"]}, FixedClock())

        with before_the_first("transact_write_items", lambda: alone.stop("Theirs", Requester("grace", "theirs"))):
            switch.stop(REASON, Requester("ada", "one"))

        assert [platform.read(items).reason for items in copies.values()] == [REASON, REASON]
        assert [platform.read(items).audit_head.number for items in copies.values()] == [2, 2]

    def test_a_context_that_was_added_since_is_stopped_by_the_next_stop(self, copies: dict[str, Any]) -> None:
        Switch(Database(), {"boosts": copies["boosts"]}, FixedClock()).stop("Before", Requester("ada", "one"))
        switch = Switch(Database(), copies, FixedClock())

        switch.stop(REASON, Requester("ada", "two"))

        assert [platform.read(items).status for items in copies.values()] == [PlatformStatus.STOPPED] * 2
        with pytest.raises(Conflicting):
            switch.stop(REASON, Requester("ada", "three"))


@pytest.mark.parametrize("was_stopped", [False, True])
def test_a_copy_is_written_only_if_it_is_as_it_was_read(console: Console, was_stopped: bool) -> None:
    """Whatever the audit table holds: it may have been restored to another moment."""
    if was_stopped:
        stop(console)
    items = platform.items_in(console.aws.ref("BoostsTable"))
    before = platform.read(items)
    (stop if not was_stopped else resume)(console, body={"reason": "Theirs"})
    after = Platform(PlatformStatus.STOPPED, "Ours", "ada", NOON, "ours", Head(7, "hash"))

    is_committed = Database().commit(lambda transaction: platform.write(transaction, items, before, after))

    assert not is_committed
    assert platform.read(items).reason == "Theirs"


# --- What it does to campaigns


def test_a_step_while_stopped_has_no_effect_and_is_put_back_for_a_minute(console: Console) -> None:
    campaign_id = console.running()
    stop(console)
    before = console.item(campaign_id)

    console.work(campaign_id, 1)  # which checks that it is acknowledged: it comes no nearer to the dead letters

    console.clock.shift(59)
    assert console.aws.messages("BoostsQueue") == []
    console.clock.shift(1)
    (message,) = console.aws.messages("BoostsQueue")
    assert json.loads(message["Body"]) == {"campaign_id": campaign_id, "step": 1}
    assert console.item(campaign_id) == before
    assert effects(console) == (0, [])


def test_a_batch_computed_before_the_stop_cannot_commit_after_its_answer(console: Console) -> None:
    campaign_id = console.running()
    answers: list[Answer] = []

    with before_the_first("transact_write_items", lambda: answers.append(stop(console))):
        console.work(campaign_id, 1)

    assert answers[0].status == 200
    assert console.get(campaign_id)["executed_count"] == 0
    assert effects(console) == (0, [])
    assert console.waiting() == [{"campaign_id": campaign_id, "step": 1}]


def test_taking_views_back_is_stopped_too(console: Console) -> None:
    campaign_id = console.running(total_count=1000)
    console.work(campaign_id, 1)
    key = {"id": {"S": campaign_id}, "part": {"S": "campaign"}}
    item = console.aws.client("dynamodb").get_item(TableName=console.aws.ref("BoostsTable"), Key=key)["Item"]
    reverting = {"status": {"S": "reverting"}, "wake_at": {"S": "2026-11-20T12:00:00.000000+0000"}}
    console.aws.client("dynamodb").put_item(TableName=console.aws.ref("BoostsTable"), Item=item | reverting)

    with before_the_first("transact_write_items", lambda: stop(console)):
        console.work(campaign_id, 2)

    assert console.item(campaign_id)["reverted_count"] == 0
    assert effects(console) == (1000, [1000])


def test_a_scheduled_campaign_starts_after_the_resume_and_not_before(console: Console) -> None:
    campaign_id = console.create(scheduled_for="2026-11-20T12:05:00Z")
    stop(console)
    console.clock.shift(timedelta(minutes=5))

    console.work(campaign_id, 0)
    stopped = console.get(campaign_id)
    resume(console)
    console.work(campaign_id, 0)

    assert (stopped["status"], stopped["progress"]["waiting_for"]) == ("scheduled", "stop")
    assert console.get(campaign_id)["status"] == "running"


def test_a_running_campaign_shows_that_it_waits_for_the_stop_to_end(console: Console) -> None:
    campaign_id = console.running()
    paused_id = console.running()
    console.command("pause", paused_id)

    stop(console)

    listed = console.send("boosts/api-list", query={}).body["items"]
    assert console.get(campaign_id)["progress"]["waiting_for"] == "stop"
    waiting = {each["id"]: each["progress"]["waiting_for"] for each in listed}
    assert waiting == {campaign_id: "stop", paused_id: None}
    resume(console)
    assert console.get(campaign_id)["progress"]["waiting_for"] == "next_batch"


def test_campaigns_go_on_after_the_resume_by_themselves(console: Console) -> None:
    """Nothing but messages that were on the queue already is delivered."""
    campaign_id = console.running()
    console.work(campaign_id, 1)
    stop(console)
    for _ in range(3):
        console.clock.shift(60)
        deliver_all(console)

    resume(console)
    while messages := deliver_all(console):
        assert len(messages) == 1

    campaign = console.get(campaign_id)
    assert (campaign["status"], campaign["executed_count"]) == ("completed", 2500)
    assert effects(console) == (2500, [1000, 1000, 500])


def test_execute_pause_and_cancel_work_while_stopped(console: Console) -> None:
    campaign_id = console.create()
    stop(console)

    statuses = [console.command(verb, campaign_id)["status"] for verb in ("execute", "pause", "execute", "cancel")]

    assert statuses == ["running", "paused", "running", "cancelled"]
    assert console.usage()["allotted"] == 0
    assert effects(console) == (0, [])


# --- What the tests above are made of


def stop(console: Console, **request: Any) -> Answer:
    return console.send("operations/stop-stop", **request)


def resume(console: Console, **request: Any) -> Answer:
    return console.send("operations/stop-resume", **request)


def state(console: Console) -> dict[str, Any]:
    return console.send("operations/stop-get", role="operator").body


def verified(console: Console) -> dict[str, Any]:
    return console.send("operations/audit-verify", "platform").body


def actions(console: Console) -> list[str]:
    return console.actions("platform")


def effects(console: Console) -> tuple[int, list[int]]:
    """The views in all totals, and those of the batch rows."""
    rows = [item for item in console.aws.items("BoostsTable") if item["kind"] == "batch"]
    total = sum(int(item["views"]) for item in console.aws.items("TotalsTable") if item["key"].count("#") == 2)
    return total, [int(row["views"]) for row in sorted(rows, key=lambda row: str(row["part"]))]


def deliver_all(console: Console) -> list[dict[str, Any]]:
    """Everything on the queue, a quarter of an hour later."""
    messages = console.waiting()
    console.clock.shift(timedelta(minutes=15))
    for message in messages:
        console.work(message["campaign_id"], message["step"])
    return messages
