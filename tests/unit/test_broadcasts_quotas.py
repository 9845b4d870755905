"""How much may be sent in a day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.quotas import KEPT_HOURS, Hours, alert, day_free_at, day_of

NOW = datetime(2026, 11, 27, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_what_was_sent_in_the_last_24_hours_counts_until_its_hour_is_24_hours_old() -> None:
    """S5-56."""
    hours = Hours().added(3, NOW).added(4, NOW + 2 * HOUR)

    assert hours.used(NOW + 2 * HOUR) == 7
    assert hours.used(NOW + 24 * HOUR) == 7
    assert hours.used(NOW + 25 * HOUR) == 4
    assert hours.used(NOW + 27 * HOUR) == 0
    assert hours.free(10, NOW + 25 * HOUR) == 6
    assert hours.free(3, NOW + 25 * HOUR) == 0


def test_the_next_message_is_free_when_enough_hours_have_passed() -> None:
    hours = Hours().added(3, NOW).added(4, NOW + 2 * HOUR)
    later = NOW + 3 * HOUR

    assert hours.free_at(8, later) == later
    assert hours.free_at(7, later) == datetime(2026, 11, 28, 13, tzinfo=UTC)
    assert hours.free_at(4, later) == datetime(2026, 11, 28, 15, tzinfo=UTC)
    assert hours.free_at(0, later) is None


def test_a_writer_whose_clock_is_behind_forgets_nothing() -> None:
    ahead = Hours().added(5, datetime(2026, 11, 27, 13, tzinfo=UTC))

    hours = ahead.added(1, datetime(2026, 11, 27, 12, 59, 59, tzinfo=UTC))

    assert hours.used(datetime(2026, 11, 27, 13, tzinfo=UTC)) == 6


SENDS = st.lists(st.tuples(st.integers(0, 60 * 24 * 4), st.integers(1, 50)), max_size=40)


@given(SENDS, st.integers(1, 100))
def test_no_24_hours_ever_hold_more_than_the_limit(wishes: list[tuple[int, int]], limit: int) -> None:
    hours, sent = Hours(), list[tuple[datetime, int]]()

    for minutes, wish in sorted(wishes):
        now = NOW + timedelta(minutes=minutes)
        if number := min(wish, hours.free(limit, now)):
            hours = hours.added(number, now)
            sent.append((now, number))

    assert len(hours.counts) <= KEPT_HOURS
    for end, _ in sent:
        assert sum(number for at, number in sent if end - 24 * HOUR < at <= end) <= limit


@given(SENDS, st.integers(1, 100))
def test_a_message_is_free_from_that_moment_on_and_not_a_moment_before(
    sends: list[tuple[int, int]], limit: int
) -> None:
    hours = Hours()
    for minutes, number in sorted(sends):
        hours = hours.added(number, NOW + timedelta(minutes=minutes))
    now = NOW + timedelta(days=4)

    free_at = hours.free_at(limit, now)

    assert free_at is not None
    assert hours.free(limit, free_at) >= 1
    assert free_at == now or hours.free(limit, free_at - timedelta(microseconds=1)) == 0


def test_an_owner_s_day_is_that_of_their_zone() -> None:
    """S5-55."""
    late = datetime(2026, 11, 27, 2, 30, tzinfo=UTC)

    assert day_of(late, "America/Sao_Paulo") == date(2026, 11, 26)
    assert day_of(late, "Europe/Lisbon") == date(2026, 11, 27)
    assert day_free_at(late, "America/Sao_Paulo") == datetime(2026, 11, 27, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("used", "flagged", "expected"),
    [
        (79, (), None),
        (80, (), 80),
        (99, (80,), None),
        (100, (80,), 100),
        (100, (), 80),  # the next step finds 100
        (120, (80, 100), None),
    ],
)
def test_each_threshold_is_told_once_in_its_order(used: int, flagged: tuple[int, ...], expected: int | None) -> None:
    """S5-58."""

    assert alert(used, 100, flagged) == expected


def test_thresholds_of_small_limits_are_not_rounded_and_no_limit_has_none() -> None:
    assert alert(2, 3, ()) is None
    assert alert(3, 3, ()) == 80
    assert alert(10**9, None, ()) is None
