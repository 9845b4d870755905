"""A campaign's commands and batches, without any AWS."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boosts import campaign as campaigns
from boosts.campaign import Action, Campaign, Change, Status, Waiting
from boosts.plan import month_of
from boosts.usage import Limits, Usage, UsageChange
from sluice.errors import Conflicting
from tests.factories import LIMITS, NOON, UTC_ZONE, a_boost

BERLIN = ZoneInfo("Europe/Berlin")


def running(**changes: object) -> Campaign:
    """A campaign that was executed at noon."""
    return campaigns.execute(a_boost(**changes), NOON, UTC_ZONE).after


def step(
    campaign: Campaign, usage: Usage | None = None, now: datetime | None = None, limits: Limits = LIMITS
) -> Change:
    now = now or max(NOON, campaign.wake_at or NOON)
    month = month_of(now.astimezone(UTC_ZONE).date())
    allotted = sum(campaign.promised.values())
    return campaigns.run_step(campaign, usage or Usage(month, allotted), limits, now, UTC_ZONE)


# --- Batches


def test_a_batch_is_at_most_a_thousand_views() -> None:
    """S1-21, S1-5."""

    change = step(running(total_count=2500))

    assert change.views_by_video() == {"abc123": 1000}
    assert change.usage == (UsageChange("2026-11", executed=1000, day=20),)


def test_the_next_batch_is_due_one_second_later() -> None:
    """S1-6."""

    change = step(running(total_count=2500))

    assert change.after.wake_at == NOON + timedelta(seconds=1)
    assert change.after.waiting_for is Waiting.NEXT_BATCH


def test_executed_and_remaining_always_make_the_total() -> None:
    """S1-34."""

    campaign = running(total_count=2500)

    while campaign.is_running:
        campaign = step(campaign).after
        assert campaign.executed_count + campaign.remaining_count == 2500

    assert campaign.status is Status.COMPLETED
    assert campaign.executed_count == 2500


def test_the_last_batch_is_what_remains_and_completes_the_campaign() -> None:
    change = step(running(total_count=300))

    assert sum(change.views_by_video().values()) == 300
    assert change.action is Action.COMPLETED
    assert change.after.ended_at == NOON
    assert change.after.wake_at is None
    assert change.after.promised == {}


def test_when_the_plan_day_is_done_the_campaign_waits_for_midnight() -> None:
    change = step(running(total_count=1000, duration_days=2))

    assert sum(change.views_by_video().values()) == 500
    assert change.after.wake_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert change.after.waiting_for is Waiting.NEXT_DAY


def test_midnight_is_that_of_the_configured_zone_on_a_day_of_25_hours() -> None:
    noon = datetime(2026, 10, 24, 12, tzinfo=UTC)
    campaign = campaigns.execute(a_boost(total_count=1000, duration_days=3), noon, BERLIN).after

    first = campaigns.run_step(campaign, Usage("2026-10", 1000), LIMITS, noon, BERLIN).after
    assert first.wake_at
    second = campaigns.run_step(first, Usage("2026-10", 1000), LIMITS, first.wake_at, BERLIN).after

    assert first.wake_at == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert second.wake_at == datetime(2026, 10, 25, 23, tzinfo=UTC)


def test_a_day_without_views_is_a_step_without_effect() -> None:
    change = step(running(total_count=1, duration_days=2))

    assert sum(change.views_by_video().values()) == 0
    assert change.usage == ()
    assert change.after.wake_at == datetime(2026, 11, 21, tzinfo=UTC)


def test_a_full_day_is_waited_out_until_midnight() -> None:
    """S1-3."""

    change = step(running(), Usage("2026-11", 100_000, 100_000, {20: 100_000}))

    assert sum(change.views_by_video().values()) == 0
    assert change.after.waiting_for is Waiting.DAILY_CAP
    assert change.after.wake_at == datetime(2026, 11, 21, tzinfo=UTC)


def test_a_batch_takes_only_what_is_left_of_the_day_over_all_campaigns() -> None:
    """S1-3."""

    change = step(running(), Usage("2026-11", 102_500, 99_900, {20: 99_900}))

    assert sum(change.views_by_video().values()) == 100


def test_a_full_month_is_waited_out_until_the_first_of_the_next() -> None:
    """S1-4, S1-31."""

    change = step(running(), Usage("2026-11", 5_000_000, 5_000_000))

    assert sum(change.views_by_video().values()) == 0
    assert change.after.waiting_for is Waiting.MONTHLY_CAP
    assert change.after.wake_at == datetime(2026, 12, 1, tzinfo=UTC)


def test_views_that_spilled_over_a_month_s_end_move_their_promise_with_them() -> None:
    started = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    campaign = campaigns.execute(a_boost(total_count=2500), started, UTC_ZONE).after
    campaign = replace(campaign, plan_day=1, plan_date=date(2026, 11, 30))

    change = step(campaign, Usage("2026-12"), datetime(2026, 12, 1, tzinfo=UTC))

    assert sum(change.views_by_video().values()) == 1000
    assert change.usage == (
        UsageChange("2026-12", allotted=1000, executed=1000, day=1),
        UsageChange("2026-11", allotted=-1000),
    )
    assert change.after.promised == {"2026-11": 1500}


def test_views_that_spilled_into_a_month_without_room_wait() -> None:
    campaign = replace(running(), promised={"2026-10": 2500})

    change = step(campaign, Usage("2026-11", 5_000_000, 4_000_000))

    assert sum(change.views_by_video().values()) == 0
    assert change.after.waiting_for is Waiting.MONTHLY_CAP


def test_a_batch_moves_no_more_of_a_promise_than_there_is_of_it() -> None:
    campaign = replace(running(), promised={"2026-10": 300, "2026-12": 2200})

    change = step(campaign, Usage("2026-11"))

    assert change.after.executed_count == 300
    assert change.usage == (
        UsageChange("2026-11", allotted=300, executed=300, day=20),
        UsageChange("2026-10", allotted=-300),
    )
    assert change.after.promised == {"2026-12": 2200}


def test_a_month_promised_beyond_a_lowered_cap_still_keeps_what_this_campaign_was_promised() -> None:
    campaign = replace(running(), promised={"2026-10": 300, "2026-11": 2200})

    change = step(campaign, Usage("2026-11", allotted=LIMITS.global_monthly_cap + 2000))

    assert change.after.executed_count == 1000
    assert change.after.promised == {"2026-10": 300, "2026-11": 1200}


def test_a_campaign_that_never_gets_done_fails_at_its_last_step_and_returns_its_promise() -> None:
    campaign = running()
    campaign = replace(campaign, steps_done=campaign.max_steps - 1)

    change = step(campaign)

    assert change.action is Action.FAILED
    assert change.after.failure_reason == "not done after 110 steps"
    assert change.usage == (UsageChange("2026-11", allotted=-2500),)
    assert sum(change.views_by_video().values()) == 0


# --- Commands


def test_execute_promises_the_plan_month_by_month() -> None:
    change = campaigns.execute(a_boost(total_count=3000, duration_days=30), NOON, UTC_ZONE)

    assert change.after.promised == {"2026-11": 1100, "2026-12": 1900}
    assert change.usage == (UsageChange("2026-11", allotted=1100), UsageChange("2026-12", allotted=1900))


@pytest.mark.parametrize("status", [Status.RUNNING, Status.CANCELLED, Status.COMPLETED, Status.FAILED])
def test_execute_in_any_other_state_is_refused_in_the_source_s_words(status: Status) -> None:
    """S1-41."""

    campaign = a_boost(status=status)

    with pytest.raises(Conflicting, match="^Campaign cannot be executed$"):
        campaigns.execute(campaign, NOON, UTC_ZONE)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.RUNNING}))
def test_only_a_running_campaign_can_be_paused(status: Status) -> None:
    """S1-11."""

    campaign = a_boost(status=status)

    with pytest.raises(Conflicting, match="cannot be paused"):
        campaigns.pause(campaign, NOON)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.COMPLETED, Status.FAILED])
def test_an_ended_campaign_cannot_be_cancelled(status: Status) -> None:
    """S1-12."""

    campaign = a_boost(status=status)

    with pytest.raises(Conflicting, match="cannot be cancelled"):
        campaigns.cancel(campaign, NOON)


def test_cancel_ends_the_campaign_and_returns_what_it_was_promised() -> None:
    """S1-12."""

    campaign = step(running()).after

    change = campaigns.cancel(campaign, NOON)

    assert change.after.ended_at == NOON
    assert change.after.promised == {}
    assert change.usage == (UsageChange("2026-11", allotted=-1500),)


def test_every_command_bumps_the_step_so_that_no_batch_from_before_it_can_commit() -> None:
    pending = a_boost(committed_by="message-1")

    executed = campaigns.execute(pending, NOON, UTC_ZONE).after
    paused = campaigns.pause(executed, NOON).after
    resumed = campaigns.execute(paused, NOON, UTC_ZONE).after
    cancelled = campaigns.cancel(resumed, NOON).after

    steps = [campaign.step for campaign in (pending, executed, paused, resumed, cancelled)]
    assert steps == [0, 1, 2, 3, 4]


def test_pausing_is_no_way_around_the_pace() -> None:
    done_for_today = step(running(total_count=1000, duration_days=2)).after

    resumed = campaigns.execute(campaigns.pause(done_for_today, NOON).after, NOON, UTC_ZONE)

    assert resumed.action is Action.RESUMED
    assert resumed.after.wake_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert resumed.after.waiting_for is Waiting.NEXT_DAY


def test_a_resume_in_another_month_moves_the_promise_to_the_new_dates() -> None:
    paused = campaigns.pause(running(), NOON).after

    resumed = campaigns.execute(paused, datetime(2027, 1, 5, tzinfo=UTC), UTC_ZONE)

    assert resumed.after.promised == {"2027-01": 2500}
    assert resumed.usage == (UsageChange("2026-11", allotted=-2500), UsageChange("2027-01", allotted=2500))


def test_time_spent_paused_is_not_time_spent_running() -> None:
    paused = campaigns.pause(running(), NOON + timedelta(seconds=10)).after
    resumed = campaigns.execute(paused, NOON + timedelta(hours=1), UTC_ZONE).after

    assert resumed.active_seconds_at(NOON + timedelta(hours=1, seconds=5)) == 15


# --- All of it, in any order


class Account:
    """The months' use as the store's conditions keep it, and a campaign that is driven through it."""

    def __init__(self, campaign: Campaign, limits: Limits, others: dict[str, int]) -> None:
        self.campaign = campaign
        self.limits = limits
        self.usage = {month: Usage(month, views, views) for month, views in others.items()}
        self.others = others

    def month(self, now: datetime) -> Usage:
        month = month_of(now.date())
        return self.usage.get(month, Usage(month))

    def apply(self, change: Change) -> bool:
        after = dict(self.usage)
        for each in change.usage:
            old = after.get(each.month, Usage(each.month))
            days = dict(old.days)
            days[each.day] = days.get(each.day, 0) + each.executed
            new = Usage(each.month, old.allotted + each.allotted, old.executed + each.executed, days)
            if max(new.allotted, new.executed) > self.limits.global_monthly_cap or new.allotted < 0:
                return False
            if days[each.day] > self.limits.max_per_day:
                return False
            after[each.month] = new
        self.usage = after
        self.campaign = change.after
        return True

    def check(self) -> None:
        promised = self.campaign.promised
        holds = self.campaign.status in (Status.RUNNING, Status.PAUSED)
        assert sum(promised.values()) == (self.campaign.remaining_count if holds else 0)
        assert all(views > 0 for views in promised.values())
        for month, usage in self.usage.items():
            assert usage.allotted == usage.executed + promised.get(month, 0)
        executed = sum(usage.executed for usage in self.usage.values()) - sum(self.others.values())
        assert executed == self.campaign.executed_count


@settings(max_examples=150)
@given(st.data())
def test_whatever_happens_allotted_is_executed_and_promised_and_no_cap_is_exceeded(data: st.DataObject) -> None:
    days = data.draw(st.integers(1, 40), "days")
    daily_limit = data.draw(st.integers(1, 3000), "daily limit")
    total = data.draw(st.integers(1, days * daily_limit), "total")
    limits = Limits(data.draw(st.integers(daily_limit, 4000)), data.draw(st.integers(total, total + 5000)))
    others = {"2026-11": data.draw(st.integers(0, 5000)), "2026-12": data.draw(st.integers(0, 5000))}
    others = {month: min(views, limits.global_monthly_cap) for month, views in others.items()}
    account = Account(a_boost(total_count=total, duration_days=days, daily_limit=daily_limit), limits, others)
    now = NOON
    per_day: dict[date, int] = {}

    for _ in range(data.draw(st.integers(1, 60))):
        event = data.draw(st.sampled_from(["step", "step", "step", "step", "pause", "execute", "wait", "cancel"]))
        campaign = account.campaign
        if event == "wait":
            now += timedelta(hours=data.draw(st.integers(1, 24 * 20)))
        elif event == "step" and campaign.is_running:
            now = max(now, campaign.wake_at or now)
            change = campaigns.run_step(campaign, account.month(now), limits, now, UTC_ZONE)
            assert account.apply(change), "a batch that was computed from what was read always commits"
            per_day[now.date()] = per_day.get(now.date(), 0) + sum(change.views_by_video().values())
        elif event == "execute" and campaign.status in (Status.PENDING, Status.PAUSED):
            account.apply(campaigns.execute(campaign, now, UTC_ZONE))
        elif event == "pause" and campaign.is_running:
            assert account.apply(campaigns.pause(campaign, now))
        elif event == "cancel" and data.draw(st.integers(0, 9)) == 0 and not campaign.ended_at:
            assert account.apply(campaigns.cancel(campaign, now))
        account.check()

    assert all(views <= daily_limit for views in per_day.values())


class Counted(Account):
    """With its videos' counters; what a campaign refuses leaves it as it is."""

    def __init__(self, campaign: Campaign, limits: Limits, others: dict[str, int]) -> None:
        super().__init__(campaign, limits, others)
        self.counters = dict.fromkeys(campaign.video_ids, 0)
        self.now = NOON

    def command(self, name: str) -> None:
        commands = {
            "execute": lambda: campaigns.execute(self.campaign, self.now, UTC_ZONE),
            "pause": lambda: campaigns.pause(self.campaign, self.now),
            "cancel": lambda: campaigns.cancel(self.campaign, self.now),
            "revert": lambda: campaigns.revert(self.campaign, "x", self.now),
        }
        with suppress(Conflicting):
            self._count(commands[name]())

    def run_step(self) -> None:
        self.now = max(self.now, self.campaign.wake_at or self.now)
        self._count(campaigns.run_step(self.campaign, self.month(self.now), self.limits, self.now, UTC_ZONE))

    def _count(self, change: Change) -> None:
        assert self.apply(change)
        assert change.is_batch or not change.views_by_video()
        for video, views in change.views_by_video().items():
            self.counters[video] += views
        assert self.counters == self.campaign.standing_by_video()
        assert sum(self.counters.values()) == self.campaign.standing_count
        assert min(self.counters.values()) >= 0
        assert max(self.counters.values()) - min(self.counters.values()) <= 1
        self.check()


@settings(max_examples=150)
@given(st.data())
def test_whatever_happens_the_videos_counters_are_what_stands_and_a_revert_ends_at_zero(data: st.DataObject) -> None:
    """S1-58."""

    videos = tuple(f"v{number}" for number in range(data.draw(st.integers(1, 20), "videos")))
    days = data.draw(st.integers(1, 5), "days")
    total = data.draw(st.integers(1, 3000 * days), "total")
    campaign = a_boost(video_ids=videos, total_count=total, duration_days=days, daily_limit=3000)
    world = Counted(campaign, LIMITS, {})

    for _ in range(data.draw(st.integers(0, 30), "events")):
        event = data.draw(st.sampled_from(["step", "step", "step", "execute", "pause", "cancel", "revert"]))
        if event != "step":
            world.command(event)
        elif world.campaign.is_live:
            world.run_step()

    executed = world.campaign.executed_count
    world.command("cancel")
    world.command("revert")
    while world.campaign.is_live:
        world.run_step()
    assert set(world.counters.values()) == {0}
    assert world.campaign.reverted_count == executed
    assert world.campaign.status is (Status.REVERTED if executed else Status.CANCELLED)


def test_a_revert_has_steps_of_its_own_for_what_stands() -> None:
    campaign = a_boost(
        status=Status.CANCELLED, total_count=500_000, executed_count=9_000, steps_done=700, max_steps=700
    )

    reverting = campaigns.revert(campaign, "x", NOON).after

    assert (reverting.steps_done, reverting.max_steps) == (0, 2 * 9 + 4 + 100)
    assert reverting.step == campaign.step + 1


@pytest.mark.parametrize("status", sorted(campaigns.ENDED))
def test_whichever_way_it_ended_what_stands_can_be_taken_back_and_nothing_else(status: Status) -> None:
    ended = a_boost(status=status, executed_count=5)

    assert campaigns.revert(ended, "x", NOON).after.status is Status.REVERTING
    with pytest.raises(Conflicting, match="cannot be reverted"):
        campaigns.revert(replace(ended, executed_count=0), "x", NOON)


def test_a_revert_that_never_gets_done_fails_and_can_be_begun_again() -> None:
    reverting = campaigns.revert(a_boost(status=Status.COMPLETED, executed_count=2500), "x", NOON).after

    failed = step(replace(reverting, steps_done=reverting.max_steps - 1))

    assert (failed.action, failed.after.status, failed.is_batch) == (Action.FAILED, Status.FAILED, False)
    assert campaigns.revert(failed.after, "x", NOON).after.status is Status.REVERTING


def test_compensating_batches_keep_the_pace_of_a_thousand_a_second() -> None:
    reverting = campaigns.revert(a_boost(status=Status.COMPLETED, executed_count=2500), "x", NOON).after

    change = step(reverting)

    assert change.views_by_video() == {"abc123": -1000}
    assert change.after.wake_at == NOON + timedelta(seconds=1)


def test_a_video_that_a_batch_does_not_move_has_no_part_in_it() -> None:
    change = step(running(video_ids=("a", "b", "c"), total_count=2))

    assert change.views_by_video() == {"a": 1, "b": 1}


def test_a_start_that_fails_is_a_step_and_tells_when() -> None:
    scheduled = campaigns.create(a_boost(scheduled_for=NOON)).after

    failed = campaigns.fail(scheduled, None, "no room", NOON + timedelta(hours=1)).after

    assert (failed.step, failed.failure_reason) == (scheduled.step + 1, "no room")
    assert failed.updated_at == failed.ended_at == NOON + timedelta(hours=1)
    assert (failed.wake_at, failed.waiting_for) == (None, None)


def test_a_scheduled_campaign_that_is_executed_no_longer_waits_for_its_start() -> None:
    """S1-57."""

    started = campaigns.execute(campaigns.create(a_boost(scheduled_for=NOON)).after, NOON, UTC_ZONE).after

    assert (started.waiting_for, started.started_at, started.wake_at) == (Waiting.NEXT_BATCH, NOON, NOON)
