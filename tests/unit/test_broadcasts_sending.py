"""What a step does beside sending: settle, look, lay, remove, wait, end (design section 5)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts import agenda, campaign, sending
from broadcasts.agenda import Claimed, Due, Kind
from broadcasts.campaign import LATE, Broadcast, BroadcastStatus, Leftover, PauseReason, Terms, Text, Waiting
from broadcasts.lanes import Lane
from broadcasts.ports import PATIENT
from broadcasts.row import Counts, Evidence, Row, RowKey, Work, claimed, told

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
_S = BroadcastStatus


def a_broadcast(status: BroadcastStatus = _S.RUNNING, **changes: object) -> Broadcast:
    terms = Terms(name="Winter", instance_id="ins_1", rate_limit=60)
    made = campaign.create("brd_1", "ada", terms, Text(1, "Hello"), "USD", NOW).after
    return replace(made, status=status, wake_at=NOW, **changes)  # type: ignore[arg-type]


def a_row(number: int) -> Row:
    return Row(campaign_id="brd_1", key=RowKey(1, 0, number), phone="5511", contact=f"c{number}", line=1)


def test_only_a_claim_whose_deadline_has_passed_is_judged() -> None:
    """Its worker is dead by then, by Lambda's own timeout [B13]."""
    claim = agenda.claim(3, NOW, (), "2026-11-27")

    assert sending.overdue_claim([agenda.look(RowKey(1, 0, 0), NOW), claim], NOW) == claim
    assert sending.overdue_claim([claim], NOW - timedelta(microseconds=1)) is None
    assert timedelta(seconds=75) == sending.SETTLES_AFTER


def test_a_claim_of_a_dead_worker_is_unknown_where_nothing_was_recorded_and_never_pending() -> None:
    rows = [claimed(a_row(number), f"att_{number}", 5, 1, NOW - 75 * SECOND) for number in range(4)]
    rows[1] = told(rows[1], Evidence.SENT, NOW, None, "att_1") or rows[1]
    rows[2] = claimed(replace(rows[2], work=Work.PENDING), "att_new", 5, 1, NOW)
    claim = agenda.claim(3, NOW, tuple(Claimed(row.key, f"att_{each}") for each, row in enumerate(rows)), "")
    found = a_broadcast(counted=Counts(sending=3, sent=1, reserved=15, spent=5))

    change = sending.settle(found, claim, {row.key: row for row in rows[:3]}, NOW, PATIENT)

    assert [(each.after.key.number, each.after.work) for each in change.moved] == [(0, Work.UNKNOWN)]
    assert change.put == (agenda.look(rows[0].key, NOW + 30 * SECOND),)
    assert change.dropped == (claim,)
    assert change.after.counted == Counts(sending=2, unknown=1, sent=1, reserved=15, spent=5)
    assert change.after.in_flight_until == NOW + timedelta(minutes=15)


def test_looks_are_claimed_ten_at_a_time_until_their_worker_is_dead() -> None:
    """Amendment 6."""
    due = [agenda.look(RowKey(1, 0, number), NOW) for number in range(12)]

    looks = sending.due_looks(due, NOW)
    change = sending.begin_looks(a_broadcast(), looks, NOW)

    assert len(looks) == 10
    assert {each.at for each in change.put} == {NOW + 75 * SECOND}
    assert change.dropped == looks
    assert change.after.doing is None


@pytest.mark.parametrize(
    ("status", "reason"), [(_S.RUNNING, PauseReason.GAP), (_S.SCHEDULED, PauseReason.MISSED_START), (_S.PAUSING, None)]
)
def test_hours_of_lateness_pause_what_would_send(status: BroadcastStatus, reason: PauseReason | None) -> None:
    found = a_broadcast(status)
    late = NOW + LATE + SECOND

    change = sending.too_late(found, None, late)

    assert (change.after.pause_reason if change else None) == reason
    assert sending.too_late(found, None, late - SECOND) is None
    assert sending.too_late(found, late - SECOND, late) is None, "the platform was stopped"


_dues = st.lists(
    st.builds(
        Due,
        st.sampled_from(Kind),
        st.integers(-5000, 5000).map(lambda seconds: NOW + seconds * SECOND),
        st.just("g1/r0/1"),
    ),
    max_size=5,
)


@given(_dues, st.integers(0, 20), st.none() | st.integers(-100, 100_000))
def test_no_empty_step_comes_again_before_two_seconds_nor_after_what_is_due(
    due: list[Due], empties: int, until: int | None
) -> None:
    found = a_broadcast(empties=empties)
    at = None if until is None else NOW + until * SECOND
    settling = [each.at for each in due if each.kind is not Kind.RETRY]

    for change in (
        sending.wait(found, due, NOW, Waiting.QUOTA, at),
        sending.wait_for_agenda(found, due, NOW, 30 * SECOND),
        sending.wait_for_settling(replace(found, status=_S.PAUSING), due, NOW),
    ):
        wake_at = change.after.wake_at
        assert wake_at
        assert wake_at >= NOW + 2 * SECOND
        assert not settling or wake_at <= max(NOW + 2 * SECOND, min(settling))
        assert change.after.step == found.step + 1
        assert change.after.steps_done == found.steps_done, "an empty step counts for nothing (amendment 7)"


def test_empty_steps_come_after_2_4_8_16_and_30_seconds() -> None:
    found, waits = a_broadcast(), []
    for _ in range(6):
        change = sending.wait_for_agenda(found, [], NOW, 30 * SECOND)
        assert change.after.wake_at
        waits.append((change.after.wake_at - NOW) // SECOND)
        found = change.after

    assert waits == [2, 4, 8, 16, 30, 30]
    assert campaign.working(found, NOW).empties == 0


@pytest.mark.parametrize(("ahead", "waits"), [(75, 2), (74, 2), (30, 30), (180, 180)])
def test_a_look_that_a_worker_makes_is_not_waited_for_until_its_deadline(ahead: int, waits: int) -> None:
    found, due = a_broadcast(), [agenda.look(RowKey(1, 0, 1), NOW + ahead * SECOND)]

    ends = sending.wait_for_agenda(found, due, NOW, 30 * SECOND)
    pauses = sending.wait_for_settling(replace(found, status=_S.PAUSING), due, NOW)

    assert ends.after.wake_at == pauses.after.wake_at == NOW + waits * SECOND


def test_leftovers_are_removed_to_the_last_row_and_lane() -> None:
    lanes = (Lane(0, ("UTC",), 200), Lane(1, ("UTC",), 1))
    found = a_broadcast(_S.IMPORTING, leftovers=(Leftover(1, lanes), Leftover(2, ())))
    removed: list[RowKey] = []

    while change := sending.remove(found, NOW):
        assert len(change.removed) <= 90
        removed += change.removed
        found = change.after

    assert removed == [*(RowKey(1, 0, number) for number in range(200)), RowKey(1, 1, 0)]
    assert found.leftovers == ()


def test_a_list_is_laid_when_all_its_rows_are() -> None:
    found = a_broadcast(accepted=30, source="lists/1", running_since=NOW)

    first = sending.laid(found, 20, NOW).after
    second = sending.laid(first, 10, NOW).after

    assert (first.laid, first.is_laid, first.waiting_for) == (20, False, Waiting.IMPORT)
    assert (second.laid, second.is_laid) == (30, True)


def test_a_deletion_removes_the_rows_of_every_list_from_their_first() -> None:
    lanes = (Lane(0, ("UTC",), 5, 5),)
    found = a_broadcast(_S.DELETING, generation=2, laid=5, lanes=lanes, leftovers=(Leftover(1, lanes),))

    assert sending.all_left(found) == (Leftover(1, lanes), Leftover(2, (Lane(0, ("UTC",), 5),)))
