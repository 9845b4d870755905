"""A promotion: its states, its commands and the stages of its publish. Pure: each returns the Change to commit.

 CampaignDraft --publish--> CampaignPending --second post recorded--> CampaignRunning --close--> CampaignClosed
      ^                          |  cancel, or refused for good
      +-------- rolled back -----+

 stage: first_post  contract  second_post | running | final_metrics engagers rewards refund finalise | claims settled
 back:  undo_second undo_contract undo_first release            with an error: the same stage, any of them

`status` has the source's four values (decision 33); `stage` is where the chain is. An error is a field beside both: the
campaign halts where it is, and `resume` goes on there. Names of fields are the source's where it has one (S4-16).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from promotions.operation import Operation, OperationState, followed, opened
from sluice import campaign as engine
from sluice.campaign import Chained
from sluice.clock import rfc3339
from sluice.errors import Conflicting
from sluice.journal import Kind, Posting, budget, wallet
from sluice.outward import Call, CallState, looked_again, resolved

PREFIX = "prm"
"""The prefix of a promotion's id."""
PUBLISH_STEPS = 40
"""Steps that a publish may take, and each resume again (section 2)."""
MOST_MINUTES = 525_600


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
UNDOES = frozenset({Stage.UNDO_SECOND, Stage.UNDO_CONTRACT, Stage.UNDO_FIRST, Stage.RELEASE})


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
    """Why a promotion does not go on."""

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

    tweet_id: str | None = None
    contract_id: str | None = None
    contract_status: str | None = None
    last_thread_tweet_id: str | None = None
    campaign_start_time: datetime | None = None
    campaign_close_time: datetime | None = None
    closing_since: datetime | None = None
    close_reason: CloseReason | None = None
    promised: int = 0
    """What participants were promised at the close, in minor units."""
    refunded: int = 0
    """What went back to the owner."""

    @property
    def is_live(self) -> bool:
        """A halted one is not: a message that is one behind would start it again."""
        return self.status in LIVE and self.wake_at is not None and self.error is None

    @property
    def is_cancelled(self) -> bool:
        return self.cancel_requested_at is not None

    @property
    def must_undo(self) -> bool:
        """Whether a cancel was answered, and the stage is one that publishes: no call of it may begin."""
        return self.is_cancelled and self.stage in _PUBLISHES

    @property
    def card(self) -> dict[str, Any]:
        """What every event of the source begins with."""
        return {"cardId": self.id, "userId": self.created_by}


@dataclass(frozen=True)
class Change(engine.Change[Promotion]):
    """A change of a promotion: its events, and the money that it moves."""

    events: tuple[Event, ...] = ()
    posting: Posting | None = None
    noted: Mapping[str, Any] = field(default_factory=dict)
    """What the audit entry shows besides."""


# --- Commands


def require_draft(promotion: Promotion, done: str) -> None:
    """Raises Conflicting for anything but a draft."""
    if promotion.status is not PromotionStatus.DRAFT or promotion.error:
        raise Conflicting(f"Only a draft can be {done}", f"campaign_cannot_be_{done}")


def create(promotion: Promotion) -> Change:
    """Create a draft."""
    return changed(None, promotion, Action.CREATED, _ours("PromotionCreated", promotion))


def edit(promotion: Promotion, terms: Terms, now: datetime) -> Change:
    """Change the terms of a draft."""
    require_draft(promotion, "edited")
    return changed(promotion, replace(promotion.commanded(now), **vars(terms)), Action.EDITED)


def delete(promotion: Promotion, now: datetime) -> Change:
    """Delete a draft: nobody finds it any more; its audit log stays."""
    require_draft(promotion, "deleted")
    return changed(promotion, replace(promotion.commanded(now), deleted_at=now), Action.DELETED)


def publish(promotion: Promotion, host: str, now: datetime, actor: str) -> Change:
    """Publish a draft: its budget moves from the owner's wallet, and the first post is the next step (S4-3).

    The ids of its ledger entries hold the round, and its step goes on counting: else a late worker of an earlier round
    could act on this one.
    """
    require_draft(promotion, "published")
    number = promotion.round + 1
    after = replace(
        promotion.commanded(now),
        status=PromotionStatus.PENDING,
        stage=Stage.FIRST_POST,
        round=number,
        wake_at=now,
        call=None,
        host=host,
        cancel_requested_at=None,
        steps_done=0,
        max_steps=PUBLISH_STEPS,
        operation=opened(number, Stage.FIRST_POST, now),
    )
    source, target = wallet(promotion.currency, promotion.created_by), budget(promotion.id)
    entry_id = f"fund#{promotion.id}#{number}"
    posting = Posting.transfer(entry_id, Kind.FUND, promotion.currency, source, target, promotion.budget, actor)
    data = promotion.card | {"type": promotion.type, "createdAt": rfc3339(now), "round": number}
    event = Event("CAMPAIGN_PUBLISH_CONTENT", data)
    return changed(promotion, after, Action.PUBLISHED, event, is_batch=True, posting=posting)


def cancel(promotion: Promotion, now: datetime) -> Change | None:
    """Cancel a publish: no call begins after the answer; one in flight is awaited, and then undone.

    None for one that is cancelled already.
    """
    if promotion.status is not PromotionStatus.PENDING:
        raise Conflicting("Only a pending promotion can be cancelled", "campaign_cannot_be_cancelled")
    if promotion.is_cancelled or promotion.stage in UNDOES:
        return None
    after = replace(promotion.commanded(now), cancel_requested_at=now)
    if after.call is None or after.call.state is CallState.WAITING:
        # Nothing is in flight, so an error holds nothing up either: its call is known not to have happened.
        after = _back(replace(after, error=None), now)
    elif after.error and after.call.state is not CallState.STUCK:
        after = replace(after, error=None, wake_at=after.call.due_at)
    return changed(promotion, after, Action.CANCELLED, _ours("PromotionCancelled", promotion))


def close(promotion: Promotion, reason: CloseReason, now: datetime) -> Change:
    """Begin to close: by the schedule's step, by hand or by a trigger, all by this transaction on the step as read."""
    if promotion.status is PromotionStatus.PENDING:
        raise Conflicting("It is being published: cancel it instead", "cancel_instead")
    if promotion.status is not PromotionStatus.RUNNING or promotion.stage is not Stage.RUNNING:
        raise Conflicting("Only a running promotion can be closed", "campaign_cannot_be_closed")
    begun = promotion.stepped(now) if reason is CloseReason.SCHEDULE else promotion.commanded(now)
    after = replace(
        begun,
        stage=Stage.FINAL_METRICS,
        closing_since=now,
        close_reason=reason,
        wake_at=now,
        error=None,
        steps_done=0,
        max_steps=PUBLISH_STEPS,
    )
    data = promotion.card | {"executeAt": rfc3339(promotion.campaign_close_time or now), "reason": reason}
    return changed(promotion, after, Action.CLOSING, Event("CAMPAIGN_CLOSE_OPERATION", data))


def resume(promotion: Promotion, now: datetime) -> Change:
    """Go on at the stage that halted, with as many steps again. A call that nobody could look up is looked up again."""
    if promotion.error is None:
        raise Conflicting("The promotion has not halted", "campaign_cannot_be_resumed")
    call = promotion.call
    if call and call.state is CallState.STUCK:
        call = looked_again(call, now)
    after = replace(promotion.commanded(now), error=None, call=call, steps_done=0, wake_at=_due(call, now))
    after = replace(after, max_steps=max(promotion.max_steps, PUBLISH_STEPS))
    return changed(promotion, after, Action.RESUMED, _ours("PromotionResumed", promotion))


def resolve(promotion: Promotion, result: str | None, reason: str, now: datetime) -> Change:
    """An operator says what became of a call that nobody can look up: its result, or None if it never happened."""
    call = promotion.call
    if call is None or call.state not in (CallState.STUCK, CallState.UNKNOWN):
        raise Conflicting("No call of this promotion has an unknown outcome", "nothing_to_resolve")
    settled = replace(promotion, error=None)
    noted = {"reason": reason, "attempt_id": call.attempt_id, "result": result}
    found = advance(settled, resolved(call, result, now), now)
    after = replace(found.after, step=promotion.step + 1, steps_done=0)
    return changed(promotion, after, Action.RESOLVED, *found.events, noted=noted)


def abandon(promotion: Promotion, reason: str, now: datetime) -> Change:
    """Give up a publish that has halted: what is outside is left there, and the money is released.

    The one way in which a post may outlive its funding.
    """
    if promotion.status is not PromotionStatus.PENDING or promotion.error is None:
        raise Conflicting("Only a pending promotion that has halted can be abandoned", "campaign_cannot_be_abandoned")
    after = replace(
        promotion.commanded(now), error=None, call=None, cancel_requested_at=now, stage=Stage.RELEASE, wake_at=now
    )
    return changed(promotion, after, Action.ABANDONED, noted={"reason": reason})


# --- Steps of a publish


def intend(promotion: Promotion, call: Call, now: datetime) -> Change:
    """Commit the intent of a call. It needs an open platform, as all that begins something does."""
    after = replace(promotion.stepped(now), call=call, wake_at=call.due_at)
    return changed(promotion, after, None, is_batch=True)


def record(promotion: Promotion, call: Call, now: datetime) -> Change:
    """Commit what came of a call, at the promotion's present step: a cancel that was answered meanwhile is obeyed."""
    return advance(promotion, call, now)


def look(promotion: Promotion, call: Call, now: datetime) -> Change:
    """Commit what a look at a call found."""
    change = advance(promotion, call, now)
    return replace(change, after=replace(change.after, steps_done=promotion.steps_done + 1))


def back(promotion: Promotion, now: datetime) -> Change:
    """Undo a publish that was cancelled between two calls."""
    return changed(promotion, _back(promotion.stepped(now), now), Action.ROLLING_BACK)


def release(promotion: Promotion, now: datetime, actor: str) -> Change:
    """Give the budget back and be a draft again: the last step of an undo, when nothing of it is left outside.

    The entry is the one that funded it with the legs turned round, so that a draft has no totals (amendment 9).
    """
    after = replace(
        promotion.stepped(now),
        status=PromotionStatus.DRAFT,
        stage=None,
        call=None,
        error=None,
        wake_at=None,
        cancel_requested_at=None,
        tweet_id=None,
        contract_id=None,
        contract_status=None,
        last_thread_tweet_id=None,
    )
    source, target = budget(promotion.id), wallet(promotion.currency, promotion.created_by)
    entry_id = f"unfund#{promotion.id}#{promotion.round}"
    posting = Posting.transfer(entry_id, Kind.FUND, promotion.currency, source, target, promotion.budget, actor)
    event = _ours("PromotionRolledBack", promotion)
    return changed(promotion, after, Action.ROLLED_BACK, event, is_batch=True, posting=posting)


def halt(
    promotion: Promotion, reason: str, now: datetime, *, retriable: bool = True, call: Call | None = None
) -> Change:
    """Halt where it is, with an error: somebody has to look, because money is held."""
    closing = promotion.stage not in _PUBLISHES | UNDOES
    failure = Failure.CLOSING if closing else Failure.CONTRACT if promotion.stage in _CONTRACTS else Failure.PUBLISH
    error = Halt(failure, str(promotion.stage), reason, retriable, now)
    after = replace(promotion.stepped(now), error=error, call=call, wake_at=None)
    return changed(promotion, after, Action.HALTED, *_failed(promotion, failure, reason))


def advance(promotion: Promotion, call: Call, now: datetime) -> Change:
    """What the present state of its call means for a promotion."""
    match call.state:
        case CallState.SENT:
            return _DONE[_stage(promotion)](promotion, str(call.result), call, now)
        case CallState.FAILED:
            return _refused(promotion, call, now)
        case CallState.STUCK:
            return halt(promotion, "outcome_unknown", now, retriable=False, call=call)
        case CallState.WAITING if promotion.must_undo:
            return changed(promotion, _back(_recorded(promotion, now), now), Action.ROLLING_BACK)
        case _:
            after = replace(_recorded(promotion, now), call=call, wake_at=call.due_at)
            return changed(promotion, after, None)


def changed(before: Promotion | None, after: Promotion, action: Action | None, *events: Event, **more: Any) -> Change:
    """A change whose events are counted, and whose operation follows its stage and call."""
    operation = after.operation
    if before and operation and before.status is PromotionStatus.PENDING:
        state = _state(after)
        attempts = after.call.attempt if after.call else 0
        reason = after.error.reason if after.error else after.call.reason if after.call else None
        operation = followed(operation, after.stage, state, attempts, _result(before, after), reason, after.updated_at)
    counted = replace(after, seq=after.seq + len(events), operation=operation)
    return Change(before, counted, action, events=events, **more)


_PUBLISHES = frozenset({Stage.FIRST_POST, Stage.CONTRACT, Stage.SECOND_POST})
_CONTRACTS = frozenset({Stage.CONTRACT, Stage.UNDO_CONTRACT})


def _first_post_done(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    del call
    after = replace(_recorded(promotion, now), tweet_id=result)
    event = Event("CAMPAIGN_PUBLISH_DO_SM_TRANSACTION", promotion.card | {"tweetId": result})
    return _next(promotion, after, Stage.CONTRACT, Action.FIRST_POST, event, now)


def _contract_done(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    del call
    after = replace(_recorded(promotion, now), contract_id=result, contract_status="active")
    event = Event("CAMPAIGN_PUBLISH_SECOND_CONTENT", promotion.card | {"contractId": result})
    return _next(promotion, after, Stage.SECOND_POST, Action.CONTRACT, event, now)


def _second_post_done(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    del call
    after = replace(_recorded(promotion, now), last_thread_tweet_id=result)
    if promotion.is_cancelled:
        return changed(promotion, _back(after, now), Action.ROLLING_BACK)
    closes_at = now + timedelta(minutes=promotion.duration_minutes)
    after = replace(
        after,
        status=PromotionStatus.RUNNING,
        stage=Stage.RUNNING,
        call=None,
        campaign_start_time=now,
        campaign_close_time=closes_at,
        wake_at=closes_at,
    )
    return changed(promotion, after, Action.STARTED, _ours("PromotionStarted", promotion))


def _undone(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    del result, call
    match promotion.stage:
        case Stage.UNDO_SECOND:
            after = replace(_recorded(promotion, now), last_thread_tweet_id=None)
        case Stage.UNDO_CONTRACT:
            after = replace(_recorded(promotion, now), contract_id=None, contract_status="closed")
        case _:
            after = replace(_recorded(promotion, now), tweet_id=None)
    return changed(promotion, _back(after, now), Action.UNDONE)


def _finalised(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    """CampaignClosed: the contract is finalised, and what is promised may be claimed."""
    raise NotImplementedError


_DONE = {
    Stage.FIRST_POST: _first_post_done,
    Stage.CONTRACT: _contract_done,
    Stage.SECOND_POST: _second_post_done,
    Stage.UNDO_SECOND: _undone,
    Stage.UNDO_CONTRACT: _undone,
    Stage.UNDO_FIRST: _undone,
    Stage.FINALISE: _finalised,
}


def _refused(promotion: Promotion, call: Call, now: datetime) -> Change:
    """A call that was refused for good: what has been done is undone, or it halts where nothing can be undone.

    A second post that is refused halts, as the source does; a cancel then undoes the rest.
    """
    reason = call.reason or "refused"
    undoes = promotion.stage in _PUBLISHES and (promotion.is_cancelled or promotion.stage is not Stage.SECOND_POST)
    if not undoes:
        return halt(promotion, reason, now)
    failure = Failure.CONTRACT if promotion.stage is Stage.CONTRACT else Failure.PUBLISH
    after = _back(_recorded(promotion, now), now)
    return changed(promotion, after, Action.ROLLING_BACK, *_failed(promotion, failure, reason), noted={"why": reason})


def _next(promotion: Promotion, after: Promotion, stage: Stage, action: Action, event: Event, now: datetime) -> Change:
    """Enter a stage, or undo what was done if a cancel was answered meanwhile."""
    if promotion.is_cancelled:
        return changed(promotion, _back(after, now), Action.ROLLING_BACK)
    return changed(promotion, replace(after, stage=stage, call=None, wake_at=now), action, event)


def _back(promotion: Promotion, now: datetime) -> Promotion:
    """The promotion at the undo of what is still outside, in reverse order; at the release when nothing is."""
    if promotion.last_thread_tweet_id:
        stage = Stage.UNDO_SECOND
    elif promotion.contract_id:
        stage = Stage.UNDO_CONTRACT
    elif promotion.tweet_id:
        stage = Stage.UNDO_FIRST
    else:
        stage = Stage.RELEASE
    return replace(promotion, stage=stage, call=None, wake_at=now)


def _recorded(promotion: Promotion, now: datetime) -> Promotion:
    """The promotion one step further, by a record: the chain counts its commits, not its records."""
    return promotion.commanded(now)


def _failed(promotion: Promotion, failure: Failure, reason: str) -> list[Event]:
    """The error events of the source: a contract's failure also is one of the publish (S4-8)."""
    data = promotion.card | {"error": reason, "stage": promotion.stage}
    names = [failure]
    if failure is Failure.CONTRACT:
        names.append(Failure.PUBLISH)
    return [Event(name, data) for name in names]


def _ours(name: str, promotion: Promotion) -> Event:
    """An event of ours, for what the source has no name for."""
    return Event(name, promotion.card)


def _due(call: Call | None, now: datetime) -> datetime:
    return max(now, call.due_at) if call else now


def _stage(promotion: Promotion) -> Stage:
    if promotion.stage is None:
        raise ValueError("A draft makes no call")
    return promotion.stage


def _state(after: Promotion) -> OperationState:
    if after.error:
        return OperationState.HALTED
    if after.status is PromotionStatus.DRAFT:
        return OperationState.ROLLED_BACK
    if after.status is PromotionStatus.RUNNING:
        return OperationState.DONE
    return OperationState.UNDOING if after.stage in UNDOES else OperationState.RUNNING


def _result(before: Promotion, after: Promotion) -> str | None:
    """What the stage before came to, if it was a call that was done."""
    pairs = (
        (before.tweet_id, after.tweet_id),
        (before.contract_id, after.contract_id),
        (before.last_thread_tweet_id, after.last_thread_tweet_id),
    )
    return next((now or then for then, now in pairs if now != then), None)
