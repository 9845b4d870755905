"""A broadcast: its states, its commands, and the ends of its steps. Pure: each returns the Change to commit.

 DRAFT --(scheduledFor)--> SCHEDULED --its time, or start--> RUNNING --> COMPLETED
   \\------------------- start ------------------------------/  |  ^        |
                      pausing -> PAUSED <--- pause, breaker ---/  \\- start, resume; retry (also from COMPLETED, FAILED)
                      cancelling -> FAILED, failureReason CANCELLED       the import failed -> FAILED

`importing`, `pausing` and `cancelling` are live, and shown as DRAFT (or SCHEDULED), PAUSED and FAILED: in the last two
the chain claims nothing, and settles what is in flight [B5]. `deleting` and `deleted` are not found by anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any

from broadcasts.agenda import Due
from broadcasts.breaker import Base
from broadcasts.contact import Contact
from broadcasts.instance import Instance
from broadcasts.lanes import Lane
from broadcasts.pacing import Slot
from broadcasts.row import Counts, Row, RowKey, counts
from broadcasts.windows import Windows
from sluice import campaign as chains
from sluice.campaign import Chained
from sluice.errors import Conflicting

PREFIX = "brd"
"""The prefix of a campaign's id."""
LATE = timedelta(hours=6)
"""A start, or a step, that comes later than this is put before a person: a long outage or a backup sends nothing."""
CLOSES_AFTER = timedelta(minutes=15)
"""How long an unknown outcome holds its campaign open."""


class BroadcastStatus(StrEnum):
    """Where a campaign stands, in the source's words (S5-5), and where it is shown as one of them."""

    DRAFT = "DRAFT"
    IMPORTING = "importing"
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    PAUSING = "pausing"
    PAUSED = "PAUSED"
    CANCELLING = "cancelling"
    FAILED = "FAILED"
    COMPLETED = "COMPLETED"
    DELETING = "deleting"
    DELETED = "deleted"


_S = BroadcastStatus
LIVE = frozenset({_S.IMPORTING, _S.SCHEDULED, _S.RUNNING, _S.PAUSING, _S.CANCELLING, _S.DELETING})
SETTLING = frozenset({_S.PAUSING, _S.CANCELLING, _S.DELETING})
"""A step of these sends nothing, and runs while the platform is stopped too (amendment 5)."""
GONE = frozenset({_S.DELETING, _S.DELETED})
_SHOWN = {_S.PAUSING: _S.PAUSED, _S.CANCELLING: _S.FAILED}
_EDITABLE = frozenset({_S.DRAFT, _S.IMPORTING, _S.SCHEDULED})
_STARTABLE = frozenset({_S.DRAFT, _S.IMPORTING, _S.SCHEDULED, _S.PAUSED, _S.PAUSING})
_CANCELLABLE = frozenset({_S.DRAFT, _S.IMPORTING, _S.SCHEDULED, _S.RUNNING, _S.PAUSED, _S.PAUSING})
_DELETABLE = frozenset({_S.DRAFT, _S.IMPORTING, _S.COMPLETED, _S.FAILED, _S.CANCELLING})
_RETRYABLE = frozenset({_S.COMPLETED, _S.PAUSED, _S.PAUSING, _S.FAILED, _S.CANCELLING})


class Action(StrEnum):
    """The actions in the audit log."""

    CREATED = "BROADCAST_CREATED"
    EDITED = "BROADCAST_EDITED"
    STARTED = "BROADCAST_STARTED"
    RESUMED = "BROADCAST_RESUMED"
    PAUSING = "BROADCAST_PAUSING"
    PAUSED = "BROADCAST_PAUSED"
    CANCELLING = "BROADCAST_CANCELLING"
    CANCELLED = "BROADCAST_CANCELLED"
    RETRIED = "BROADCAST_RETRIED"
    COMPLETED = "BROADCAST_COMPLETED"
    FAILED = "BROADCAST_FAILED"
    DELETED = "BROADCAST_DELETED"
    REMOVED = "BROADCAST_REMOVED"
    BUDGET_WARNED = "BROADCAST_BUDGET_WARNED"
    BUDGET_REACHED = "BROADCAST_BUDGET_REACHED"
    QUOTA_WARNED = "BROADCAST_QUOTA_WARNED"
    QUOTA_REACHED = "BROADCAST_QUOTA_REACHED"


class PauseReason(StrEnum):
    """Why a campaign paused."""

    USER = "user"
    ERROR_RATE = "error_rate"
    BUDGET = "budget"
    GAP = "gap"
    MISSED_START = "missed_start"
    MAX_STEPS = "max_steps"
    TEMPLATE = "template"


class Waiting(StrEnum):
    """What a running campaign waits for: that time is not active time (S5-38)."""

    IMPORT = "import"
    WINDOW = "window"
    QUOTA = "quota"
    INSTANCE = "instance"
    PROVIDER = "provider"
    RETRY = "retry"
    SETTLING = "settling"


_ACTIVE_WAITS = frozenset({Waiting.PROVIDER, Waiting.RETRY, Waiting.SETTLING})


class Kind(StrEnum):
    """For the list of all: a campaign, or what no list has: a test message (amendment 13), a deleted one."""

    CAMPAIGN = "campaign"
    TEST = "test"
    GONE = "gone"


@dataclass(frozen=True)
class Leftover:
    """Rows of an older list that are to be removed: a generation, and how many rows its lanes hold."""

    generation: int
    lanes: tuple[Lane, ...]


@dataclass(frozen=True)
class Text:
    """What a campaign sends, frozen at its start; an item beside the campaign, read once and kept by its version."""

    version: int
    message: str
    template: "TemplateText | None" = None


@dataclass(frozen=True)
class TemplateText:
    """A version of a provider's template: the texts, such as `{{name}}`, that fill its header and its body."""

    name: str
    language: str
    category: str
    header: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What an owner asks for (S5-1, S5-27). Money in 1/1,000,000; `rate_limit` is messages a minute."""

    name: str
    instance_id: str
    rate_limit: int
    template_id: str | None = None
    template_version: int | None = None
    media_url: str | None = None
    media_id: str | None = None
    """A file that the owner uploaded; with `media_type`, as `media_url`."""
    media_type: str | None = None
    scheduled_for: datetime | None = None
    windows: Windows | None = None
    time_zone: str | None = None
    budget: int | None = None
    max_retries: int = 3


@dataclass(frozen=True, kw_only=True)
class Broadcast(Terms, Chained):
    """A campaign as its item keeps it. Times are UTC."""

    kind: Kind = Kind.CAMPAIGN
    listed: str | None = None
    """The owner whose list has it; None for a test, and once it is deleted."""
    status: BroadcastStatus = BroadcastStatus.DRAFT
    currency: str = "USD"
    text_version: int = 1
    # The list
    generation: int = 0
    accepted: int = 0
    """Rows of the list: all of them count from the moment that the list is accepted (amendment 3)."""
    laid: int = 0
    """Rows of it that are items already."""
    source: str | None = None
    """Where the clean rows lie in the bucket; None when all are laid."""
    lanes: tuple[Lane, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    # The sending
    pass_number: int = 1
    include_unknown: bool = False
    include_final: bool = False
    slot: Slot | None = None
    """What is reserved for the next batch [B16]."""
    counted: Counts = field(default_factory=Counts)
    """What the chain's own writes count for; the others' have items of their own."""
    doing: str | None = None
    """The part of the claim that the last step committed, if it did."""
    empties: int = 0
    """Steps in a row that sent nothing: the wait doubles."""
    base: Base = field(default_factory=Base)
    probing: Base | None = None
    """After the breaker: the numbers since which five rows in a row must be sent; None when it is closed."""
    waiting_for: Waiting | None = None
    running_since: datetime | None = None
    """Since when it is active; None while it is not."""
    active_seconds: int = 0
    claims_done: int = 0
    """Steps with a claim since the last start: what `max_steps` bounds (amendment 7)."""
    budget_warned: bool = False
    budget_reached: bool = False
    # Its ends
    started_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    pause_reason: PauseReason | None = None
    failure_reason: str | None = None
    in_flight_until: datetime | None = None
    """The latest deadline of what is in flight."""

    @property
    def owner(self) -> str:
        """The subject that it belongs to (S5-1: `userId`)."""
        return self.created_by

    @property
    def is_live(self) -> bool:
        return self.status in LIVE and self.wake_at is not None

    @property
    def shown(self) -> BroadcastStatus:
        """Its status in the source's words."""
        if self.status is _S.IMPORTING:
            return _S.SCHEDULED if self.scheduled_for else _S.DRAFT
        return _SHOWN.get(self.status, self.status)

    @property
    def is_laid(self) -> bool:
        return self.source is None

    def active_at(self, now: datetime) -> int:
        """Seconds that it was active until now (decision 41)."""
        running = (now - self.running_since).total_seconds() if self.running_since else 0
        return self.active_seconds + max(0, int(running))


@dataclass(frozen=True)
class Moved:
    """A row before and after; `before` is None for a row that is laid down."""

    before: Row | None
    after: Row

    @property
    def counted(self) -> Counts:
        return counts(self.after) - (counts(self.before) if self.before else Counts())


@dataclass(frozen=True)
class Event:
    """An event for the outbox."""

    name: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Taken:
    """What a claim takes of a day's quota: on condition that the day has room for it."""

    owner: str
    day: str
    count: int
    price: int
    most: int | None
    """The most that the day may have taken before this; None for no limit."""


@dataclass(frozen=True)
class Flagged:
    """That an alert of a day's quota was given: on condition that it was not."""

    owner: str
    day: str
    flag: str


@dataclass(frozen=True)
class Change(chains.Change[Broadcast]):
    """What one transaction does to a campaign, and to what lies beside it."""

    moved: tuple[Moved, ...] = ()
    removed: tuple[RowKey, ...] = ()
    contacts: tuple[tuple[Contact, Contact], ...] = ()
    instance: tuple[Instance, Instance] | None = None
    taken: Taken | None = None
    flagged: Flagged | None = None
    put: tuple[Due, ...] = ()
    dropped: tuple[Due, ...] = ()
    text: Text | None = None
    needs: tuple[str, ...] = ()
    """Ids of the instance, and of the template, that it is by: on condition that neither is deleted."""
    events: tuple[Event, ...] = ()
    noted: dict[str, Any] = field(default_factory=dict)
    """What the audit entry says besides."""

    def counting(self) -> "Change":
        """The change, with its rows counted on the campaign [B3]."""
        counted = sum((each.counted for each in self.moved if each.before), self.after.counted)
        return replace(self, after=replace(self.after, counted=counted))


# Commands


def create(
    campaign_id: str, owner: str, terms: Terms, text: Text, currency: str, now: datetime, kind: Kind = Kind.CAMPAIGN
) -> Change:
    """A draft without recipients; `listed` gives it some."""
    campaign = Broadcast(
        id=campaign_id,
        created_at=now,
        created_by=owner,
        updated_at=now,
        kind=kind,
        listed=owner if kind is Kind.CAMPAIGN else None,
        currency=currency,
        text_version=text.version,
        **vars(terms),
    )
    return Change(None, campaign, Action.CREATED, text=text)


def listed(campaign: Broadcast, source: str, lanes: Sequence[Lane], now: datetime) -> Broadcast:
    """The campaign with a list in place of the one before, whose rows the chain lays down (amendments 2 and 3).

    All rows count as pending at once. The rows of the list before are removed first.
    """
    accepted = sum(each.rows for each in lanes)
    is_running = campaign.status is _S.RUNNING
    # Not by `laid`: a step may have laid rows whose count it could not commit any more.
    before = Leftover(campaign.generation, tuple(replace(each, cursor=0) for each in campaign.lanes))
    old = (before,) if campaign.generation else ()
    return replace(
        campaign,
        status=campaign.status if is_running else _S.IMPORTING,
        max_steps=most_claims(accepted, campaign.max_retries) if is_running else campaign.max_steps,
        wake_at=now,
        generation=campaign.generation + 1,
        accepted=accepted,
        laid=0,
        source=source,
        lanes=tuple(lanes),
        leftovers=campaign.leftovers + old,
        counted=Counts(pending=accepted),
    )


def edit(campaign: Broadcast, terms: Terms, text: Text | None, now: datetime) -> Change:
    """Change a draft, or a campaign that is scheduled (S5-15). Raises Conflicting."""
    _require(campaign, _EDITABLE, "not_editable")
    after = replace(campaign.commanded(now), **vars(terms))
    if text:
        after = replace(after, text_version=text.version)
    return Change(campaign, rested(after), Action.EDITED, text=text)


def rested(campaign: Broadcast) -> Broadcast:
    """A campaign that is not started: DRAFT, SCHEDULED for its time, or importing until its rows are laid down."""
    if not campaign.is_laid or campaign.leftovers:
        return replace(campaign, status=_S.IMPORTING, wake_at=campaign.updated_at)
    if campaign.scheduled_for and campaign.accepted:
        return replace(campaign, status=_S.SCHEDULED, wake_at=campaign.scheduled_for)
    return replace(campaign, status=_S.DRAFT, wake_at=None)


def start(campaign: Broadcast, now: datetime, *, resumes: bool = False) -> Change:
    """Start, or go on after a pause (S5-17, decision 43). Raises Conflicting.

    It keeps the slot that it has: pausing is no way around the pace [B17].
    """
    allowed = frozenset({_S.PAUSED, _S.PAUSING}) if resumes else _STARTABLE
    _require(campaign, allowed, "not_startable")
    if not campaign.accepted:
        raise Conflicting("The campaign has no recipients: give it some, by PUT or by an import", "no_recipients")
    was_paused = campaign.shown is _S.PAUSED
    after = replace(
        _running(campaign.commanded(now), now, campaign.accepted),
        started_at=campaign.started_at or now,
        pause_reason=None,
    )
    return Change(campaign, after, Action.RESUMED if was_paused else Action.STARTED)


def _running(campaign: Broadcast, now: datetime, rows: int) -> Broadcast:
    return replace(
        campaign,
        status=_S.RUNNING,
        wake_at=now,
        empties=0,
        waiting_for=None,
        running_since=now,
        claims_done=0,
        max_steps=most_claims(rows, campaign.max_retries),
        completed_at=None,
        failure_reason=None,
        cancelled_at=None,
    )


def most_claims(rows: int, max_retries: int) -> int:
    """How many steps may claim: 4 x rows x (retries + 1) + 1,000 (amendment 7)."""
    return 4 * rows * (max_retries + 1) + 1000


def pause(campaign: Broadcast, now: datetime, reason: PauseReason = PauseReason.USER) -> Change:
    """Claim nothing more; PAUSED when what is in flight is settled [B5]. Raises Conflicting."""
    _require(campaign, frozenset({_S.RUNNING}), "not_pausable")
    after = replace(_inactive(campaign.commanded(now), now), status=_S.PAUSING, wake_at=now, pause_reason=reason)
    return Change(campaign, after, Action.PAUSING)


def cancel(campaign: Broadcast, now: datetime) -> Change:
    """End it: FAILED with the reason CANCELLED (S5-19, decision 42). Raises Conflicting."""
    _require(campaign, _CANCELLABLE, "not_cancellable")
    after = replace(
        _inactive(campaign.commanded(now), now),
        status=_S.CANCELLING,
        wake_at=now,
        pause_reason=None,
        failure_reason="CANCELLED",
        cancelled_at=now,
    )
    return Change(campaign, after, Action.CANCELLING)


def retry(campaign: Broadcast, total: Counts, now: datetime, *, include_unknown: bool, include_final: bool) -> Change:
    """Send to the rest: what failed for a reason that may pass, and what the caller includes (section 4).

    `total`: the sum of the counters. Raises Conflicting.
    """
    _require(campaign, _RETRYABLE, "not_retryable")
    rows = to_retry(total, include_unknown=include_unknown, include_final=include_final)
    if not rows:
        raise Conflicting("There is nothing to retry: include_unknown and include_final add rows", "nothing_to_retry")
    after = replace(
        _running(campaign.commanded(now), now, rows),
        pass_number=campaign.pass_number + 1,
        include_unknown=include_unknown,
        include_final=include_final,
        lanes=tuple(replace(each, cursor=0) for each in campaign.lanes),
        pause_reason=None,
    )
    return Change(campaign, after, Action.RETRIED, noted={"to_retry": rows, "include_unknown": include_unknown})


def to_retry(total: Counts, *, include_unknown: bool, include_final: bool) -> int:
    """How many rows a `retry` sends to; what is in flight may be added to it."""
    return (
        total.pending
        + total.failed_retryable
        + (total.failed_final if include_final else 0)
        + (total.closed if include_unknown else 0)
    )


def delete(campaign: Broadcast, now: datetime) -> Change:
    """Not found from now on; the chain removes its rows (S5-16). Raises Conflicting."""
    _require(campaign, _DELETABLE, "not_deletable")
    after = replace(_inactive(campaign.commanded(now), now), status=_S.DELETING, wake_at=now, kind=Kind.GONE)
    after = replace(after, listed=None)
    return Change(campaign, after, Action.DELETED)


def _require(campaign: Broadcast, allowed: frozenset[BroadcastStatus], code: str) -> None:
    if campaign.status not in allowed:
        raise Conflicting(f"The campaign is {campaign.shown}", code)


# Steps


def stepped(campaign: Broadcast, now: datetime, wake_at: datetime) -> Broadcast:
    """The campaign after a step that claimed nothing: it does not count among its steps (amendment 7)."""
    return replace(campaign.commanded(now), wake_at=wake_at, doing=None)


def waiting(campaign: Broadcast, now: datetime, wake_at: datetime, reason: Waiting) -> Broadcast:
    """The campaign after a step that sent nothing; what it waits for says whether it is active."""
    after = replace(stepped(campaign, now, wake_at), waiting_for=reason, empties=campaign.empties + 1)
    if reason not in _ACTIVE_WAITS:
        return _inactive(after, now)
    return after if campaign.status in SETTLING else replace(after, running_since=campaign.running_since or now)


def importing(campaign: Broadcast, now: datetime) -> Broadcast:
    """The campaign at a step of its list: a running one waits for that, and is not active."""
    if campaign.status is not _S.RUNNING:
        return campaign
    return replace(_inactive(campaign, now), waiting_for=Waiting.IMPORT)


def working(campaign: Broadcast, now: datetime) -> Broadcast:
    """The campaign at a step that sends, or waits for its turn to."""
    return replace(campaign, waiting_for=None, empties=0, running_since=campaign.running_since or now)


def _inactive(campaign: Broadcast, now: datetime) -> Broadcast:
    return replace(campaign, active_seconds=campaign.active_at(now), running_since=None)


def ended(campaign: Broadcast, now: datetime) -> Change | None:
    """What a settling campaign becomes once nothing is in flight; None while it is not settling."""
    after = replace(campaign.commanded(now), wake_at=None, doing=None, waiting_for=None, in_flight_until=None)
    match campaign.status:
        case _S.PAUSING:
            return Change(campaign, replace(after, status=_S.PAUSED), Action.PAUSED)
        case _S.CANCELLING:
            return Change(campaign, replace(after, status=_S.FAILED), Action.CANCELLED)
        case _:
            return None


def completed(campaign: Broadcast, now: datetime) -> Change:
    """Nothing is open, and all lanes are at their ends [B4]."""
    after = replace(
        _inactive(campaign.commanded(now), now),
        status=_S.COMPLETED,
        wake_at=None,
        doing=None,
        completed_at=now,
        waiting_for=None,
        in_flight_until=None,
    )
    return Change(campaign, after, Action.COMPLETED)


def removed(campaign: Broadcast, now: datetime) -> Change:
    """The last step of a deletion: what stays is a name for the audit log."""
    after = replace(campaign.commanded(now), status=_S.DELETED, wake_at=None, doing=None, name="", lanes=())
    return Change(campaign, after, Action.REMOVED)


def halted(campaign: Broadcast, now: datetime, reason: PauseReason) -> Change:
    """A pause that the chain itself asks for."""
    status = {"status": _S.PAUSING} if campaign.status is _S.RUNNING else {"status": _S.PAUSED}
    after = replace(
        _inactive(campaign.commanded(now), now),
        wake_at=now if campaign.status is _S.RUNNING else None,
        pause_reason=reason,
        doing=None,
        **status,  # type: ignore[arg-type]
    )
    return Change(campaign, after, Action.PAUSING if campaign.status is _S.RUNNING else Action.PAUSED)


# Progress (S5-37 to S5-39)


def percent(total: Counts) -> float:
    """`(total - open) / total x 100`, which is the source's formula where nothing is skipped or given up (S5-37)."""
    return round((total.total - total.open) / total.total * 100, 2) if total.total else 0.0


def current_rate(campaign: Broadcast, total: Counts, now: datetime) -> float | None:
    """Messages a minute over its active time; None at 0 s (S5-38, decision 41)."""
    seconds = campaign.active_at(now)
    return round(total.sent / seconds * 60, 2) if seconds else None


def seconds_left(total: Counts, rate: float | None) -> int | None:
    """`pending / rate x 60`; None at rate 0 (S5-39)."""
    return ceil(total.pending / rate * 60) if rate else None
