"""When messages may go out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcasts.windows import Window, Windows, clock_of, is_open, minutes_of, next_opening

EVERY_DAY = tuple(range(7))
WORKDAYS = tuple(range(5))
MINUTE = timedelta(minutes=1)


def a_window(opens: str, closes: str, weekdays: Sequence[int] = EVERY_DAY) -> Windows:
    return Windows((Window(tuple(weekdays), minutes_of(opens), minutes_of(closes)),))


OFFICE = a_window("09:00", "18:00", WORKDAYS)
NIGHT = a_window("22:00", "02:00", [4])  # Friday night


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(text: str, zone: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def test_without_windows_it_is_always_open() -> None:
    now = utc("2026-11-28T03:00")

    assert is_open(None, ["America/Sao_Paulo"], now)
    assert next_opening(None, ["America/Sao_Paulo"], now) == now


def test_without_zones_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="zone"):
        is_open(OFFICE, [], utc("2026-11-27T12:00"))


@pytest.mark.parametrize(
    ("now", "open_"),
    [
        ("2026-11-27T11:59:59", False),
        ("2026-11-27T12:00", True),
        ("2026-11-27T20:59:59", True),
        ("2026-11-27T21:00", False),
    ],
)
def test_a_window_is_open_by_the_recipient_s_clock_from_its_first_moment_until_before_its_last(
    now: str, open_: bool
) -> None:
    assert is_open(OFFICE, ["America/Sao_Paulo"], utc(now)) == open_


def test_on_friday_evening_the_office_opens_on_monday() -> None:
    opening = next_opening(OFFICE, ["America/Sao_Paulo"], utc("2026-11-27T22:00"))

    assert opening == utc("2026-11-30T12:00")


@pytest.mark.parametrize(
    ("now", "open_"),
    [
        ("2026-11-27T21:59", False),
        ("2026-11-27T22:00", True),
        ("2026-11-28T01:59", True),  # Saturday by now, but it is Friday's window
        ("2026-11-28T02:00", False),
        ("2026-11-28T22:30", False),
        ("2026-11-27T01:00", False),
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_on_which_it_opens(now: str, open_: bool) -> None:
    assert is_open(NIGHT, ["UTC"], utc(now)) == open_


def test_a_window_until_midnight_and_one_of_a_whole_day_are_written_with_midnight() -> None:
    evening, day = a_window("20:00", "00:00", WORKDAYS), a_window("00:00", "24:00", [5])

    assert is_open(evening, ["UTC"], utc("2026-11-27T23:59:59"))
    assert not is_open(evening, ["UTC"], utc("2026-11-28T00:00"))
    assert is_open(day, ["UTC"], utc("2026-11-28T00:00"))
    assert is_open(day, ["UTC"], utc("2026-11-28T23:59"))
    assert not is_open(day, ["UTC"], utc("2026-11-29T00:00"))


@pytest.mark.parametrize(("text", "minutes"), [("00:00", 0), ("09:30", 570), ("24:00", 1440)])
def test_a_time_of_day_is_minutes_after_midnight(text: str, minutes: int) -> None:
    assert minutes_of(text) == minutes
    assert clock_of(minutes) == text


@pytest.mark.parametrize("text", ["", "9:30", "24:01", "12:60", "12:00:00", "-1:00", "noon"])
def test_any_other_text_is_no_time_of_day(text: str) -> None:
    with pytest.raises(ValueError, match="09:30"):
        minutes_of(text)


def test_a_whole_day_may_also_begin_at_another_hour() -> None:
    shift = a_window("06:00", "06:00", [0])

    assert is_open(shift, ["UTC"], utc("2026-11-30T06:00"))
    assert is_open(shift, ["UTC"], utc("2026-12-01T05:59"))
    assert not is_open(shift, ["UTC"], utc("2026-12-01T06:00"))


def test_a_lane_of_several_zones_is_open_when_each_is() -> None:
    zones = ["America/New_York", "America/Los_Angeles"]

    assert not is_open(OFFICE, zones, utc("2026-11-27T15:00"))  # 10:00 and 7:00
    assert is_open(OFFICE, zones, utc("2026-11-27T17:00"))
    assert next_opening(OFFICE, zones, utc("2026-11-27T15:00")) == utc("2026-11-27T17:00")


def test_zones_that_are_too_far_apart_never_open() -> None:
    lunch = a_window("12:00", "13:00")

    assert next_opening(lunch, ["Europe/Lisbon", "Asia/Tokyo"], utc("2026-11-27T15:00")) is None


def test_a_window_that_begins_in_a_skipped_hour_opens_when_the_clock_has_jumped() -> None:
    # New York, 2026-03-08: after 1:59:59 comes 3:00.
    zone, window = "America/New_York", a_window("02:30", "04:00")

    opening = next_opening(window, [zone], wall("2026-03-08T01:00", zone))

    assert opening == utc("2026-03-08T07:00")


def test_a_window_within_a_skipped_hour_opens_next_week() -> None:
    zone, window = "America/New_York", a_window("02:15", "02:45", [6])

    opening = next_opening(window, [zone], wall("2026-03-07T12:00", zone))

    assert opening == wall("2026-03-15T02:15", zone)


def test_a_repeated_hour_is_open_twice() -> None:
    # New York, 2026-11-01: after 1:59:59 comes 1:00 once more.
    zone, window = "America/New_York", a_window("01:05", "01:30")
    second = wall("2026-11-01T01:05", zone, fold=1)

    assert is_open(window, [zone], wall("2026-11-01T01:10", zone))
    assert not is_open(window, [zone], wall("2026-11-01T01:40", zone))
    assert is_open(window, [zone], wall("2026-11-01T01:10", zone, fold=1))
    assert next_opening(window, [zone], wall("2026-11-01T01:40", zone)) == second


def test_a_window_into_which_the_clock_is_set_back_opens_at_that_moment() -> None:
    zone, window = "America/New_York", a_window("00:30", "01:30")

    opening = next_opening(window, [zone], wall("2026-11-01T01:45", zone))

    assert opening == wall("2026-11-01T01:00", zone, fold=1)


TIMES = st.integers(0, 95).map(lambda quarter: quarter * 15)
DAYS = st.lists(st.integers(0, 6), min_size=1, unique=True).map(tuple)
WINDOWS = st.lists(st.builds(Window, DAYS, TIMES, TIMES), min_size=1, max_size=2).map(lambda each: Windows(tuple(each)))
# Some days before clocks are set in New York, Lisbon and on Lord Howe Island (by half an hour).
STARTS = st.sampled_from(
    [utc("2026-03-07T00:00"), utc("2026-03-28T00:00"), utc("2026-10-24T12:00"), utc("2026-10-31T12:00")]
)
ZONES = st.lists(
    st.sampled_from(["America/New_York", "Europe/Lisbon", "Australia/Lord_Howe", "America/Sao_Paulo"]),
    min_size=1,
    max_size=2,
    unique=True,
)


@settings(deadline=None, max_examples=200)
@given(WINDOWS, ZONES, STARTS, st.integers(0, 2000))
def test_the_next_opening_is_the_first_minute_that_is_open(
    windows: Windows, zones: Sequence[str], start: datetime, minutes: int
) -> None:
    now = start + minutes * MINUTE
    coming = (now + minute * MINUTE for minute in range(2 * 24 * 60))

    opening = next_opening(windows, zones, now)

    first = next((moment for moment in coming if is_open(windows, zones, moment)), None)
    if first is not None or (opening is not None and opening < now + timedelta(days=2)):
        assert opening == first
