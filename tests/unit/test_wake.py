"""Wake: which way a step goes to its queue, and when it gets there."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from botocore.model import Shape
from hypothesis import given
from hypothesis import strategies as st

from sluice.ids import new_id
from sluice.wake import Wake, schedule_name, step_message
from tests.factories import NOON, FixedClock


class Queue:
    """Remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)


class Scheduler:
    """Remembers schedules, whose names are taken once."""

    class exceptions:  # noqa: N801 - as in a boto client
        class ConflictException(Exception):
            pass

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}

    def create_schedule(self, **schedule: Any) -> None:
        if schedule["Name"] in self.made:
            raise self.exceptions.ConflictException
        self.made[schedule["Name"]] = schedule


class Ways:
    """A wake at noon, and the two ways that it may take."""

    def __init__(self, now: datetime = NOON) -> None:
        self.queue, self.scheduler = Queue(), Scheduler()
        self.wake = Wake(
            self.queue,  # type: ignore[arg-type]
            self.scheduler,  # type: ignore[arg-type]
            FixedClock(now),
            queue_url="https://queue",
            queue_arn="arn:queue",
            schedule_group="group",
            role_arn="arn:role",
        )

    @property
    def delays(self) -> list[int]:
        return [message["DelaySeconds"] for message in self.queue.sent]

    @property
    def times(self) -> list[str]:
        return [schedule["ScheduleExpression"] for schedule in self.scheduler.made.values()]


def test_a_message_names_the_campaign_and_the_step_and_nothing_else() -> None:
    ways = Ways()

    ways.wake("bst_1", 7, NOON)

    assert ways.queue.sent == [
        {"QueueUrl": "https://queue", "MessageBody": '{"campaign_id": "bst_1", "step": 7}', "DelaySeconds": 0}
    ]


@pytest.mark.parametrize(
    ("ahead", "delay"),
    [(0, 0), (0.000001, 1), (0.5, 1), (1, 1), (1.000001, 2), (59.2, 60), (899.000001, 900), (900, 900)],
)
def test_a_delay_is_rounded_up_to_whole_seconds_so_that_nothing_comes_early(ahead: float, delay: int) -> None:
    """S1-6."""

    ways = Ways()

    ways.wake("bst_1", 7, NOON + timedelta(seconds=ahead))

    assert ways.delays == [delay]
    assert ways.times == []


@pytest.mark.parametrize("ago", [0.000001, 1, 86_400])
def test_a_past_time_means_now(ago: float) -> None:
    ways = Ways()

    ways.wake("bst_1", 7, NOON - timedelta(seconds=ago))

    assert ways.delays == [0]


@pytest.mark.parametrize(
    ("ahead", "time"),
    [
        (900.000001, "at(2026-11-20T12:15:01)"),
        (900.5, "at(2026-11-20T12:15:01)"),
        (901, "at(2026-11-20T12:15:01)"),
        (43_200, "at(2026-11-21T00:00:00)"),
        (43_199.000001, "at(2026-11-21T00:00:00)"),
    ],
)
def test_more_than_900_seconds_ahead_is_a_schedule_on_a_whole_second_that_is_not_early(ahead: float, time: str) -> None:
    ways = Ways()

    ways.wake("bst_1", 7, NOON + timedelta(seconds=ahead))

    assert ways.delays == []
    assert ways.times == [time]


def test_a_schedule_fires_once_into_the_queue_and_deletes_itself() -> None:
    ways = Ways()

    ways.wake("bst_1", 7, NOON + timedelta(days=1))

    assert ways.scheduler.made["bst_1-7"] == {
        "Name": "bst_1-7",
        "GroupName": "group",
        "ScheduleExpression": "at(2026-11-21T12:00:00)",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {"Arn": "arn:queue", "RoleArn": "arn:role", "Input": '{"campaign_id": "bst_1", "step": 7}'},
    }


def test_a_time_in_another_zone_is_scheduled_in_utc() -> None:
    ways = Ways()
    at = datetime.fromisoformat("2026-11-21T01:00:00+01:00")

    ways.wake("bst_1", 7, at)

    assert ways.times == ["at(2026-11-21T00:00:00)"]


def test_a_schedule_that_is_there_already_is_success_and_stays() -> None:
    ways = Ways()
    ways.wake("bst_1", 7, NOON + timedelta(days=1))

    ways.wake("bst_1", 7, NOON + timedelta(days=1))
    ways.wake("bst_1", 8, NOON + timedelta(days=1))

    assert list(ways.scheduler.made) == ["bst_1-7", "bst_1-8"]


def test_any_other_error_of_the_scheduler_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = Ways()

    def refuse(**_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(ways.scheduler, "create_schedule", refuse)

    with pytest.raises(PermissionError):
        ways.wake("bst_1", 7, NOON + timedelta(days=1))


@pytest.fixture(scope="module")
def shape() -> Shape:
    """The name of a schedule as botocore's model of the service has it."""
    model = botocore.session.get_session().get_service_model("scheduler")
    members: dict[str, Shape] = model.operation_model("CreateSchedule").input_shape.members  # type: ignore[assignment]
    return members["Name"]


STREAMERS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
STEPS = st.integers(0, 10**12 - 1)


@given(STREAMERS.map(lambda streamer: f":{streamer}") | st.just(""), STEPS)
def test_a_schedules_name_is_one_that_eventbridge_takes(shape: Shape, suffix: str, step: int) -> None:
    ways = Ways()

    ways.wake(new_id("spn", NOON) + suffix, step, NOON + timedelta(days=1))

    (name,) = ways.scheduler.made
    assert re.fullmatch(shape.metadata["pattern"], name)
    assert shape.metadata["min"] <= len(name) <= shape.metadata["max"]


def test_the_name_of_a_suffixed_ids_schedule_is_its_campaign_a_digest_and_the_step() -> None:
    campaign_id = "spn_01ARYZ6S430000000000000000"

    assert schedule_name(campaign_id, 7) == f"{campaign_id}-7"
    assert schedule_name(f"{campaign_id}:nina", 7) == f"{campaign_id}-e5fdd56692b156c37e77-7"


@given(st.lists(st.tuples(STREAMERS, STEPS), min_size=2, max_size=9, unique=True))
def test_no_two_steps_share_a_schedules_name(steps: list[tuple[str, int]]) -> None:
    campaign_id = new_id("spn", NOON)

    names = {schedule_name(f"{campaign_id}:{streamer}", step) for streamer, step in steps}

    assert len(names) == len(steps)


@given(
    st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda later: NOON + later),
    st.timedeltas(timedelta(days=-1), timedelta(days=40)),
)
def test_whenever_it_is_asked_a_step_comes_at_its_time_or_less_than_a_second_later(
    now: datetime, ahead: timedelta
) -> None:
    ways = Ways(now)
    at = now + ahead

    ways.wake("bst_1", 7, at)

    if ways.delays:
        arrives = now + timedelta(seconds=ways.delays[0])
        assert 0 <= ways.delays[0] <= 900
    else:
        arrives = datetime.strptime(ways.times[0], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)
    assert timedelta(0) <= arrives - max(now, at) < timedelta(seconds=1)


def test_a_message_is_what_a_step_is_read_from() -> None:
    message = json.loads(step_message("bst_1", 7))

    assert message == {"campaign_id": "bst_1", "step": 7}
