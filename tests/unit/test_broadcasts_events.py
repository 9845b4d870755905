"""What is told to the bus of rows that were recorded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from broadcasts.campaign import Moved
from broadcasts.ports import PATIENT, Accepted
from broadcasts.recording import FAILED, SENT, after_call, events, with_early
from broadcasts.row import Evidence, Failure, Row, RowKey, claimed, told

NOW = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
FAILURE = Failure("131026", "Not on WhatsApp")


def a_row() -> Row:
    row = Row(campaign_id="brd_x", key=RowKey(1, 0, 7), phone="5511987654321", contact="abc", line=8)
    return claimed(row, "A1", 40, 1, NOW)


def later(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


def after(row: Row, evidence: Evidence, seconds: int = 0) -> Row:
    found = told(row, evidence, later(seconds), FAILURE if evidence is Evidence.FAILED else None, row.attempt)
    assert found
    return found


def said(*rows: Row) -> list[str]:
    """The names of the events, as a row moves from each to the next."""
    moves = [Moved(before, following) for before, following in pairwise(rows)]
    return [event.name for each in moves for event in events("brd_x", "acme", [each])]


def test_a_message_that_failed_and_was_delivered_after_all_is_said_to_be_sent_once() -> None:
    """S5-26"""
    row = a_row()
    sent = after(row, Evidence.SENT)
    failed = after(sent, Evidence.FAILED)
    delivered = after(failed, Evidence.DELIVERED)

    assert said(row, sent, failed, delivered, after(delivered, Evidence.READ)) == [SENT, FAILED]


def test_a_message_that_failed_before_anybody_knew_that_it_was_sent_is_said_to_be_sent_when_it_is_delivered() -> None:
    row = a_row()
    failed = after(row, Evidence.FAILED)

    assert said(row, failed, after(failed, Evidence.DELIVERED)) == [FAILED, SENT]


def test_an_acceptance_whose_failure_came_first_is_said_to_be_sent_and_to_have_failed() -> None:
    row = a_row()
    found = after_call(row, "A1", Accepted("3EB0"), NOW, max_retries=3, patience=PATIENT, jitter=1.0)
    found = with_early(found, row, (Evidence.FAILED, later(1), FAILURE), "A1")

    assert found
    failed = found.moved.after
    assert said(row, failed, after(failed, Evidence.DELIVERED)) == [SENT, FAILED]


def test_another_attempt_is_said_to_be_sent_again() -> None:
    row = a_row()
    sent = after(row, Evidence.SENT)
    failed = after(sent, Evidence.FAILED)
    again = claimed(failed, "A2", 40, 2, later(60))

    assert said(row, sent, failed, again, after(again, Evidence.SENT)) == [SENT, FAILED, SENT]


def test_a_failure_is_told_with_the_id_of_its_message_if_it_has_one() -> None:
    row = replace(a_row(), message_id="3EB0")

    for some, more in ((row, {"messageId": "3EB0"}), (replace(row, message_id=None), {})):
        (event,) = events("brd_x", "acme", [Moved(some, after(some, Evidence.FAILED, 5))])

        entry = {"row": "g1/r0/7", "code": "131026", "at": later(5).isoformat()}
        assert event.data == {"campaignId": "brd_x", "userId": "acme", "entries": [entry | more]}


def test_what_came_first_of_an_earlier_attempt_is_not_of_the_last_one() -> None:
    """Its worker was slow: by then the row was given up, and claimed again by a retry."""
    row = claimed(a_row(), "A2", 40, 2, later(60))
    found = after_call(row, "A1", Accepted("3EB0"), later(61), max_retries=3, patience=PATIENT, jitter=1.0)
    lost = with_early(found, row, (Evidence.FAILED, later(1), FAILURE), "A1")
    arrived = with_early(found, row, (Evidence.READ, later(1), None), "A1")

    assert lost
    assert lost.moved.after.evidence is Evidence.NONE
    assert arrived
    assert arrived.moved.after.evidence is Evidence.READ


def test_what_came_first_stands_even_if_the_acceptance_is_not_new() -> None:
    row = after(claimed(a_row(), "A2", 40, 2, later(60)), Evidence.SENT)
    found = after_call(row, "A1", Accepted("3EB0"), later(61), max_retries=3, patience=PATIENT, jitter=1.0)

    arrived = with_early(found, row, (Evidence.DELIVERED, later(1), None), "A1")

    assert found is None
    assert arrived
    assert arrived.moved == Moved(row, arrived.moved.after)
    assert arrived.moved.after.evidence is Evidence.DELIVERED
