"""From the outcomes of calls and looks to what is recorded (design sections 5.7 and 7)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.agenda import Kind
from broadcasts.campaign import Moved
from broadcasts.ports import PATIENT, Accepted, Refused, Scope, Throttled
from broadcasts.recording import (
    Answer,
    Close,
    NotCalled,
    Recorded,
    Sight,
    after_call,
    after_look,
    events,
    is_given_up,
    with_early,
)
from broadcasts.row import Evidence, Failure, Row, RowKey, RowStatus, Work, claimed, looked, told, unknown
from sluice.outward import Absent, CannotTell, Found, Unknown

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SENDING = claimed(
    Row(campaign_id="brd_1", key=RowKey(1, 0, 7), phone="5511987654321", contact="c", line=8), "att_1", 30, 1, NOW
)
ANSWERS: list[Answer] = [
    NotCalled(),
    Accepted("wamid"),
    Throttled(9.0),
    Throttled(),
    Unknown("timeout"),
    *(Refused(scope, is_final, "1", "No") for scope in Scope for is_final in (True, False)),
]


def recorded(row: Row, answer: Answer, attempt: str = "att_1") -> Recorded | None:
    return after_call(row, attempt, answer, NOW, max_retries=3, patience=PATIENT, jitter=1.0)


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_goes_back_to_pending_and_what_is_unknown_has_an_entry_in_the_agenda(answer: Answer) -> None:
    found = recorded(SENDING, answer)

    assert found
    after = found.moved.after
    assert (found.due is not None) == after.is_open
    if found.due:
        assert found.due.kind is (Kind.LOOK if after.work is Work.UNKNOWN else Kind.RETRY)
        assert found.due.key == SENDING.key
    assert found.gives_back == (after.work in (Work.PENDING, Work.FAILED))


@pytest.mark.parametrize("answer", [Throttled(9.0), NotCalled(), Refused(Scope.CAMPAIGN, True, "1", "No")])
def test_what_is_not_the_recipients_fault_costs_no_try(answer: Answer) -> None:
    found = recorded(SENDING, answer)

    assert found
    assert found.moved.after.tries == 0


def test_a_throttle_comes_again_when_the_provider_says_so_or_in_doubled_seconds() -> None:
    said, first = recorded(SENDING, Throttled(9.0)), recorded(SENDING, Throttled())
    again = recorded(Row(**vars(SENDING) | {"throttles": 3}), Throttled())

    assert [each and each.due and each.due.at - NOW for each in (said, first, again)] == [
        9 * SECOND,
        2 * SECOND,
        16 * SECOND,
    ]


@given(st.sampled_from(ANSWERS), st.sampled_from((Evidence.SENT, Evidence.FAILED, Evidence.DELIVERED, Evidence.READ)))
def test_evidence_that_came_first_stands_whatever_the_outcome(answer: Answer, evidence: Evidence) -> None:
    row = told(SENDING, evidence, NOW, Failure("1", "No"), "att_1")
    assert row

    found = recorded(row, answer)

    assert found is None or found.moved.after.evidence is evidence


@given(st.sampled_from(ANSWERS))
def test_an_outcome_of_another_attempt_says_nothing_but_that_it_was_accepted(answer: Answer) -> None:
    found = recorded(SENDING, answer, "att_0")

    if isinstance(answer, Accepted):
        assert found
        assert (found.moved.after.status, found.moved.after.other_attempts) == (RowStatus.SENT, 1)
    else:
        assert found is None


def test_a_claim_that_others_have_judged_is_not_judged_again() -> None:
    assert recorded(unknown(SENDING, NOW), Throttled()) is None
    assert recorded(unknown(SENDING, NOW), Unknown("late")) is None


SIGHTS: list[Sight] = [Found("wamid"), Absent(), CannotTell("no answer"), Close()]


def looked_up(row: Row, sight: Sight, *, is_proof: bool = False, now: datetime = NOW) -> Recorded | None:
    return after_look(row, "att_1", sight, now, is_proof=is_proof, patience=PATIENT)


def test_an_absence_sends_again_only_at_the_last_look_and_only_where_it_is_proof() -> None:
    row = unknown(SENDING, NOW)
    for number in range(3):
        is_last = number == 2
        for is_proof in (True, False):
            found = looked_up(row, Absent(), is_proof=is_proof)
            assert found
            assert (found.moved.after.work is Work.PENDING) == (is_proof and is_last)
            assert found.due
            assert found.moved.after.tries == 0
        row = looked(row)


def test_looks_come_at_half_a_minute_3_10_and_15_minutes_and_then_it_is_given_up() -> None:
    row, times = unknown(SENDING, NOW), []
    while not is_given_up(row, PATIENT):
        found = looked_up(row, CannotTell("no answer"))
        assert found
        assert found.due
        row = found.moved.after
        times.append(found.due.at - NOW)

    assert times == [180 * SECOND, 600 * SECOND, 900 * SECOND]
    last = looked_up(row, Close())
    assert last
    assert (last.moved.after.work, last.due) == (Work.CLOSED, None)


@given(sight=st.sampled_from(SIGHTS), is_proof=st.booleans())
def test_a_look_says_nothing_of_a_row_that_was_told_of_meanwhile(sight: Sight, *, is_proof: bool) -> None:
    row = told(unknown(SENDING, NOW), Evidence.SENT, NOW, None, "att_1")
    assert row

    assert looked_up(row, sight, is_proof=is_proof) is None
    assert after_look(unknown(SENDING, NOW), "att_0", sight, NOW, is_proof=is_proof, patience=PATIENT) is None


def test_a_status_that_came_first_is_taken_along_in_one_write() -> None:
    found = recorded(SENDING, Accepted("wamid"))
    assert found

    joined = with_early(found, SENDING, (Evidence.READ, NOW, None), "att_1")

    assert joined
    assert joined.moved.before == SENDING
    assert joined.moved.after.status is RowStatus.READ
    assert joined.moved.after.message_id == "wamid"
    assert with_early(found, SENDING, None, "att_1") == found


def test_there_is_one_event_for_all_that_were_sent_and_one_for_all_that_failed_without_a_phone() -> None:
    """S5-26."""
    answers = (Accepted("wamid"), Accepted("wamid2"), Refused(Scope.RECIPIENT, True, "131026", "No"), Throttled())
    moved = [found.moved for answer in answers if (found := recorded(SENDING, answer))]

    sent, lost = events("brd_1", "ada", moved)

    assert (sent.name, len(sent.data["entries"])) == ("message:sent", 2)
    assert (lost.name, lost.data["entries"][0]["code"]) == ("message:failed", "131026")
    assert "5511987654321" not in str((sent, lost))
    delivered = told(moved[0].after, Evidence.DELIVERED, NOW, None, None)
    assert delivered
    assert events("brd_1", "ada", [Moved(moved[0].after, delivered)]) == []
