"""A campaign day by day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from boosts import campaign as campaigns
from boosts.campaign import BatchRow, Campaign, Status
from boosts.timeline import PlanDay, timeline
from tests.factories import NOON, UTC_ZONE, a_boost

TODAY = NOON.date()
TOMORROW = TODAY + timedelta(days=1)


def running(**terms: object) -> Campaign:
    """3,000 views in three days, executed at noon."""
    terms = {"total_count": 3000, "duration_days": 3} | terms
    return campaigns.execute(a_boost(**terms), NOON, UTC_ZONE).after


def a_row(views: int, at: datetime = NOON, plan_day: int = 1) -> BatchRow:
    return BatchRow(1, views, {"abc123": views}, plan_day, at)


def half_done() -> Campaign:
    return replace(running(), plan_day=1, plan_date=TODAY, done_today=400, executed_count=400)


def test_the_rows_of_a_day_are_its_done_and_what_is_left_of_it_its_expected() -> None:
    days = timeline(half_done(), [a_row(300), a_row(100)], NOON, UTC_ZONE)

    assert days == [
        PlanDay(TODAY, 1, 1000, done=400, expected=600),
        PlanDay(TOMORROW, 2, 1000, expected=1000),
        PlanDay(TOMORROW + timedelta(days=1), 3, 1000, expected=1000),
    ]


def test_a_row_is_of_the_day_that_it_was_in_the_configured_zone() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)

    days = timeline(a_boost(status=Status.CANCELLED), [a_row(5, late)], late, ZoneInfo("Europe/Berlin"))

    assert [day.date for day in days] == [TOMORROW]


def test_a_day_beyond_the_plan_has_nothing_planned() -> None:
    days = timeline(a_boost(status=Status.COMPLETED), [a_row(2000), a_row(500, plan_day=2)], NOON, UTC_ZONE)
    beyond = timeline(a_boost(status=Status.COMPLETED), [a_row(500, plan_day=2)], NOON, UTC_ZONE)

    assert days == [PlanDay(TODAY, 1, 2500, done=2500)]
    assert beyond == [PlanDay(TODAY, 2, 0, done=500)]


def test_what_was_taken_back_was_done_nevertheless() -> None:
    days = timeline(a_boost(status=Status.REVERTED), [a_row(2500), a_row(-1000), a_row(-1500)], NOON, UTC_ZONE)

    assert days == [PlanDay(TODAY, 1, 2500, done=2500)]


@pytest.mark.parametrize(
    "status", [Status.CANCELLED, Status.FAILED, Status.COMPLETED, Status.REVERTING, Status.REVERTED]
)
def test_nothing_is_expected_of_a_campaign_that_has_ended(status: Status) -> None:
    days = timeline(replace(half_done(), status=status), [a_row(400)], NOON, UTC_ZONE)

    assert days == [PlanDay(TODAY, 1, 1000, done=400)]


def test_what_is_expected_begins_when_the_next_step_is_due_or_today_when_that_is_past() -> None:
    waiting = replace(running(), wake_at=NOON + timedelta(days=5))
    late = replace(running(), wake_at=NOON - timedelta(days=5))

    assert timeline(waiting, [], NOON, UTC_ZONE)[0].date == date(2026, 11, 25)
    assert timeline(late, [], NOON, UTC_ZONE)[0].date == TODAY


def test_a_batch_that_was_committed_after_midnight_while_it_was_read_does_not_come_first() -> None:
    just_before = datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)

    days = timeline(half_done(), [a_row(400, just_before + timedelta(seconds=2), 2)], just_before, UTC_ZONE)

    assert [day.date for day in days] == sorted(day.date for day in days)
