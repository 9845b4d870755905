"""A broadcast: its commands in every status, and what is shown of it (design section 4)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from broadcasts import campaign
from broadcasts.breaker import Base
from broadcasts.campaign import Action, Broadcast, BroadcastStatus, Change, Leftover, PauseReason, Terms, Text, Waiting
from broadcasts.lanes import Lane
from broadcasts.pacing import Slot
from broadcasts.row import Counts
from sluice.errors import Conflicting

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
_S = BroadcastStatus
TERMS = Terms(name="Winter", instance_id="ins_1", rate_limit=60)
TOTAL = Counts(pending=1, failed_retryable=2, failed_final=4, closed=8, sent=16)


def a_broadcast(status: BroadcastStatus = _S.DRAFT, **changes: object) -> Broadcast:
    change = campaign.create("brd_1", "ada", TERMS, Text(1, "Hello"), "USD", NOW)
    values = {"status": status, "accepted": 5, "laid": 5, "lanes": (Lane(0, ("UTC",), 5),), "wake_at": NOW}
    return replace(change.after, **values | changes)  # type: ignore[arg-type]


COMMANDS: dict[str, tuple[Callable[[Broadcast], Change], str]] = {
    "start": (lambda found: campaign.start(found, NOW), "DRAFT importing SCHEDULED PAUSED pausing"),
    "resume": (lambda found: campaign.start(found, NOW, resumes=True), "PAUSED pausing"),
    "pause": (lambda found: campaign.pause(found, NOW), "RUNNING"),
    "cancel": (
        lambda found: campaign.cancel(found, NOW),
        "DRAFT importing SCHEDULED RUNNING PAUSED pausing",
    ),
    "retry": (
        lambda found: campaign.retry(found, TOTAL, NOW, include_unknown=False, include_final=False),
        "COMPLETED PAUSED pausing FAILED cancelling",
    ),
    "edit": (lambda found: campaign.edit(found, TERMS, None, NOW), "DRAFT importing SCHEDULED"),
    "delete": (lambda found: campaign.delete(found, NOW), "DRAFT importing COMPLETED FAILED cancelling"),
}


@pytest.mark.parametrize("status", BroadcastStatus)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_taken_in_its_statuses_alone_and_fences(name: str, status: BroadcastStatus) -> None:
    """S5-15 to S5-19."""
    command, allowed = COMMANDS[name]
    found = a_broadcast(status, step=7)

    if status in allowed.split():
        assert command(found).after.step == 8
    else:
        with pytest.raises(Conflicting):
            command(found)


def test_a_pause_and_a_cancel_live_on_until_what_is_in_flight_is_settled() -> None:
    running = a_broadcast(_S.RUNNING, running_since=NOW - timedelta(seconds=90))

    for change, shown in ((campaign.pause(running, NOW), _S.PAUSED), (campaign.cancel(running, NOW), _S.FAILED)):
        assert change.after.is_live
        assert change.after.wake_at == NOW
        assert change.after.shown is shown
        assert change.after.active_seconds == 90
        end = campaign.ended(change.after, NOW)
        assert end
        assert end.after.status is shown
        assert not end.after.is_live
    assert campaign.ended(running, NOW) is None


def test_a_resume_keeps_the_slot_so_pausing_is_no_way_around_the_pace() -> None:
    slot = Slot(NOW + timedelta(seconds=30))
    change = campaign.start(a_broadcast(_S.PAUSED, slot=slot, pause_reason=PauseReason.USER), NOW)

    assert (change.after.slot, change.after.pause_reason, change.action) == (slot, None, Action.RESUMED)


def test_a_start_without_recipients_is_refused() -> None:
    with pytest.raises(Conflicting) as caught:
        campaign.start(a_broadcast(accepted=0), NOW)

    assert caught.value.code == "no_recipients"


@pytest.mark.parametrize(
    ("options", "rows"),
    [((False, False), 3), ((True, False), 11), ((False, True), 7), ((True, True), 15)],
)
def test_a_retry_says_how_many_it_sends_to_and_begins_at_the_first_row(options: tuple[bool, bool], rows: int) -> None:
    done = a_broadcast(_S.COMPLETED, lanes=(Lane(0, ("UTC",), 5, 5),), completed_at=NOW, claims_done=9)

    change = campaign.retry(done, TOTAL, NOW, include_unknown=options[0], include_final=options[1])

    assert change.noted["to_retry"] == rows
    assert (change.after.pass_number, change.after.claims_done, change.after.completed_at) == (2, 0, None)
    assert [lane.cursor for lane in change.after.lanes] == [0]


def test_a_retry_of_nothing_is_refused() -> None:
    with pytest.raises(Conflicting) as caught:
        campaign.retry(a_broadcast(_S.COMPLETED), Counts(sent=5), NOW, include_unknown=True, include_final=True)

    assert caught.value.code == "nothing_to_retry"


def test_a_new_list_replaces_the_one_before_and_counts_at_once() -> None:
    found = a_broadcast(_S.DRAFT, generation=1)

    after = campaign.listed(found, "lists/2", (Lane(0, ("UTC",), 7), Lane(1, ("UTC",), 2)), NOW)

    assert (after.status, after.shown, after.generation) == (_S.IMPORTING, _S.DRAFT, 2)
    assert (after.counted, after.accepted, after.laid) == (Counts(pending=9), 9, 0)
    assert after.leftovers == (Leftover(1, found.lanes),)


@pytest.mark.parametrize(("generation", "laid", "leftovers"), [(0, 0, 0), (1, 0, 1), (1, 5, 1)])
def test_a_list_of_which_a_part_may_be_laid_is_removed(generation: int, laid: int, leftovers: int) -> None:
    found = a_broadcast(_S.IMPORTING, generation=generation, laid=laid, source="lists/1")

    assert len(campaign.listed(found, "lists/2", (), NOW).leftovers) == leftovers


def test_waits_for_others_are_no_active_time() -> None:
    """S5-38."""
    running = a_broadcast(_S.RUNNING, running_since=NOW)
    later = NOW + timedelta(seconds=60)

    for reason in (Waiting.WINDOW, Waiting.QUOTA, Waiting.INSTANCE, Waiting.IMPORT):
        waiting = campaign.waiting(running, later, later, reason)
        assert waiting.active_at(later + timedelta(hours=1)) == 60
        assert campaign.working(waiting, later).running_since == later
    assert campaign.importing(running, later).running_since is None
    assert campaign.waiting(running, later, later, Waiting.PROVIDER).running_since == NOW
    settling = campaign.pause(running, later).after
    assert campaign.waiting(settling, later, later, Waiting.SETTLING).running_since is None


def test_a_list_that_comes_after_the_start_is_what_bounds_the_claims() -> None:
    """Amendment 7."""
    started = campaign.start(a_broadcast(_S.IMPORTING, source="lists/1"), NOW).after

    after = campaign.listed(started, "lists/2", (Lane(0, ("UTC",), 100_000),), NOW)

    assert after.status is _S.RUNNING
    assert after.max_steps == campaign.most_claims(100_000, TERMS.max_retries)


def test_progress_rate_and_time_left_are_the_sources() -> None:
    """S5-37, S5-38, S5-39."""
    total = Counts(pending=40, sending=10, sent=40, failed_final=10)
    running = a_broadcast(_S.RUNNING, active_seconds=120)

    rate = campaign.current_rate(running, total, NOW)

    assert campaign.percent(total) == 50.0
    assert rate == 20.0
    assert campaign.seconds_left(total, rate) == 120
    assert campaign.percent(Counts()) == 0.0
    assert campaign.current_rate(a_broadcast(), total, NOW) is None
    assert campaign.seconds_left(total, 0.0) is None


def test_a_halted_campaign_settles_first_if_it_was_running() -> None:
    running = campaign.halted(a_broadcast(_S.RUNNING, doing="due#claim#1"), NOW, PauseReason.GAP)
    scheduled = campaign.halted(a_broadcast(_S.SCHEDULED), NOW, PauseReason.MISSED_START)

    assert (running.after.status, running.after.wake_at, running.after.doing) == (_S.PAUSING, NOW, None)
    assert (scheduled.after.status, scheduled.after.wake_at) == (_S.PAUSED, None)
    assert (running.action, scheduled.action) == (Action.PAUSING, Action.PAUSED)


def test_a_deleted_campaign_is_on_no_list() -> None:
    """S5-16."""
    change = campaign.delete(a_broadcast(_S.COMPLETED, base=Base(1, 1)), NOW)

    assert (change.after.listed, change.after.kind) == (None, campaign.Kind.GONE)
    assert change.after.is_live
