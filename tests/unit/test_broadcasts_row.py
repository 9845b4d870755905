"""A row: its evidence, what it counts for, and its transitions (design section 3)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.campaign import Moved
from broadcasts.row import (
    COUNTED,
    OUTCOMES,
    SOURCE_STATUS,
    Counts,
    Evidence,
    Failure,
    Row,
    RowKey,
    RowStatus,
    Work,
    accepted,
    back,
    claimed,
    closed,
    counts,
    failed,
    looked,
    refused,
    retry_after,
    skipped,
    told,
    unknown,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
NO = Failure("131026", "No")
MAYBE = Failure("130472", "Later", is_retryable=True)
TOLD = (Evidence.SENT, Evidence.FAILED, Evidence.DELIVERED, Evidence.READ)


def a_row(**changes: object) -> Row:
    values = {"campaign_id": "brd_1", "key": RowKey(1, 0, 7), "phone": "5511", "contact": "c", "line": 8}
    return Row(**values | changes)  # type: ignore[arg-type]


def a_sending_row(attempt: str = "att_1", pass_number: int = 1) -> Row:
    return claimed(a_row(), attempt, 30, pass_number, NOW)


type Move = Callable[[Row], Row | None]
MOVES: list[Move] = [
    lambda row: (
        claimed(row, f"att_{row.v}", 30, row.pass_number, NOW) if row.is_due_in(row.pass_number, **NOTHING) else None
    ),
    lambda row: (
        claimed(row, f"att_{row.v}", 70, row.pass_number + 1, NOW)
        if row.is_due_in(row.pass_number + 1, include_unknown=True, include_final=True)
        else None
    ),
    lambda row: unknown(row, NOW) if row.work is Work.SENDING and row.is_open else None,
    lambda row: closed(row) if row.work is Work.UNKNOWN and row.is_open else None,
    lambda row: looked(row) if row.work is Work.UNKNOWN and row.is_open else None,
    lambda row: back(row, tries=1) if row.work in (Work.SENDING, Work.UNKNOWN) and row.is_open else None,
    lambda row: refused(row, MAYBE, 2, NOW) if row.work is Work.SENDING and row.is_open else None,
    lambda row: failed(row, NO, NOW) if row.work is Work.SENDING and row.is_open else None,
    lambda row: skipped(row, NO, NOW) if row.work is Work.PENDING and row.is_open else None,
    lambda row: accepted(row, "wamid", NOW) if row.attempt else None,
    *(lambda row, evidence=evidence: told(row, evidence, NOW, NO, row.attempt) for evidence in TOLD),  # type: ignore[misc]
]
NOTHING = {"include_unknown": False, "include_final": False}


@given(st.lists(st.sampled_from(MOVES), max_size=40))
def test_the_counters_are_the_row_whatever_happens_to_it(moves: list[Move]) -> None:
    row, total = a_row(), counts(a_row())

    for move in moves:
        after = move(row)
        if after is None:
            continue
        total += Moved(row, after).counted
        assert after.v > row.v
        row = after

        assert total == counts(row)
        assert total.total == 1
        assert all(getattr(total, name) >= 0 for name in COUNTED)
        assert total.open == int(row.is_open)


@given(st.lists(st.sampled_from(TOLD), min_size=1, max_size=12), st.booleans())
def test_evidence_is_the_highest_that_was_told_in_any_order_with_any_copies(
    evidence: list[Evidence], is_answered_last: bool
) -> None:
    row = a_sending_row()

    for each in evidence:
        row = told(row, each, NOW, MAYBE if each is Evidence.FAILED else None, "att_1") or row
    if is_answered_last:
        row = accepted(row, "wamid", LATER)

    assert row.evidence is max(evidence)
    assert (row.error is not None) == (max(evidence) is Evidence.FAILED)
    assert counts(row).sent == int(max(evidence) is not Evidence.FAILED)


@pytest.mark.parametrize("before", [unknown(a_sending_row(), NOW), closed(unknown(a_sending_row(), NOW))])
def test_late_evidence_turns_what_nobody_knew_into_what_it_says(before: Row) -> None:
    after = told(before, Evidence.DELIVERED, LATER, None, "att_1")

    assert after
    assert after.status is RowStatus.DELIVERED
    assert counts(after) == Counts(sent=1, delivered=1, spent=30)


def test_late_evidence_stands_above_a_row_that_is_to_be_tried_again_and_counts_its_price() -> None:
    pending = back(a_sending_row(), MAYBE, tries=1)

    after = told(pending, Evidence.SENT, LATER, None, "att_1")

    assert after
    assert counts(after) == Counts(sent=1, spent=30)
    assert not after.is_due_in(2, include_unknown=True, include_final=True)


def test_evidence_of_an_earlier_attempt_is_the_rows_and_says_that_there_may_be_two() -> None:
    first = closed(unknown(a_sending_row(), NOW))
    second = claimed(first, "att_2", 30, 2, LATER)

    after = told(second, Evidence.DELIVERED, LATER, None, "att_1")

    assert after
    assert (after.status, after.other_attempts) == (RowStatus.DELIVERED, 1)


def test_what_an_earlier_attempt_failed_by_says_nothing_of_the_last_one() -> None:
    again = claimed(failed(a_sending_row(), MAYBE, NOW), "att_2", 30, 2, LATER)

    heard = told(again, Evidence.FAILED, LATER, NO, "att_1")

    assert heard
    assert (heard.status, heard.error, counts(heard)) == (RowStatus.SENDING, None, counts(again))
    assert told(heard, Evidence.SENT, LATER, None, "att_1") is None


def test_a_message_that_is_sent_again_forgets_when_it_was_sent_before() -> None:
    lost = told(accepted(a_sending_row(), "wamid.1", NOW), Evidence.FAILED, NOW, MAYBE, "att_1")
    assert lost

    again = claimed(lost, "att_2", 30, 2, LATER)

    assert (again.sent_at, again.message_id, again.error, again.status) == (None, None, None, RowStatus.SENDING)
    assert [each.outcome for each in again.history] == ["130472"]


def test_a_history_keeps_five_attempts() -> None:
    row = a_row()
    for number in range(8):
        row = back(claimed(row, f"att_{number}", 1, 1, NOW), MAYBE, throttles=1)

    assert [each.id for each in row.history] == [f"att_{number}" for number in range(2, 7)]


@pytest.mark.parametrize(
    ("row", "plain", "unknowns", "finals"),
    [
        (a_row(), True, True, True),
        (a_sending_row(), False, False, False),
        (unknown(a_sending_row(), NOW), False, False, False),
        (closed(unknown(a_sending_row(), NOW)), False, True, False),
        (failed(a_sending_row(), MAYBE, NOW), True, True, True),
        (failed(a_sending_row(), NO, NOW), False, False, True),
        (skipped(a_row(), NO, NOW), False, False, False),
        (accepted(a_sending_row(), "wamid", NOW), False, False, False),
        (claimed(failed(a_sending_row(), MAYBE, NOW), "att_2", 1, 2, NOW), False, False, False),
    ],
)
def test_a_retry_sends_what_failed_and_what_somebody_includes(
    row: Row, *, plain: bool, unknowns: bool, finals: bool
) -> None:
    assert row.is_due_in(2, include_unknown=False, include_final=False) is plain
    assert row.is_due_in(2, include_unknown=True, include_final=False) is unknowns
    assert row.is_due_in(2, include_unknown=False, include_final=True) is finals


def test_a_refusal_that_passes_fails_the_row_when_no_retry_is_left() -> None:
    """S5-2: three retries after the first attempt."""
    row = a_row()
    for number in range(4):
        assert row.work is Work.PENDING
        row = refused(claimed(row, f"att_{number}", 1, 1, NOW), NO, 3, NOW)

    assert (row.work, row.tries) == (Work.FAILED, 4)
    assert row.error
    assert row.error.is_retryable


@given(st.integers(0, 30), st.floats(0, 1))
def test_a_retry_comes_within_a_doubled_half_minute_and_never_at_once(tries: int, jitter: float) -> None:
    """S5-52."""
    wait = retry_after(tries, jitter)

    assert timedelta(seconds=1) <= wait <= max(timedelta(seconds=1), timedelta(seconds=30) * 2 ** min(tries, 10))


def test_keys_are_written_and_read_and_lie_a_thousand_in_a_partition() -> None:
    key = RowKey(2, 3, 17342)

    assert str(key) == "g2/r3/17342"
    assert RowKey.parse(str(key)) == key
    assert key.item("brd_1") == ("brd_1#g2#r03#0017", "0000017342")
    assert RowKey.of_item(*key.item("brd_1")) == ("brd_1", key)
    with pytest.raises(ValueError, match="no key"):
        RowKey.parse("x2/r3/1")


def test_every_status_has_one_of_the_sources_four() -> None:
    """S5-5."""
    four = {RowStatus.PENDING, RowStatus.SENT, RowStatus.DELIVERED, RowStatus.FAILED}

    assert {SOURCE_STATUS.get(each, each) for each in RowStatus} == four
    assert set(OUTCOMES) < set(RowStatus)


def test_a_row_that_changed_nothing_counts_for_nothing() -> None:
    row = accepted(a_sending_row(), "wamid", NOW)

    assert Moved(row, replace(row, v=row.v + 1)).counted == Counts()
