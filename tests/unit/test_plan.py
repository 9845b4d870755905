"""How views are spread over days."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from boosts.plan import Pattern, Plan, Position, by_month

START = date(2026, 11, 20)
UNTOUCHED = Position(day=0, date=None, done=0, executed=0)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    days = draw(st.integers(1, 365))
    daily_limit = draw(st.integers(1, 100_000))
    total = draw(st.integers(1, min(5_000_000, days * daily_limit)))
    return Plan(total, days, daily_limit, Pattern.STEADY)


def test_s1_18_ten_thousand_views_over_thirty_days_are_333_333_334() -> None:
    plan = Plan(10_000, 30, 500, Pattern.STEADY)

    sizes = plan.sizes()

    assert sizes == [333, 333, 334] * 10


@given(plans())
def test_day_sizes_sum_exactly_to_the_total_and_none_is_above_the_daily_limit(plan: Plan) -> None:
    sizes = plan.sizes()

    assert sum(sizes) == plan.total
    assert len(sizes) == plan.days
    assert all(0 <= size <= plan.daily_limit for size in sizes)
    assert max(sizes) - min(sizes) <= 1


@given(plans())
def test_an_undisturbed_campaign_runs_day_by_day_as_planned(plan: Plan) -> None:
    ahead = list(plan.ahead(UNTOUCHED, START))

    sizes = plan.sizes()
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
