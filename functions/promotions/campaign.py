"""The commands of a promotion, and the stages of its publish. Pure: each returns the Change to commit."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from promotions import settling
from promotions.operation import opened
from promotions.promotion import (
    POSTS,
    PUBLISH_STEPS,
    PUBLISHES,
    UNDOES,
    Action,
    Change,
    Event,
    Failure,
    Promotion,
    PromotionStatus,
    Stage,
    Terms,
    changed,
    failed,
    halt,
    ours,
    recorded,
)
from sluice.clock import rfc3339
from sluice.errors import Conflicting
from sluice.journal import Kind, Posting, budget, wallet
from sluice.outward import Call, CallState, looked_again, resolved

MOST_MINUTES = 525_600
RESTORED = "restored"
"""Reason of a look before a call: the call may have been made in the time that a restore took back."""


# --- Commands


def require_draft(promotion: Promotion, done: str) -> None:
    """Raises Conflicting for anything but a draft."""
    if promotion.status is not PromotionStatus.DRAFT or promotion.error:
        raise Conflicting(f"Only a draft can be {done}", f"campaign_cannot_be_{done}")


def create(promotion: Promotion) -> Change:
    """Create a draft."""
    return changed(None, promotion, Action.CREATED, ours("PromotionCreated", promotion))


def edit(promotion: Promotion, terms: Terms, now: datetime) -> Change:
    """Change the terms of a draft."""
    require_draft(promotion, "edited")
    return changed(promotion, replace(promotion.commanded(now), **vars(terms)), Action.EDITED)


def delete(promotion: Promotion, now: datetime) -> Change:
    """Delete a draft: it is not found any more; its audit log stays."""
    require_draft(promotion, "deleted")
    return changed(promotion, replace(promotion.commanded(now), deleted_at=now), Action.DELETED)


def publish(
    promotion: Promotion,
    host: str,
    now: datetime,
    actor: str,
    media_etags: tuple[str, ...] = (),
    account_id: str | None = None,
) -> Change:
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
        account_id=account_id,
        media_etags=media_etags,
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

    Returns None if it is cancelled already.
    """
    if promotion.status is not PromotionStatus.PENDING:
        raise Conflicting("Only a pending promotion can be cancelled", "campaign_cannot_be_cancelled")
    if promotion.is_cancelled or promotion.stage in UNDOES:
        return None
    after = replace(promotion.commanded(now), cancel_requested_at=now, steps_done=0)
    if after.call is None or after.call.state is CallState.WAITING:
        # Nothing is in flight: the call of an error is known not to have happened.
        after = _back(replace(after, error=None), now)
    elif after.error and after.call.state is not CallState.STUCK:
        after = replace(after, error=None, wake_at=after.call.due_at)
    return changed(promotion, after, Action.CANCELLED, ours("PromotionCancelled", promotion))


def resume(promotion: Promotion, now: datetime) -> Change:
    """Go on at the stage that halted, with as many steps again. A call whose looks failed is looked up again."""
    if promotion.error is None:
        raise Conflicting("The promotion has not halted", "campaign_cannot_be_resumed")
    call = promotion.call
    if call and call.state is CallState.STUCK:
        call = looked_again(call, now)
    after = replace(promotion.commanded(now), error=None, call=call, steps_done=0, wake_at=_due(call, now))
    after = replace(after, max_steps=max(promotion.max_steps, PUBLISH_STEPS))
    return changed(promotion, after, Action.RESUMED, ours("PromotionResumed", promotion))


@dataclass(frozen=True)
class Resolution:
    """What an operator says about one call that cannot be looked up."""

    attempt_id: str
    result: str | None
    """What it came to; None if it never happened."""
    reason: str


def resolve(promotion: Promotion, said: Resolution, now: datetime) -> Change:
    """Record what an operator says about a call: only about the call that the operator has seen."""
    call, result = promotion.call, said.result
    if call is None or call.state not in (CallState.STUCK, CallState.UNKNOWN):
        raise Conflicting("No call of this promotion has an unknown outcome", "nothing_to_resolve")
    if call.attempt_id != said.attempt_id:
        message = f"The call with an unknown outcome is {call.attempt_id}: attempt {call.attempt} of {promotion.stage}"
        raise Conflicting(message, "another_call")
    if result is None and now < call.settles_at:
        # Nobody can know it yet: the request may still be on its way.
        raise Conflicting(f"The call may take effect until {rfc3339(call.settles_at)}", "call_not_settled")
    noted = {"reason": said.reason, "attempt_id": call.attempt_id, "result": result}
    found = advance(replace(promotion, error=None), resolved(call, result, now), now)
    after = replace(found.after, steps_done=0)
    return replace(found, before=promotion, after=after, action=Action.RESOLVED, noted=noted)


def abandon(promotion: Promotion, reason: str, now: datetime) -> Change:
    """Abandon a halted promotion: its posts and contract stay, and the money is released.

    This is the one way in which a post may outlive its funding. Nobody is paid after an abandoned close.
    """
    if promotion.closing_since and promotion.error:
        return settling.abandon(promotion, reason, now)
    if promotion.status is not PromotionStatus.PENDING or promotion.error is None:
        raise Conflicting("Only a pending promotion that has halted can be abandoned", "campaign_cannot_be_abandoned")
    after = replace(
        promotion.commanded(now),
        error=None,
        call=None,
        cancel_requested_at=now,
        stage=Stage.RELEASE,
        steps_done=0,
        wake_at=now,
    )
    return changed(promotion, after, Action.ABANDONED, noted={"reason": reason})


# --- Steps of a publish


def intend(promotion: Promotion, call: Call, now: datetime) -> Change:
    """Commit the intent of a call. It needs an open platform, as every commit does that begins something.

    The intent of a post is audited: if a restore takes it back, the log is ahead of the promotion, which shows it.
    """
    before, to = promotion.call, promotion.restored_to
    after = replace(promotion.stepped(now), call=call, wake_at=call.due_at)
    if promotion.stage not in POSTS:
        return changed(promotion, after, None, is_batch=True)
    if to and (before is None or before.begun_at <= to):
        return changed(promotion, _doubted(after, to), None, is_batch=True)
    return changed(promotion, after, Action.POSTING, is_batch=True)


def put_back(before: Promotion, after: Promotion) -> Promotion:
    """The promotion after the first change since a restore: a post that begins is looked up first, now and later."""
    to = before.audited_at or before.created_at
    begins = after.call and after.call.state is CallState.SENDING and after.stage in POSTS
    return _doubted(replace(after, restored_to=to), to) if begins else replace(after, restored_to=to)


def _doubted(promotion: Promotion, since: datetime) -> Promotion:
    """The promotion with its call looked up before it is made: it may have been made since then."""
    if promotion.call is None:
        raise ValueError("Nothing is called")
    since = min(since, promotion.call.since)
    return replace(promotion, call=replace(promotion.call, state=CallState.UNKNOWN, since=since, reason=RESTORED))


def record(promotion: Promotion, call: Call, now: datetime) -> Change:
    """Commit the outcome of a call at the present step, so a cancel that was answered meanwhile is obeyed.

    A promotion that halted while the call was on its way goes on when its outcome is known; else it stays halted.
    """
    if promotion.error and call.state not in (CallState.SENT, CallState.FAILED):
        return changed(promotion, replace(recorded(promotion, now), call=call, wake_at=None), None)
    return replace(advance(replace(promotion, error=None), call, now), before=promotion)


def look(promotion: Promotion, call: Call, now: datetime) -> Change:
    """Commit the finding of a look."""
    change = advance(promotion, call, now)
    return replace(change, after=replace(change.after, steps_done=promotion.steps_done + 1))


def back(promotion: Promotion, now: datetime) -> Change:
    """Undo a publish that was cancelled between two calls."""
    return changed(promotion, _back(promotion.stepped(now), now), Action.ROLLING_BACK)


def release(promotion: Promotion, now: datetime, actor: str) -> Change:
    """Return the budget and the promotion to a draft: the last step of an undo, when nothing is left outside.

    The entry reverses the legs of the entry that funded it, so a draft has no totals (amendment 9).
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
    event = ours("PromotionRolledBack", promotion)
    return changed(promotion, after, Action.ROLLED_BACK, event, is_batch=True, posting=posting)


def advance(promotion: Promotion, call: Call, now: datetime) -> Change:
    """The change of a promotion that follows from the state of its call."""
    match call.state:
        case CallState.SENT:
            return _DONE[_stage(promotion)](promotion, str(call.result), call, now)
        case CallState.FAILED:
            return _refused(promotion, call, now)
        case CallState.STUCK:
            return halt(promotion, "outcome_unknown", now, retriable=False, call=call)
        case CallState.WAITING if promotion.must_undo:
            return changed(promotion, _back(recorded(promotion, now), now), Action.ROLLING_BACK)
        case _:
            after = replace(recorded(promotion, now), call=call, wake_at=call.due_at)
            return changed(promotion, after, None)


def _first_post_done(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    del call
    after = replace(recorded(promotion, now), tweet_id=result)
    event = Event("CAMPAIGN_PUBLISH_DO_SM_TRANSACTION", promotion.card | {"tweetId": result})
    return _next(promotion, after, Stage.CONTRACT, Action.FIRST_POST, event, now)


def _contract_done(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    del call
    after = replace(recorded(promotion, now), contract_id=result, contract_status="active")
    event = Event("CAMPAIGN_PUBLISH_SECOND_CONTENT", promotion.card | {"contractId": result})
    return _next(promotion, after, Stage.SECOND_POST, Action.CONTRACT, event, now)


def _second_post_done(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    del call
    after = replace(recorded(promotion, now), last_thread_tweet_id=result)
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
    return changed(promotion, after, Action.STARTED, ours("PromotionStarted", promotion))


def _undone(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    del result, call
    match promotion.stage:
        case Stage.UNDO_SECOND:
            after = replace(recorded(promotion, now), last_thread_tweet_id=None)
        case Stage.UNDO_CONTRACT:
            after = replace(recorded(promotion, now), contract_id=None, contract_status="closed")
        case _:
            after = replace(recorded(promotion, now), tweet_id=None)
    return changed(promotion, _back(after, now), Action.UNDONE)


_DONE = {
    Stage.FIRST_POST: _first_post_done,
    Stage.CONTRACT: _contract_done,
    Stage.SECOND_POST: _second_post_done,
    Stage.UNDO_SECOND: _undone,
    Stage.UNDO_CONTRACT: _undone,
    Stage.UNDO_FIRST: _undone,
    Stage.FINALISE: settling.finalised,
    Stage.EXPIRE: settling.expired,
}


def _refused(promotion: Promotion, call: Call, now: datetime) -> Change:
    """A call was refused for good: undo what was done, or halt where nothing can be undone.

    A second post that is refused halts, as the source does; a cancel then undoes the rest.
    """
    reason = call.reason or "refused"
    undoes = promotion.stage in PUBLISHES and (promotion.is_cancelled or promotion.stage is not Stage.SECOND_POST)
    if not undoes:
        return halt(promotion, reason, now)
    failure = Failure.CONTRACT if promotion.stage is Stage.CONTRACT else Failure.PUBLISH
    after = _back(recorded(promotion, now), now)
    return changed(promotion, after, Action.ROLLING_BACK, *failed(promotion, failure, reason), noted={"why": reason})


def _next(promotion: Promotion, after: Promotion, stage: Stage, action: Action, event: Event, now: datetime) -> Change:
    """Enter a stage; or undo what was done, if a cancel was answered meanwhile."""
    if promotion.is_cancelled:
        return changed(promotion, _back(after, now), Action.ROLLING_BACK)
    return changed(promotion, replace(after, stage=stage, call=None, wake_at=now), action, event)


def _back(promotion: Promotion, now: datetime) -> Promotion:
    """The promotion at the next undo, in reverse order; at the release when nothing is left outside."""
    if promotion.last_thread_tweet_id:
        stage = Stage.UNDO_SECOND
    elif promotion.contract_id:
        stage = Stage.UNDO_CONTRACT
    elif promotion.tweet_id:
        stage = Stage.UNDO_FIRST
    else:
        stage = Stage.RELEASE
    return replace(promotion, stage=stage, call=None, wake_at=now)


def _due(call: Call | None, now: datetime) -> datetime:
    return max(now, call.due_at) if call else now


def _stage(promotion: Promotion) -> Stage:
    if promotion.stage is None:
        raise ValueError("A draft makes no call")
    return promotion.stage
