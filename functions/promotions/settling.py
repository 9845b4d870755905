"""The stages of a close: final metrics, engagers, split, rewards, refund, finalise, claims. Pure.

One entry moves what is promised from the budget to what is reserved, before anybody is paid. So the refund cannot touch
what is promised, and no order of the pages can pay more than there is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from promotions.promotion import (
    PUBLISH_STEPS,
    Action,
    Change,
    CloseReason,
    Event,
    Final,
    Promotion,
    PromotionStatus,
    Share,
    Stage,
    changed,
    ours,
    recorded,
)
from promotions.split import Participant, ParticipantState, Reason, counted, divided, shares
from sluice.clock import rfc3339
from sluice.errors import Conflicting
from sluice.journal import Balance, Balances, Kind, Posting, budget, reserved, wallet
from sluice.money import exponent
from sluice.outward import Call


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


def weights_of(promotion: Promotion) -> tuple[int, ...] | None:
    """What a like, a repost, a quote and a reply weigh; None when all participants get the same."""
    return None if promotion.share is Share.EQUAL else promotion.weights


def wait(promotion: Promotion, until: datetime, now: datetime) -> Change:
    """Go on later at the same stage: the network cannot be read now."""
    return changed(promotion, replace(promotion.stepped(now), wake_at=max(now, until)), None)


def finish(promotion: Promotion, final: Final, now: datetime, *, lists: bool) -> Change:
    """Keep the final metrics. `lists`: whether the network lists who engaged, and its rules allow rewards."""
    after = _at(promotion, Stage.ENGAGERS if lists else Stage.SPLIT, now, final=final)
    return changed(promotion, after, None)


def list_engagers(
    promotion: Promotion,
    participants: Sequence[tuple[Participant | None, Participant]],
    source: int,
    cursor: str | None,
    now: datetime,
    *,
    is_last: bool,
) -> Change:
    """Keep the accounts of some pages, and where the lists go on. It needs an open platform, as pages of rewards do."""
    progress = replace(
        promotion.progress,
        source=source,
        cursor=cursor,
        listed=promotion.progress.listed + sum(before is None for before, _ in participants),
        classes=counted(promotion.progress.classes, participants),
    )
    after = _at(promotion, Stage.SPLIT if is_last else Stage.ENGAGERS, now, progress=progress)
    if not is_last and all(before == seen for before, seen in participants):
        # Lists that go round in circles end at `max_steps`.
        after = replace(after, steps_done=promotion.steps_done + 1)
    return changed(promotion, after, None, is_batch=True, participants=tuple(participants))


def split(promotion: Promotion, pool: Balance, now: datetime, actor: str) -> Change:
    """Divide what is left of the budget, and reserve all that is promised by one entry."""
    found = divided(
        pool.amount, promotion.progress.classes, promotion.max_per_participant, exponent(promotion.currency)
    )
    after = _at(promotion, Stage.REWARDS if found.promised else Stage.REFUND, now, split=found, promised=found.promised)
    posting = None
    if found.promised:
        accounts = budget(promotion.id), reserved(promotion.id)
        entry_id = f"reserve#{promotion.id}"
        posting = Posting.transfer(entry_id, Kind.RESERVE, promotion.currency, *accounts, found.promised, actor)
    event = Event("CAMPAIGN_RATE_UPDATED", promotion.card | {"finalRate": found.rate, "currency": promotion.currency})
    more: dict[str, Any] = {"posting": posting, "balances": {pool.account: pool}}
    return changed(promotion, after, Action.RATE, event, is_batch=True, **more)


def pay(
    promotion: Promotion,
    promised: Balance,
    page: Sequence[Participant],
    users: Mapping[str, str],
    paid: Collection[str],
    after_hash: str | None,
    now: datetime,
    actor: str,
) -> Change:
    """Give the next participants in hash order their shares: known users are paid, the others may claim.

    `promised` is what is reserved. `users` are the owners of accounts by their ids, `paid` those of them who were paid
    before; of two accounts of one person the first is paid. `after_hash` is None for the last page.
    """
    if promotion.split is None:
        raise ValueError("Nothing was divided")
    amounts, classes = shares(promotion.split.classes, page)
    rewarded: dict[str, int] = {}
    participants = []
    for before, with_amount in zip(page, amounts, strict=True):
        user = users.get(before.account_id)
        one = _rewarded(promotion, with_amount, user, is_paid=user in paid or user in rewarded)
        participants.append((before, one))
        if one.state is ParticipantState.PAID and user:
            rewarded[user] = one.amount
    number, total = promotion.progress.pages + 1, sum(rewarded.values())
    after = _at(
        promotion,
        Stage.REWARDS if after_hash else Stage.REFUND,
        now,
        progress=replace(promotion.progress, pages=number, after=after_hash),
        split=replace(promotion.split, classes=classes),
        paid=promotion.paid + total,
    )
    posting = None
    if total:
        legs = {promised.account: -total}
        legs |= {wallet(promotion.currency, user): amount for user, amount in rewarded.items()}
        posting = Posting(f"pay#{promotion.id}#{number}", Kind.PAY, promotion.currency, legs, actor)
    more: dict[str, Any] = {"posting": posting, "balances": {promised.account: promised}, "is_batch": True}
    more |= {"participants": tuple(participants), "persons": tuple(rewarded)}
    return changed(promotion, after, Action.PAID if total else None, **more)


def refund(promotion: Promotion, balances: Balances, now: datetime, actor: str) -> Change:
    """Refund what is not promised; what is reserved too, if the close was abandoned."""
    left = {account: balance.amount for account, balance in balances.items()}
    amount = sum(left.values())
    after = _at(promotion, Stage.FINALISE, now, refunded=promotion.refunded + amount)
    if promotion.abandoned_at:
        after = replace(after, promised=promotion.paid)
    posting = None
    if amount:
        legs = {account: -each for account, each in left.items() if each}
        legs[wallet(promotion.currency, promotion.created_by)] = amount
        posting = Posting(f"refund#{promotion.id}#close", Kind.REFUND, promotion.currency, legs, actor)
    more: dict[str, Any] = {"posting": posting, "balances": balances}
    return changed(promotion, after, Action.REFUNDED, _refunded(promotion, amount), is_batch=True, **more)


def finalised(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    """The contract is finalised: CampaignClosed, and what is promised may be claimed."""
    del result, call
    after = replace(recorded(promotion, now), contract_status="closed")
    return _closed(promotion, after, Action.CLOSED, now)


def claim(
    promotion: Promotion,
    promised: Balance,
    mine: Sequence[Participant],
    user: str,
    now: datetime,
    *,
    is_paid: bool,
) -> Change | None:
    """Pay the first of a user's accounts that has a share to claim; the others go back to the owner at the end.

    `promised` is what is reserved, `mine` are the user's participants in hash order, `is_paid`: whether the user was
    paid before. The step stays as it is: a claim changes nothing that the chain will do. Returns None if there is
    nothing to do.
    """
    if promotion.status is not PromotionStatus.CLOSED:
        raise Conflicting("Rewards can be claimed when the promotion has closed", "claims_not_open")
    claimable = [each for each in mine if each.state is ParticipantState.CLAIMABLE]
    if not claimable:
        return None
    if not is_claimable(promotion, now):
        raise Conflicting("What was not claimed in time is back with the owner", "claim_window_over")
    participants = [(claimable[0], _rewarded(promotion, claimable[0], user, is_paid=is_paid))]
    participants += [(each, _rewarded(promotion, each, user, is_paid=True)) for each in claimable[1:]]
    paid = [each for _, each in participants if each.state is ParticipantState.PAID]
    after = replace(promotion, paid=promotion.paid + sum(each.amount for each in paid), updated_at=now, sweeps=0)
    more: dict[str, Any] = {"participants": tuple(participants), "is_batch": True}
    if not paid:
        return changed(promotion, after, None, **more)
    entry_id, accounts = f"pay#{promotion.id}#{paid[0].hash}", (promised.account, wallet(promotion.currency, user))
    posting = Posting.transfer(entry_id, Kind.PAY, promotion.currency, *accounts, paid[0].amount, user)
    more |= {"posting": posting, "balances": {promised.account: promised}, "persons": (user,)}
    return changed(promotion, after, Action.PAID, **more)


def is_claimable(promotion: Promotion, now: datetime) -> bool:
    """Whether shares can be claimed now."""
    return promotion.stage is Stage.CLAIMS and promotion.claim_until is not None and now < promotion.claim_until


def shown(promotion: Promotion, participant: Participant, now: datetime) -> Participant:
    """A participant as people see it: a share that nobody claimed in time is expired."""
    is_over = promotion.status is PromotionStatus.CLOSED and not is_claimable(promotion, now)
    if participant.state is ParticipantState.CLAIMABLE and is_over:
        return replace(participant, state=ParticipantState.EXPIRED)
    return participant


def expire(promotion: Promotion, left: Balance, now: datetime, actor: str, *, calls: bool) -> Change:
    """Refund what was not claimed in time. `calls`: whether the escrow is then called a last time."""
    amount = left.amount
    events = [_refunded(promotion, amount)] if amount else []
    posting = None
    if amount:
        accounts = reserved(promotion.id), wallet(promotion.currency, promotion.created_by)
        entry_id = f"refund#{promotion.id}#expired"
        posting = Posting.transfer(entry_id, Kind.REFUND, promotion.currency, *accounts, amount, actor)
    more: dict[str, Any] = {"posting": posting, "balances": {left.account: left}, "is_batch": True}
    refunded = promotion.refunded + amount
    if amount and calls:
        after = _at(promotion, Stage.EXPIRE, now, refunded=refunded)
        return changed(promotion, after, Action.REFUNDED, *events, **more)
    after = _at(promotion, Stage.SETTLED, now, refunded=refunded, wake_at=None)
    return changed(promotion, after, Action.SETTLED, *events, ours("PromotionSettled", promotion), **more)


def expired(promotion: Promotion, result: str, call: Call, now: datetime) -> Change:
    """The escrow has recorded what expired: nothing is left to do."""
    del result, call
    after = replace(recorded(promotion, now), stage=Stage.SETTLED, call=None, wake_at=None)
    return changed(promotion, after, Action.SETTLED, ours("PromotionSettled", promotion))


def abandon(promotion: Promotion, reason: str, now: datetime) -> Change:
    """Abandon a close that has halted: nobody is paid after that, and what is left is refunded.

    A contract that cannot be finalised is left as it is; what was promised before may still be claimed.
    """
    after = replace(promotion.commanded(now), error=None, call=None, abandoned_at=now, steps_done=0, wake_at=now)
    match promotion.stage:
        case Stage.FINALISE:
            return _closed(promotion, after, Action.ABANDONED, now, noted={"reason": reason})
        case Stage.EXPIRE:
            settled = replace(after, stage=Stage.SETTLED, wake_at=None)
            event = ours("PromotionSettled", promotion)
            return changed(promotion, settled, Action.ABANDONED, event, noted={"reason": reason})
        case Stage.CLAIMS:
            raise Conflicting("It waits for claims: resume it instead", "campaign_cannot_be_abandoned")
    return changed(promotion, replace(after, stage=Stage.REFUND), Action.ABANDONED, noted={"reason": reason})


def _at(promotion: Promotion, stage: Stage, now: datetime, **more: Any) -> Promotion:
    """The promotion at a stage of its closing, with as many steps again."""
    return replace(promotion.stepped(now), **{"stage": stage, "call": None, "wake_at": now, "steps_done": 0, **more})


def _rewarded(promotion: Promotion, participant: Participant, user: str | None, *, is_paid: bool) -> Participant:
    """A participant whose share is known: paid to its user, if there is one and has not been paid; or claimable."""
    if not participant.amount:
        return replace(participant, state=ParticipantState.UNPAID, reason=Reason.NO_SHARE)
    if user is None:
        return replace(participant, state=ParticipantState.CLAIMABLE)
    if user == promotion.created_by:
        return replace(participant, state=ParticipantState.UNPAID, reason=Reason.OWNER)
    if is_paid:
        return replace(participant, state=ParticipantState.DUPLICATE_USER, reason=Reason.DUPLICATE_USER, user=user)
    return replace(participant, state=ParticipantState.PAID, user=user)


def _refunded(promotion: Promotion, amount: int) -> Event:
    data = promotion.card | {"refundAmount": amount, "currency": promotion.currency}
    return Event("CAMPAIGN_BUDGET_REFUND", data)


def _closed(promotion: Promotion, after: Promotion, action: Action, now: datetime, **more: Any) -> Change:
    """CampaignClosed: claims are open if something is promised and not yet paid, else it is settled."""
    is_open = promotion.promised > promotion.paid
    until = now + timedelta(hours=promotion.claim_window_hours) if is_open else None
    closed = replace(
        after,
        status=PromotionStatus.CLOSED,
        stage=Stage.CLAIMS if is_open else Stage.SETTLED,
        call=None,
        claim_until=until,
        wake_at=until,
        steps_done=0,
    )
    final = promotion.final.metrics if promotion.final else {}
    events = [Event("CAMPAIGN_CLOSED", promotion.card | {"finalMetrics": final})]
    if not is_open:
        events.append(ours("PromotionSettled", promotion))
    return changed(promotion, closed, action, *events, **more)
