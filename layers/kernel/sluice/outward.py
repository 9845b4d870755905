"""Outward calls: what a step does outside the platform, where nothing is transactional (design section 3).

    none -begin-> SENDING -Done-> SENT          SENDING -Refused-> FAILED
                  SENDING -NotTaken-> WAITING -begin-> SENDING
                  SENDING -Unknown, or past its deadline-> UNKNOWN -look-> SENT | WAITING | UNKNOWN | FAILED | STUCK

A call is a small record in the item that it belongs to. Its intent is committed before the call, and its outcome
after. A call with an uncertain outcome is looked up, and is never blindly repeated. Pure, except for `perform`.

Each rule was model-checked (promotions section 4.1): without the intent, the look, the deadline or the settle time, the
model finds a second post.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sluice.ids import nonce

# A child of the handler's logger, whose name is the service's. Not Powertools': a pure domain imports this module.
logger = logging.getLogger(f"sluice.{__name__}")

_FIRST_LOOK = timedelta(seconds=30)
_LONGEST_LOOK = timedelta(hours=1)
_SLACK = timedelta(seconds=15)
"""Clocks differ, and a function that is out of time is not stopped at once."""


class CallState(StrEnum):
    """Where a call stands."""

    SENDING = "sending"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"
    STUCK = "stuck"


@dataclass(frozen=True)
class Done:
    """It happened; `result` is the id that the other side gave it."""

    result: str


@dataclass(frozen=True)
class Refused:
    """It did not happen, and never will as it is."""

    reason: str


@dataclass(frozen=True)
class NotTaken:
    """It did not happen, and may be tried again, not before `retry_at`: a rate limit, a refused connection."""

    reason: str
    retry_at: datetime | None = None


@dataclass(frozen=True)
class Unknown:
    """It may have happened: a timeout, a lost connection, a 5xx, an answer that cannot be read."""

    reason: str


type Outcome = Done | Refused | NotTaken | Unknown
"""What a call answers. It never raises."""


@dataclass(frozen=True)
class Found:
    """It happened."""

    result: str


@dataclass(frozen=True)
class Absent:
    """It is not there."""


@dataclass(frozen=True)
class CannotTell:
    """The look failed: the other side cannot be reached, or has no way to look."""

    reason: str


type Seen = Found | Absent | CannotTell
"""What a look answers. It never raises."""


@dataclass(frozen=True)
class Patience:
    """How long a port is waited for. `settle_seconds`: after it, a request takes effect or is visible, or never."""

    call_seconds: float
    settle_seconds: float
    attempts: int = 5
    looks: int = 20
    first_wait: timedelta = timedelta(seconds=10)
    longest_wait: timedelta = timedelta(hours=1)


@dataclass(frozen=True)
class Call:
    """One call outside, as its item keeps it. Times are UTC."""

    purpose: str
    attempt: int
    """Which attempt this is, from 1."""
    attempt_id: str
    ref: str
    """What the other side knows it by: an idempotency key, or the id of a transaction."""
    state: CallState
    since: datetime
    """When the first attempt began: a look searches from then on, because any of them may have taken effect."""
    begun_at: datetime
    deadline: datetime
    """When its caller is dead at the latest: nobody looks before."""
    settles_at: datetime
    """When an absence counts."""
    due_at: datetime
    """When the next look or attempt is due."""
    absences: int = 0
    """How many attempts came to nothing."""
    refusals: int = 0
    """How often in a row it was not taken."""
    looks: int = 0
    """How many looks in a row could not tell."""
    result: str | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may have happened, without a known outcome."""
        return self.state in (CallState.SENDING, CallState.UNKNOWN)


def begin(before: Call | None, purpose: str, ref: str, now: datetime, ends: datetime, patience: Patience) -> Call:
    """The intent of an attempt; `ends`: when this invocation is dead at the latest."""
    deadline = ends + _SLACK
    settles_at = deadline + timedelta(seconds=patience.settle_seconds)
    attempt, absences, refusals = (before.attempt, before.absences, before.refusals) if before else (0, 0, 0)
    return Call(
        purpose,
        attempt + 1,
        nonce(),
        ref,
        CallState.SENDING,
        since=before.since if before else now,
        begun_at=now,
        deadline=deadline,
        settles_at=settles_at,
        due_at=settles_at,
        absences=absences,
        refusals=refusals,
    )


def answered(call: Call, outcome: Outcome, now: datetime, patience: Patience) -> Call:
    """A call after its answer."""
    match outcome:
        case Done(result):
            return replace(call, state=CallState.SENT, result=result, reason=None)
        case Refused(reason):
            return replace(call, state=CallState.FAILED, reason=reason)
        case NotTaken(reason, retry_at):
            wait = min(patience.first_wait * 2 ** min(call.refusals, 20), patience.longest_wait)
            due_at = now + wait if retry_at is None else max(retry_at, now)
            return replace(call, state=CallState.WAITING, reason=reason, due_at=due_at, refusals=call.refusals + 1)
        case Unknown(reason):
            settles_at = now + timedelta(seconds=patience.settle_seconds)
            return replace(call, state=CallState.UNKNOWN, reason=reason, settles_at=settles_at, due_at=settles_at)


def seen(call: Call, seen: Seen, now: datetime, patience: Patience) -> Call:
    """A call after a look. Raises ValueError for a look before the call's deadline: its caller may be alive."""
    if call.state is CallState.SENDING and now < call.deadline:
        raise ValueError("Nobody looks before the deadline")
    match seen:
        case Found(result):
            return replace(call, state=CallState.SENT, result=result, reason=None)
        case Absent() if now < call.settles_at:
            return replace(call, state=CallState.UNKNOWN, looks=0, due_at=call.settles_at)
        case Absent() if call.absences + 1 >= patience.attempts:
            reason = f"{patience.attempts} attempts came to nothing: {call.reason or 'no answer'}"
            return replace(call, state=CallState.FAILED, absences=call.absences + 1, reason=reason)
        case Absent():
            return replace(call, state=CallState.WAITING, absences=call.absences + 1, looks=0, due_at=now)
        case CannotTell(reason) if call.looks + 1 >= patience.looks:
            return replace(call, state=CallState.STUCK, looks=call.looks + 1, reason=reason)
        case CannotTell(reason):
            due_at = now + min(_FIRST_LOOK * 2 ** min(call.looks, 20), _LONGEST_LOOK)
            return replace(call, state=CallState.UNKNOWN, looks=call.looks + 1, reason=reason, due_at=due_at)


def resolved(call: Call, result: str | None, now: datetime) -> Call:
    """A call after an operator said what happened: its result; None if the call never happened."""
    if result is not None:
        return replace(call, state=CallState.SENT, result=result, reason=None)
    return replace(call, state=CallState.WAITING, looks=0, due_at=now)


def looked_again(call: Call, now: datetime) -> Call:
    """A call whose looks failed, and which is looked up again."""
    return replace(call, state=CallState.UNKNOWN, looks=0, due_at=now)


def perform(call: Call, do: Callable[[Call], Outcome], now: datetime, patience: Patience) -> Outcome:
    """Make the call once, and return its outcome. A call that could end after its deadline is not made."""
    if now + timedelta(seconds=patience.call_seconds) > call.deadline:
        return NotTaken("There was not enough time left")
    try:
        return do(call)
    except Exception as error:  # whatever it is: the call may have happened
        logger.exception("A call ended in an unforeseen error", extra={"purpose": call.purpose})
        return Unknown(f"{type(error).__name__}")
