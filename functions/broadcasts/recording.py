"""From the outcomes of calls and looks to what is recorded. Pure (sections 5.7 and 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from broadcasts import agenda, pacing
from broadcasts.agenda import Due
from broadcasts.campaign import Event, Moved
from broadcasts.ports import Accepted, Outcome, Patience, Refused, Scope, Throttled
from broadcasts.row import (
    Evidence,
    Failure,
    Row,
    Work,
    accepted,
    back,
    closed,
    counts,
    failed,
    looked,
    refused,
    retry_after,
    told,
    unknown,
)
from sluice.outward import Absent, Found, Seen

SENT, FAILED = "message:sent", "message:failed"


@dataclass(frozen=True)
class NotCalled:
    """It was claimed, and certainly not called."""


@dataclass(frozen=True)
class Close:
    """No look is left: the outcome stays unknown."""


type Answer = Outcome | NotCalled
type Sight = Seen | Close


@dataclass(frozen=True)
class Recorded:
    """A row after an outcome, and when it is due again."""

    moved: Moved
    due: Due | None = None
    gives_back: bool = False
    """Whether its claim was certainly not accepted: quota and price of the day get it back."""


def after_call(
    row: Row, attempt: str, answer: Answer, now: datetime, *, max_retries: int, patience: Patience, jitter: float
) -> Recorded | None:
    """A row after the outcome of an attempt; None when the outcome says nothing of the row as it is [B9]."""
    if isinstance(answer, Accepted):
        return _after_acceptance(row, attempt, answer.message_id, now)
    if row.attempt != attempt or row.work is not Work.SENDING or row.evidence is not Evidence.NONE:
        return None  # others have judged it, or it was told before: that stands
    match answer:
        case NotCalled():
            return _back(row, back(row), now)
        case Throttled(after_seconds):
            until = pacing.throttled(None, now, wait_of(after_seconds), row.throttles)
            return _back(row, back(row, throttles=1), until or now)
        case Refused(Scope.RECIPIENT, is_final, code, text):
            failure = Failure(code, text)
            if is_final:
                return Recorded(Moved(row, failed(row, failure, now)), gives_back=True)
            return _refused(row, failure, max_retries, now, jitter)
        case Refused(_, _, code, text):
            return _back(row, back(row, Failure(code, text, is_retryable=True)), now)
        case _:
            look_at = now + timedelta(seconds=patience.look_seconds[0])
            return Recorded(Moved(row, unknown(row, now)), agenda.look(row.key, look_at))


def _after_acceptance(row: Row, attempt: str, message_id: str, now: datetime) -> Recorded | None:
    """The evidence is of the row, whatever attempt it is of."""
    after = accepted(row, message_id, now) if row.attempt == attempt else told(row, Evidence.SENT, now, None, attempt)
    return Recorded(Moved(row, after)) if after else None


def _refused(row: Row, failure: Failure, max_retries: int, now: datetime, jitter: float) -> Recorded:
    """Not accepted: tried again later, or FAILED."""
    after = refused(row, failure, max_retries, now)
    if after.work is Work.FAILED:
        return Recorded(Moved(row, after), gives_back=True)
    return _back(row, after, now + retry_after(row.tries, jitter))


def wait_of(after_seconds: float | None) -> timedelta | None:
    """How long a provider asks to wait."""
    return None if after_seconds is None else timedelta(seconds=after_seconds)


def _back(before: Row, after: Row, due_at: datetime) -> Recorded:
    """PENDING again, with the due row that brings it back [B22]."""
    return Recorded(Moved(before, after), agenda.retry(before.key, due_at), gives_back=True)


def after_look(
    row: Row, attempt: str, sight: Sight, now: datetime, *, is_proof: bool, patience: Patience
) -> Recorded | None:
    """A row after a look-up; None when it is not unknown any more.

    `is_proof`: whether an absence means that the message was not sent.
    """
    if row.work is not Work.UNKNOWN or row.attempt != attempt or row.evidence is not Evidence.NONE:
        return None
    is_last = row.looks + 1 >= len(patience.look_seconds)
    match sight:
        case Found(message_id):
            return Recorded(Moved(row, accepted(row, message_id, now)))
        case Absent() if is_proof and is_last:
            return _back(row, back(row), now)
        case Close():
            return Recorded(Moved(row, closed(row)))
        case _:
            after = looked(row)
            return Recorded(Moved(row, after), agenda.look(row.key, _next_look(after, now, patience)))


def _next_look(row: Row, now: datetime, patience: Patience) -> datetime:
    since = row.unknown_since or now
    seconds = (*patience.look_seconds, patience.unknown_seconds)[min(row.looks, len(patience.look_seconds))]
    return max(since + timedelta(seconds=seconds), now + timedelta(seconds=1))


def is_given_up(row: Row, patience: Patience) -> bool:
    """Whether no look is left."""
    return row.looks >= len(patience.look_seconds)


def with_early(
    found: Recorded | None, row: Row, early: tuple[Evidence, datetime, Failure | None] | None, attempt: str
) -> Recorded | None:
    """The row, as `found` leaves it, with a status of this attempt that came before its message was known [B10]."""
    if early is None:
        return found
    if early[0] is Evidence.FAILED and attempt != row.attempt:
        found = None  # that an earlier attempt was accepted which then failed says nothing of the last one
    after = told(found.moved.after if found else row, *early, attempt)
    return Recorded(Moved(row, after)) if after else found


def events(campaign_id: str, owner: str, moved: Sequence[Moved]) -> list[Event]:
    """One event for all messages that were sent, and one for all that failed (S5-26); no phone is in them.

    An attempt is said to be sent once: when it gets its time, and not again when a failed one was delivered after all.
    """
    sent = [each.after for each in moved if each.before and each.after.sent_at and not each.before.sent_at]
    lost = [each.after for each in moved if each.before and counts(each.after).failed > counts(each.before).failed]
    found = []
    for name, rows in ((SENT, sent), (FAILED, lost)):
        if rows:
            entries = [_entry(row, name) for row in rows]
            found.append(Event(name, {"campaignId": campaign_id, "userId": owner, "entries": entries}))
    return found


def _entry(row: Row, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"row": str(row.key)}
    if name == SENT:
        return entry | {"messageId": row.message_id, "at": _text(row.sent_at)}
    if row.message_id:
        entry["messageId"] = row.message_id
    return entry | {"code": row.error.code if row.error else None, "at": _text(row.failed_at)}


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
