"""What a campaign would do, told without doing it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boosts import campaign as campaigns
from boosts.campaign import Campaign, Status, Waiting
from boosts.plan import Pattern, month_of
from boosts.simulation import Simulation, SimulationDay, months_ahead, simulate
from boosts.usage import Limits, Usage
from tests.factories import LIMITS, NOON, UTC_ZONE, a_boost

SOON = NOON + timedelta(days=2)


def simulated(campaign: Campaign, *usages: Usage, limits: Limits = LIMITS, now: datetime = NOON) -> Simulation:
    return simulate(campaign, {usage.month: usage for usage in usages}, limits, now, UTC_ZONE)


def scheduled(when: datetime, **terms: object) -> Campaign:
    return campaigns.create(a_boost(scheduled_for=when, **terms)).after


def running(**terms: object) -> Campaign:
    return campaigns.execute(a_boost(**terms), NOON, UTC_ZONE).after


def per_day(simulation: Simulation) -> list[tuple[date, int]]:
    return [(day.date, day.views) for day in simulation.days]


# --- Where it begins


def test_the_months_of_a_simulation_are_those_of_the_plan_and_two_for_what_spills() -> None:
    assert months_ahead(a_boost(), NOON, UTC_ZONE) == ["2026-11", "2026-12", "2027-01"]
    later = scheduled(datetime(2027, 5, 1, tzinfo=UTC))
    assert months_ahead(later, NOON, UTC_ZONE) == ["2027-05", "2027-06", "2027-07"]
    overdue = scheduled(datetime(2026, 10, 31, tzinfo=UTC))
    assert months_ahead(overdue, NOON, UTC_ZONE) == ["2026-11", "2026-12", "2027-01"]


def test_a_scheduled_campaign_is_simulated_from_its_time_on() -> None:
    """S1-57."""

    simulation = simulated(scheduled(SOON))

    assert (simulation.starts_at, simulation.status) == (SOON, Status.COMPLETED)
    assert per_day(simulation) == [(SOON.date(), 2500)]


def test_a_scheduled_campaign_whose_time_has_come_is_simulated_from_now_on() -> None:
    simulation = simulated(scheduled(NOON - timedelta(days=2)))

    assert simulation.starts_at == NOON
    assert per_day(simulation) == [(NOON.date(), 2500)]
    assert [month.month for month in simulated(scheduled(NOON - timedelta(days=30))).months] == ["2026-11"]


def test_a_paused_campaign_is_simulated_as_if_it_were_resumed_now_whatever_it_was_scheduled_for() -> None:
    early = campaigns.execute(scheduled(SOON), NOON, UTC_ZONE).after
    paused = campaigns.pause(early, NOON).after

    simulation = simulated(paused)

    assert (simulation.starts_at, simulation.status) == (NOON, Status.COMPLETED)
    assert per_day(simulation) == [(NOON.date(), 2500)]


def test_a_running_campaign_is_simulated_from_when_it_is_due_or_from_now_on_when_that_is_past() -> None:
    ahead = replace(running(), wake_at=SOON)
    late = replace(running(), wake_at=NOON - timedelta(days=1))

    assert simulated(ahead).starts_at == SOON
    assert per_day(simulated(ahead)) == [(SOON.date(), 2500)]
    assert simulated(late).starts_at == NOON
    assert per_day(simulated(late)) == [(NOON.date(), 2500)]


# --- The caps


def test_only_months_that_must_give_room_are_told_each_with_what_is_left() -> None:
    paused = campaigns.pause(running(), NOON).after
    january = datetime(2027, 1, 5, tzinfo=UTC)

    exact = simulated(paused, Usage("2027-01", LIMITS.global_monthly_cap - 2500), now=january).months
    lowered = simulated(paused, Usage("2027-01", LIMITS.global_monthly_cap + 7), now=january).months

    assert [(month.month, month.needed, month.left, month.fits) for month in exact] == [("2027-01", 2500, 2500, True)]
    assert [(month.left, month.fits) for month in lowered] == [(0, False)]


def test_a_full_day_is_simulated_as_a_wait_until_midnight_beyond_the_plan_if_need_be() -> None:
    simulation = simulated(a_boost(), limits=Limits(1500, 5000))

    assert [(day.views, day.planned, day.batches, day.waiting_for) for day in simulation.days] == [
        (1500, 2500, 2, Waiting.DAILY_CAP),
        (1000, 0, 1, None),
    ]
    assert simulation.status is Status.COMPLETED


def test_a_full_month_is_simulated_as_a_wait_for_the_next_ones_as_far_as_they_have_room() -> None:
    november, december = Usage("2026-11", 1000, 1000), Usage("2026-12", 1700, 0)

    simulation = simulated(a_boost(total_count=2000), november, december, limits=Limits(100_000, 2000))

    assert [(day.date, day.views) for day in simulation.days if day.views] == [
        (date(2026, 11, 20), 1000),
        (date(2026, 12, 1), 300),
        (date(2027, 1, 1), 700),
    ]


def test_a_simulation_leaves_the_use_of_the_months_as_it_was() -> None:
    usages: dict[str, Usage] = {}

    simulate(a_boost(), usages, LIMITS, NOON, UTC_ZONE)

    assert usages == {}


# --- What is told


def test_a_day_that_ends_between_two_batches_waits_for_nothing() -> None:
    late = datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)

    simulation = simulated(a_boost(), now=late)

    assert [(day.views, day.waiting_for) for day in simulation.days] == [(1000, None), (1500, None)]


def test_a_day_is_clipped_or_spilled_into_and_never_by_less_than_nothing() -> None:
    day = SimulationDay(NOON.date(), 1, wished=5, planned=3, views=3, batches=1, waiting_for=None)

    assert (day.clipped, day.spilled_in) == (2, 0)
    assert (replace(day, planned=9).clipped, replace(day, planned=9).spilled_in) == (0, 4)


def test_a_revert_is_simulated_as_views_taken_back_on_days_of_no_plan() -> None:
    ended = a_boost(status=Status.COMPLETED, executed_count=2500, plan_day=1)

    simulation = simulated(campaigns.revert(ended, "x", NOON).after)

    assert [(day.views, day.wished, day.planned, day.batches) for day in simulation.days] == [(2500, 0, 0, 3)]
    assert (simulation.status, simulation.months) == (Status.REVERTED, ())


def test_steps_batches_and_each_video_cost() -> None:
    terms = {"total_count": 100_000, "daily_limit": 100_000}

    one = simulated(a_boost(**terms)).cost_usd
    twenty = simulated(a_boost(**terms, video_ids=tuple(f"v{number}" for number in range(20)))).cost_usd

    # A hundred steps of 4.725, batches of 3.75 and counters of 2.5 millionths of a dollar.
    assert one == pytest.approx(100 * 10.975e-6, abs=1e-6)
    assert twenty == pytest.approx(100 * (8.475e-6 + 20 * 2.5e-6), abs=1e-6)


@settings(max_examples=100)
@given(st.data())
def test_the_days_of_a_simulation_add_up_to_what_remained(data: st.DataObject) -> None:
    days = data.draw(st.integers(1, 40))
    daily_limit = data.draw(st.integers(1, 4000))
    total = data.draw(st.integers(1, min(days * daily_limit, 30_000)))
    limits = Limits(data.draw(st.integers(daily_limit, 8000)), data.draw(st.integers(total, total + 5000)))
    terms = {"total_count": total, "duration_days": days, "daily_limit": daily_limit}
    campaign = a_boost(**terms, pattern=data.draw(st.sampled_from(Pattern)))
    now = NOON
    usages: dict[str, Usage] = {}
    if data.draw(st.booleans(), "is under way"):
        change = campaigns.execute(campaign, now, UTC_ZONE)
        usages = {each.month: Usage(each.month, each.allotted) for each in change.usage}
        campaign = change.after
        for _ in range(data.draw(st.integers(0, 10))):
            if campaign.is_running:
                now = max(now, campaign.wake_at or now)
                month = month_of(now.date())
                # Nobody else runs: what it has executed in this month is what the others' caps see of it.
                change = campaigns.run_step(campaign, usages.get(month, Usage(month)), LIMITS, now, UTC_ZONE)
                for each in change.usage:
                    old = usages.get(each.month, Usage(each.month))
                    used = {**old.days, each.day: old.days.get(each.day, 0) + each.executed}
                    usages[each.month] = Usage(
                        each.month, old.allotted + each.allotted, old.executed + each.executed, used
                    )
                campaign = change.after
        if campaign.is_running and data.draw(st.booleans(), "is paused"):
            campaign = campaigns.pause(campaign, now).after

    simulation = simulate(campaign, usages, limits, now, UTC_ZONE)

    assert simulation.status is Status.COMPLETED
    assert sum(day.views for day in simulation.days) == campaign.remaining_count
    assert sum(day.batches for day in simulation.days) == simulation.batches <= simulation.steps
    # A day that was begun may have been used before it.
    assert all(day.views <= min(daily_limit, limits.max_per_day) for day in simulation.days)
