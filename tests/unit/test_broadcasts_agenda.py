"""The agenda of a campaign: claims first, then look-ups, then retries (amendment 1)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts import agenda
from broadcasts.agenda import Claimed, Due, Kind
from broadcasts.items import DueItem
from broadcasts.row import RowKey
from sluice.ids import new_id
from tests.bench_calls import size_of

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
KEY = RowKey(1, 3, 17342)
_moments = st.timedeltas(timedelta(0), timedelta(days=1000)).map(lambda since: NOW + since)


def test_an_entry_is_read_as_it_was_written() -> None:
    claim = agenda.claim(7, NOW, (Claimed(KEY, "att_1"),), "2026-11-27")

    assert agenda.retry(KEY, NOW).part == "due#retry#2026-11-27T12:00:00.000000Z#g1/r3/17342"
    assert Due.parse(agenda.look(KEY, NOW).part) == agenda.look(KEY, NOW)
    assert Due.parse(claim.part, claim.rows, claim.day) == claim
    assert agenda.retry(KEY, NOW).key == KEY


def test_the_item_of_a_claim_of_45_rows_is_read_as_it_was_written_and_is_less_than_2_kb() -> None:
    keys = [RowKey(1, number % 2, 999_000 + number) for number in range(45)]
    rows = tuple(Claimed(each, new_id("att", NOW)) for each in keys)
    claim = agenda.claim(70_000, NOW, rows, "2026-11-27")

    item = DueItem.of("brd_01KAJ3W5V0SM0FKVYVXB9EQT6N", claim).serialize()

    assert size_of(item) < 2048
    assert sorted(DueItem.from_raw_data(item).due().rows, key=lambda each: each.key.number) == list(rows)


@given(st.lists(st.tuples(st.sampled_from(Kind), _moments), max_size=30))
def test_no_number_of_retries_stands_before_a_claim_and_each_kind_is_in_the_order_of_time(
    entries: list[tuple[Kind, datetime]],
) -> None:
    parts = sorted(Due(kind, at, "g1/r0/1").part for kind, at in entries)

    found = [(each.kind, each.at) for each in map(Due.parse, parts)]

    assert found == sorted(entries, key=lambda each: (list(Kind).index(each[0]), each[1]))


def test_anything_else_is_no_entry() -> None:
    with pytest.raises(ValueError, match="unpack"):
        Due.parse("campaign")
