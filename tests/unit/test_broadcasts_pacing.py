"""The pace of a sending number: a simulation of its campaigns, late, stopped and many."""

import heapq
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcasts.pacing import MOST_AT_ONCE, Pace, Slot, interval, throttled, turn

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
type Lateness = Callable[[datetime], float]
"""Seconds from when a step is due until it commits."""


def simulated(
    paces: Sequence[Pace], seconds: float, lateness: Sequence[Lateness], available: int = MOST_AT_ONCE
) -> list[tuple[datetime, int, int]]:
    """What campaigns on one number send, as (moment, campaign, count): each step wakes the next one when it commits."""
    sent, tat = [], None
    slots: dict[int, Slot | None] = dict.fromkeys(range(len(paces)))
    steps = [(NOW, campaign) for campaign in slots]
    while steps:
        due, campaign = heapq.heappop(steps)
        if due > NOW + seconds * SECOND:
            continue
        taken = turn(paces[campaign], slots[campaign], tat, due, available)
        slots[campaign], tat = taken.slot, taken.tat
        if taken.count:
            sent.append((due, campaign, taken.count))
        wake = max(due, taken.slot.at)
        heapq.heappush(steps, (wake + lateness[campaign](wake) * SECOND, campaign))
    return sent


def between(low: float, high: float, seed: int = 1) -> Lateness:
    random = Random(seed)
    return lambda _: random.uniform(low, high)


def total(sent: Sequence[tuple[datetime, int, int]]) -> int:
    return sum(count for _, _, count in sent)


def worst(sent: Sequence[tuple[datetime, int, int]], window: float) -> int:
    """The most messages within any window of so many seconds, its end excluded."""
    moments = [moment for moment, _, count in sorted(sent) for _ in range(count)]
    return max(
        (bisect_left(moments, moment + window * SECOND) - number for number, moment in enumerate(moments)), default=0
    )


def bound(pace: Pace, window: float, most: int) -> float:
    """The promise: (W + slack) / T + k."""
    return (window * SECOND + pace.slack) / pace.instance_interval + most


@pytest.mark.parametrize(("rate", "seconds"), [(1, 60), (10, 6), (60, 1), (4800, 0.0125)])
def test_the_interval_is_a_minute_divided_by_the_rate(rate: int, seconds: float) -> None:
    """S5-36."""

    assert interval(rate) == seconds * SECOND


@given(st.integers(1, 4800))
def test_an_interval_is_never_shorter_than_the_rate_allows(rate: int) -> None:
    assert rate * interval(rate) >= timedelta(minutes=1)


@pytest.mark.parametrize(
    ("rate", "width", "slack"), [(1, 1, 5), (60, 1, 4), (90, 2, 5), (600, 10, 4), (2700, 45, 4), (4800, 45, 2.25)]
)
def test_a_slot_is_for_a_second_s_messages_and_may_be_used_four_steps_late(rate: int, width: int, slack: float) -> None:
    pace = Pace(rate, rate)

    assert pace.width == width
    assert pace.slack == pytest.approx(slack * SECOND, abs=timedelta(milliseconds=1))


@pytest.mark.parametrize("lateness", [(0, 0), (0.03, 0.15), (1.5, 2.5), (0, 2.5)])
def test_sixty_a_minute_is_kept_with_late_deliveries(lateness: tuple[float, float]) -> None:
    """S5-22: simulated for an hour. Slots counted from now would give 20 a minute at 1.5 to 2.5 s."""
    pace = Pace(60, 60)

    sent = simulated([pace], 3600, [between(*lateness)])

    assert 3597 <= total(sent) <= 3601
    assert worst(sent, 60) <= 64


def test_one_a_minute_is_kept() -> None:
    pace = Pace(1, 1)

    sent = simulated([pace], 6 * 3600, [between(0, 2.5)])

    assert 359 <= total(sent) <= 361
    assert worst(sent, 60) <= 2


@pytest.mark.parametrize(("hop", "least"), [((0.05, 0.3), 0.98), ((0.3, 0.5), 0.98), ((0.5, 1), 0.55)])
def test_eighty_a_second_is_kept_while_a_hop_takes_less_than_half_a_second(
    hop: tuple[float, float], least: float
) -> None:
    pace = Pace(4800, 4800)

    sent = simulated([pace], 120, [between(*hop)])

    assert total(sent) >= least * 80 * 120
    assert max(count for _, _, count in sent) <= MOST_AT_ONCE
    assert worst(sent, 1) <= bound(pace, 1, MOST_AT_ONCE)
    assert worst(sent, 60) <= bound(pace, 60, MOST_AT_ONCE)


def test_campaigns_on_one_number_share_its_rate_fairly() -> None:
    """S5-56."""
    pace = Pace(60, 60)

    sent = simulated([pace] * 4, 3600, [between(0, 0.9, seed) for seed in range(4)])

    each = Counter(campaign for _, campaign, _ in sent)
    assert 3590 <= total(sent) <= 3601
    assert max(each.values()) - min(each.values()) <= 2
    assert worst(sent, 60) <= 64


def test_a_campaign_that_is_always_later_than_its_rival_gets_less_and_never_nothing() -> None:
    pace = Pace(60, 60)

    sent = simulated([pace] * 2, 3600, [between(0, 0), between(2.5, 2.5)])

    each = Counter(campaign for _, campaign, _ in sent)
    assert each[1] >= 600
    assert worst(sent, 60) <= 64


@pytest.mark.parametrize("rate", [1, 5, 20])
def test_a_slow_campaign_keeps_its_rate_and_does_not_slow_the_others(rate: int) -> None:
    """S5-6. If it reserved its next slot on the number, 5 a minute would leave the number 10 of its 60."""
    paces = [Pace(60, rate), Pace(60, 60), Pace(60, 60)]

    sent = simulated(paces, 3600, [between(0, 0.9, seed) for seed in range(3)])

    slow = [each for each in sent if each[1] == 0]
    assert total(slow) == pytest.approx(rate * 60, rel=0.02, abs=1)
    assert total(sent) >= 0.98 * 3600
    assert worst(sent, 60) <= 64
    assert worst(slow, 60) <= (60 * SECOND + paces[0].slack) / interval(rate) + 1


@pytest.mark.parametrize("campaigns", [1, 5])
@pytest.mark.parametrize(("rate", "window"), [(60, 10), (60, 60), (600, 10), (4800, 1), (4800, 10)])
def test_nothing_is_caught_up_after_an_outage(campaigns: int, rate: int, window: float) -> None:
    pace = Pace(rate, rate)
    back = NOW + 45 * SECOND

    def down_for_half_a_minute(wake: datetime) -> float:
        return (back - wake) / SECOND if NOW + 15 * SECOND <= wake < back else 0.05

    sent = simulated([pace] * campaigns, 90, [down_for_half_a_minute] * campaigns)

    assert total([each for each in sent if each[0] >= back])
    assert worst(sent, window) <= bound(pace, window, pace.width)


def test_after_an_outage_campaigns_come_back_one_batch_at_a_time() -> None:
    pace, tat = Pace(60, 60), NOW - 600 * SECOND

    counts, slots = [], []
    for campaign in range(5):
        taken = turn(pace, Slot(NOW - (605 - campaign) * SECOND), tat, NOW, MOST_AT_ONCE)
        tat = taken.tat
        counts.append(taken.count)
        slots.append(taken.slot.at)

    # The first sends; the others reserve behind the slot that it holds by then.
    assert counts == [1, 0, 0, 0, 0]
    assert slots == [NOW + number * SECOND for number in range(1, 6)]


def test_a_slot_within_the_slack_is_used_with_those_that_are_due_by_now() -> None:
    pace, slot = Pace(60, 60), NOW - 2.5 * SECOND

    taken = turn(pace, Slot(slot, slot), slot + SECOND, NOW, MOST_AT_ONCE)

    assert taken.count == 3
    assert taken.slot == Slot(slot + 3 * SECOND, slot + 3 * SECOND)
    assert taken.tat == slot + 4 * SECOND


def test_a_step_that_comes_early_sends_nothing_and_keeps_its_slot() -> None:
    slot, tat = Slot(NOW, NOW + SECOND), NOW + 2 * SECOND

    taken = turn(Pace(60, 60), slot, tat, NOW, 1)

    assert (taken.count, taken.slot, taken.tat) == (0, slot, tat)


def test_pausing_and_resuming_sends_no_message_more() -> None:
    pace = Pace(60, 1)
    first = turn(pace, None, None, NOW, MOST_AT_ONCE)

    resumed = turn(pace, first.slot, first.tat, NOW + SECOND, MOST_AT_ONCE)

    assert (first.count, resumed.count) == (1, 0)
    assert resumed.slot.at == NOW + 60 * SECOND


def test_a_campaign_begins_at_once_on_an_idle_number_and_behind_the_others_on_a_busy_one() -> None:
    pace = Pace(60, 60)

    idle = turn(pace, None, NOW - 3600 * SECOND, NOW, 1)
    busy = turn(pace, None, NOW + 7 * SECOND, NOW, 1)

    assert (idle.count, idle.slot.at) == (1, NOW + SECOND)
    assert (busy.count, busy.slot.at, busy.tat) == (0, NOW + 7 * SECOND, NOW + 8 * SECOND)


def test_a_batch_that_is_not_full_gives_back_what_nobody_has_reserved_behind() -> None:
    """Else the end of each chunk of rows would cost half a second at 80 a second."""
    pace = Pace(4800, 4800)

    alone = turn(pace, Slot(NOW, NOW), NOW + 45 * pace.instance_interval, NOW, 10)
    followed = turn(pace, Slot(NOW, NOW), NOW + 90 * pace.instance_interval, NOW, 10)

    assert (alone.count, alone.slot.at) == (10, NOW + 10 * pace.instance_interval)
    assert (followed.count, followed.slot.at) == (10, NOW + 90 * pace.instance_interval)


def test_a_turn_without_a_message_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="message"):
        turn(Pace(60, 60), None, None, NOW, 0)


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([1, 7, 60, 90, 600, 4800]),
    st.lists(st.sampled_from([1, 7, 60, 600, 4800]), min_size=1, max_size=4),
    st.lists(st.floats(0, 10), min_size=5, max_size=30),
    st.integers(1, MOST_AT_ONCE),
    st.sampled_from([1, 5, 20]),
)
def test_the_bound_holds_for_any_rates_and_any_lateness(
    rate: int, rates: list[int], late: list[float], available: int, window: float
) -> None:
    paces = [Pace(rate, each) for each in rates]
    lateness = [
        (lambda wake, number=number: late[(number + int(wake.timestamp() * 7)) % len(late)])
        for number in range(len(paces))
    ]

    sent = simulated(paces, 40, lateness, available)

    for number, pace in enumerate(paces):
        own = [each for each in sent if each[1] == number]
        assert worst(own, window) <= (window * SECOND + 2 * pace.slack) / pace.campaign_interval + pace.width
    slack, most = max(pace.slack for pace in paces), max(pace.width for pace in paces)
    assert worst(sent, window) <= (window * SECOND + slack) / interval(rate) + most


def test_a_throttle_pushes_the_number_s_next_slot() -> None:
    assert throttled(NOW, NOW, 30 * SECOND, 0) == NOW + 30 * SECOND
    assert throttled(None, NOW, 30 * SECOND, 0) == NOW + 30 * SECOND
    assert throttled(NOW + 31 * SECOND, NOW, 30 * SECOND, 0) is None


def test_a_throttle_without_a_time_waits_twice_as_long_each_time() -> None:
    waits = [throttled(None, NOW, None, number) for number in range(7)]

    assert waits == [NOW + seconds * SECOND for seconds in (2, 4, 8, 16, 32, 64, 64)]


def test_a_throttled_number_sends_nothing_new_until_then() -> None:
    pace, until = Pace(60, 60), NOW + 30 * SECOND

    taken = turn(pace, Slot(NOW - SECOND, NOW - SECOND), until, NOW, MOST_AT_ONCE)

    # The slot that it holds was reserved before; no other is due by now.
    assert (taken.count, taken.slot.at) == (1, until)


def test_a_campaign_that_waited_long_for_a_busy_number_does_not_catch_up() -> None:
    pace, waited = Pace(60, 5), Slot(NOW - 100 * SECOND, NOW)

    taken = turn(pace, waited, NOW + SECOND, NOW, MOST_AT_ONCE)

    assert (taken.count, taken.slot) == (1, Slot(NOW - pace.slack + 12 * SECOND))


def test_a_late_step_sends_at_most_45_messages() -> None:
    late = NOW - 2 * SECOND

    taken = turn(Pace(4800, 4800), Slot(late), late, NOW, 1000)

    assert taken.count == MOST_AT_ONCE


def test_what_a_late_step_sends_takes_the_number_s_time_when_it_was_due() -> None:
    late = NOW - 4.5 * SECOND

    taken = turn(Pace(60, 30), Slot(late), late, NOW, MOST_AT_ONCE)

    assert (taken.count, taken.tat) == (3, late + 5 * SECOND)
