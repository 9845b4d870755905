"""What is noted of an endpoint's health: by each success and failure, as seldom as can be, and never of a stale one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.account import Account
from tests.integration.console import before_the_first
from tests.integration.harness import Functions
from tests.integration.hooks_world import EVENT, Hooked, hooked

OTHER = "evt_01KAJ3W5V0SM0FKVYVXB9EQT6P"


@pytest.fixture
def world(aws: Account, functions: Functions) -> Iterator[Hooked]:
    with hooked(aws, functions) as world:
        yield world


def endpoint(world: Hooked) -> dict[str, Any]:
    [found] = [each for each in world.aws.items("HooksTable") if each["id"].startswith("hok_")]
    return found


def deliver(world: Hooked, number: int = 0) -> None:
    world.tell(event_id=f"evt_01KAJ3W5V0SM0FKVYVXB9EQT{number:02}")
    world.work()


def test_the_successes_of_a_busy_endpoint_are_noted_once_a_minute(world: Hooked) -> None:
    """Each note is a write to one item, and a busy endpoint has many successes a second."""
    world.create()
    first, noted = world.clock_time, []

    for number in range(3):
        deliver(world, number)
        noted.append(datetime.fromisoformat(endpoint(world)["last_success_at"]))
        world.clock.shift(timedelta(seconds=30))

    assert noted == [first, first, first + timedelta(minutes=1)]


def test_a_success_within_the_minute_forgets_a_failure(world: Hooked) -> None:
    world.create()
    deliver(world)
    world.receiver.status = 500
    deliver(world, 1)
    assert "failing_since" in endpoint(world)
    world.receiver.status = 204
    world.clock.shift(timedelta(seconds=10))

    world.work()

    assert not {"failing_since", "first_failing_event_at", "next_probe_at", "failures"} & endpoint(world).keys()


def test_of_two_failures_at_once_the_one_that_is_noted_first_counts(world: Hooked) -> None:
    """The other attempt began before the endpoint failed: its failure says nothing new, and moves no probe."""
    world.create()
    world.receiver.status = 500
    world.tell(event_id=EVENT)
    world.tell(event_id=OTHER)
    one, other = world.steps("HooksQueue")
    noted: list[dict[str, Any]] = []

    def fail_meanwhile() -> None:
        if not noted:
            noted.append({})
            world.hand_over("hooks/worker-steps", other)
            noted.append(endpoint(world))
            world.clock.shift(timedelta(seconds=3))

    with world.posting(after=fail_meanwhile):
        world.hand_over("hooks/worker-steps", one)

    assert len(world.receiver.requests) == 2
    assert endpoint(world) == noted[1]


def test_an_error_of_ours_is_recorded_at_once_and_is_no_failure_of_the_endpoint(world: Hooked) -> None:
    made = world.a_delivery()

    def break_down() -> None:
        raise RuntimeError

    with world.posting(before=break_down):
        world.work()

    found = world.delivery(made)
    assert (found["status"], [each["outcome"] for each in found["log"]]) == ("waiting", ["unknown"])
    assert "failing_since" not in endpoint(world)


@pytest.mark.parametrize("status", [204, 500])
def test_what_is_noted_makes_no_endpoint_of_one_that_a_restore_took_away(status: int, world: Hooked) -> None:
    """An item of notes alone could not be read, and each event would ask for all endpoints."""
    world.create()
    world.receiver.status = status
    found = endpoint(world)

    def take_away() -> None:
        key = {name: {"S": found[name]} for name in ("id", "part")}
        world.aws.client("dynamodb").delete_item(TableName=world.aws.ref("HooksTable"), Key=key)

    with before_the_first("update_item", take_away):
        deliver(world)

    assert [each for each in world.aws.items("HooksTable") if each["id"].startswith("hok_")] == []
