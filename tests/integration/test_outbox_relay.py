"""The outbox relay, on its event file: rows on the stream become events on the bus, at least once and no more often."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from botocore.client import BaseClient
from botocore.exceptions import ParamValidationError

from sluice.errors import Unavailable
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import TERMS, Console, before_the_first, throttled
from tests.integration.harness import Functions, an_event
from tests.integration.log_metrics import metrics


class Bus(Console):
    """The console, with the stream and the bus at hand."""

    def __init__(self, aws: Account, functions: Functions, clock: Any) -> None:
        super().__init__(aws, functions, clock)
        self._refused = ""
        self._heard: list[dict[str, Any]] = []

    def put_events(self, real: Callable[..., Any], client: BaseClient, parameters: dict[str, Any]) -> Any:
        """What the bus answers. It hears what it takes; moto delivers to targets only with a package more."""
        if self._refused and self._refused in parameters["Entries"][0]["Detail"]:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
        answer = real(client, "PutEvents", parameters)
        self._heard += parameters["Entries"]
        return answer

    @contextmanager
    def refusing(self, event_id: str) -> Iterator[None]:
        """The bus answers, as it does when it is throttled, that it did not take this one."""
        self._refused = event_id
        yield
        self._refused = ""

    def heard(self) -> list[dict[str, Any]]:
        """The events that the stack's bus took, as a consumer gets them."""
        assert {entry["EventBusName"] for entry in self._heard} <= {self.aws.ref("EventBus")}
        return [
            {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}
            for entry in self._heard
        ]

    def relay(self, *ids: str) -> list[str]:
        """Deliver stream records of these rows; returns which were reported as failed."""
        event = an_event("operations/outbox_relay-rows")
        record = event["Records"].pop()
        for number, each in enumerate(ids):
            event["Records"].append(deepcopy(record))
            event["Records"][-1]["dynamodb"]["Keys"]["id"]["S"] = each
            event["Records"][-1]["dynamodb"]["SequenceNumber"] = str(number)
        answer = self.invoke("operations/outbox_relay-rows", event)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def edit(self, event_id: str, **values: dict[str, str]) -> None:
        """Change a row by hand."""
        self.aws.client("dynamodb").update_item(
            TableName=self.aws.ref("OutboxTable"),
            Key={"id": {"S": event_id}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )

    def rows(self) -> list[dict[str, Any]]:
        return sorted(self.aws.items("OutboxTable"), key=lambda row: str(row["created_at"]))

    def row(self) -> dict[str, Any]:
        (row,) = self.rows()
        return row


@pytest.fixture
def bus(aws: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    with time_machine.travel(NOON, tick=False) as clock:
        bus = Bus(aws, functions, clock)
        real: Callable[..., Any] = BaseClient._make_api_call

        def make_api_call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
            if operation == "PutEvents":
                return bus.put_events(real, client, parameters)
            return real(client, operation, parameters)

        monkeypatch.setattr(BaseClient, "_make_api_call", make_api_call)
        yield bus


def test_a_row_is_published_with_its_id_name_time_and_data(bus: Bus) -> None:
    campaign_id = bus.create()
    row = bus.row()
    bus.clock.shift(3)

    failed = bus.relay(row["id"])

    (event,) = bus.heard()
    assert failed == []
    assert (event["source"], event["detail-type"]) == ("sluice", "BoostCreated")
    assert event["detail"] == {
        "id": row["id"],
        "at": "2026-11-20T12:00:00.000000Z",
        "data": {
            "campaign_id": campaign_id,
            "video_ids": ["abc123"],
            "total_count": 2500,
            "duration_days": 1,
            "pattern": "steady",
            "daily_limit": 5000,
            "status": "pending",
            "executed_count": 0,
        },
    }


def test_each_status_change_is_an_event_named_in_the_past_tense(bus: Bus) -> None:
    campaign_id = bus.create(total_count=1500)
    for verb in ("execute", "pause", "execute"):
        bus.clock.shift(1)
        bus.command(verb, campaign_id)
    for step in (3, 4):
        bus.clock.shift(1)
        bus.work(campaign_id, step)
    other = bus.create()
    bus.clock.shift(1)
    bus.command("cancel", other)

    bus.relay(*[row["id"] for row in bus.rows()])

    assert sorted(event["detail-type"] for event in bus.heard()) == [
        "BoostCancelled",
        "BoostCompleted",
        "BoostCreated",
        "BoostCreated",
        "BoostPaused",
        "BoostResumed",
        "BoostStarted",
    ]


def test_a_published_row_is_marked_processed_and_kept_for_seven_days_more(bus: Bus) -> None:
    """S4-6, S4-23: DynamoDB then removes it."""
    bus.create()
    bus.clock.shift(3)

    bus.relay(bus.row()["id"])

    assert bus.row()["status"] == "processed"
    assert bus.row()["expires_at"] == (NOON + timedelta(days=7, seconds=3)).timestamp()


def test_a_row_that_was_not_published_has_no_time_to_live(bus: Bus) -> None:
    bus.create()

    row = bus.row()

    assert row["status"] == "pending"
    assert "expires_at" not in row


def test_a_record_delivered_again_publishes_nothing(bus: Bus) -> None:
    bus.create()
    bus.relay(bus.row()["id"])
    once = bus.row()
    bus.clock.shift(60)

    failed = bus.relay(once["id"])

    assert failed == []
    assert len(bus.heard()) == 1
    assert bus.row() == once


def test_a_row_that_is_gone_is_passed_over(bus: Bus) -> None:
    bus.create()

    failed = bus.relay("evt_01KAJ3W5V0SM0FKVYVXB9EQT6N", bus.row()["id"])

    assert failed == []
    assert len(bus.heard()) == 1


def test_a_row_that_the_bus_did_not_take_is_reported_and_stays_pending(bus: Bus) -> None:
    bus.create()
    row = bus.row()

    with bus.refusing(row["id"]):
        failed = bus.relay(row["id"])

    assert failed == ["0"]
    assert bus.row() == row
    assert bus.heard() == []


def test_one_record_that_fails_does_not_stop_the_others(bus: Bus) -> None:
    for _ in range(3):
        bus.create()
    ids = [row["id"] for row in bus.rows()]

    with bus.refusing(ids[1]):
        failed = bus.relay(*ids)

    assert failed == ["1"]
    assert sorted(event["detail"]["id"] for event in bus.heard()) == sorted([ids[0], ids[2]])
    assert {row["id"]: row["status"] for row in bus.rows()} == {
        ids[0]: "processed",
        ids[1]: "pending",
        ids[2]: "processed",
    }


def test_a_record_without_a_key_is_reported_alone(bus: Bus) -> None:
    bus.create()
    event = an_event("operations/outbox_relay-rows")
    event["Records"].append(deepcopy(event["Records"][0]))
    event["Records"][0]["dynamodb"] |= {"Keys": {}, "SequenceNumber": "0"}
    event["Records"][1]["dynamodb"]["Keys"]["id"]["S"] = bus.row()["id"]

    answer = bus.invoke("operations/outbox_relay-rows", event)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert len(bus.heard()) == 1


def test_what_failed_is_published_when_its_record_comes_again(bus: Bus) -> None:
    bus.create()
    with bus.refusing(bus.row()["id"]):
        bus.relay(bus.row()["id"])

    bus.relay(bus.row()["id"])

    assert len(bus.heard()) == 1
    assert bus.row()["status"] == "processed"


def test_a_relay_killed_between_publishing_and_marking_is_made_up_for_by_the_sweeper(bus: Bus) -> None:
    """MassTransit#3791: an event may be on the bus twice, and its `detail.id` says so."""
    bus.create()
    row = bus.row()

    def die() -> None:
        raise KeyboardInterrupt

    with before_the_first("update_item", die), pytest.raises(KeyboardInterrupt):
        bus.relay(row["id"])
    bus.clock.shift(timedelta(minutes=5))
    early = bus.sweep()
    bus.clock.shift(1)
    late = bus.sweep()

    assert (early["published"], late["published"]) == (0, 1)
    assert [event["detail"]["id"] for event in bus.heard()] == [row["id"]] * 2
    assert bus.row()["status"] == "processed"


def test_a_row_that_its_ttl_deleted_before_it_was_marked_does_not_come_back(bus: Bus) -> None:
    bus.create()
    row = bus.row()

    def delete() -> None:
        key = {"id": {"S": row["id"]}}
        bus.aws.client("dynamodb").delete_item(TableName=bus.aws.ref("OutboxTable"), Key=key)

    with before_the_first("update_item", delete):
        failed = bus.relay(row["id"])

    assert failed == []
    assert bus.rows() == []


def test_a_row_that_could_not_be_marked_is_reported_and_published_again(bus: Bus) -> None:
    bus.create()
    row = bus.row()

    with before_the_first("update_item", throttled):
        failed = bus.relay(row["id"])
    bus.relay(row["id"])

    assert failed == ["0"]
    assert [event["detail"]["id"] for event in bus.heard()] == [row["id"]] * 2
    assert bus.row()["status"] == "processed"


def test_two_that_publish_one_row_at_once_mark_it_once(bus: Bus) -> None:
    bus.create()
    row = bus.row()

    def publish_elsewhere() -> None:
        bus.relay(row["id"])
        bus.clock.shift(60)

    with before_the_first("update_item", publish_elsewhere):
        failed = bus.relay(row["id"])

    assert failed == []
    assert bus.row()["expires_at"] == (NOON + timedelta(days=7)).timestamp()


# --- Rows that the stream left behind


def test_rows_older_than_five_minutes_are_published_by_the_sweeper(bus: Bus) -> None:
    bus.create()
    bus.clock.shift(1)
    bus.create()
    bus.clock.shift(timedelta(minutes=5))

    swept = bus.sweep()

    assert swept["published"] == 1
    assert [event["detail-type"] for event in bus.heard()] == ["BoostCreated"]
    assert [row["status"] for row in bus.rows()] == ["processed", "pending"]


def test_the_sweeper_leaves_processed_rows_alone(bus: Bus) -> None:
    bus.create()
    bus.relay(bus.row()["id"])
    bus.clock.shift(timedelta(days=1))

    swept = bus.sweep()

    assert swept["published"] == 0
    assert len(bus.heard()) == 1


def test_an_overdue_row_that_the_bus_refuses_does_not_hold_up_those_after_it_and_is_an_error(bus: Bus) -> None:
    for _ in range(3):
        bus.create()
        bus.clock.shift(1)
    ids = [row["id"] for row in bus.rows()]
    bus.clock.shift(timedelta(minutes=10))

    with bus.refusing(ids[0]), pytest.raises(Unavailable, match="1 of 3 overdue events"):
        bus.sweep()

    assert [event["detail"]["id"] for event in bus.heard()] == ids[1:]
    assert [row["status"] for row in bus.rows()] == ["pending", "processed", "processed"]


def test_an_overdue_row_that_cannot_be_published_at_all_holds_up_none_after_it(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        bus.create()
        bus.clock.shift(1)
    ids = [row["id"] for row in bus.rows()]
    bus.edit(ids[0], name={"S": ""})
    real = bus.put_events

    def put_events(sent: Any, client: BaseClient, parameters: dict[str, Any]) -> Any:
        if not parameters["Entries"][0]["DetailType"]:
            raise ParamValidationError(report="DetailType is empty")
        return real(sent, client, parameters)

    monkeypatch.setattr(bus, "put_events", put_events)
    bus.clock.shift(timedelta(minutes=10))

    with pytest.raises(Unavailable, match="1 of 3 overdue events"):
        bus.sweep()

    assert [event["detail"]["id"] for event in bus.heard()] == ids[1:]


@pytest.mark.parametrize("by", ["the sweeper", "the stream"])
@pytest.mark.parametrize("unreadable", [{"S": "{not json"}, {"N": "7"}])
def test_an_unreadable_row_is_logged_for_an_alarm_and_passed_by(
    bus: Bus, log_lines: Callable[[], list[dict[str, Any]]], by: str, unreadable: dict[str, str]
) -> None:
    for _ in range(3):
        bus.create()
        bus.clock.shift(1)
    ids = [row["id"] for row in bus.rows()]
    bus.edit(ids[0], data=unreadable)
    bus.clock.shift(timedelta(minutes=10))
    log_lines()

    done: Any = bus.relay(*ids) if by == "the stream" else bus.sweep()["published"]

    lines = log_lines()
    logs = "OperationsOutboxRelayLogs" if by == "the stream" else "OperationsSweeperLogs"
    assert done == ([] if by == "the stream" else 3)
    assert [event["detail"]["id"] for event in bus.heard()] == ids[1:]
    assert [row["status"] for row in bus.rows()] == ["unreadable", "processed", "processed"]
    assert metrics(bus.aws, logs, lines) == {"UnreadableRows": [1]}
    assert any(ids[0] in line.get("exception", "") for line in lines)


def test_an_unreadable_row_that_was_repaired_is_published_by_the_sweeper(bus: Bus) -> None:
    bus.create()
    row = bus.row()
    bus.edit(row["id"], data={"S": "{not json"})
    bus.clock.shift(timedelta(minutes=10))
    bus.sweep()
    marked = bus.row()["status"]

    bus.edit(row["id"], data={"S": row["data"]}, status={"S": "pending"})
    bus.sweep()

    assert marked == "unreadable"
    assert [event["detail"]["id"] for event in bus.heard()] == [row["id"]]


def test_an_unreadable_row_that_was_published_already_stays_so(bus: Bus) -> None:
    """A record may come again, after its row was published and edited."""
    bus.create()
    row = bus.row()
    bus.relay(row["id"])
    bus.edit(row["id"], data={"S": "{not json"})

    bus.relay(row["id"])

    assert bus.row()["status"] == "processed"


def test_a_backlog_is_published_in_turns_oldest_first(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.sweeper._MOST_EVENTS", 20)
    client, table = bus.aws.client("dynamodb"), bus.aws.ref("OutboxTable")
    for number in reversed(range(22)):
        values = {"id": f"evt_{number:02}", "name": "X", "status": "pending", "data": "{}"}
        values["created_at"] = f"2026-11-20T10:00:00.{number:06}Z"
        client.put_item(TableName=table, Item={name: {"S": value} for name, value in values.items()})

    swept = [bus.sweep()["published"] for _ in range(2)]

    assert swept == [20, 2]
    assert [event["detail"]["id"] for event in bus.heard()] == [f"evt_{number:02}" for number in range(22)]


def test_an_event_never_overwrites_another(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    bus.create(video_id="v0")
    row = bus.row()
    monkeypatch.setattr("sluice.outbox.new_id", lambda *_: row["id"])

    answer = bus.send("boosts/api-create", body=TERMS | {"video_id": "v1"})

    assert answer.status == 503
    assert bus.row() == row
