"""What providers tell of messages, joined and applied to rows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts import telling
from broadcasts.campaign import Moved
from broadcasts.optouts import Wish, wish_in
from broadcasts.ports import InboundEvent, StatusEvent
from broadcasts.row import Evidence, Failure, Row, RowKey, RowStatus, Work, claimed, counts
from broadcasts.telling import Callback, Said, applied, inbound, said_by

NOW = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
FAILURE = Failure("131026", "Not on WhatsApp")
SENT, FAILED, DELIVERED, READ = Evidence.SENT, Evidence.FAILED, Evidence.DELIVERED, Evidence.READ


def a_row(**more: Any) -> Row:
    row = Row(campaign_id="brd_x", key=RowKey(1, 0, 7), phone="5511987654321", contact="abc", line=8)
    return replace(claimed(row, "A1", 40, 1, NOW), **more)


def said(evidence: Evidence, seconds: int = 0, attempt: str | None = "A1", **more: Any) -> Said:
    failure = FAILURE if evidence is FAILED else None
    return Said(evidence, NOW + timedelta(seconds=seconds), "wamid.1", attempt, failure, **more)


def after(row: Row, *told: Said) -> Row:
    moved = applied(row, told)
    return moved.after if moved else row


def test_the_highest_stands_whatever_the_order_and_each_gives_its_time() -> None:
    """S5-51: chatwoot#14529, as one batch in every order."""
    told = [said(SENT, 1), said(DELIVERED, 2), said(READ, 3), said(FAILED, 4), said(SENT, 5), said(DELIVERED, 6)]

    for some in permutations(told):
        row = after(a_row(), *some)

        assert (row.status, row.error) == (RowStatus.READ, None)
        assert (row.sent_at, row.delivered_at, row.read_at) == tuple(
            NOW + timedelta(seconds=each) for each in (1, 2, 3)
        )


@given(st.lists(st.sampled_from([SENT, FAILED, DELIVERED, READ]), min_size=1), st.data())
def test_one_by_one_or_joined_comes_to_the_same(told: list[Evidence], data: st.DataObject) -> None:
    one_by_one = a_row()
    for each in data.draw(st.permutations(told)):
        one_by_one = after(one_by_one, said(each))

    joined = after(a_row(), *map(said, told))

    assert one_by_one.evidence is joined.evidence is max(told)
    assert counts(one_by_one) == counts(joined)


def test_a_copy_changes_nothing() -> None:
    row = after(a_row(), said(DELIVERED))

    assert applied(row, [said(DELIVERED, 9), said(SENT), said(FAILED)]) is None


def test_a_batch_is_one_write_of_the_row() -> None:
    row = a_row()

    assert after(row, said(SENT), said(DELIVERED), said(READ)).v == row.v + 1


def test_a_row_learns_the_id_of_its_message_from_what_is_told_of_its_own_attempt() -> None:
    assert after(a_row(), said(SENT)).message_id == "wamid.1"
    assert after(a_row(message_id="uuid"), said(SENT)).message_id == "uuid"
    assert after(a_row(), said(DELIVERED, attempt="A0")).message_id is None


def test_what_an_earlier_attempt_failed_by_says_nothing_of_the_last() -> None:
    assert applied(a_row(), [said(FAILED, attempt="A0")]) is None


def test_another_attempt_that_was_delivered_is_noted_because_the_person_may_have_two() -> None:
    row = after(a_row(), said(DELIVERED, attempt="A0"))

    assert (row.status, row.other_attempts) == (RowStatus.DELIVERED, 1)


def test_of_two_alike_the_present_attempt_counts_first() -> None:
    assert after(a_row(), said(SENT, attempt="A0"), said(SENT, 5)).other_attempts == 0


@pytest.mark.parametrize("work", list(Work))
def test_late_evidence_turns_whatever_we_thought(work: Work) -> None:
    """[B2]"""
    assert after(a_row(work=work), said(DELIVERED)).status is RowStatus.DELIVERED


def test_an_event_says_its_failure_only_if_it_failed() -> None:
    event = StatusEvent(FAILED, "wamid.1", None, NOW, code="131050", text="No", retryable=True)

    assert said_by(event) == Said(FAILED, NOW, "wamid.1", None, Failure("131050", "No", True))
    assert said_by(StatusEvent(FAILED, "wamid.1", None, NOW)).failure == Failure("failed", "")
    assert said_by(StatusEvent(SENT, "wamid.1", None, NOW, code="1"), "A1") == Said(SENT, NOW, "wamid.1", "A1")


def test_the_highest_of_a_message_is_the_earliest_of_several() -> None:
    assert telling.highest([said(SENT, 0), said(DELIVERED, 5), said(DELIVERED, 2)]) == said(DELIVERED, 2)


def test_a_callback_says_campaign_row_and_attempt() -> None:
    assert Callback.parse(a_row().callback) == Callback("brd_x", RowKey(1, 0, 7), "A1")


@pytest.mark.parametrize("text", [None, "", "x", "brd_x/g1/r0/7", "brd_x/g1/r0/7/", "/g1/r0/7/A1", "brd_x/g1/r0/x/A1"])
def test_what_is_no_callback_names_no_row(text: str | None) -> None:
    assert Callback.parse(text) is None


# Attempts


def retried(row: Row, attempt: str) -> Row:
    """The row, claimed again by a retry."""
    return claimed(row, attempt, 40, row.pass_number + 1, NOW + timedelta(minutes=row.pass_number))


def test_a_late_copy_says_nothing_of_the_attempt_after_the_one_that_failed() -> None:
    row = retried(after(a_row(), said(SENT), said(FAILED)), "A2")

    assert applied(row, [said(SENT, 90), said(FAILED, 90)]) is None
    assert after(row, said(SENT, 90), said(SENT, 95, "A2")).sent_at == NOW + timedelta(seconds=95)


@pytest.mark.parametrize("evidence", [DELIVERED, READ])
def test_a_person_who_has_the_message_of_an_attempt_that_failed_has_it(evidence: Evidence) -> None:
    row = after(retried(after(a_row(), said(FAILED)), "A2"), said(evidence, 90))

    assert (row.evidence, row.other_attempts) == (evidence, 1)


def test_a_new_attempt_begins_without_the_times_of_the_one_before() -> None:
    """S5-2"""
    row = replace(a_row(), sent_at=NOW, delivered_at=NOW, read_at=NOW, failed_at=NOW, message_id="wamid.1")

    again = retried(row, "A2")

    assert (again.sent_at, again.delivered_at, again.read_at, again.failed_at, again.message_id) == (None,) * 5


@given(st.lists(st.tuples(st.sampled_from(["A1", "A2", "A3"]), st.sampled_from([SENT, FAILED, DELIVERED, READ]))))
def test_of_attempts_that_failed_only_what_a_person_has_counts_whatever_the_order(
    told: list[tuple[str, Evidence]],
) -> None:
    """[B1], [B3], [B4]: A1 and A2 failed; A3 is the last. What is told moves no row back among the open ones."""
    row = a_row()
    for attempt in ("A2", "A3"):
        row = retried(after(row, said(FAILED, attempt=row.attempt)), attempt)

    one_by_one, moves = row, []
    for attempt, evidence in told:
        if found := applied(one_by_one, [said(evidence, attempt=attempt)]):
            moves.append(found)
            one_by_one = found.after

    stand = [each for attempt, each in told if attempt == "A3" or each >= DELIVERED]
    joined = after(row, *(said(evidence, attempt=attempt) for attempt, evidence in told))
    assert one_by_one.evidence is joined.evidence is max(stand, default=Evidence.NONE)
    assert all(each.before and each.counted.open <= 0 for each in moves)
    assert all(each.before and each.before.evidence <= each.after.evidence for each in moves)
    assert sum((each.counted for each in moves), counts(row)) == counts(one_by_one) == counts(joined)


def test_an_attempt_that_is_known_to_have_failed_after_the_retry_does_not_come_to_be_sent() -> None:
    """It was given up as unknown, and a retry sent it again; in any order, if both come in one batch."""
    row = retried(a_row(work=Work.CLOSED), "A2")

    one_by_one = after(after(row, said(FAILED, 90)), said(SENT, 91))
    joined = [after(row, *some) for some in permutations([said(SENT, 90), said(FAILED, 91)])]

    for each in (one_by_one, *joined):
        assert (each.status, each.other_attempts) == (RowStatus.SENDING, 0)
        assert [one.has_failed for one in each.history] == [True]


# Trouble


def moved(row: Row, *told: Said) -> Moved:
    found = applied(row, told)
    assert found
    return found


def test_a_number_in_trouble_is_blocked_once_for_each_message_that_says_so() -> None:
    trouble = Failure("131048", "Reported by too many", is_retryable=True)
    told = replace(said(FAILED), failure=trouble)
    found = moved(a_row(), told)

    assert telling.blocking(found, [told]) == trouble
    assert telling.blocking(moved(a_row(), said(FAILED)), [said(FAILED)]) is None
    assert telling.blocking(moved(found.after, said(READ)), [told, said(READ)]) is None


@pytest.mark.parametrize(
    ("code", "why"), [("131050", "provider:131050"), ("131026", None), ("ERROR", None), ("failed", None)]
)
def test_a_person_who_stopped_marketing_is_not_written_to_any_more(code: str, why: str | None) -> None:
    assert telling.objection(Failure(code, "")) == why
    assert telling.objection(None) is None


# Inbound


def wrote(text: str, seconds: int) -> InboundEvent:
    return InboundEvent("5511987654321", text, NOW + timedelta(seconds=seconds), f"wamid.{seconds}")


@pytest.mark.parametrize(
    ("texts", "wish", "at"),
    [
        (["oi"], None, None),
        (["SAIR", "oi"], Wish.STOP, 0),
        (["stop", "start"], Wish.START, 1),
        (["start", "stop"], Wish.STOP, 1),
    ],
)
def test_the_later_wish_of_a_person_stands(texts: list[str], wish: Wish | None, at: int | None) -> None:
    events = [wrote(text, number) for number, text in enumerate(texts)]

    for some in permutations(events):
        found = inbound(some, wish_in)

        assert found.at == NOW + timedelta(seconds=len(texts) - 1)
        assert (found.wish, found.wished_at) == (wish, None if at is None else NOW + timedelta(seconds=at))


def test_of_two_wishes_at_one_time_the_one_to_stop_stands() -> None:
    for some in permutations([wrote("start", 0), wrote("stop", 0)]):
        assert inbound(some, wish_in).wish is Wish.STOP
