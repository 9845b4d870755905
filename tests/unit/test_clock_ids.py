"""Time and ids: UTC of one width, midnights of any zone, ids that sort as they were made."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from sluice.clock import SystemClock, day_start, next_midnight, rfc3339
from sluice.ids import AUDIT, is_id, new_id
from tests.factories import NOON

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland")]
)
START = datetime(2020, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=7000)).map(lambda later: START + later)


def test_the_system_clock_tells_the_present_in_utc() -> None:
    with time_machine.travel(NOON, tick=False):
        assert SystemClock().now() == NOON
        assert SystemClock().now().tzinfo is UTC


# --- Text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-11-20T12:00:00.000000Z"),
        (NOON + timedelta(microseconds=1), "2026-11-20T12:00:00.000001Z"),
        (datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=1))), "2026-11-20T11:00:00.000000Z"),
        (datetime(2026, 11, 20, 12, tzinfo=BERLIN), "2026-11-20T11:00:00.000000Z"),
    ],
)
def test_a_time_is_written_in_utc_to_the_microsecond(moment: datetime, text: str) -> None:
    assert rfc3339(moment) == text


@given(MOMENTS, MOMENTS)
def test_times_sort_as_text_as_they_sort_in_time_and_read_back(first: datetime, second: datetime) -> None:
    assert (rfc3339(first) < rfc3339(second)) == (first < second)
    assert datetime.fromisoformat(rfc3339(first)) == first


# --- Midnight


@pytest.mark.parametrize(
    ("moment", "zone", "midnight"),
    [
        (NOON, ZoneInfo("UTC"), "2026-11-21T00:00:00"),
        (datetime(2026, 11, 21, tzinfo=UTC), ZoneInfo("UTC"), "2026-11-22T00:00:00"),
        (datetime(2026, 11, 20, 23, 59, 59, 999_999, tzinfo=UTC), ZoneInfo("UTC"), "2026-11-21T00:00:00"),
        (NOON, BERLIN, "2026-11-20T23:00:00"),
        (datetime(2026, 11, 20, 23, tzinfo=UTC), BERLIN, "2026-11-21T23:00:00"),
        (datetime(2026, 3, 28, 23, tzinfo=UTC), BERLIN, "2026-03-29T22:00:00"),  # 23 hours
        (datetime(2026, 10, 24, 22, tzinfo=UTC), BERLIN, "2026-10-25T23:00:00"),  # 25 hours
        (NOON, ZoneInfo("Asia/Kolkata"), "2026-11-20T18:30:00"),
    ],
)
def test_the_next_midnight_is_that_of_the_zone(moment: datetime, zone: ZoneInfo, midnight: str) -> None:
    assert next_midnight(moment, zone) == datetime.fromisoformat(midnight).replace(tzinfo=UTC)


@given(MOMENTS, ZONES)
def test_the_next_midnight_is_ahead_begins_the_next_day_and_is_in_utc(moment: datetime, zone: ZoneInfo) -> None:
    midnight = next_midnight(moment, zone)

    today = moment.astimezone(zone).date()
    assert timedelta(0) < midnight - moment <= timedelta(hours=25)
    assert midnight == day_start(today + timedelta(days=1), zone)
    assert midnight.astimezone(zone).date() == today + timedelta(days=1)
    assert (midnight - timedelta(microseconds=1)).astimezone(zone).date() == today
    assert midnight.utcoffset() == timedelta(0)


def test_a_day_starts_at_its_zones_midnight() -> None:
    assert day_start(date(2026, 7, 1), BERLIN) == datetime(2026, 6, 30, 22, tzinfo=UTC)


# --- Ids


def test_an_id_is_its_prefix_and_a_ulid_of_its_time() -> None:
    made = new_id("bst", datetime(2016, 7, 30, 23, 54, 10, 259_000, tzinfo=UTC), lambda size: b"\0" * size)

    assert made == "bst_01ARZ3NDEK" + "0" * 16  # the time of the ULID specification's own example


def test_ids_of_one_moment_differ() -> None:
    assert len({new_id("bst", NOON) for _ in range(1000)}) == 1000


@given(MOMENTS, st.integers(1, 10**6))
def test_ids_sort_by_the_millisecond_in_which_they_were_made(moment: datetime, later: int) -> None:
    before = new_id("bst", moment, lambda size: b"\xff" * size)
    after = new_id("bst", moment + timedelta(milliseconds=later), lambda size: b"\0" * size)

    assert before < after


@given(MOMENTS)
def test_an_id_is_one_of_its_prefix_and_of_no_other(moment: datetime) -> None:
    made = new_id("bst", moment)

    assert is_id("bst", made)
    assert not is_id(AUDIT, made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bst",
        "bst_",
        "_01ARYZ6S430000000000000000",
        "01ARYZ6S430000000000000000",
        "BST_01ARYZ6S430000000000000000",
        "bst_01aryz6s430000000000000000",
        "bst_01ARYZ6S43000000000000000",
        "bst_01ARYZ6S4300000000000000000",
        "bst_01ARYZ6S43000000000000000I",
        "bst_01ARYZ6S43000000000000000L",
        "bst_01ARYZ6S43000000000000000O",
        "bst_01ARYZ6S43000000000000000U",
        "bst_81ARYZ6S430000000000000000",
        "bst_01ARYZ6S430000000000000000\n",
        "bst_01ARYZ6S430000000000000000_",
        " bst_01ARYZ6S430000000000000000",
        "bst_" + "x" * 3000,
    ],
)
def test_anything_else_is_no_id(text: str) -> None:
    assert not is_id("bst", text)


SPONSORSHIP = "spn_01ARYZ6S430000000000000000"


@pytest.mark.parametrize("name", ["nina", "N", "0", "a_b-C", "x" * 64])
def test_a_suffixed_id_has_a_name_behind_it(name: str) -> None:
    assert is_id("spn", f"{SPONSORSHIP}:{name}", suffixed=True)
    assert not is_id("bst", f"{SPONSORSHIP}:{name}", suffixed=True)


def test_an_id_and_a_suffixed_id_are_never_taken_for_each_other() -> None:
    assert not is_id("spn", SPONSORSHIP, suffixed=True)
    assert not is_id("spn", f"{SPONSORSHIP}:nina")


@pytest.mark.parametrize(
    "name", ["", "x" * 65, "nina\n", "ni na", "ni:na", "ni#na", "ni%3Ana", "nin\u00e4", "auth0|1", "n@example.org"]
)
def test_anything_else_is_no_suffix(name: str) -> None:
    assert not is_id("spn", f"{SPONSORSHIP}:{name}", suffixed=True)
