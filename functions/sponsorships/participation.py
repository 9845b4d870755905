"""A streamer's participation: its states, its commands and its steps. Pure: each returns the Change to commit.

active -> settling -> (held ->) completed        settling -> expired | review
                       held -> rejected          review -> settling | rejected

Money follows rows and grants, and no document (decision 26): `decide` gets the count of the rows, which are closed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sluice import journal
from sluice.campaign import Chained, max_steps
from sluice.errors import Conflicting
from sluice.journal import Kind, MoneyChange, Posting
from sluice.money import exponent
from sponsorships.campaign import AtEnd, Campaign
from sponsorships.earnings import pay
from sponsorships.impressions import ViewerPeriod

MOST_VOIDED = 25
"""Impressions in a request that voids: each may have a tally of its own."""
STREAMER = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Subjects that can take part: their ids are names in keys, paths and schedules."""
_NOT_PAID_YET = "The participation was not paid yet: there is nothing to claim back"


class ParticipationStatus(StrEnum):
    """Where a participation stands."""

    ACTIVE = "active"
    SETTLING = "settling"
    HELD = "held"
    COMPLETED = "completed"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REVIEW = "review"


LIVE = frozenset({ParticipationStatus.SETTLING, ParticipationStatus.HELD})
ENDED = frozenset({ParticipationStatus.COMPLETED, ParticipationStatus.EXPIRED, ParticipationStatus.REJECTED})


class Why(StrEnum):
    """Why a participation settles."""

    TARGET = "target"
    END = "end"
    """The campaign ended."""
    LEFT = "left"
    """The streamer left."""


class PayWaiting(StrEnum):
    """What a live participation waits for."""

    HOLD = "hold"
    DAILY_CAP = "daily_cap"


class Action(StrEnum):
    """The actions in the audit log."""

    JOINED = "PARTICIPATION_JOINED"
    SETTLING = "PARTICIPATION_SETTLING"
    HELD = "PARTICIPATION_HELD"
    COMPLETED = "PARTICIPATION_COMPLETED"
    EXPIRED = "PARTICIPATION_EXPIRED"
    REJECTED = "PARTICIPATION_REJECTED"
    REVIEW = "PARTICIPATION_REVIEW"
    EDITED = "PARTICIPATION_EDITED"
    TALLY_CORRECTED = "TALLY_CORRECTED"
    VOIDED = "IMPRESSIONS_VOIDED"
    ADJUSTMENT_PROPOSED = "ADJUSTMENT_PROPOSED"
    ADJUSTMENT_APPROVED = "ADJUSTMENT_APPROVED"
    ADJUSTMENT_REJECTED = "ADJUSTMENT_REJECTED"
    REFUND_PROPOSED = "REFUND_PROPOSED"
    REFUND_PAID = "REFUND_PAID"
    REJECTION_PROPOSED = "REJECTION_PROPOSED"


class Key(StrEnum):
    """What a change does with the streamer's G-Key."""

    RESERVE = "reserve"
    UNLOCK = "unlock"
    GIVE_BACK = "give_back"


@dataclass(frozen=True, kw_only=True)
class Published:
    """The monitored fields (S3-12), each written twice by every write of the product.

    A hand in the database changes one of the two, so whoever reads the item can tell an edit at any later time.
    """

    impressions: int = 0
    clicks: int = 0
    earnings: int = 0
    published_impressions: int = 0
    published_clicks: int = 0
    published_earnings: int = 0

    @property
    def edited(self) -> dict[str, tuple[int, int]]:
        """What a hand changed: the published and the edited value of each such field, by its name."""
        names = ("impressions", "clicks", "earnings")
        both = {name: (getattr(self, f"published_{name}"), getattr(self, name)) for name in names}
        return {name: values for name, values in both.items() if values[0] != values[1]}


@dataclass(frozen=True, kw_only=True)
class Participation(Published, Chained):
    """One streamer in one campaign; its id is `<campaign>:<streamer>`."""

    campaign_id: str
    streamer: str
    status: ParticipationStatus = ParticipationStatus.ACTIVE
    why: Why | None = None
    last_writer: str = "join"
    """Who of the product wrote last: a hint for people."""
    granted: int = 0
    """Impressions that two people approved beside the rows."""
    reached: int = 0
    """The highest threshold whose crossing was seen."""
    shards: int = 1
    """How many tallies its impressions are spread over."""
    key_number: int | None = None
    """Of its G-Key in the campaign's pool."""
    detected_by: str | None = None
    """Who found that its target was reached: `api`, `stream` or `sweep`."""
    waiting_for: PayWaiting | None = None
    paid: int = 0
    clawed: int = 0
    refunds: int = 0
    """How many refunds were proposed."""
    rejection_by: str | None = None
    """Who proposed to reject it."""
    rejection_reason: str | None = None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True)
class Standing:
    """A participation and the sums of its tallies."""

    participation: Participation
    impressions: int
    clicks: int
    last_at: str | None
    """When the last impression was accepted."""

    @property
    def total(self) -> int:
        """What counts for the target: impressions, and what was granted."""
        return self.impressions + self.participation.granted


@dataclass(frozen=True)
class Offer:
    """The terms as they stood when the streamer joined: in the ledger's entry, where no document is trusted."""

    rate: str
    exponent: int
    currency: str
    target: int
    pay: int
    """What was set aside, in minor units."""
    hold_hours: int
    at_end: AtEnd
    viewer_period: ViewerPeriod
    min_seconds: int
    token_seconds: int

    @classmethod
    def of(cls, campaign: Campaign) -> "Offer":
        """What a campaign offers now."""
        same = ("rate", "currency", "pay", "hold_hours", "at_end", "viewer_period", "min_seconds", "token_seconds")
        values: dict[str, Any] = {name: getattr(campaign, name) for name in same}
        return cls(**values, exponent=exponent(campaign.currency), target=campaign.target_impressions)

    @classmethod
    def read(cls, memo: Mapping[str, str], currency: str, pay: int) -> "Offer":
        """The terms in the memo of an entry that set `pay` aside."""
        return cls(
            rate=memo["rate"],
            exponent=exponent(currency),
            currency=currency,
            target=int(memo["target"]),
            pay=pay,
            hold_hours=int(memo["hold_hours"]),
            at_end=AtEnd(memo["at_end"]),
            viewer_period=ViewerPeriod(memo["viewer_period"]),
            min_seconds=int(memo["min_seconds"]),
            token_seconds=int(memo["token_seconds"]),
        )

    def memo(self) -> dict[str, str]:
        """The terms that the entry has not got otherwise, as texts."""
        return {name: str(value) for name, value in vars(self).items() if name not in ("exponent", "currency", "pay")}

    def earned(self, impressions: int) -> int:
        """What so many impressions earn, never more than what was set aside."""
        return min(self.pay, pay(self.rate, self.exponent, impressions, self.target))


@dataclass(frozen=True)
class Count:
    """The rows of a participation, counted after its tallies were closed."""

    valid: int
    voided: int
    clicks: int
    root: str
    """Of the Merkle tree over the valid rows, in hex."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Refusals by reason."""
    foreign: int = 0
    """Rows that recording did not write as they are: a hand did."""


@dataclass(frozen=True)
class Statement:
    """What a participation came to. Amounts are minor units."""

    root: str
    impressions: int
    granted: int
    overshoot: int
    """Impressions above the target, which earn nothing."""
    voided: int
    refused: Mapping[str, int]
    pay: int
    entry: str
    """The id of the ledger's entry."""
    settled_at: datetime


@dataclass(frozen=True)
class Counted:
    """What counts a row: its tally, and whether it was clicked."""

    k: int
    is_clicked: bool = False


@dataclass(frozen=True)
class Earned:
    """An addition to what a streamer earned in a currency on a day, on condition of the cap."""

    streamer: str
    currency: str
    day: date
    amount: int
    cap: int


@dataclass(frozen=True)
class Refund:
    """A claim back: an admin proposed it, and another one approves it. Amounts are minor units."""

    number: int
    amount: int
    reason: str
    proposer: str
    approver: str | None = None


class AdjustmentState(StrEnum):
    """What became of an adjustment."""

    OPEN = "open"
    GRANTED = "granted"
    REJECTED = "rejected"
    NOTED = "noted"
    """An edit that claims nothing, or nothing that could still be granted: it was recorded and put right."""


@dataclass(frozen=True)
class Adjustment:
    """Impressions that a hand in the database wrote, or that somebody proposed: they count when two people approve."""

    number: int
    """The step of the participation as it was read: so a step has one adjustment."""
    delta: int
    """The impressions that it claims beside those that count."""
    found_by: str
    """`stream`, `sweep` or `worker` for a hand in the database, `proposal` for a proposal."""
    created_at: datetime
    state: AdjustmentState = AdjustmentState.OPEN
    before: Mapping[str, int] = field(default_factory=dict)
    """The published value of each field that a hand changed, by its name."""
    after: Mapping[str, int] = field(default_factory=dict)
    """What the hand wrote."""
    reason: str | None = None
    proposer: str | None = None
    approvers: frozenset[str] = frozenset()
    decided_by: str | None = None


@dataclass(frozen=True)
class Change(MoneyChange[Participation]):
    """A change of a participation, and what its transaction does besides."""

    key: Key | None = None
    statement: Statement | None = None
    earned: Earned | None = None
    refund: Refund | None = None
    adjustment: Adjustment | None = None
    """The adjustment as it is after the change."""
    correction: int = 0
    """Impressions to add to tally 0, which a hand took away; below 0 for those that a hand added."""
    check: Mapping[str, Any] | None = None
    """What the event says that asks for a check of the participation; it is written in the same transaction."""
    joins: Campaign | None = None
    """The campaign that is joined: it must still be as it was read."""
    returns_to: Campaign | None = None
    """The campaign whose pay is claimed back: it is in the status that was read. A closed one has no budget."""
    noted: Mapping[str, Any] = field(default_factory=dict)
    """What the audit entry shows besides."""
    voids: Mapping[tuple[str, str], Counted] = field(default_factory=dict)
    """Rows to void, by `id` and `part`: each with what counts it."""


# --- Commands


def join(campaign: Campaign, participation: Participation, offer: Offer, now: datetime, actor: str) -> Change:
    """Join a running campaign: pay and key are set aside in this moment. Raises Conflicting for another campaign."""
    if not campaign.takes_impressions(now):
        raise Conflicting("The campaign does not run", "campaign_not_running")
    source, target = journal.budget(campaign.id), journal.reserved(campaign.id)
    entry_id = f"rsv#{participation.id}"
    posting = Posting.transfer(entry_id, Kind.RESERVE, offer.currency, source, target, offer.pay, actor, offer.memo())
    key = None if participation.key_number is None else Key.RESERVE
    return Change(None, participation, Action.JOINED, is_batch=True, posting=posting, key=key, joins=campaign)


def leave(participation: Participation, now: datetime) -> Change:
    """Settle an active participation because its streamer leaves."""
    if participation.status is not ParticipationStatus.ACTIVE:
        raise Conflicting("The participation has settled already", "participation_cannot_be_left")
    return settle(participation, Why.LEFT, None, now)


def settle(participation: Participation, why: Why, detected_by: str | None, now: datetime) -> Change:
    """Begin to settle an active participation: its step closes the tallies, counts the rows and decides."""
    settling = replace(
        participation.commanded(now),
        status=ParticipationStatus.SETTLING,
        why=why,
        detected_by=detected_by,
        wake_at=now,
        steps_done=0,
        max_steps=max_steps(1, 366),
    )
    return Change(participation, settling, Action.SETTLING)


def settle_again(participation: Participation, now: datetime) -> Change:
    """Settle a participation in review again, after a grant. A rejection that was proposed before is void."""
    if participation.status is not ParticipationStatus.REVIEW:
        raise Conflicting("Only a participation in review can be settled again", "participation_cannot_be_settled")
    change = settle(participation, participation.why or Why.TARGET, participation.detected_by, now)
    return replace(change, after=replace(change.after, rejection_by=None, rejection_reason=None))


def void(participation: Participation, rows: Mapping[tuple[str, str], Counted], reason: str, now: datetime) -> Change:
    """Take impressions, with their clicks, out of the count. `rows`: each row's `id` and `part`, with what counts it.

    It bumps the step: else a settle that counted them before could begin after.
    """
    if participation.status is not ParticipationStatus.ACTIVE:
        raise Conflicting("The participation has settled: its impressions are final", "too_late")
    noted = {"reason": reason, "voided": len(rows)}
    return Change(participation, participation.commanded(now), Action.VOIDED, voids=rows, noted=noted)


def propose_rejection(participation: Participation, reason: str, actor: str, now: datetime) -> Change:
    """Propose to reject what is held or in review: an admin, who is another person, approves."""
    if participation.status not in (ParticipationStatus.HELD, ParticipationStatus.REVIEW):
        raise Conflicting("Only what is held or in review can be rejected", "participation_cannot_be_rejected")
    proposed = replace(participation.commanded(now), rejection_by=actor, rejection_reason=reason)
    return Change(participation, proposed, Action.REJECTION_PROPOSED)


def reject(participation: Participation, offer: Offer, actor: str, now: datetime) -> Change:
    """Reject what another person proposed to reject: what was set aside goes back to the budget."""
    if participation.rejection_by is None or participation.status not in (
        ParticipationStatus.HELD,
        ParticipationStatus.REVIEW,
    ):
        raise Conflicting("Nobody proposed to reject this participation", "participation_cannot_be_rejected")
    if participation.rejection_by == actor:
        raise Conflicting("Another person must approve what you proposed", "own_proposal")
    rejected = replace(
        participation.commanded(now), status=ParticipationStatus.REJECTED, wake_at=None, waiting_for=None
    )
    return Change(
        participation,
        rejected,
        Action.REJECTED,
        is_batch=True,
        posting=_release(participation, offer, actor),
        key=_returned(participation),
    )


def propose_refund(participation: Participation, amount: int | None, reason: str, actor: str, now: datetime) -> Change:
    """Propose to claim back `amount`, or all that is left. Raises Conflicting when there is less."""
    left = participation.paid - participation.clawed
    if not left:
        raise Conflicting(_NOT_PAID_YET, "nothing_paid")
    wanted = left if amount is None else amount
    if wanted > left:
        raise Conflicting(f"Only {left} of what was paid can still be claimed back", "amount_too_high")
    proposed = replace(participation.commanded(now), refunds=participation.refunds + 1)
    refund = Refund(proposed.refunds, wanted, reason, actor)
    noted = {"refund": refund.number, "amount": wanted, "reason": reason}
    return Change(participation, proposed, Action.REFUND_PROPOSED, refund=refund, noted=noted)


def pay_back(
    campaign: Campaign, participation: Participation, refund: Refund, approver: str, now: datetime, is_closed: bool
) -> Change:
    """Claim back what another admin proposed. A closed campaign's goes to the advertiser's wallet."""
    if refund.approver is not None:
        raise Conflicting("This refund is decided already", "already_decided")
    if refund.proposer == approver:
        raise Conflicting("Another person must approve what you proposed", "own_proposal")
    if participation.clawed + refund.amount > participation.paid:
        left = participation.paid - participation.clawed
        raise Conflicting(f"Only {left} of what was paid can still be claimed back", "amount_too_high")
    clawed = replace(participation.commanded(now), clawed=participation.clawed + refund.amount)
    owner = journal.wallet(campaign.currency, campaign.created_by)
    posting = Posting.transfer(
        f"clw#{participation.id}#{refund.number}",
        Kind.CLAWBACK,
        campaign.currency,
        journal.wallet(campaign.currency, participation.streamer),
        owner if is_closed else journal.budget(campaign.id),
        refund.amount,
        approver,
    )
    approved = replace(refund, approver=approver)
    noted = {"refund": refund.number, "amount": refund.amount}
    return Change(
        participation,
        clawed,
        Action.REFUND_PAID,
        is_batch=True,
        posting=posting,
        refund=approved,
        returns_to=campaign,
        noted=noted,
    )


# --- Steps


def decide(participation: Participation, offer: Offer, count: Count, now: datetime, cap: int, today: date) -> Change:
    """Decide what closed rows are worth: complete, hold, expire, or leave it to a person.

    `cap`: what a streamer may earn a day in the currency, 0 for no cap; `today`: the day that counts for it.
    """
    total = count.valid + participation.granted
    is_complete = total >= offer.target
    stepped = replace(
        participation.stepped(now), **copies(total, count.clicks, offer), waiting_for=None, last_writer="worker"
    )
    if is_complete or (participation.why is Why.END and offer.at_end is AtEnd.PRO_RATA):
        amount = offer.earned(total)
    else:
        amount = 0
    if not is_complete and participation.why is Why.TARGET:
        # Rows that were counted before the tallies were closed are gone: a hand deleted them.
        return Change(participation, replace(stepped, status=ParticipationStatus.REVIEW, wake_at=None), Action.REVIEW)
    entry = f"pay#{participation.id}" if amount else f"rel#{participation.id}"
    statement = Statement(
        root=count.root,
        impressions=count.valid,
        granted=participation.granted,
        overshoot=max(0, total - offer.target),
        voided=count.voided,
        refused=count.refused,
        pay=amount,
        entry=entry,
        settled_at=now,
    )
    if amount and offer.hold_hours and participation.status is ParticipationStatus.SETTLING:
        until = now + timedelta(hours=offer.hold_hours)
        held = replace(stepped, status=ParticipationStatus.HELD, wake_at=until, waiting_for=PayWaiting.HOLD)
        return Change(participation, held, Action.HELD, statement=statement)
    ended = replace(
        stepped,
        status=ParticipationStatus.COMPLETED if is_complete else ParticipationStatus.EXPIRED,
        paid=amount,
        wake_at=None,
    )
    return Change(
        participation,
        ended,
        Action.COMPLETED if is_complete else Action.EXPIRED,
        is_batch=True,
        posting=_pay(participation, offer, amount) if amount else _release(participation, offer, "worker"),
        key=_unlocked(participation) if is_complete else _returned(participation),
        statement=statement,
        earned=Earned(participation.streamer, offer.currency, today, amount, cap) if amount and cap else None,
    )


def wait_for_midnight(participation: Participation, midnight: datetime, now: datetime) -> Change:
    """Let a step go by without an effect: the streamer has earned what one may earn on a day."""
    waiting = replace(participation.stepped(now), wake_at=midnight, waiting_for=PayWaiting.DAILY_CAP)
    return Change(participation, waiting)


def give_up(participation: Participation, now: datetime) -> Change:
    """Leave a participation that reached `max_steps` to a person."""
    return Change(
        participation,
        replace(participation.stepped(now), status=ParticipationStatus.REVIEW, wake_at=None),
        Action.REVIEW,
    )


def copies(total: int, clicks: int, offer: Offer) -> dict[str, Any]:
    """The monitored fields and their published twins."""
    values = {"impressions": total, "clicks": clicks, "earnings": offer.earned(total)}
    return values | {f"published_{name}": value for name, value in values.items()}


def _pay(participation: Participation, offer: Offer, amount: int) -> Posting:
    """What was set aside goes to the streamer's wallet; of less than all of it, the rest back to the budget."""
    source = journal.reserved(participation.campaign_id)
    legs = {source: -offer.pay, journal.wallet(offer.currency, participation.streamer): amount}
    if amount < offer.pay:
        legs[journal.budget(participation.campaign_id)] = offer.pay - amount
    return Posting(f"pay#{participation.id}", Kind.PAY, offer.currency, legs, "worker")


def _release(participation: Participation, offer: Offer, actor: str) -> Posting:
    source, target = journal.reserved(participation.campaign_id), journal.budget(participation.campaign_id)
    return Posting.transfer(f"rel#{participation.id}", Kind.RELEASE, offer.currency, source, target, offer.pay, actor)


def _unlocked(participation: Participation) -> Key | None:
    return None if participation.key_number is None else Key.UNLOCK


def _returned(participation: Participation) -> Key | None:
    return None if participation.key_number is None else Key.GIVE_BACK
