"""How views are spread over days."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boosts.plan import Pattern, Plan, Position, by_month, shares

START = date(2026, 11, 20)
UNTOUCHED = Position(day=0, date=None, done=0, executed=0)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    days = draw(st.integers(1, 365))
    daily_limit = draw(st.integers(1, 100_000))
    most = min(5_000_000, days * daily_limit)
    total = draw(st.integers(1, most) | st.just(most))
    return Plan(total, days, daily_limit, draw(st.sampled_from(Pattern)))


def test_ten_thousand_views_over_thirty_days_are_333_333_334() -> None:
    """S1-18."""

    plan = Plan(10_000, 30, 500, Pattern.STEADY)

    sizes = plan.sizes()

    assert list(sizes) == [333, 333, 334] * 10


def test_a_burst_of_two_thousand_over_four_days_is_800_600_400_200() -> None:
    """S1-19."""

    plan = Plan(2000, 4, 1000, Pattern.BURST)

    assert plan.sizes() == (800, 600, 400, 200)


def test_progressive_is_the_mirror_of_burst() -> None:
    """S1-63."""

    plan = Plan(2000, 4, 1000, Pattern.PROGRESSIVE)

    assert plan.sizes() == (200, 400, 600, 800)


def test_what_a_burst_day_may_not_hold_spills_forward_and_a_progressive_one_s_backward() -> None:
    burst = Plan(2000, 4, 600, Pattern.BURST)
    progressive = Plan(2000, 4, 600, Pattern.PROGRESSIVE)

    assert burst.sizes() == (600, 600, 600, 200)
    assert progressive.sizes() == (200, 600, 600, 600)


@pytest.mark.parametrize("pattern", Pattern)
def test_a_total_of_limit_times_days_degenerates_to_steady(pattern: Pattern) -> None:
    plan = Plan(2000, 4, 500, pattern)

    assert plan.sizes() == (500, 500, 500, 500)


@given(plans())
def test_burst_never_rises_and_progressive_never_falls_but_by_the_odd_view(plan: Plan) -> None:
    rises = [later - earlier for earlier, later in pairwise(plan.sizes())]

    if plan.pattern is Pattern.BURST:
        assert all(rise <= 1 for rise in rises)
    if plan.pattern is Pattern.PROGRESSIVE:
        assert all(rise >= -1 for rise in rises)


@given(st.integers(1, 20), st.integers(0, 100_000))
def test_videos_share_views_exactly_and_evenly(videos: int, views: int) -> None:
    each = shares(videos, views)

    assert sum(each) == views
    assert max(each) - min(each) <= 1


@given(plans())
def test_day_sizes_sum_exactly_to_the_total_and_none_is_above_the_daily_limit(plan: Plan) -> None:
    sizes = plan.sizes()

    assert sum(sizes) == plan.total
    assert len(sizes) == plan.days
    assert all(0 <= size <= plan.daily_limit for size in sizes)
    assert plan.pattern is not Pattern.STEADY or max(sizes) - min(sizes) <= 1


@given(plans())
def test_an_undisturbed_campaign_runs_day_by_day_as_planned(plan: Plan) -> None:
    ahead = list(plan.ahead(UNTOUCHED, START))

    sizes = list(plan.sizes())
    while not sizes[-1]:
        sizes.pop()
    assert [views for _, views in ahead] == sizes
    assert [day for day, _ in ahead] == [date.fromordinal(START.toordinal() + n) for n in range(len(sizes))]


def test_what_a_day_could_not_do_spills_into_the_next_up_to_the_daily_limit() -> None:
    plan = Plan(1200, 4, 400, Pattern.STEADY)
    position = Position(day=1, date=START, done=100, executed=100)

    ahead = [views for _, views in plan.ahead(position, date(2026, 11, 21))]

    assert ahead == [400, 400, 300]


def test_a_plan_that_was_held_up_ends_later_and_never_exceeds_the_daily_limit() -> None:
    plan = Plan(1200, 3, 400, Pattern.STEADY)
    position = Position(day=1, date=START, done=0, executed=0)

    ahead = list(plan.ahead(position, date(2026, 11, 21)))

    assert ahead == [(date(2026, 11, 21), 400), (date(2026, 11, 22), 400), (date(2026, 11, 23), 400)]


@given(plans(), st.data())
def test_whatever_was_done_the_days_ahead_add_up_to_what_remains(plan: Plan, data: st.DataObject) -> None:
    day = data.draw(st.integers(1, plan.days + 5))
    executed = data.draw(st.integers(0, plan.due_by(day)))
    position = Position(day, START, data.draw(st.integers(0, min(executed, plan.daily_limit))), executed)

    ahead = list(plan.ahead(position, START))

    assert sum(views for _, views in ahead) == plan.total - executed
    assert all(views <= plan.daily_limit for _, views in ahead[1:])
    assert not ahead or ahead[0][1] <= plan.daily_limit - position.done


def test_days_are_promised_to_the_months_in_which_they_lie() -> None:
    days = [(date(2026, 11, 30), 300), (date(2026, 12, 1), 0), (date(2026, 12, 2), 200), (date(2027, 1, 1), 1)]

    promised = by_month(iter(days))

    assert promised == {"2026-11": 300, "2026-12": 200, "2027-01": 1}
