"""Outward calls: what each answer and each look makes of a call (promotions section 4.1)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sluice.outward import (
    Absent,
    Call,
    CallState,
    CannotTell,
    Done,
    Found,
    NotTaken,
    Outcome,
    Patience,
    Refused,
    Seen,
    Unknown,
    answered,
    begin,
    looked_again,
    perform,
    resolved,
    seen,
)
from sluice.plain import from_json, to_json

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ENDS = NOON + timedelta(seconds=60)
PATIENCE = Patience(call_seconds=10, settle_seconds=120, attempts=3, looks=4)


def a_call(**more: object) -> Call:
    return replace(begin(None, "first_post", "key", NOON, ENDS, PATIENCE), **more)  # type: ignore[arg-type]


def test_an_intent_is_due_when_its_caller_is_dead_and_its_effect_is_settled() -> None:
    call = a_call()

    assert (call.state, call.attempt, call.ref) == (CallState.SENDING, 1, "key")
    assert call.deadline == ENDS + timedelta(seconds=15)
    assert call.due_at == call.settles_at == call.deadline + timedelta(seconds=120)


def test_another_attempt_has_an_id_of_its_own_and_looks_back_to_the_first_one() -> None:
    again = begin(a_call(), "first_post", "key", NOON + timedelta(hours=1), ENDS + timedelta(hours=1), PATIENCE)

    assert (again.attempt, again.since) == (2, NOON)
    assert again.attempt_id != a_call().attempt_id


@pytest.mark.parametrize(
    ("outcome", "state", "due_at"),
    [
        (Done("17"), CallState.SENT, None),
        (Refused("no"), CallState.FAILED, None),
        (NotTaken("429", NOON + timedelta(minutes=7)), CallState.WAITING, NOON + timedelta(minutes=7)),
        (NotTaken("429"), CallState.WAITING, NOON + timedelta(seconds=10)),
        (NotTaken("429", NOON - timedelta(minutes=7)), CallState.WAITING, NOON),
        (Unknown("504"), CallState.UNKNOWN, NOON + timedelta(seconds=120)),
    ],
)
def test_each_answer_has_its_state(outcome: Outcome, state: CallState, due_at: datetime | None) -> None:
    call = answered(a_call(), outcome, NOON, PATIENCE)

    assert call.state is state
    assert due_at in (None, call.due_at)
    assert call.absences == 0


def test_a_call_that_is_never_taken_waits_longer_each_time_and_spends_no_attempt() -> None:
    call, waits = a_call(), []
    for _ in range(12):
        call = answered(call, NotTaken("429"), NOON, PATIENCE)
        waits.append((call.due_at - NOON).total_seconds())
        call = begin(call, "first_post", "key", NOON, ENDS, PATIENCE)

    assert waits[:4] == [10, 20, 40, 80]
    assert waits[-1] == 3600
    assert call.absences == 0


def test_nobody_looks_while_the_caller_may_be_alive() -> None:
    call = a_call()

    with pytest.raises(ValueError, match="before the deadline"):
        seen(call, Absent(), call.deadline - timedelta(seconds=1), PATIENCE)


def test_an_absence_counts_only_when_the_effect_is_settled() -> None:
    call = a_call()

    early = seen(call, Absent(), call.deadline, PATIENCE)
    late = seen(early, Absent(), call.settles_at, PATIENCE)

    assert (early.state, early.due_at) == (CallState.UNKNOWN, call.settles_at)
    assert (late.state, late.absences) == (CallState.WAITING, 1)


def test_attempts_that_come_to_nothing_end_in_a_failure_that_says_so() -> None:
    call = a_call(absences=2, reason="504")

    failed = seen(call, Absent(), call.settles_at, PATIENCE)

    assert failed.state is CallState.FAILED
    assert failed.reason == "3 attempts came to nothing: 504"


def test_what_is_found_is_adopted() -> None:
    call = a_call()

    found = seen(call, Found("17"), call.deadline, PATIENCE)

    assert (found.state, found.result) == (CallState.SENT, "17")


def test_looks_that_cannot_tell_wait_longer_each_time_and_end_stuck() -> None:
    call, now, waits = a_call(), a_call().settles_at, []
    while call.state is not CallState.STUCK:
        call = seen(call, CannotTell("401"), now, PATIENCE)
        waits.append((call.due_at - now).total_seconds())

    assert waits[:3] == [30, 60, 120]
    assert (call.looks, call.reason) == (4, "401")


@pytest.mark.parametrize(("result", "state"), [("17", CallState.SENT), (None, CallState.WAITING)])
def test_an_operator_says_what_happened(result: str | None, state: CallState) -> None:
    assert resolved(a_call(state=CallState.STUCK), result, NOON).state is state


def test_a_stuck_call_may_be_looked_up_again() -> None:
    again = looked_again(a_call(state=CallState.STUCK, looks=4), NOON)

    assert (again.state, again.looks, again.due_at) == (CallState.UNKNOWN, 0, NOON)


def test_an_error_that_nobody_foresaw_is_an_unknown_outcome() -> None:
    def breaks(_: Call) -> Outcome:
        raise ZeroDivisionError

    assert perform(a_call(), breaks, NOON, PATIENCE) == Unknown("ZeroDivisionError")


def test_a_call_that_could_end_after_its_deadline_is_not_made() -> None:
    call = a_call()
    made: list[Call] = []

    def do(call: Call) -> Outcome:
        made.append(call)
        return Done("17")

    late = perform(call, do, call.deadline - timedelta(seconds=9), PATIENCE)
    in_time = perform(call, do, call.deadline - timedelta(seconds=10), PATIENCE)

    assert (late, in_time) == (NotTaken("There was not enough time left"), Done("17"))
    assert made == [call]


@pytest.mark.parametrize("look", [Absent(), CannotTell("401"), Found("17")])
def test_a_call_is_the_same_after_it_was_stored(look: Seen) -> None:
    call = seen(a_call(), look, a_call().settles_at, PATIENCE)

    assert from_json(Call, to_json(call)) == call


@pytest.mark.parametrize("text", ["[]", "{}", '{"purpose": 7}', "nonsense", '{"state": "gone"}'])
def test_what_is_no_call_is_not_read_as_one(text: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        from_json(Call, text)
