"""Health, on its event files: what is wrong is named, and what cannot be read hides nothing else."""

import json
from collections.abc import Iterator
from concurrent.futures import wait
from datetime import timedelta
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
import time_machine

import operations.health
from local.processes import wait_until
from operations import checkup
from operations.chains import CALLERS, CHAINS, QUEUES, TABLES
from operations.checkup import Doctor
from sluice import platform
from sluice.answers import AnswerItem
from sluice.chained import ListedItem, items_in
from sluice.dynamodb import bind, bound_to
from sluice.outbox import EventItem
from tests.account import Account
from tests.deadlines import PATIENCE
from tests.factories import NOON, FixedClock
from tests.gateway import Context
from tests.integration.console import Console
from tests.integration.harness import Functions, an_event

EMPTY = {"waiting": 0, "in_flight": 0, "delayed": 0}
WELL = {
    "status": "ok",
    "problems": [],
    "database_reachable": True,
    "platform": "open",
    **{queue.depth: EMPTY for queue in QUEUES},
    **{queue.dead_letters: 0 for queue in QUEUES},
    "outbox_dead_letters": 0,
    **{chain.overdue: 0 for chain in CHAINS},
    **{chain.halted: 0 for chain in CALLERS},
    **{chain.oldest_unknown: None for chain in CALLERS},
    **{chain.last_answers: [] for chain in CALLERS},
    "oldest_pending_event_seconds": None,
}
# What is read from SQS, in the order in which it is told.
FROM_SQS = [
    *(f"the {what} of {queue.whose}" for queue in QUEUES for what in ("queue", "dead letters")),
    "the dead letters of the outbox",
]
PARTS_FROM_SQS = [*(name for queue in QUEUES for name in (queue.depth, queue.dead_letters)), "outbox_dead_letters"]


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Console(aws, functions, clock)


def test_anyone_is_told_that_the_api_answers_and_no_more() -> None:
    """Without settings, without AWS: there is no account here, and no environment."""
    with (
        patch.dict("os.environ", clear=True),
        patch("botocore.client.BaseClient._make_api_call", side_effect=Exception),
    ):
        answer = operations.health.handler(an_event("operations/health-alive"), Context())

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ok"})


def test_where_nothing_is_wrong_all_is_ok(console: Console) -> None:
    assert health(console) == WELL


@pytest.mark.parametrize(("role", "status"), [("user", 403), ("service", 403), ("operator", 200), ("admin", 200)])
def test_only_an_operator_is_told_how_it_is(console: Console, role: str, status: int) -> None:
    assert console.send("operations/health-get", role=role).status == status


@pytest.mark.parametrize(
    ("queue", "field"),
    [
        ("BoostsQueue", "boosts_queue"),
        ("ViewsQueue", "views_queue"),
        ("ViewsImportsQueue", "views_imports_queue"),
        ("SponsorshipsQueue", "sponsorships_queue"),
        ("SponsorshipsChecksQueue", "sponsorships_checks_queue"),
        ("PromotionsQueue", "promotions_queue"),
        ("BroadcastsQueue", "broadcasts_queue"),
        ("BroadcastsImportsQueue", "broadcasts_imports_queue"),
        ("BroadcastsEventsQueue", "broadcasts_events_queue"),
    ],
)
def test_the_depths_of_each_queue_are_told_apart(console: Console, queue: str, field: str) -> None:
    """S1-37."""

    sqs, url = console.aws.client("sqs"), console.aws.ref(queue)
    for delay_seconds in (0, 0, 0, 900, 900):
        sqs.send_message(QueueUrl=url, MessageBody="{}", DelaySeconds=delay_seconds)
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, WaitTimeSeconds=0)

    told = health(console)

    assert told == WELL | {field: {"waiting": 2, "in_flight": 1, "delayed": 2}}


@pytest.mark.parametrize("is_being_read", [False, True])
@pytest.mark.parametrize(
    ("queue", "field", "alarm"),
    [
        ("BoostsDeadLetters", "boosts_dead_letters", "BoostsDeadLettersAlarm"),
        ("ViewsDeadLetters", "views_dead_letters", "ViewsDeadLettersAlarm"),
        ("ViewsImportsDeadLetters", "views_imports_dead_letters", "ViewsImportsDeadLettersAlarm"),
        ("SponsorshipsDeadLetters", "sponsorships_dead_letters", "SponsorshipsDeadLettersAlarm"),
        ("SponsorshipsChecksDeadLetters", "sponsorships_checks_dead_letters", "SponsorshipsChecksDeadLettersAlarm"),
        ("PromotionsDeadLetters", "promotions_dead_letters", "PromotionsDeadLettersAlarm"),
        ("BroadcastsDeadLetters", "broadcasts_dead_letters", "BroadcastsDeadLettersAlarm"),
        ("BroadcastsImportsDeadLetters", "broadcasts_imports_dead_letters", "BroadcastsDeadLettersAlarm"),
        ("BroadcastsEventsDeadLetters", "broadcasts_events_dead_letters", "BroadcastsDeadLettersAlarm"),
        ("OperationsOutboxDeadLetters", "outbox_dead_letters", "OperationsOutboxDeadLettersAlarm"),
    ],
)
def test_dead_letters_are_a_problem(console: Console, queue: str, field: str, alarm: str, is_being_read: bool) -> None:
    """S1-37."""

    sqs, url = console.aws.client("sqs"), console.aws.ref(queue)
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    if is_being_read:
        sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)

    told = health(console)

    assert (told["status"], told[field]) == ("degraded", 1)
    assert len(told["problems"]) == 1
    assert told["problems"][0].endswith(f": see {alarm} in docs/operations.md")


def test_overdue_campaigns_are_counted_and_a_problem(console: Console) -> None:
    """S1-56: the worker does not process."""

    console.running()
    console.create(scheduled_for="2026-11-20T12:00:01Z")
    console.create()
    publish_all(console)
    console.clock.shift(timedelta(seconds=11, microseconds=1))

    told = health(console)

    assert (told["status"], told["overdue_campaigns"], told["overdue_imports"]) == ("degraded", 2, 0)
    assert told["problems"] == [overdue("Campaigns", "BoostsWorkerErrorsAlarm")]


def test_overdue_imports_are_counted_and_a_problem(console: Console) -> None:
    put_import(console)
    console.clock.shift(timedelta(seconds=10, microseconds=1))

    told = health(console)

    assert (told["status"], told["overdue_campaigns"], told["overdue_imports"]) == ("degraded", 0, 1)
    assert told["problems"] == [overdue("Imports", "ViewsImportsWorkerErrorsAlarm")]


def test_an_import_whose_message_is_on_its_way_is_not_overdue(console: Console) -> None:
    put_import(console)
    console.clock.shift(10)

    assert health(console) == WELL


def test_a_campaign_whose_message_is_on_its_way_is_not_overdue(console: Console) -> None:
    console.running()
    publish_all(console)
    console.clock.shift(10)

    told = health(console)

    assert (told["status"], told["overdue_campaigns"]) == ("ok", 0)


def test_overdue_campaigns_are_counted_up_to_a_hundred(console: Console) -> None:
    campaign_id = console.running()
    client, table = console.aws.client("dynamodb"), console.aws.ref("BoostsTable")
    key = {"id": {"S": campaign_id}, "part": {"S": "campaign"}}
    example = client.get_item(TableName=table, Key=key)["Item"]
    for number in range(101):
        client.put_item(TableName=table, Item=example | {"id": {"S": f"bst_01KAJ3W5V0SM0FKVYVXB9E{number:04}"}})
    console.clock.shift(11)

    assert health(console)["overdue_campaigns"] == 100


def test_a_stop_is_a_problem_and_what_it_holds_up_is_none(console: Console) -> None:
    console.running()
    put_import(console)
    console.send("operations/stop-stop")
    publish_all(console)
    console.clock.shift(60)

    told = health(console)

    assert (told["status"], told["platform"]) == ("degraded", "stopped")
    assert (told["overdue_campaigns"], told["overdue_imports"]) == (1, 1)
    assert told["problems"] == [
        "The platform is stopped: GET /api/admin/stop says why; POST /api/admin/resume lets it go on"
    ]


@pytest.mark.parametrize(("age", "status"), [(timedelta(minutes=10), "ok"), (timedelta(minutes=10.1), "degraded")])
def test_events_that_stay_unpublished_are_a_problem(console: Console, age: timedelta, status: str) -> None:
    console.create()
    console.clock.shift(timedelta(seconds=5))
    console.create()
    console.clock.shift(age - timedelta(seconds=5))

    told = health(console)

    assert (told["status"], told["oldest_pending_event_seconds"]) == (status, age.total_seconds())
    assert all("OperationsOutboxRelayErrorsAlarm" in problem for problem in told["problems"])


@pytest.mark.parametrize(
    ("queue", "field", "part"),
    [
        ("BoostsQueue", "boosts_queue", "the queue of boosts"),
        ("BoostsDeadLetters", "boosts_dead_letters", "the dead letters of boosts"),
        ("ViewsQueue", "views_queue", "the queue of the sync"),
        ("ViewsDeadLetters", "views_dead_letters", "the dead letters of the sync"),
        ("ViewsImportsQueue", "views_imports_queue", "the queue of imports"),
        ("ViewsImportsDeadLetters", "views_imports_dead_letters", "the dead letters of imports"),
        ("SponsorshipsQueue", "sponsorships_queue", "the queue of sponsorships"),
        ("SponsorshipsDeadLetters", "sponsorships_dead_letters", "the dead letters of sponsorships"),
        ("SponsorshipsChecksQueue", "sponsorships_checks_queue", "the queue of checks"),
        ("PromotionsQueue", "promotions_queue", "the queue of promotions"),
        ("PromotionsDeadLetters", "promotions_dead_letters", "the dead letters of promotions"),
        ("BroadcastsQueue", "broadcasts_queue", "the queue of broadcasts"),
        ("BroadcastsImportsDeadLetters", "broadcasts_imports_dead_letters", "the dead letters of checks of lists"),
        ("BroadcastsEventsQueue", "broadcasts_events_queue", "the queue of what providers tell"),
        ("SponsorshipsChecksDeadLetters", "sponsorships_checks_dead_letters", "the dead letters of checks"),
        ("OperationsOutboxDeadLetters", "outbox_dead_letters", "the dead letters of the outbox"),
    ],
)
def test_a_queue_that_cannot_be_read_is_a_problem_and_hides_nothing_else(
    console: Console, queue: str, field: str, part: str
) -> None:
    console.aws.client("sqs").delete_queue(QueueUrl=console.aws.ref(queue))

    told = health(console)

    assert told == WELL | {"status": "degraded", field: None, "problems": [cannot_read(part)]}


def test_a_database_that_cannot_be_read_is_a_problem_and_hides_nothing_else(console: Console) -> None:
    for table in ("BoostsTable", "OutboxTable"):
        console.aws.client("dynamodb").delete_table(TableName=console.aws.ref(table))

    told = health(console)

    parts = ("the boosts table", "the index of overdue campaigns", "the outbox")
    unread = {"database_reachable": False, "platform": None, "overdue_campaigns": None}
    assert told == WELL | unread | {"status": "degraded", "problems": [cannot_read(part) for part in parts]}


def test_an_index_of_imports_that_cannot_be_read_is_a_problem_and_hides_nothing_else(console: Console) -> None:
    console.aws.client("dynamodb").delete_table(TableName=console.aws.ref("ViewsTable"))

    told = health(console)

    unread = {"overdue_imports": None, "problems": [cannot_read("the index of overdue imports")]}
    assert told == WELL | unread | {"status": "degraded"}


def test_what_does_not_answer_in_time_is_a_problem_and_holds_up_nothing_else(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging:
        def get_queue_attributes(self, **_: Any) -> Any:
            released.wait()
            raise KeyError

    def time_is_up(futures: Any, seconds: float) -> Any:
        """When all the others have answered, however long that takes here."""
        assert seconds == 0.5
        assert wait_until(lambda: sum(not each.done() for each in futures) <= len(PARTS_FROM_SQS), PATIENCE)
        return wait(futures, 0)

    monkeypatch.setattr(checkup, "wait", time_is_up)

    released = Event()
    bind(EventItem, console.aws.ref("OutboxTable"))
    boosts = console.aws.ref("BoostsTable")
    items = {table: items_in(console.aws.ref(table.title().replace("_", ""))) for table in TABLES}
    hanging: Any = Hanging()
    urls = dict.fromkeys(PARTS_FROM_SQS, "a")
    lists = {each.table: bound_to(ListedItem, console.aws.ref("PromotionsTable")) for each in CALLERS}
    last = {each.table: bound_to(AnswerItem, console.aws.ref("PromotionsTable")) for each in CALLERS}
    doctor = Doctor(items, platform.items_in(boosts), hanging, urls, FixedClock(), lists, last, 0.5)

    with time_machine.travel(NOON):
        found = doctor.check()
    released.set()

    assert found.problems == [cannot_read(part) for part in FROM_SQS]
    parts = found.parts
    assert (parts["overdue_campaigns"], parts["overdue_imports"], parts["boosts_queue"]) == (0, 0, None)


# --- What the tests above are made of


def health(console: Console) -> dict[str, Any]:
    answer = console.send("operations/health-get", role="operator")
    assert answer.status == 200
    return answer.body


def cannot_read(part: str) -> str:
    return f"Cannot read {part}: look for WARNING in the log of OperationsHealthFunction"


def overdue(what: str, alarm: str) -> str:
    return (
        f"{what} are overdue: the sweeper wakes them within its period, and a resume within a minute; "
        f"if they stay, see OperationsSweeperErrorsAlarm and {alarm} in docs/operations.md"
    )


def put_import(console: Console) -> None:
    """A running import whose step is due now, as far as the index knows it."""
    item = {"id": "imp_01KAJ3W5V0SM0FKVYVXB9EQT6N", "part": "campaign", "status": "running"}
    item["wake_at"] = "2026-11-20T12:00:00.000000+0000"
    attributes = {name: {"S": value} for name, value in item.items()}
    console.aws.client("dynamodb").put_item(TableName=console.aws.ref("ViewsTable"), Item=attributes)


def publish_all(console: Console) -> None:
    """So that no event is pending, as when the relay has done its work."""
    for row in console.aws.items("OutboxTable"):
        event = an_event("operations/outbox_relay-rows")
        event["Records"][0]["dynamodb"]["Keys"]["id"]["S"] = row["id"]
        assert console.invoke("operations/outbox_relay-rows", event) == {"batchItemFailures": []}
