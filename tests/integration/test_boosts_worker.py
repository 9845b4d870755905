"""The worker of boosts, on its event file, with real transactions on the tables of the template."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from tests.account import Account
from tests.factories import NOON
from tests.integration.console import Console, before_the_first
from tests.integration.harness import Functions


class Worked(Console):
    """Campaigns that are worked off by hand, message by message."""

    def deliver(self, campaign_id: str, step: int, message_id: str = "message-1") -> bool:
        """Whether the worker acknowledged a step."""
        return self.hand_over("boosts/worker-steps", {"campaign_id": campaign_id, "step": step}, message_id)

    def campaign(self, campaign_id: str) -> dict[str, Any]:
        return next(
            item for item in self.aws.items("BoostsTable") if item["id"] == campaign_id and item["part"] == "campaign"
        )

    def rows(self, campaign_id: str) -> list[int]:
        items = self.aws.items("BoostsTable")
        rows = [item for item in items if item["id"] == campaign_id and item["kind"] == "batch"]
        return [int(row["views"]) for row in sorted(rows, key=lambda row: str(row["part"]))]

    def total(self) -> int:
        return sum(views for key, views in self.totals().items() if key.count("#") == 2)

    def usage(self) -> dict[str, Any]:
        return next(item for item in self.aws.items("BoostsTable") if item["kind"] == "usage")


@pytest.fixture
def world(aws: Account, functions: Functions) -> Iterator[Worked]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Worked(aws, functions, clock)


def test_a_step_adds_its_views_to_the_video_and_to_the_campaign(world: Worked) -> None:
    """S1-23, S1-22."""

    campaign_id = world.running()

    is_done = world.deliver(campaign_id, 1)

    assert is_done
    assert world.campaign(campaign_id)["executed_count"] == 1000
    assert world.rows(campaign_id) == [1000]
    assert world.totals() == {"boosted#video#abc123": 1000, "boosted#video#abc123#2026-11-20": 1000}
    assert world.waiting() == [{"campaign_id": campaign_id, "step": 2}]


def test_a_step_delivered_twice_has_one_effect_and_one_successor(world: Worked) -> None:
    campaign_id = world.running()

    world.deliver(campaign_id, 1, "message-1")
    world.deliver(campaign_id, 1, "message-2")

    assert world.rows(campaign_id) == [1000]
    assert world.total() == 1000
    assert world.waiting() == [{"campaign_id": campaign_id, "step": 2}]


def test_the_same_message_delivered_twice_sends_its_successor_again_and_adds_nothing(world: Worked) -> None:
    campaign_id = world.running()

    world.deliver(campaign_id, 1, "message-1")
    world.deliver(campaign_id, 1, "message-1")

    assert world.total() == 1000
    assert world.waiting() == [{"campaign_id": campaign_id, "step": 2}] * 2


@pytest.mark.parametrize("body", ["nonsense", '{"campaign_id": "bst_1"}'])
def test_a_poison_message_is_reported_so_that_it_reaches_the_dead_letters(world: Worked, body: str) -> None:
    """S1-42."""

    campaign_id = world.running()

    is_done = world.hand_over("boosts/worker-steps", body)

    assert not is_done
    assert world.total() == 0
    assert world.campaign(campaign_id)["step"] == 1


def test_steps_repeat_until_the_campaign_is_complete(world: Worked) -> None:
    """S1-25."""

    campaign_id = world.running()

    for step in (1, 2, 3):
        world.deliver(campaign_id, step, f"message-{step}")
        world.clock.shift(1)

    campaign = world.campaign(campaign_id)
    assert campaign["status"] == "completed"
    assert campaign["executed_count"] == 2500
    assert "wake_at" not in campaign
    assert world.rows(campaign_id) == [1000, 1000, 500]
    assert world.total() == 2500
    assert world.usage()["allotted"] == world.usage()["executed"] == world.usage()["d20"] == 2500
    assert world.waiting() == [{"campaign_id": campaign_id, "step": 2}, {"campaign_id": campaign_id, "step": 3}]


def test_a_step_that_comes_early_is_put_back_without_effect(world: Worked) -> None:
    """S1-24, S1-6."""

    campaign_id = world.running()
    world.deliver(campaign_id, 1)
    world.waiting()

    world.deliver(campaign_id, 2, "message-2")

    assert world.total() == 1000
    assert world.waiting() == [{"campaign_id": campaign_id, "step": 2}]


@pytest.mark.parametrize(("verb", "status"), [("pause", "paused"), ("cancel", "cancelled")])
def test_after_a_pause_or_a_cancel_is_answered_no_batch_commits(world: Worked, verb: str, status: str) -> None:
    """S1-20, S1-26, S1-27."""

    campaign_id = world.running()
    world.deliver(campaign_id, 1)
    world.clock.shift(1)

    answer = world.command(verb, campaign_id)
    world.deliver(campaign_id, 2, "message-2")
    world.deliver(campaign_id, 3, "message-3")

    assert answer["status"] == status
    assert world.total() == answer["executed_count"] == 1000
    assert world.campaign(campaign_id)["status"] == status


def test_a_batch_computed_before_the_pause_cannot_commit_after_it(world: Worked) -> None:
    """S1-27."""

    campaign_id = world.running()
    paused: list[dict[str, Any]] = []

    def pause_meanwhile() -> None:
        paused.append(world.command("pause", campaign_id))

    with before_the_first("transact_write_items", pause_meanwhile):
        world.deliver(campaign_id, 1)

    assert paused[0]["status"] == "paused"
    assert world.total() == 0
    assert world.campaign(campaign_id)["executed_count"] == 0


def test_a_resumed_campaign_has_one_chain_and_the_old_one_stays_dead(world: Worked) -> None:
    campaign_id = world.running()
    world.deliver(campaign_id, 1)
    world.command("pause", campaign_id)
    world.command("execute", campaign_id)
    world.clock.shift(1)
    messages = world.waiting()

    world.deliver(campaign_id, 2, "old")
    world.deliver(campaign_id, 4, "new")

    assert {"campaign_id": campaign_id, "step": 4} in messages
    assert world.rows(campaign_id) == [1000, 1000]
    assert world.waiting() == [{"campaign_id": campaign_id, "step": 5}]


def test_campaigns_that_meet_at_the_last_views_of_a_day_never_exceed_it(world: Worked) -> None:
    """S1-3."""

    ids = [world.running(total_count=60_000, daily_limit=60_000, video_id=f"v{n}") for n in range(2)]
    usage(world, allotted=219_400, executed=99_400, d20=99_400)

    for campaign_id in ids:
        world.deliver(campaign_id, 1, f"message of {campaign_id}")

    assert world.usage()["d20"] == 100_000
    assert world.total() == 600
    assert world.campaign(ids[1])["waiting_for"] == "daily_cap"


def test_a_batch_computed_before_another_took_the_room_is_computed_again(world: Worked) -> None:
    """S1-3."""

    campaign_id = world.running()
    usage(world, allotted=102_500, executed=99_000, d20=99_000)

    def others_take_some() -> None:
        usage(world, allotted=102_500, executed=99_900, d20=99_900)

    with before_the_first("transact_write_items", others_take_some):
        world.deliver(campaign_id, 1)

    assert world.total() == 100
    assert world.usage()["d20"] == 100_000


def test_a_batch_that_would_exceed_the_month_is_refused_by_the_database(world: Worked) -> None:
    """S1-31."""

    campaign_id = world.running()
    usage(world, allotted=5_000_000, executed=4_999_000, d20=0)

    def others_take_all() -> None:
        usage(world, allotted=5_000_000, executed=4_999_999, d20=0)

    with before_the_first("transact_write_items", others_take_all):
        world.deliver(campaign_id, 1)

    assert world.total() == 1
    assert world.usage()["executed"] == 5_000_000


def test_a_long_wait_goes_through_a_one_time_schedule_that_deletes_itself(world: Worked) -> None:
    campaign_id = world.running(total_count=1000, duration_days=2)

    world.deliver(campaign_id, 1)

    group = world.aws.ref("ScheduleGroup")
    scheduler = world.aws.client("scheduler")
    schedule = scheduler.get_schedule(Name=f"{campaign_id}-2", GroupName=group)
    assert schedule["ScheduleExpression"] == "at(2026-11-21T00:00:00)"
    assert schedule["ActionAfterCompletion"] == "DELETE"
    assert json.loads(schedule["Target"]["Input"]) == {"campaign_id": campaign_id, "step": 2}
    assert world.waiting() == []


def test_a_schedule_that_is_there_already_is_success(world: Worked) -> None:
    campaign_id = world.running(total_count=1000, duration_days=2)

    world.deliver(campaign_id, 1, "message-1")
    is_done = world.deliver(campaign_id, 1, "message-1")

    assert is_done


def test_completion_leaves_an_audit_entry_and_an_event_in_its_transaction(world: Worked) -> None:
    """S1-29."""

    campaign_id = world.running(total_count=1000)

    world.deliver(campaign_id, 1)

    actions = [item["action"] for item in sorted(world.aws.items("AuditTable"), key=lambda item: item["number"])]
    assert actions == [f"FAKE_VIEWS_CAMPAIGN_{verb}" for verb in ("CREATED", "STARTED", "COMPLETED")]
    assert sorted(item["name"] for item in world.aws.items("OutboxTable")) == [
        "BoostCompleted",
        "BoostCreated",
        "BoostStarted",
    ]


def usage(world: Worked, **counters: int) -> None:
    """Puts the month's use where a test wants it."""
    item = {name: {"N": str(value)} for name, value in counters.items()}
    key = {"id": {"S": "usage#2026-11"}, "part": {"S": "usage"}, "kind": {"S": "usage"}}
    world.aws.client("dynamodb").put_item(TableName=world.aws.ref("BoostsTable"), Item=key | item)
