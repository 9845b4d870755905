"""The set of the persons on a list: as exact as Python's own, and small at every size."""

import tracemalloc
from array import array

from hypothesis import given
from hypothesis import strategies as st

from broadcasts.persons import Persons

MOST_BYTES = 100
"""Of a row, in the check function (the issue's point 6)."""
PHONE = 1_5511_900_000_000


@given(st.lists(st.integers(1, 2**64 - 1) | st.integers(1, 20)))
def test_a_person_is_taken_once(persons: list[int]) -> None:
    found, known = Persons(), set[int]()

    for each in persons:
        assert found.add(each) == (each not in known)
        known.add(each)
        assert len(found) == len(known)


def test_of_many_persons_each_is_taken_once() -> None:
    """The table grows six times."""
    found = Persons()

    assert all(found.add(PHONE + 7 * number) for number in range(50_000))
    assert not any(found.add(PHONE + 7 * number) for number in range(50_000))
    assert len(found) == 50_000


def test_a_person_takes_at_most_100_bytes_at_the_worst_of_every_size_up_to_a_million() -> None:
    """A table takes most when it has just grown, beside the old one: last at 699,051 persons."""
    first, worst = len(Persons()._places), {}
    for doubled in range(11):
        found = Persons()
        tracemalloc.start()
        try:
            found._places = array("Q", [0]) * (first << doubled)
            found._count = len(found._places) * 2 // 3
            found.add(PHONE)
            worst[len(found)] = tracemalloc.get_traced_memory()[1] / len(found)
        finally:
            tracemalloc.stop()
        assert len(found._places) == first << doubled + 1

    assert [*worst][-1] == 699_051
    assert len(found._places) * 2 // 3 > 1_000_000  # it does not grow again before a million
    assert max(worst.values()) <= MOST_BYTES


def test_a_table_grows_when_two_thirds_are_taken() -> None:
    found = Persons()
    size = len(found._places)
    for number in range(size):
        found.add(PHONE + number)

        assert (len(found._places) > size) == (len(found) * 3 > size * 2)
