"""A recipient of a campaign: its states, what it counts for, and its transitions. Pure (design section 3).

 work (ours):       PENDING -claim-> SENDING -outcome-> PENDING | UNKNOWN | FAILED     UNKNOWN -look-> PENDING | CLOSED
                    PENDING -gate-> SKIPPED | FAILED
 evidence (theirs): NONE < SENT < FAILED after acceptance < DELIVERED < READ, and never back [B1]

What the provider said stands above our own state, whatever that is. A row with evidence is never claimed again [B2],
but for a message that failed after its acceptance, which an owner's `retry` may send again.
"""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Self

CHUNK = 1000
"""Rows of a lane in one partition of the table."""
_HISTORY = 5


class Work(StrEnum):
    """Where we are with a row."""

    PENDING = "pending"
    SENDING = "sending"
    UNKNOWN = "unknown"
    CLOSED = "closed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Evidence(IntEnum):
    """What a provider said of a message; only a higher one replaces it."""

    NONE = 0
    SENT = 1
    FAILED = 2
    DELIVERED = 3
    READ = 4


class RowStatus(StrEnum):
    """A row's status as it is shown (S5-5, and ours)."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


SOURCE_STATUS = {
    RowStatus.SENDING: RowStatus.PENDING,
    RowStatus.UNKNOWN: RowStatus.PENDING,
    RowStatus.READ: RowStatus.DELIVERED,
    RowStatus.SKIPPED: RowStatus.FAILED,
}
"""The source's four statuses (S5-5), for clients that ask for them; the others are among the four."""
OUTCOMES = (RowStatus.FAILED, RowStatus.UNKNOWN, RowStatus.SKIPPED)
"""The statuses that the index `by_outcome` lists."""


@dataclass(frozen=True, order=True)
class RowKey:
    """Which row of a campaign: its list's generation, its lane, and its place in the lane, from 0."""

    generation: int
    lane: int
    number: int

    def __str__(self) -> str:
        """`g1/r3/17342`: in the agenda, in callbacks and in answers."""
        return f"g{self.generation}/r{self.lane}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "RowKey":
        """Raises ValueError for anything else."""
        generation, lane, number = text.split("/")
        if generation[:1] != "g" or lane[:1] != "r":
            raise ValueError(f"{text!r} is no key of a row")
        return cls(int(generation[1:]), int(lane[1:]), int(number))

    def item(self, campaign_id: str) -> tuple[str, str]:
        """The `id` and `part` of the row's item: `brd_x#g1#r03#0017`, `0000017342`."""
        return chunk(campaign_id, self.generation, self.lane, self.number // CHUNK), f"{self.number:010d}"

    @classmethod
    def of_item(cls, item_id: str, part: str) -> tuple[str, "RowKey"]:
        """The campaign and the key of an item."""
        campaign_id, generation, lane, _ = item_id.split("#")
        return campaign_id, cls(int(generation[1:]), int(lane[1:]), int(part))


def chunk(campaign_id: str, generation: int, lane: int, number: int) -> str:
    """The partition of the rows from `number` x 1,000 on."""
    return f"{campaign_id}#g{generation}#r{lane:02d}#{number:04d}"


@dataclass(frozen=True)
class Failure:
    """Why a row failed or was skipped: the provider's code or ours, and whether another attempt may succeed."""

    code: str
    text: str
    is_retryable: bool = False


@dataclass(frozen=True)
class Attempt:
    """An earlier attempt of a row, kept when the next one is claimed."""

    id: str
    at: datetime
    outcome: str
    has_failed: bool = False
    """Whether the provider said that it failed, after its acceptance."""


@dataclass(frozen=True)
class Counts:
    """What rows count for; a campaign's counters are the sum over its rows [B3]. Money in 1/1,000,000."""

    pending: int = 0
    sending: int = 0
    unknown: int = 0
    closed: int = 0
    sent: int = 0
    """Sent, delivered or read: it does not sink when a message is delivered (decision 44)."""
    delivered: int = 0
    read: int = 0
    failed_retryable: int = 0
    failed_final: int = 0
    skipped: int = 0
    troubled: int = 0
    """Open rows with a failed attempt: the breaker's."""
    spent: int = 0
    reserved: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, each) + getattr(other, each) for each in COUNTED))

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, each) - getattr(other, each) for each in COUNTED))

    @property
    def open(self) -> int:
        """Rows that are not settled: raised by the chain and by commands alone [B4]."""
        return self.pending + self.sending + self.unknown

    @property
    def in_flight(self) -> int:
        return self.sending + self.unknown

    @property
    def failed(self) -> int:
        return self.failed_retryable + self.failed_final

    @property
    def total(self) -> int:
        return self.open + self.sent + self.failed + self.skipped + self.closed


COUNTED = tuple(each.name for each in fields(Counts))


@dataclass(frozen=True, kw_only=True)
class Row:
    """A recipient of a campaign. Times are UTC."""

    campaign_id: str
    key: RowKey
    phone: str
    """As the list says it, digits only."""
    contact: str
    """The key of the person among the owner's contacts."""
    line: int
    """Of the list, from 1."""
    variables: dict[str, str] = field(default_factory=dict)
    work: Work = Work.PENDING
    evidence: Evidence = Evidence.NONE
    v: int = 0
    """One more with each write: what was read is a condition of each."""
    attempt: str | None = None
    """The id of the last attempt."""
    claimed_at: datetime | None = None
    tries: int = 0
    """Attempts of this pass that were certainly not accepted, but for throttles [B11]."""
    throttles: int = 0
    looks: int = 0
    pass_number: int = 1
    """The pass of the last claim: 1, and one more with each `retry` of the campaign."""
    price: int = 0
    """Of the last attempt, in 1/1,000,000."""
    earlier: int = 0
    """Of attempts before it that were given up: each may have been sent, so the budget stays reserved for them."""
    error: Failure | None = None
    unknown_since: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    message_id: str | None = None
    """The provider's."""
    other_attempts: int = 0
    """How often a provider told of an attempt that is not the last: the person may have two messages."""
    history: tuple[Attempt, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.evidence is Evidence.NONE and self.work in (Work.PENDING, Work.SENDING, Work.UNKNOWN)

    @property
    def status(self) -> RowStatus:
        if self.evidence is not Evidence.NONE:
            return RowStatus[self.evidence.name]
        return RowStatus.UNKNOWN if self.work is Work.CLOSED else RowStatus(self.work.upper())

    @property
    def callback(self) -> str:
        """What a provider that passes our text on gives back with each status."""
        return f"{self.campaign_id}/{self.key}/{self.attempt}"

    def is_due_in(self, pass_number: int, *, include_unknown: bool, include_final: bool) -> bool:
        """Whether this pass may claim it. SENT, DELIVERED, READ and SKIPPED are never claimed again."""
        if self.evidence is Evidence.NONE and self.work is Work.PENDING:
            return True
        if self.pass_number >= pass_number:
            return False
        if self.status is RowStatus.FAILED:
            return include_final or (self.error is not None and self.error.is_retryable)
        return include_unknown and self.status is RowStatus.UNKNOWN and self.work is Work.CLOSED

    def _next(self, **changed: object) -> Self:
        return replace(self, v=self.v + 1, **changed)  # type: ignore[arg-type]


def counts(row: Row) -> Counts:
    """What one row counts for."""
    evidence, work = row.evidence, row.work
    failed = row.status is RowStatus.FAILED
    retryable = failed and row.error is not None and row.error.is_retryable
    is_sent = evidence in (Evidence.SENT, Evidence.DELIVERED, Evidence.READ)
    silent = evidence is Evidence.NONE
    return Counts(
        pending=int(silent and work is Work.PENDING),
        sending=int(silent and work is Work.SENDING),
        unknown=int(silent and work is Work.UNKNOWN),
        closed=int(silent and work is Work.CLOSED),
        sent=int(is_sent),
        delivered=int(evidence >= Evidence.DELIVERED),
        read=int(evidence is Evidence.READ),
        failed_retryable=int(retryable),
        failed_final=int(failed and not retryable),
        skipped=int(silent and work is Work.SKIPPED),
        troubled=int(row.is_open and row.tries > 0),
        spent=row.price if is_sent else 0,
        reserved=row.earlier + (row.price if silent and work in (Work.SENDING, Work.UNKNOWN, Work.CLOSED) else 0),
    )


def claimed(row: Row, attempt: str, price: int, pass_number: int, now: datetime) -> Row:
    """Taken for one attempt. A new pass begins with no failed tries."""
    history = row.history
    if row.attempt and row.claimed_at:
        has_failed = row.evidence is Evidence.FAILED
        history = (*history, Attempt(row.attempt, row.claimed_at, _outcome(row), has_failed))[-_HISTORY:]
    fresh = row.pass_number < pass_number
    return row._next(
        work=Work.SENDING,
        evidence=Evidence.NONE,
        attempt=attempt,
        claimed_at=now,
        price=price,
        earlier=row.earlier + (row.price if row.evidence is Evidence.NONE and row.work is Work.CLOSED else 0),
        pass_number=pass_number,
        tries=0 if fresh else row.tries,
        throttles=0 if fresh else row.throttles,
        looks=0,
        error=None,
        unknown_since=None,
        sent_at=None,
        delivered_at=None,
        read_at=None,
        failed_at=None,
        message_id=None,
        history=history,
    )


def _outcome(row: Row) -> str:
    if row.error:
        return row.error.code
    return str(row.status)


def skipped(row: Row, failure: Failure, now: datetime) -> Row:
    """Not sent, by a rule."""
    return row._next(work=Work.SKIPPED, error=failure, failed_at=now)


def failed(row: Row, failure: Failure, now: datetime) -> Row:
    """Refused for good, or tried as often as the campaign allows."""
    return row._next(work=Work.FAILED, error=failure, failed_at=now)


def back(row: Row, failure: Failure | None = None, *, tries: int = 0, throttles: int = 0) -> Row:
    """PENDING again: it was certainly not accepted. It needs a due row in the same transaction [B22]."""
    return row._next(
        work=Work.PENDING,
        error=failure,
        unknown_since=None,
        tries=row.tries + tries,
        throttles=row.throttles + throttles,
    )


def refused(row: Row, failure: Failure, max_retries: int, now: datetime) -> Row:
    """Certainly not accepted, for a reason that passes: PENDING, or FAILED when no retry is left (S5-2)."""
    if row.tries >= max_retries:
        return failed(replace(row, tries=row.tries + 1), replace(failure, is_retryable=True), now)
    return back(row, failure, tries=1)


def accepted(row: Row, message_id: str, now: datetime) -> Row:
    """The provider has taken it; evidence that came first stands."""
    sent_at = row.sent_at if row.evidence > Evidence.NONE else now
    evidence = max(row.evidence, Evidence.SENT)
    return row._next(
        evidence=evidence,
        message_id=row.message_id or message_id,
        sent_at=sent_at,
        unknown_since=None,
        error=row.error if evidence is Evidence.FAILED else None,
    )


def unknown(row: Row, now: datetime) -> Row:
    """Nobody can say whether it was accepted [B12]."""
    return row._next(work=Work.UNKNOWN, looks=0, unknown_since=row.unknown_since or now)


def looked(row: Row) -> Row:
    """A look could not tell."""
    return row._next(looks=row.looks + 1)


def closed(row: Row) -> Row:
    """Given up: shown as UNKNOWN, and never sent again by itself."""
    return row._next(work=Work.CLOSED)


def told(row: Row, evidence: Evidence, at: datetime, failure: Failure | None, attempt: str | None) -> Row | None:
    """A row after what a provider said of it; None when it says nothing new [B1].

    `attempt`: which attempt the provider names; None when it names none. What an earlier attempt failed by says nothing
    of the last one, nor does it that one which failed had been sent. A person who has a message has it, by whichever.
    """
    foreign = attempt is not None and row.attempt is not None and attempt != row.attempt
    if foreign and evidence is Evidence.FAILED:
        return _lost(row, attempt)
    if evidence <= row.evidence or (foreign and evidence is Evidence.SENT and _is_lost(row, attempt)):
        return None
    found = replace(row, other_attempts=row.other_attempts + int(foreign))
    times: dict[str, object] = {}
    if evidence is Evidence.FAILED:
        return found._next(evidence=evidence, error=failure, failed_at=at, unknown_since=None)
    if row.sent_at is None:
        times["sent_at"] = at
    if evidence >= Evidence.DELIVERED and row.delivered_at is None:
        times["delivered_at"] = at
    if evidence is Evidence.READ:
        times["read_at"] = at
    return found._next(evidence=evidence, error=None, failed_at=None, unknown_since=None, **times)


def _is_lost(row: Row, attempt: str | None) -> bool:
    """Whether an earlier attempt is known to have failed after its acceptance."""
    return any(each.id == attempt and each.has_failed for each in row.history)


def _lost(row: Row, attempt: str | None) -> Row | None:
    """The row with an earlier attempt that failed; None if that is known, or nobody knows such an attempt."""
    history = tuple(replace(each, has_failed=True) if each.id == attempt else each for each in row.history)
    return row._next(history=history) if history != row.history else None


def retry_after(tries: int, jitter: float) -> timedelta:
    """30 s x 2^tries with full jitter, at least 1 s (S5-52). `jitter` is from 0 to 1."""
    longest: timedelta = timedelta(seconds=30) * 2 ** min(tries, 10)
    return max(timedelta(seconds=1), longest * jitter)
