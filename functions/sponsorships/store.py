"""Reading campaigns and participations, and committing changes to them with the money that they move."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction
from pynamodb.transactions import TransactWrite

from sluice import ledger, outbox
from sluice.chained import PART
from sluice.clock import rfc3339
from sluice.commit import Trace
from sluice.dynamodb import page_of, setting, transient_as_unavailable, values_of
from sluice.errors import Unavailable
from sluice.journal import Balance, Entry, budget, reserved
from sluice.paying import PayingStore
from sluice.store import ChainStore, Listing
from sponsorships import adjustments, gkeys, monitor
from sponsorships.campaign import Action as CampaignAction
from sponsorships.campaign import Campaign, SponsorshipStatus, Terms
from sponsorships.campaign import Change as CampaignChange
from sponsorships.checkrun import Change as CheckChange
from sponsorships.checkrun import CheckRun
from sponsorships.impressions import tally_id
from sponsorships.items import (
    LISTED,
    STATEMENT,
    TALLY,
    CampaignItem,
    CheckItem,
    EarnedItem,
    ListedItem,
    MonitorItem,
    ParticipationItem,
    RefundItem,
    RowItem,
    StatementItem,
    TallyItem,
)
from sponsorships.participation import (
    Action,
    Change,
    Earned,
    Key,
    Offer,
    Participation,
    Published,
    Refund,
    Statement,
)

CAMPAIGN_EVENTS = {
    CampaignAction.CREATED: "SponsorshipCreated",
    CampaignAction.STARTED: "SponsorshipStarted",
    CampaignAction.PAUSED: "SponsorshipPaused",
    CampaignAction.RESUMED: "SponsorshipResumed",
    CampaignAction.CLOSING: "SponsorshipClosing",
    CampaignAction.CLOSED: "SponsorshipClosed",
    CampaignAction.CANCELLED: "SponsorshipCancelled",
    CampaignAction.KEYS_LOADED: "KeysLoaded",
}
CHECK = "campaign.completion.check"
"""The event that asks for a check (S3-4)."""
EVENTS = {
    Action.JOINED: "ParticipationJoined",
    Action.SETTLING: "ParticipationSettling",
    Action.HELD: "ParticipationHeld",
    Action.COMPLETED: "ParticipationCompleted",
    Action.EXPIRED: "ParticipationExpired",
    Action.REJECTED: "ParticipationRejected",
    Action.REVIEW: "ParticipationReview",
    Action.EDITED: CHECK,
    Action.TALLY_CORRECTED: "TallyCorrected",
    Action.VOIDED: "ImpressionsVoided",
    Action.ADJUSTMENT_PROPOSED: "AdjustmentProposed",
    Action.ADJUSTMENT_APPROVED: "AdjustmentApproved",
    Action.ADJUSTMENT_REJECTED: "AdjustmentRejected",
    Action.REFUND_PROPOSED: "RefundProposed",
    Action.REFUND_PAID: "RefundPaid",
    Action.REJECTION_PROPOSED: "RejectionProposed",
}


def _require_empty(transaction: TransactWrite, campaign_id: str, then: Mapping[str, Balance]) -> None:
    """On condition that a closed campaign has nothing; `then`: the balances as they will be. Raises Unavailable.

    A claim back may have come to the budget since the refund was computed.
    """
    amount = ledger.BalanceItem.amount
    nothing = amount.does_not_exist() | (amount == 0)
    for account in (reserved(campaign_id), budget(campaign_id)):
        if account not in then:
            transaction.condition_check(ledger.BalanceItem, account, "balance", condition=nothing)
        elif then[account].amount:
            raise Unavailable("Money came back to the budget meanwhile")


class CampaignStore(PayingStore[Campaign, CampaignChange]):
    """Reads campaigns and commits changes to them."""

    kind = Campaign
    items = CampaignItem
    events = CAMPAIGN_EVENTS
    restored = "SPONSORSHIP_RESTORED"

    def also(self, transaction: TransactWrite, change: CampaignChange, after: Campaign, now: datetime) -> None:  # noqa: ARG002
        """The advertiser's list, G-Keys, the money; and for a close: no money may stay in the campaign's accounts."""
        if change.before is None:
            transaction.save(ListedItem(f"owner#{after.created_by}", after.id))
        if change.keys:
            gkeys.load(transaction, after.id, change.keys)
        then = self.post(transaction, change, after)
        if change.action is CampaignAction.CLOSED:
            _require_empty(transaction, after.id, then)

    def terms(self, campaign: Campaign) -> dict[str, Any]:
        values = {each.name: getattr(campaign, each.name) for each in fields(Terms)}
        return values | {
            "milestones": list(campaign.milestones),
            "ends_at": rfc3339(campaign.ends_at),
            "pay": campaign.pay,
        }

    def snapshot(self, campaign: Campaign) -> dict[str, Any]:
        return {"status": campaign.status}

    def told(self, campaign: Campaign) -> dict[str, Any]:
        return (
            {"campaign_id": campaign.id, "owner": campaign.created_by} | self.terms(campaign) | self.snapshot(campaign)
        )

    def noted(self, change: CampaignChange) -> Mapping[str, Any]:
        return {"loaded": len(change.keys)} if change.keys else {}


class ParticipationStore(PayingStore[Participation, Change]):
    """Reads participations and commits changes to them."""

    kind = Participation
    items = ParticipationItem
    events = EVENTS
    restored = "PARTICIPATION_RESTORED"

    def statement(self, participation_id: str) -> Statement | None:
        """What a participation came to, by a consistent read; None before it settled."""
        try:
            with transient_as_unavailable():
                item = StatementItem.get(participation_id, STATEMENT, consistent_read=True)
        except DoesNotExist:
            return None
        return Statement(**values_of(item, Statement))

    def refund(self, participation_id: str, number: int) -> Refund | None:
        """A claim back, by a consistent read."""
        try:
            with transient_as_unavailable():
                item = RefundItem.get(participation_id, _refund_part(number), consistent_read=True)
        except DoesNotExist:
            return None
        return Refund(number, int(item.amount), item.reason, item.proposer, item.approver)

    def refunds(self, participation_id: str) -> list[RefundItem]:
        """All claims back, in order, by a consistent read."""
        return page_of(RefundItem, lambda item: item, participation_id, "refund#", None, None)[0]

    def streamers(self, campaign_id: str, limit: int | None, after: str | None) -> tuple[list[str], str | None]:
        """The streamers of a campaign, in order; and the place to go on after, if any. A consistent read."""
        return page_of(ListedItem, lambda item: str(item.part.removeprefix(LISTED)), campaign_id, LISTED, limit, after)

    def earned(self, streamer: str, currency: str, day: str) -> int:
        """What a streamer earned in a currency on a day, by a consistent read."""
        with transient_as_unavailable():
            items = list(EarnedItem.batch_get([(_earned_id(streamer, currency), day)], consistent_read=True))
        return int(items[0].amount) if items else 0

    def also(self, transaction: TransactWrite, change: Change, after: Participation, now: datetime) -> None:
        """The lists of a join, the key, the statement, the money, and what was voided, earned or claimed back."""
        if change.joins:
            _join(transaction, change.joins, after, now)
        if change.key and after.key_number:
            _MOVES[change.key](transaction, after.campaign_id, after.key_number, after.streamer)
            if change.key is Key.UNLOCK:
                told = {"campaign_id": after.campaign_id, "streamer": after.streamer, "key": after.key_number}
                outbox.write(transaction, "KeyUnlocked", told, now)
        if change.statement:
            transaction.save(StatementItem(after.id, STATEMENT, **vars(change.statement)))
        if change.earned:
            _earn(transaction, change.earned)
        if change.refund:
            _claim_back(transaction, change.refund, change)
        if change.voids:
            _void(transaction, change)
        _adjust(transaction, change, after)
        if change.returns_to:
            as_read: Condition = CampaignItem.status == change.returns_to.status
            transaction.condition_check(CampaignItem, after.campaign_id, PART, condition=as_read)
        if change.check and change.action is not Action.EDITED:
            outbox.write(transaction, CHECK, {**self.terms(after), **change.check}, now)
        self.post(transaction, change, after)

    def as_read(self, change: Change) -> Sequence[Condition]:
        """For a tally, how many tallies there are; for a change of the monitored fields, these and their copies.

        Else it would overwrite an edit by hand that nobody has read.
        """
        before = change.before
        if before and change.action is Action.TALLY_CORRECTED:
            return [ParticipationItem.shards == before.shards]
        names = [field.name for field in fields(Published)]
        if before and any(getattr(change.after, name) != getattr(before, name) for name in names):
            return [_is(getattr(ParticipationItem, name), getattr(before, name)) for name in names]
        return ()

    def terms(self, participation: Participation) -> dict[str, Any]:
        return {"streamer": participation.streamer, "campaign_id": participation.campaign_id}

    def snapshot(self, participation: Participation) -> dict[str, Any]:
        names = ("why", "detected_by", "granted", "paid", "clawed", "key_number", "rejection_by", "rejection_reason")
        found = {name: getattr(participation, name) for name in names if getattr(participation, name)}
        return {"status": participation.status} | found

    def told(self, participation: Participation) -> dict[str, Any]:
        monitored = ("impressions", "clicks", "earnings")
        return (
            self.terms(participation)
            | self.snapshot(participation)
            | {name: getattr(participation, name) for name in monitored}
        )

    def noted(self, change: Change) -> Mapping[str, Any]:
        return change.noted

    def _trace(self, change: Change, actor: str) -> Trace | None:
        trace = super()._trace(change, actor)
        if trace and change.check and change.action is Action.EDITED:
            return replace(trace, told={**self.terms(change.after), **change.check})
        return trace


_NO_EVENTS: dict[Any, str] = {}
"""No change of a run has an action, so none leaves an entry or an event."""


class RunStore(ChainStore[CheckRun, CheckChange]):
    """Reads runs, and commits what they have come to."""

    kind = CheckRun
    items = CheckItem
    events = _NO_EVENTS
    restored = "CHECK_RESTORED"

    def also(self, transaction: TransactWrite, change: CheckChange, after: CheckRun, now: datetime) -> None:  # noqa: ARG002
        """For a new run: it is the one that is going, on condition that the one before is as it was read."""
        if change.before is None:
            as_read = MonitorItem.run == change.replaces if change.replaces else MonitorItem.run.does_not_exist()
            going = MonitorItem(monitor.MONITOR, monitor.CHECK)
            transaction.update(going, [MonitorItem.run.set(after.id)], as_read)


_MOVES = {Key.RESERVE: gkeys.reserve, Key.UNLOCK: gkeys.unlock, Key.GIVE_BACK: gkeys.give_back}


def offer_of(participation_id: str) -> Offer | None:
    """The terms that a streamer joined on: those of the ledger's entry, whatever a document says now."""
    return offers_of([participation_id]).get(participation_id)


def offers_of(participation_ids: Iterable[str]) -> dict[str, Offer]:
    """The terms of several participations, by consistent batch reads, without those that never joined."""
    found = ledger.find_all(f"rsv#{each}" for each in participation_ids)
    return {entry_id.removeprefix("rsv#"): _offer(entry) for entry_id, entry in found.items()}


def _offer(entry: Entry) -> Offer:
    return Offer.read(entry.memo, entry.currency, max(leg.amount for leg in entry.legs))


def listed_by(status: SponsorshipStatus | None, owner: str | None) -> Listing:
    """Where the campaigns of an advertiser are listed, or those in a status, or all."""
    if owner is not None:
        return Listing(ListedItem.query, f"owner#{owner}")
    if status is not None:
        return Listing(ListedItem.by_status.query, status, "status")
    return Listing(ListedItem.by_creation.query, PART, "kind")


def of_streamer(streamer: str) -> Listing:
    """Where the campaigns of a streamer are listed."""
    return Listing(ListedItem.query, f"streamer#{streamer}")


def _join(transaction: TransactWrite, campaign: Campaign, after: Participation, now: datetime) -> None:
    """List the participation, on condition that its campaign is as it was read, and runs."""
    transaction.save(ListedItem(campaign.id, f"{LISTED}{after.streamer}"))
    transaction.save(ListedItem(f"streamer#{after.streamer}", campaign.id))
    runs = (
        (CampaignItem.status == SponsorshipStatus.RUNNING)
        & (CampaignItem.step == campaign.step)
        & (CampaignItem.ends_at > now)
    )
    transaction.condition_check(CampaignItem, campaign.id, PART, condition=runs)


def _earn(transaction: TransactWrite, earned: Earned) -> None:
    """Add to what the streamer earned today, on condition of the cap."""
    amount = EarnedItem.amount
    transaction.update(
        EarnedItem(_earned_id(earned.streamer, earned.currency), earned.day.isoformat()),
        [amount.add(earned.amount)],
        amount.does_not_exist() | (amount <= earned.cap - earned.amount),
    )


def _earned_id(streamer: str, currency: str) -> str:
    return f"earned#{currency}#{streamer}"


def _claim_back(transaction: TransactWrite, refund: Refund, change: Change) -> None:
    """Put a proposed claim back, or note who approved it, on condition that nobody had decided it."""
    part = _refund_part(refund.number)
    if refund.approver is None:
        item = RefundItem(change.after.id, part, amount=refund.amount, reason=refund.reason, state="open")
        item.proposer = refund.proposer
        transaction.save(item, condition=RefundItem.id.does_not_exist())
        return
    paid = setting(
        RefundItem, {"state": "paid", "approver": refund.approver, "entry": f"clw#{change.after.id}#{refund.number}"}
    )
    transaction.update(RefundItem(change.after.id, part), paid, RefundItem.state == "open")


def _void(transaction: TransactWrite, change: Change) -> None:
    """Mark rows as voided, and take them and their clicks out of their tallies: one update per tally."""
    reason = str(change.noted["reason"])
    rows: Counter[int] = Counter()
    clicks: Counter[int] = Counter()
    for (row_id, part), counted in change.voids.items():
        is_clicked = RowItem.clicked_at.exists() if counted.is_clicked else RowItem.clicked_at.does_not_exist()
        as_read = RowItem.id.exists() & RowItem.voided.does_not_exist() & is_clicked
        transaction.update(RowItem(row_id, part), [RowItem.voided.set(reason)], as_read)
        rows[counted.k] += 1
        clicks[counted.k] += counted.is_clicked
    for k in rows:
        tally = TallyItem(tally_id(change.after.id, k), TALLY)
        less: list[UpdateAction] = [TallyItem.impressions.add(-rows[k]), TallyItem.clicks.add(-clicks[k])]
        transaction.update(tally, less, TallyItem.closed.does_not_exist())


def _adjust(transaction: TransactWrite, change: Change, after: Participation) -> None:
    """Write an adjustment as it is then, and what a tally is corrected by."""
    if change.adjustment:
        adjustments.write(transaction, after.id, change.adjustment)
    if change.correction:
        tally = TallyItem(tally_id(after.id, 0), TALLY)
        transaction.update(tally, [TallyItem.impressions.add(change.correction)])


def _is(attribute: Any, value: Any) -> Condition:
    """That an attribute is as it was read: what a hand took away is read as 0."""
    is_equal: Condition = attribute == value
    return is_equal if value else is_equal | attribute.does_not_exist()


def _refund_part(number: int) -> str:
    return f"refund#{number:04d}"
