"""What a step of a broadcast does: settle, look, lay, remove, claim, wait or end. Pure (section 5).

What is read beside the campaign is given; each function returns the Change to commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from broadcasts import agenda
from broadcasts import campaign as broadcasts
from broadcasts.agenda import Due
from broadcasts.campaign import (
    LATE,
    Broadcast,
    BroadcastStatus,
    Change,
    Leftover,
    Moved,
    PauseReason,
    Waiting,
)
from broadcasts.ports import Patience
from broadcasts.row import Row, RowKey, Work, unknown

WORKER_SECONDS = 60
"""The worker's timeout: an invocation that commits a claim now is dead after it. A test compares the template."""
SETTLES_AFTER = timedelta(seconds=WORKER_SECONDS + 15)
"""After this, by Lambda's own timeout, nobody makes a call of a claim any more [B13]."""
CALLS_UNTIL = timedelta(seconds=WORKER_SECONDS - 15)
"""A call begins at most this long after its claim."""
LOOKS_AT_ONCE = 10
_REMOVED_AT_ONCE = 90
_SHORTEST_EMPTY = timedelta(seconds=2)


# What is in flight


def overdue_claim(due: Sequence[Due], now: datetime) -> Due | None:
    """A claim whose deadline has passed."""
    return next((each for each in due if each.kind is agenda.Kind.CLAIM and each.at <= now), None)


def settle(campaign: Broadcast, claim: Due, rows: Mapping[RowKey, Row], now: datetime, patience: Patience) -> Change:
    """Judge a claim whose worker is dead: its rows that are still being sent become UNKNOWN [B6], never PENDING."""
    left = [
        row
        for each in claim.rows
        if (row := rows.get(each.key)) and row.work is Work.SENDING and row.is_open and row.attempt == each.attempt
    ]
    moved = tuple(Moved(row, unknown(row, now)) for row in left)
    look_at = first_look(patience, now)
    looks = tuple(agenda.look(each.after.key, look_at, claim.day) for each in moved if each.after.is_open)
    after = replace(broadcasts.stepped(campaign, now, now), in_flight_until=_in_flight_until(campaign, patience, now))
    return Change(campaign, after, moved=moved, put=looks, dropped=(claim,)).counting()


def first_look(patience: Patience, now: datetime) -> datetime:
    """When an outcome that nobody knows is looked up: not before its request has settled [B15]."""
    return now + timedelta(seconds=patience.look_seconds[0])


def _in_flight_until(campaign: Broadcast, patience: Patience, now: datetime) -> datetime:
    until = now + timedelta(seconds=patience.unknown_seconds)
    return max(campaign.in_flight_until or until, until)


def due_looks(due: Sequence[Due], now: datetime) -> tuple[Due, ...]:
    """The look-ups that are due, at most ten."""
    return tuple(each for each in due if each.kind is agenda.Kind.LOOK and each.at <= now)[:LOOKS_AT_ONCE]


def begin_looks(campaign: Broadcast, looks: Sequence[Due], now: datetime) -> Change:
    """Claim look-ups: nobody else makes them before this worker is dead (amendment 6)."""
    later = tuple(each.moved_to(now + SETTLES_AFTER) for each in looks)
    return Change(campaign, broadcasts.stepped(campaign, now, now), put=later, dropped=tuple(looks))


# The list


def too_late(campaign: Broadcast, reopened_at: datetime | None, now: datetime) -> Change | None:
    """A start or a step that comes hours late is put before a person; a stop of the platform is no lateness."""
    due_at = max(filter(None, (campaign.wake_at, reopened_at)), default=now)
    if now - due_at <= LATE or campaign.status not in (BroadcastStatus.SCHEDULED, BroadcastStatus.RUNNING):
        return None
    is_start = campaign.status is BroadcastStatus.SCHEDULED
    return broadcasts.halted(campaign, now, PauseReason.MISSED_START if is_start else PauseReason.GAP)


def remove(campaign: Broadcast, now: datetime) -> Change | None:
    """Remove the next rows of older lists; None when none is left."""
    if not campaign.leftovers:
        return None
    stepped = broadcasts.importing(broadcasts.stepped(campaign, now, now), now)
    first, *others = campaign.leftovers
    lane = next((each for each in first.lanes if not each.is_done), None)
    if lane is None:
        return Change(campaign, replace(stepped, leftovers=tuple(others)))
    until = min(lane.cursor + _REMOVED_AT_ONCE, lane.rows)
    keys = tuple(RowKey(first.generation, lane.number, number) for number in range(lane.cursor, until))
    lanes = tuple(lane.moved(until) if each.number == lane.number else each for each in first.lanes)
    leftovers = (Leftover(first.generation, lanes), *others)
    return Change(campaign, replace(stepped, leftovers=leftovers), removed=keys)


def laid(campaign: Broadcast, rows: int, now: datetime) -> Change:
    """So many more rows are items."""
    done = campaign.laid + rows
    source = None if done >= campaign.accepted else campaign.source
    after = broadcasts.importing(broadcasts.stepped(campaign, now, now), now)
    return Change(campaign, replace(after, laid=done, source=source))


def rest(campaign: Broadcast, now: datetime) -> Change:
    """All rows are laid down: a draft again, or scheduled."""
    return Change(campaign, broadcasts.rested(broadcasts.stepped(campaign, now, now)))


def all_left(campaign: Broadcast) -> tuple[Leftover, ...]:
    """Every row that a deletion removes, of every list."""
    own = Leftover(campaign.generation, tuple(replace(each, cursor=0) for each in campaign.lanes))
    return (*campaign.leftovers, own) if campaign.laid or campaign.source else campaign.leftovers


# Waiting and ending


def wait_for_settling(campaign: Broadcast, due: Sequence[Due], now: datetime) -> Change:
    """A settling campaign with something in flight: again when the next of that is due.

    A record may settle it sooner, so a step looks for that in 2, 4, 8 .. 30 s.
    """
    times = [each.at for each in due if each.kind is not agenda.Kind.RETRY]
    if not times or _is_at_work(due, now):
        times.append(now + _backoff(campaign))
    wake_at = max(min(times), now + _SHORTEST_EMPTY)
    return Change(campaign, broadcasts.waiting(campaign, now, wake_at, Waiting.SETTLING))


def wait(
    campaign: Broadcast, due: Sequence[Due], now: datetime, reason: Waiting, until: datetime | None = None
) -> Change:
    """An empty step: again when the wait ends, or when something has to be settled, but not before 2 s."""
    settling = [each.at for each in due if each.kind is not agenda.Kind.RETRY]
    wake_at = min([until or now + _backoff(campaign), *settling])
    return Change(campaign, broadcasts.waiting(campaign, now, max(wake_at, now + _SHORTEST_EMPTY), reason))


def wait_for_agenda(campaign: Broadcast, due: Sequence[Due], now: datetime, longest: timedelta) -> Change:
    """An empty step of a campaign whose lists are at their ends: again when the first of the agenda is due.

    A record may settle what is in flight sooner, so a step looks for that in 2, 4, 8 .. 30 s.
    """
    times = [each.at for each in due]
    if not times or _is_at_work(due, now):
        times.append(now + min(_backoff(campaign), longest))
    wake_at = max(min(times), now + _SHORTEST_EMPTY)
    return Change(campaign, broadcasts.waiting(campaign, now, wake_at, Waiting.RETRY))


def _is_at_work(due: Sequence[Due], now: datetime) -> bool:
    """Whether a worker makes calls or looks rows up now: its record comes before the deadline that is on the agenda.

    A look that a worker makes has 75 s, and none that waits for its time is first so far ahead.
    """
    soon, latest = now + SETTLES_AFTER / 2, now + SETTLES_AFTER
    return any(
        each.kind is agenda.Kind.CLAIM or (each.kind is agenda.Kind.LOOK and soon < each.at <= latest) for each in due
    )


def _backoff(campaign: Broadcast) -> timedelta:
    doubled: timedelta = _SHORTEST_EMPTY * 2 ** min(campaign.empties, 5)
    return min(doubled, timedelta(seconds=30))
