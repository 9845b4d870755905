"""A promotion: its states, its fields, and its changes. Pure.

 CampaignDraft --publish--> CampaignPending --second post recorded--> CampaignRunning --close--> CampaignClosed
      ^                          |  cancel, or refused for good
      +-------- rolled back -----+

 stage: first_post  contract  second_post | running | final_metrics engagers split rewards
                                                             refund finalise | claims [expire] settled
 back:  undo_second undo_contract undo_first release            with an error: the same stage, any of them

`status` has the source's four values (decision 33); `stage` is where the chain is. An error is a field beside both: the
campaign halts where it is, and `resume` goes on there. Names of fields are the source's where it has one (S4-16).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from promotions.operation import Operation, OperationState, followed
from promotions.split import Participant, Split, WeightClass
from sluice.campaign import Chained
from sluice.journal import Balances, MoneyChange
from sluice.outward import Call

PREFIX = "prm"
"""The prefix of a promotion's id."""
PUBLISH_STEPS = 40
"""Steps that a publish may take, and each resume again (section 2)."""


class PromotionStatus(StrEnum):
    """Where a promotion stands, in the source's words (S4-17)."""

    DRAFT = "CampaignDraft"
    PENDING = "CampaignPending"
    RUNNING = "CampaignRunning"
    CLOSED = "CampaignClosed"


LIVE = frozenset({PromotionStatus.PENDING, PromotionStatus.RUNNING, PromotionStatus.CLOSED})


class Stage(StrEnum):
    """Where the chain of a promotion is."""

    FIRST_POST = "first_post"
    CONTRACT = "contract"
    SECOND_POST = "second_post"
    UNDO_SECOND = "undo_second"
    UNDO_CONTRACT = "undo_contract"
    UNDO_FIRST = "undo_first"
    RELEASE = "release"
    RUNNING = "running"
    FINAL_METRICS = "final_metrics"
    ENGAGERS = "engagers"
    SPLIT = "split"
    REWARDS = "rewards"
    REFUND = "refund"
    FINALISE = "finalise"
    CLAIMS = "claims"
    EXPIRE = "expire"
    SETTLED = "settled"


CALLS = frozenset(
    {
        Stage.FIRST_POST,
        Stage.CONTRACT,
        Stage.SECOND_POST,
        Stage.UNDO_SECOND,
        Stage.UNDO_CONTRACT,
        Stage.UNDO_FIRST,
        Stage.FINALISE,
        Stage.EXPIRE,
    }
)
"""The stages that call outside."""
PUBLISHES = frozenset({Stage.FIRST_POST, Stage.CONTRACT, Stage.SECOND_POST})
POSTS = frozenset({Stage.FIRST_POST, Stage.SECOND_POST})
UNDOES = frozenset({Stage.UNDO_SECOND, Stage.UNDO_CONTRACT, Stage.UNDO_FIRST, Stage.RELEASE})
_CONTRACTS = frozenset({Stage.CONTRACT, Stage.UNDO_CONTRACT})


class PromotionType(StrEnum):
    """What a promotion is: with rewards for those who engage, or to be seen."""

    REWARDED = "rewarded"
    AWARENESS = "awareness"


class Share(StrEnum):
    """How the budget is split."""

    EQUAL = "equal"
    WEIGHTED = "weighted"


class CloseReason(StrEnum):
    """Why a promotion closed."""

    SCHEDULE = "schedule"
    OWNER = "owner"
    OPERATOR = "operator"
    TRIGGER = "trigger"


class Action(StrEnum):
    """The actions in the audit log."""

    CREATED = "PROMOTION_CREATED"
    EDITED = "PROMOTION_EDITED"
    DELETED = "PROMOTION_DELETED"
    PUBLISHED = "PROMOTION_PUBLISHED"
    POSTING = "PROMOTION_POSTING"
    FIRST_POST = "PROMOTION_FIRST_POST"
    CONTRACT = "PROMOTION_CONTRACT"
    STARTED = "PROMOTION_STARTED"
    CANCELLED = "PROMOTION_CANCELLED"
    ROLLING_BACK = "PROMOTION_ROLLING_BACK"
    UNDONE = "PROMOTION_UNDONE"
    ROLLED_BACK = "PROMOTION_ROLLED_BACK"
    HALTED = "PROMOTION_HALTED"
    RESUMED = "PROMOTION_RESUMED"
    RESOLVED = "PROMOTION_RESOLVED"
    ABANDONED = "PROMOTION_ABANDONED"
    CLOSING = "PROMOTION_CLOSING"
    RATE = "PROMOTION_RATE"
    PAID = "PROMOTION_PAID"
    REFUNDED = "PROMOTION_REFUNDED"
    CLOSED = "PROMOTION_CLOSED"
    SETTLED = "PROMOTION_SETTLED"


class Failure(StrEnum):
    """The source's error events (S4-18)."""

    PUBLISH = "CAMPAIGN_PUBLISH_ERROR"
    CONTRACT = "CAMPAIGN_CONTRACT_ERROR"
    CLOSING = "CAMPAIGN_CLOSING_ERROR"


@dataclass(frozen=True)
class Event:
    """An event, with the source's name and payload; the store adds `seq`."""

    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Halt:
    """Why a promotion halted."""

    event: str
    stage: str
    reason: str
    retriable: bool
    """Whether `resume` alone may help. Else an operator resolves what happened."""
    at: datetime


@dataclass(frozen=True)
class Trigger:
    """A metric that closes the promotion when it reaches a number."""

    metric: str
    at_least: int


@dataclass(frozen=True)
class Final:
    """The final metrics of a promotion. Nothing is written to them afterwards."""

    metrics: dict[str, int]
    """The sum over its posts: likes, reposts, quotes, replies. Empty if none were ever read."""
    read_at: datetime | None
    """When they were read."""
    missing: bool = False
    """Whether a post was gone: then these are the metrics that were known last."""


@dataclass(frozen=True)
class Tracked:
    """The metrics of a promotion, and when they are read next."""

    known: Final
    is_final: bool
    next_read_at: datetime | None
    """None when tracking has ended."""
    errors: int
    """How many reads failed."""


@dataclass(frozen=True)
class Progress:
    """How far the close is: which engagers are listed, and which rewards are paid."""

    source: int = 0
    """The number of the list that is read: each post has one for each kind of engagement."""
    cursor: str | None = None
    """Where it goes on in that list."""
    listed: int = 0
    """How many accounts were found. The lists of a network may hold fewer accounts than its counts say."""
    classes: tuple[WeightClass, ...] = ()
    """How many of them share the budget, by weight."""
    pages: int = 0
    """How many pages of rewards are done."""
    after: str | None = None
    """The hash at the end of the last page."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What an owner publishes. `budget` is in minor units of `currency`."""

    title: str
    type: PromotionType
    network: str
    texts: tuple[str, ...]
    """The text of the first post, and of the second one."""
    media: tuple[str, ...] = ()
    budget: int
    currency: str
    duration_minutes: int
    share: Share = Share.EQUAL
    weights: tuple[int, ...] = (1, 2, 3, 2)
    """What a like, a repost, a quote and a reply weigh."""
    max_per_participant: int | None = None
    claim_window_hours: int = 168
    auto_close: tuple[Trigger, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Promotion(Terms, Chained):
    """One promotion. Its owner is `created_by`."""

    status: PromotionStatus = PromotionStatus.DRAFT
    stage: Stage | None = None
    round: int = 0
    """How often it was published."""
    call: Call | None = None
    """The call that the stage makes."""
    error: Halt | None = None
    cancel_requested_at: datetime | None = None
    deleted_at: datetime | None = None
    operation: Operation | None = None
    """The present publish, or the last one."""
    seq: int = 0
    """How many events it has had."""
    host: str | None = None
    """The server that the posts are on."""
    account_id: str | None = None
    """The account that posts there: the worker makes no call with the token of another one."""
    media_etags: tuple[str, ...] = ()
    """The ETag of each of its media when it was checked: no other upload is posted."""
    audited_at: datetime | None = None
    """When the last entry of its audit log was written."""
    restored_to: datetime | None = None
    """The moment that a restore took it back to, as far as it knows: what was posted since then is looked up first."""

    tweet_id: str | None = None
    contract_id: str | None = None
    contract_status: str | None = None
    last_thread_tweet_id: str | None = None
    campaign_start_time: datetime | None = None
    campaign_close_time: datetime | None = None
    closing_since: datetime | None = None
    close_reason: CloseReason | None = None
    final: Final | None = None
    progress: Progress = Progress()
    split: Split | None = None
    abandoned_at: datetime | None = None
    """When an operator abandoned its close: nobody is paid after that."""
    promised: int = 0
    """What participants were promised at the close, in minor units."""
    paid: int = 0
    """How much of the promised amount was paid."""
    refunded: int = 0
    """What went back to the owner."""
    claim_until: datetime | None = None

    @property
    def is_live(self) -> bool:
        """A halted promotion is not live: a message that is one step behind would start it again."""
        return self.status in LIVE and self.wake_at is not None and self.error is None

    @property
    def is_cancelled(self) -> bool:
        return self.cancel_requested_at is not None

    @property
    def must_undo(self) -> bool:
        """Whether a cancel was answered while the stage publishes: no call of the stage may begin."""
        return self.is_cancelled and self.stage in PUBLISHES

    @property
    def card(self) -> dict[str, Any]:
        """What every event of the source begins with."""
        return {"cardId": self.id, "userId": self.created_by}


@dataclass(frozen=True)
class Change(MoneyChange[Promotion]):
    """A change of a promotion: its events, the money that it moves, and to whom."""

    events: tuple[Event, ...] = ()
    noted: Mapping[str, Any] = field(default_factory=dict)
    """What the audit entry shows in addition."""
    balances: Balances = field(default_factory=dict)
    """The balances from which the posting was computed. It is written on condition that they are unchanged."""
    participants: tuple[tuple[Participant | None, Participant], ...] = ()
    """Participants before and after; None for a new one."""
    persons: tuple[str, ...] = ()
    """Users who are paid: each once in a promotion."""


def changed(before: Promotion | None, after: Promotion, action: Action | None, *events: Event, **more: Any) -> Change:
    """A change whose events are counted, and whose operation follows its stage and call."""
    operation = after.operation
    if before and operation and before.status is PromotionStatus.PENDING:
        state = _state(after)
        attempts = after.call.attempt if after.call else 0
        refused = more.get("noted", {}).get("why")
        reason = after.error.reason if after.error else after.call.reason if after.call else refused
        operation = followed(operation, after.stage, state, attempts, _result(before, after), reason, after.updated_at)
    audited_at = after.updated_at if action else after.audited_at
    counted = replace(after, seq=after.seq + len(events), operation=operation, audited_at=audited_at)
    return Change(before, counted, action, events=events, **more)


def halt(
    promotion: Promotion, reason: str, now: datetime, *, retriable: bool = True, call: Call | None = None
) -> Change:
    """Halt at the present stage, with an error. A person has to look, because money is held."""
    closing = promotion.stage not in PUBLISHES | UNDOES
    failure = Failure.CLOSING if closing else Failure.CONTRACT if promotion.stage in _CONTRACTS else Failure.PUBLISH
    error = Halt(failure, str(promotion.stage), reason, retriable, now)
    after = replace(promotion.stepped(now), error=error, call=call, wake_at=None)
    return changed(promotion, after, Action.HALTED, *failed(promotion, failure, reason))


def recorded(promotion: Promotion, now: datetime) -> Promotion:
    """The promotion one step further, by a record. `steps_done` counts steps, not records."""
    return promotion.commanded(now)


def failed(promotion: Promotion, failure: Failure, reason: str) -> list[Event]:
    """The error events of the source: a contract's failure also is one of the publish (S4-8)."""
    data = promotion.card | {"error": reason, "stage": promotion.stage}
    names = [failure]
    if failure is Failure.CONTRACT:
        names.append(Failure.PUBLISH)
    return [Event(name, data) for name in names]


def ours(name: str, promotion: Promotion) -> Event:
    """An event of ours: the source has no name for it."""
    return Event(name, promotion.card)


def _state(after: Promotion) -> OperationState:
    if after.error:
        return OperationState.HALTED
    if after.status is PromotionStatus.DRAFT:
        return OperationState.ROLLED_BACK
    if after.status is PromotionStatus.RUNNING:
        return OperationState.DONE
    return OperationState.UNDOING if after.stage in UNDOES else OperationState.RUNNING


def _result(before: Promotion, after: Promotion) -> str | None:
    """The result of the stage before, if its call is done."""
    pairs = (
        (before.tweet_id, after.tweet_id),
        (before.contract_id, after.contract_id),
        (before.last_thread_tweet_id, after.last_thread_tweet_id),
    )
    return next((now or then for then, now in pairs if now != then), None)
