"""The sweeper, on its event file: what is overdue is woken, and nothing else is touched."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from pynamodb.connection import Connection

from sluice.errors import Unavailable
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import Console, before_the_first, throttled
from tests.integration.harness import Functions

OVERDUE = timedelta(seconds=10, microseconds=1)


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Console(aws, functions, clock)


def test_a_campaign_whose_message_was_lost_goes_on(console: Console) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)

    swept = console.sweep()
    messages = console.waiting()
    console.work(campaign_id, messages[0]["step"])

    assert swept == {"woken": 1, "published": 0}
    assert messages == [{"campaign_id": campaign_id, "step": 1}]
    assert console.get(campaign_id)["executed_count"] == 1000


SPONSORSHIP = "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N"
BROADCAST = SPONSORSHIP.replace("spn", "brd")
LATE = "2026-11-20T11:59:00.000000+0000"


@pytest.mark.parametrize(
    ("entity", "status"),
    [
        *((SPONSORSHIP, status) for status in ("running", "paused", "closing", "closed")),
        *((f"{SPONSORSHIP}:nina", status) for status in ("settling", "held")),
        (SPONSORSHIP.replace("spn", "chk"), "checking"),
    ],
)
def test_each_chain_of_sponsorships_is_woken_through_their_one_queue(
    console: Console, entity: str, status: str
) -> None:
    put(console, entity, status, wake_at=LATE)

    swept = console.sweep()

    messages = [json.loads(each["Body"]) for each in console.aws.messages("SponsorshipsQueue")]
    assert swept["woken"] == 1
    assert messages == [{"campaign_id": entity, "step": 7}]


@pytest.mark.parametrize("status", ["draft", "cancelled", "active", "completed", "expired", "rejected", "review"])
def test_a_sponsorship_without_a_next_step_is_left_alone(console: Console, status: str) -> None:
    put(console, SPONSORSHIP, status, wake_at=LATE)

    assert console.sweep()["woken"] == 0


def test_a_closed_sponsorship_whose_last_step_is_done_is_left_alone(console: Console) -> None:
    """It has no `wake_at`, so it is not in the index."""
    put(console, SPONSORSHIP, "closed")

    assert console.sweep()["woken"] == 0


def test_where_nothing_is_overdue_nothing_is_sent(console: Console) -> None:
    swept = console.sweep()

    assert swept == {"woken": 0, "published": 0}


def test_a_message_that_is_less_than_ten_seconds_late_is_on_its_way_and_its_campaign_is_not_even_read(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = console.running()
    console.clock.shift(10)
    monkeypatch.setattr(Connection, "get_item", None)

    swept = console.sweep()

    assert swept["woken"] == 0
    assert console.waiting() == []
    assert console.item(campaign_id)["sweeps"] == 0


def test_a_campaign_that_waits_for_tomorrow_is_not_overdue(console: Console) -> None:
    campaign_id = console.running(total_count=2, duration_days=2)
    console.work(campaign_id, 1)
    console.clock.move_to(datetime(2026, 11, 21, tzinfo=UTC))

    swept = console.sweep()

    assert swept["woken"] == 0
    assert console.waiting() == []


def test_a_campaign_that_does_not_go_on_is_woken_again_ever_more_seldom_and_at_least_every_four_hours(
    console: Console,
) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)
    woken = [console.sweep()["woken"]]

    for minutes in (5, 10, 20, 40, 80, 160, 240, 240):
        console.clock.shift(timedelta(minutes=minutes) - timedelta(microseconds=1))
        woken.append(console.sweep()["woken"])
        console.clock.shift(timedelta(microseconds=1))
        woken.append(console.sweep()["woken"])

    assert woken == [1] + [0, 1] * 8
    assert console.item(campaign_id)["sweeps"] == 9


def test_a_campaign_that_was_swept_a_thousand_times_is_still_woken(console: Console) -> None:
    campaign_id = console.running()
    change(console, campaign_id, sweeps={"N": "2000"}, sweep_at={"S": "2026-11-20T12:00:00.000000+0000"})
    console.clock.shift(OVERDUE)

    swept = console.sweep()

    assert swept["woken"] == 1
    assert console.item(campaign_id)["sweep_at"] == "2026-11-20T16:00:10.000001+0000"


def test_the_sweeper_never_bumps_the_step_and_changes_nothing_but_its_own(console: Console) -> None:
    campaign_id = console.running()
    before = console.item(campaign_id)
    console.clock.shift(OVERDUE)

    console.sweep()

    after = console.item(campaign_id)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"sweeps", "sweep_at"}
    assert after["step"] == 1


def test_a_commit_forgets_the_sweeps_before_it(console: Console) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)
    console.sweep()
    console.work(campaign_id, 1)
    console.waiting()
    console.clock.shift(timedelta(seconds=1) + OVERDUE)

    swept = console.sweep()

    assert swept["woken"] == 1
    assert console.waiting() == [{"campaign_id": campaign_id, "step": 2}]


def test_a_commit_that_raced_with_a_claim_forgets_it_too(console: Console) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)

    with before_the_first("transact_write_items", console.sweep):
        console.work(campaign_id, 1)
    claimed = console.waiting()
    console.clock.shift(timedelta(seconds=1) + OVERDUE)
    swept = console.sweep()

    assert claimed == [{"campaign_id": campaign_id, "step": step} for step in (1, 2)]
    assert swept["woken"] == 1
    assert console.waiting() == [{"campaign_id": campaign_id, "step": 2}]


def test_a_command_forgets_the_sweeps_before_it(console: Console) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)
    console.sweep()
    console.command("pause", campaign_id)
    console.command("execute", campaign_id)
    console.waiting()
    console.clock.shift(OVERDUE)

    swept = console.sweep()

    assert swept["woken"] == 1
    assert console.waiting() == [{"campaign_id": campaign_id, "step": 3}]


def test_two_sweepers_at_once_send_once(console: Console) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)
    others = []

    with before_the_first("update_item", lambda: others.append(console.sweep())):
        swept = console.sweep()

    assert (swept["woken"], others[0]["woken"]) == (0, 1)
    assert console.waiting() == [{"campaign_id": campaign_id, "step": 1}]
    assert console.item(campaign_id)["sweeps"] == 1


def test_a_campaign_that_went_on_between_read_and_claim_is_left_alone(console: Console) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)

    with before_the_first("update_item", lambda: console.work(campaign_id, 1)):
        swept = console.sweep()

    assert swept["woken"] == 0
    assert console.item(campaign_id)["sweeps"] == 0
    assert console.waiting() == [{"campaign_id": campaign_id, "step": 2}]


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_a_campaign_that_was_stopped_between_the_index_and_the_read_is_left_alone(console: Console, verb: str) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)

    with before_the_first("get_item", lambda: console.command(verb, campaign_id)):
        swept = console.sweep()

    assert swept["woken"] == 0
    assert console.waiting() == []
    assert console.item(campaign_id)["sweeps"] == 0


def test_a_campaign_that_went_on_between_the_index_and_the_read_is_left_alone(console: Console) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)

    with before_the_first("get_item", lambda: console.work(campaign_id, 1)):
        swept = console.sweep()

    assert swept["woken"] == 0
    assert console.item(campaign_id)["sweeps"] == 0


@pytest.mark.parametrize("wake_at", [{"S": "2026-11-20T12:00:05.000000+0000"}, None])
def test_an_index_that_lags_behind_its_table_is_not_believed(console: Console, wake_at: dict[str, str] | None) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)

    with before_the_first("get_item", lambda: change(console, campaign_id, wake_at=wake_at)):
        swept = console.sweep()

    assert swept["woken"] == 0
    assert console.waiting() == []


def test_sweeps_without_a_time_hold_nothing_up(console: Console) -> None:
    campaign_id = console.running()
    change(console, campaign_id, sweeps={"N": "1"})
    console.clock.shift(OVERDUE)

    swept = console.sweep()

    assert swept["woken"] == 1


def test_a_claim_that_fails_for_another_reason_than_its_condition_is_an_error_and_sends_nothing(
    console: Console,
) -> None:
    console.running()
    console.clock.shift(OVERDUE)

    with (
        before_the_first("update_item", throttled),
        pytest.raises(Unavailable, match="1 overdue campaigns could not be woken, 0 could"),
    ):
        console.sweep()

    assert console.waiting() == []


def test_a_campaign_that_is_gone_when_it_is_read_is_left_alone(console: Console) -> None:
    campaign_id = console.running()
    console.clock.shift(OVERDUE)

    def delete() -> None:
        key = {"id": {"S": campaign_id}, "part": {"S": "campaign"}}
        console.aws.client("dynamodb").delete_item(TableName=console.aws.ref("BoostsTable"), Key=key)

    with before_the_first("get_item", delete):
        swept = console.sweep()

    assert swept["woken"] == 0
    assert all(item["id"] != campaign_id for item in console.aws.items("BoostsTable"))


def test_campaigns_that_do_not_run_are_left_alone(console: Console) -> None:
    ids = [console.create(total_count=10) for _ in range(4)]
    for campaign_id in ids[1:]:
        console.command("execute", campaign_id)
    console.command("pause", ids[1])
    console.command("cancel", ids[2])
    console.work(ids[3], 1)
    console.waiting()
    before = [console.item(each) for each in ids]
    console.clock.shift(timedelta(days=1))

    swept = console.sweep()

    assert [item["status"] for item in before] == ["pending", "paused", "cancelled", "completed"]
    assert swept["woken"] == 0
    assert console.waiting() == []
    assert [console.item(each) for each in ids] == before


def test_hundreds_of_overdue_campaigns_are_all_woken(console: Console) -> None:
    example = item_of(console, console.running())
    client, table = console.aws.client("dynamodb"), console.aws.ref("BoostsTable")
    ids = [f"bst_01KAJ3W5V0SM0FKVYVXB9E{number:04}" for number in range(200)]
    for campaign_id in ids:
        client.put_item(TableName=table, Item=example | {"id": {"S": campaign_id}})
    console.clock.shift(OVERDUE)

    swept = console.sweep()

    assert swept["woken"] == 201
    waiting = console.aws.client("sqs").get_queue_attributes(
        QueueUrl=console.aws.ref("BoostsQueue"), AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert waiting["Attributes"] == {"ApproximateNumberOfMessages": "201"}
    assert all(item["sweeps"] == 1 for item in console.aws.items("BoostsTable") if item["part"] == "campaign")


def test_a_campaign_whose_worker_died_between_its_commit_and_its_send_goes_on(console: Console) -> None:
    campaign_id = console.running()
    console.work(campaign_id, 1)
    console.waiting()
    console.clock.shift(timedelta(seconds=1) + OVERDUE)

    console.sweep()

    assert console.waiting() == [{"campaign_id": campaign_id, "step": 2}]


def test_while_the_platform_is_stopped_campaigns_are_left_alone_and_afterwards_woken(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    campaign_id = console.running()
    console.send("operations/stop-stop")
    before = console.item(campaign_id)
    console.clock.shift(timedelta(days=1))

    stopped = console.sweep()
    left, warnings = console.item(campaign_id), [each for each in caplog.records if each.levelname == "WARNING"]
    console.send("operations/stop-resume")
    resumed = console.sweep()

    assert (stopped["woken"], left, warnings) == (0, before, [])
    assert resumed["woken"] == 1
    assert console.waiting() == [{"campaign_id": campaign_id, "step": 1}]


@pytest.mark.parametrize("status", ["RUNNING", "pausing", "cancelling", "deleting"])
def test_a_broadcast_with_something_in_flight_is_woken_while_the_platform_is_stopped(
    console: Console, status: str
) -> None:
    """Its step settles, and sends nothing: else a message of a worker that died would be SENDING until the resume."""
    console.send("operations/stop-stop")
    put(console, BROADCAST, status, table="BroadcastsTable", wake_at=LATE)

    swept = console.sweep()

    messages = [json.loads(each["Body"]) for each in console.aws.messages("BroadcastsQueue")]
    assert swept["woken"] == 1
    assert messages == [{"campaign_id": BROADCAST, "step": 7}]


@pytest.mark.parametrize("status", ["SCHEDULED", "importing"])
def test_a_broadcast_that_is_to_begin_waits_for_the_platform(console: Console, status: str) -> None:
    console.send("operations/stop-stop")
    put(console, BROADCAST, status, table="BroadcastsTable", wake_at=LATE)

    stopped = console.sweep()
    console.send("operations/stop-resume")
    resumed = console.sweep()

    assert (stopped["woken"], resumed["woken"]) == (0, 1)


def test_events_that_were_left_behind_are_published_while_the_platform_is_stopped(console: Console) -> None:
    console.send("operations/stop-stop")
    console.clock.shift(timedelta(minutes=6))

    swept = console.sweep()

    assert swept == {"woken": 0, "published": 1}


# --- What the tests above are made of


def item_of(console: Console, campaign_id: str) -> dict[str, Any]:
    key = {"id": {"S": campaign_id}, "part": {"S": "campaign"}}
    found = console.aws.client("dynamodb").get_item(TableName=console.aws.ref("BoostsTable"), Key=key)
    return dict(json.loads(json.dumps(found["Item"])))


def put(console: Console, entity: str, status: str, table: str = "SponsorshipsTable", **more: str) -> None:
    """What the sweeper knows of a campaign, a participation or a check run."""
    texts = {"id": entity, "part": "campaign", "status": status, **more}
    item = {name: {"S": value} for name, value in texts.items()} | {"step": {"N": "7"}, "sweeps": {"N": "0"}}
    console.aws.client("dynamodb").put_item(TableName=console.aws.ref(table), Item=item)


def change(console: Console, campaign_id: str, **attributes: dict[str, Any] | None) -> None:
    """Sets attributes of a campaign's item by hand; None removes one."""
    changed = item_of(console, campaign_id) | attributes
    item = {name: value for name, value in changed.items() if value is not None}
    console.aws.client("dynamodb").put_item(TableName=console.aws.ref("BoostsTable"), Item=item)


def test_a_campaign_that_cannot_be_woken_keeps_neither_the_others_asleep_nor_events_unpublished(
    console: Console,
) -> None:
    broken, well = console.running(), console.running(video_id="other")
    console.aws.client("dynamodb").update_item(
        TableName=console.aws.ref("BoostsTable"),
        Key={"id": {"S": broken}, "part": {"S": "campaign"}},
        UpdateExpression="SET step = :nonsense",
        ExpressionAttributeValues={":nonsense": {"S": "nonsense"}},
    )
    console.clock.shift(timedelta(minutes=5, seconds=1))

    with pytest.raises(Unavailable, match="1 overdue campaigns could not be woken, 1 could"):
        console.sweep()

    assert console.waiting() == [{"campaign_id": well, "step": 1}]
    assert {event["status"] for event in console.aws.items("OutboxTable")} == {"processed"}
