"""A campaign that counts to a number, and makes a call outside for each. Pure.

pending -> running <-> paused; running -> completed | failed; every state before the end can be cancelled
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sluice import campaign as engine
from sluice.campaign import Chained, max_steps
from sluice.errors import Conflicting, Invalid

PREFIX = "bst"  # of the place that it takes
DEADLINE = timedelta(minutes=1)
"""After so long a call has arrived, or never will."""


class Status(StrEnum):
    """Of a campaign."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


LIVE = frozenset({Status.RUNNING})
_ENDED = frozenset({Status.COMPLETED, Status.CANCELLED, Status.FAILED})


class Action(StrEnum):
    """What the audit log calls it."""

    CREATED = "REFERENCE_CREATED"
    STARTED = "REFERENCE_STARTED"
    PAUSED = "REFERENCE_PAUSED"
    RESUMED = "REFERENCE_RESUMED"
    CANCELLED = "REFERENCE_CANCELLED"
    COMPLETED = "REFERENCE_COMPLETED"
    FAILED = "REFERENCE_FAILED"


@dataclass(frozen=True)
class Terms:
    """What is asked for. After `begin_by` it is too late to create the campaign."""

    total: int
    pace_seconds: int
    begin_by: datetime | None


@dataclass(frozen=True, kw_only=True)
class Campaign(Chained):
    """One campaign. `pace_seconds` lie between a call and the next."""

    total: int
    pace_seconds: int
    status: Status = Status.PENDING
    counted: int = 0
    call: str | None = None
    """The call that is under way: its intent is stored, its outcome is not known."""

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def pace(self) -> timedelta:
        return timedelta(seconds=self.pace_seconds)


type Change = engine.Change[Campaign]


def create(new: Campaign, begin_by: datetime | None, now: datetime) -> Change:
    """A new campaign. Raises Invalid after `begin_by`: what time alone makes wrong."""
    if begin_by and now > begin_by:
        raise Invalid.of("begin_by", "begin_by has passed")
    return engine.Change(None, new, Action.CREATED)


def execute(found: Campaign, now: datetime) -> Change:
    """Start, or resume: pausing is no way around the pace, nor around the deadline of a call."""
    if found.status not in (Status.PENDING, Status.PAUSED):
        raise Conflicting(f"A campaign that is {found.status} cannot be executed", "not_executable")
    is_new = found.status is Status.PENDING
    running = replace(found.commanded(now), status=Status.RUNNING, wake_at=max(now, found.wake_at or now))
    running = replace(running, max_steps=found.max_steps or max_steps(found.total))
    return engine.Change(found, running, Action.STARTED if is_new else Action.RESUMED)


def pause(found: Campaign, now: datetime) -> Change:
    if found.status is not Status.RUNNING:
        raise Conflicting(f"A campaign that is {found.status} cannot be paused", "not_pausable")
    return engine.Change(found, replace(found.commanded(now), status=Status.PAUSED), Action.PAUSED)


def cancel(found: Campaign, now: datetime) -> Change | None:
    """None when it is cancelled already: there is nothing to change."""
    if found.status is Status.CANCELLED:
        return None
    if found.status in _ENDED:
        raise Conflicting(f"A campaign that is {found.status} cannot be cancelled", "not_cancellable")
    return engine.Change(found, replace(found.commanded(now), status=Status.CANCELLED, wake_at=None), Action.CANCELLED)


def run_step(found: Campaign, was_made: bool, now: datetime) -> Change:
    """Begin the next call, or end. Where the last call has no outcome by its deadline, only settle it: `was_made`."""
    stepped = found.stepped(now)
    if found.is_exhausted:
        return engine.Change(found, replace(stepped, status=Status.FAILED, wake_at=None), Action.FAILED)
    if found.call is not None:
        settled = replace(stepped, call=None, counted=found.counted + was_made, wake_at=now + found.pace)
        return engine.Change(found, settled)
    if found.counted == found.total:
        return engine.Change(found, replace(stepped, status=Status.COMPLETED, wake_at=None), Action.COMPLETED)
    call = f"{found.id}/{found.counted + 1}/{stepped.step}"
    return engine.Change(found, replace(stepped, call=call, wake_at=now + DEADLINE), is_batch=True)


def record(found: Campaign, call: str, now: datetime) -> Change | None:
    """Record that a call was made, whatever the status is by now; None when it is settled already."""
    if found.call != call:
        return None
    next_at = now + found.pace if found.wake_at else None
    return engine.Change(found, replace(found.commanded(now), call=None, counted=found.counted + 1, wake_at=next_at))
