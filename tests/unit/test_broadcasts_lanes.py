"""Lanes of rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.lanes import MOST_LANES, Lane, Places, furthest_behind


def a_lane(number: int = 0, rows: int = 100, cursor: int = 0) -> Lane:
    return Lane(number, ("UTC",), rows, cursor)


def test_rows_of_the_same_zones_are_one_lane_in_their_order() -> None:
    places = Places()

    given_ = [places.place(zones) for zones in [("A",), ("B",), ("A", "B"), ("A",), ("B",)]]

    assert given_ == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)]
    assert places.lanes() == (Lane(0, ("A",), 2), Lane(1, ("B",), 2), Lane(2, ("A", "B"), 1))


def test_there_are_at_most_a_hundred_lanes_and_the_rest_share_the_last() -> None:
    places = Places()

    found = [places.place((f"Z{number:03}",)) for number in range(102)]

    lanes = places.lanes()
    assert [lane for lane, _ in found] == [*range(99), 99, 99, 99]
    assert [number for _, number in found[-3:]] == [0, 1, 2]
    assert len(lanes) == MOST_LANES
    assert lanes[-1] == Lane(99, ("Z099", "Z100", "Z101"), 3)
    assert places.place(("Z000",)) == (0, 1)


@given(st.lists(st.frozensets(st.sampled_from("ABCDEFGHIJ"), min_size=1, max_size=3)))
def test_every_row_has_a_place_of_its_own_in_a_lane_that_has_its_zones(rows: list[frozenset[str]]) -> None:
    places = Places()

    found = [places.place(tuple(sorted(zones))) for zones in rows]

    lanes = places.lanes()
    assert len(set(found)) == len(rows)
    assert sum(lane.rows for lane in lanes) == len(rows)
    assert all(zones <= set(lanes[lane].zones) for (lane, _), zones in zip(found, rows, strict=True))
    assert all(number < lanes[lane].rows for lane, number in found)


@pytest.mark.parametrize("cursor", [9, 101])
def test_a_cursor_never_goes_back_or_beyond_the_last_row(cursor: int) -> None:
    with pytest.raises(ValueError, match="cursor"):
        a_lane(rows=100, cursor=10).moved(cursor)


def test_the_open_lane_that_is_furthest_behind_is_sent_from() -> None:
    lanes = [a_lane(0, 1000, 500), a_lane(1, 10, 4), a_lane(2, 10, 10), a_lane(3, 100, 0), a_lane(4, 100, 0)]

    assert furthest_behind(lanes, lambda _: True) == lanes[3]
    assert furthest_behind(lanes, lambda lane: lane.number in {0, 1, 2}) == lanes[1]
    assert furthest_behind([a_lane(0, 10, 4), a_lane(1, 100, 30)], lambda _: True) == a_lane(1, 100, 30)
    assert furthest_behind(lanes, lambda lane: lane.number == 2) is None
    assert furthest_behind(lanes, lambda _: False) is None
