"""When a campaign's messages would go out."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

import broadcasts.windows
from broadcasts.simulation import Closed, Load, Pace, PlannedDay, hash_of, plan
from broadcasts.windows import Window, Windows

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
SAO_PAULO, LISBON = "America/Sao_Paulo", "Europe/Lisbon"
WORKDAYS = (0, 1, 2, 3, 4)


def open_from(opens: int, closes: int, weekdays: tuple[int, ...] = tuple(range(7))) -> Windows:
    """Open from one full hour to another."""
    return Windows((Window(weekdays, opens * 60, closes * 60),))


def test_messages_go_out_at_the_rate() -> None:
    """S5-36: 10 a minute are 6 s between two."""
    found = plan([Load((SAO_PAULO,), 25)], Pace(10), NOON)

    assert [(each.at - NOON, each.messages) for each in found.minutes] == [
        (timedelta(minutes=0), 10),
        (timedelta(minutes=1), 10),
        (timedelta(minutes=2), 5),
    ]
    assert found.ends_at == NOON + timedelta(seconds=24 * 6)
    assert found.days == (PlannedDay(date(2026, 11, 20), 25),)
    assert (found.closed, found.unsent) == ((), 0)


def test_nothing_goes_out_while_no_window_is_open() -> None:
    # 12:00 UTC is 9:00 in Sao Paulo: an hour is left on Friday, and Monday comes next.
    found = plan([Load((SAO_PAULO,), 90)], Pace(1, open_from(8, 10, WORKDAYS)), NOON)

    monday = datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert found.days == (PlannedDay(date(2026, 11, 20), 60), PlannedDay(date(2026, 11, 23), 30))
    assert found.closed == (Closed(NOON + timedelta(hours=1), monday),)
    assert found.ends_at == monday + timedelta(minutes=29)


def test_people_in_other_zones_get_theirs_when_their_window_opens() -> None:
    loads = [Load((SAO_PAULO,), 10), Load((LISBON,), 10)]

    found = plan(loads, Pace(1, open_from(8, 10)), NOON)

    # Lisbon's 8:00 is 8:00 UTC, and has passed; its ten go out the next day.
    assert [each.messages for each in found.days] == [10, 10]
    assert found.ends_at == datetime(2026, 11, 21, 8, 9, tzinfo=UTC)


def test_a_quota_that_is_used_up_goes_on_at_midnight_of_the_owners_zone() -> None:
    pace = Pace(60, daily=100, used=40, zone=ZoneInfo(SAO_PAULO))

    found = plan([Load((SAO_PAULO,), 130)], pace, NOON)

    assert [each.messages for each in found.days] == [60, 70]
    assert found.quota_days == (date(2026, 11, 20),)
    assert found.ends_at == datetime(2026, 11, 21, 3, 1, 9, tzinfo=UTC)


def test_a_window_that_never_opens_leaves_rows_unsent() -> None:
    zones = ("Asia/Tokyo", SAO_PAULO)

    found = plan([Load(zones, 3), Load((SAO_PAULO,), 2)], Pace(60, open_from(9, 10)), NOON)

    assert (found.unsent, found.ends_at) == (3, None)
    assert sum(each.messages for each in found.days) == 2


def test_a_million_rows_are_planned_without_counting_each() -> None:
    loads = [Load((zone,), 500_000) for zone in (SAO_PAULO, LISBON)]

    found = plan(loads, Pace(4_800, open_from(8, 20)), NOON)

    assert sum(each.messages for each in found.days) == 1_000_000
    assert found.unsent == 0
    assert len(found.minutes) <= 24 * 60


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_are_planned_too(rows: int) -> None:
    found = plan([Load((SAO_PAULO,), rows)], Pace(60), NOON)

    assert found.ends_at == (NOON if rows else None)
    assert sum(each.messages for each in found.days) == rows


def test_every_message_of_the_first_day_is_in_a_minute() -> None:
    found = plan([Load((SAO_PAULO,), 1_000)], Pace(7, open_from(6, 22)), NOON)

    assert sum(each.messages for each in found.minutes) == 1_000
    assert max(each.messages for each in found.minutes) == 7


def test_the_hash_is_of_what_was_reviewed_and_of_no_time() -> None:
    reviewed = {"generation": 1, "rate": 60, "windows": None}

    same = hash_of(dict(reversed(reviewed.items())), {"sent": 3})

    assert hash_of(reviewed, {"sent": 3}) == same
    assert len({same, hash_of(reviewed | {"rate": 59}, {"sent": 3}), hash_of(reviewed, {"sent": 2})}) == 3


@pytest.mark.parametrize(("windows", "zones"), [(20, 1), (20, 20), (1, 100)])
def test_a_plan_of_many_windows_and_zones_is_read_a_fortnight_at_a_time(
    monkeypatch: pytest.MonkeyPatch, windows: int, zones: int
) -> None:
    """A poll of the progress waits for it: 20 windows of a minute took it 47 s."""
    read = []
    real = broadcasts.windows._changes
    monkeypatch.setattr(broadcasts.windows, "_changes", lambda *each: read.append(each) or real(*each))
    hourly = Windows(tuple(Window(tuple(range(7)), 60 * hour, 60 * hour + 1) for hour in range(windows)))
    names = [each for each in sorted(available_timezones()) if "/" in each][:zones]

    found = plan([Load((each,), 10_000) for each in names], Pace(1, hourly), NOON)

    assert found.unsent
    assert len(read) <= 366 * 20 / 14 + 2 * windows * zones


def test_a_plan_of_a_later_start_is_the_same_but_for_its_times() -> None:
    first = plan([Load((SAO_PAULO,), 25)], Pace(10), NOON)

    later = plan([Load((SAO_PAULO,), 25)], Pace(10), NOON + timedelta(minutes=5))

    moved = [replace(each, at=each.at + timedelta(minutes=5)) for each in first.minutes]
    assert list(later.minutes) == moved
