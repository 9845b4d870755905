"""The world itself: that it does what AWS does, where AWS is what a campaign can fail by."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.faults.boosts import CAMPAIGNS, CHAIN, Boosts, campaigns, command, create
from tests.faults.sweep import Flow, Sweep
from tests.faults.world import Request, World, a_world

LONG = Flow("30 days", (create(total=60_000, days=30), command("execute")))


@pytest.fixture
def world() -> Iterator[World]:
    with a_world(Boosts.packages) as fresh:
        yield fresh


def to_rest(world: World) -> None:
    while not world.is_quiet():
        world.step()


def start(world: World, **terms: Any) -> str:
    """The id of a campaign that runs."""
    body = {"video_id": "abc", "total_count": 2500, "duration_days": 1, "pattern": "steady", "daily_limit": 5000}
    status, made = world.http(Request("POST", CAMPAIGNS, body | terms, "create"))
    assert status == 201
    assert world.http(Request("POST", f"{CAMPAIGNS}/{made['id']}/execute", None, "execute"))[0] == 200
    return str(made["id"])


def test_a_campaign_of_thirty_days_runs_to_its_end_in_seconds() -> None:
    with a_world(Boosts.packages, SweepRate="rate(120 minutes)") as world:
        run = Sweep(world, Boosts()).faultless(LONG)
        days = {row["committed_at"][:10] for row in world.dynamo.items("BoostsTable") if row["kind"] == "batch"}

    assert run.end is not None
    assert len(days) == 30


def test_a_message_that_fails_comes_again_when_its_visibility_ends_and_dies_after_its_last_receive(
    world: World,
) -> None:
    sent_at = world.now()
    message = world.send("BoostsQueue", "nonsense", timedelta(), Counter())
    seen = []

    while message in world.queues["BoostsQueue"]:
        world.step()
        seen.append(int((world.now() - sent_at).total_seconds()))

    assert [each for each in seen if each % 120 == 0] == [0, 120, 240, 360, 480, 600]
    assert message.receives == 6
    assert world.queues["BoostsDeadLetters"] == [message]


def test_a_delayed_message_is_not_delivered_before_its_time(world: World) -> None:
    world.send("BoostsQueue", "nonsense", timedelta(minutes=3), Counter())
    began = world.now()

    world.step()

    assert world.now() - began == timedelta(minutes=3)


def test_a_wait_of_a_day_is_a_one_time_schedule_that_fires_once(world: World) -> None:
    campaign_id = start(world, total_count=2, duration_days=2)
    world.step()
    world.step()

    assert len(world.one_time) == 1
    assert CHAIN.live_messages(world, campaigns(world)[0]) == [json.dumps({"campaign_id": campaign_id, "step": 2})]

    to_rest(world)
    assert world.one_time == {}
    assert campaigns(world)[0]["status"] == "completed"


def test_the_sweeper_comes_as_often_as_the_template_says(world: World) -> None:
    times = []
    for _ in range(3):
        world.step()
        times.append(f"{world.now():%H:%M:%S}")

    assert times == ["12:05:00", "12:10:00", "12:15:00"]


def test_an_outbox_row_that_the_relay_cannot_publish_ends_in_its_dead_letters(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_arguments: Any) -> Any:
        return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}

    monkeypatch.setattr(world, "_put_events", refused)
    start(world)

    to_rest(world)

    assert len(world.queues["OperationsOutboxDeadLetters"]) == 3
