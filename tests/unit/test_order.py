"""What takes long is begun first, and every test is run once."""

from itertools import chain

from tests.order import LONG, dealt

NAMES = [
    *(f"tests/browser/test_a.py::{number}" for number in range(3)),
    *(f"tests/cli/test_a.py::{number}" for number in range(20)),
    *(f"tests/e2e/test_a.py::{number}" for number in range(4)),
    *(f"tests/faults/test_a.py::{number}" for number in range(11)),
    *(f"tests/unit/test_a.py::{number}" for number in range(21)),
]


def parts(workers: int) -> list[list[str]]:
    """What each process gets at first, as xdist deals it."""
    left, found = dealt([(each, each) for each in NAMES], workers), []
    for number in range(workers):
        many = len(left) // (workers - number)
        found.append(left[:many])
        left = left[many:]
    return found


def test_each_of_three_processes_begins_with_a_folder_that_takes_long() -> None:
    found = parts(3)

    assert [each[0].partition("test_a")[0] for each in found] == list(LONG)
    assert [sum(name.startswith(LONG) for name in part) for part in found] == [4, 3, 11]


def test_every_test_is_dealt_once_to_any_number_of_processes() -> None:
    assert [sorted(chain(*parts(workers))) for workers in (2, 3, 4, 7)] == [sorted(NAMES)] * 4
    assert [each[0].partition("test_a")[0] for each in parts(4)[:3]] == list(LONG)
