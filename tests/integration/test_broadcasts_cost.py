"""What docs/cost.md says of a message is what the functions do."""

import pytest

from local import cost
from tests.bench_broadcasts import in_batches, one_by_one


def test_a_message_a_second_takes_eight_calls_and_the_units_of_the_document() -> None:
    """S5-45: counters are added to, never summed by a select; a scan or another read would be a call more."""
    found = one_by_one(messages=8)

    assert found.each(found.worker.calls) == 8
    assert found.each(found.units) == pytest.approx(cost.ONE_BY_ONE.writes)
    assert found.each(found.reads) == pytest.approx(cost.ONE_BY_ONE.reads, rel=0.01)


def test_a_message_of_45_at_once_takes_the_units_of_the_document() -> None:
    """A claim of 45 rows takes four units, as it is less than 2 KB (amendment 9)."""
    found = in_batches(messages=45)

    assert found.each(found.worker.calls) < 0.4
    assert found.each(found.worker.written["due#claim"]) == pytest.approx(2 * 4 / 45)
    assert found.each(found.units) == pytest.approx(cost.IN_BATCHES.writes, rel=0.01)
    assert found.each(found.reads) == pytest.approx(cost.IN_BATCHES.reads, rel=0.02)
