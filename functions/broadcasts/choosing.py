"""What a step of a running campaign may send: how many, from which lanes, and which rows. Pure (sections 5.3 to 5.5).

`room` says how many messages the quota, the budget, the breakers and what is in flight allow, or what the campaign
waits for. `Choice` collects rows until that many are chosen or the transaction is full.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from broadcasts import agenda, breaker, prices, quotas
from broadcasts.agenda import Claimed, Due
from broadcasts.breaker import Base
from broadcasts.campaign import (
    CLOSES_AFTER,
    Action,
    Broadcast,
    Change,
    Flagged,
    Moved,
    PauseReason,
    Taken,
    Text,
    Waiting,
    halted,
    stepped,
    working,
)
from broadcasts.contact import Contact
from broadcasts.gate import Fail, Later, Open, Reason, Skip, Verdict, gate
from broadcasts.instance import Instance
from broadcasts.lanes import Lane
from broadcasts.owners import Owner
from broadcasts.pacing import MOST_AT_ONCE, Pace, Slot, Turn, turn
from broadcasts.row import Counts, Failure, Row, RowKey, claimed, failed, skipped
from broadcasts.sending import SETTLES_AFTER
from broadcasts.wording import lacking

_MOST_ACTIONS = 99
_FIXED_ACTIONS = 5
"""Campaign, instance, quota, platform and the claim's entry of the agenda."""
_MOST_SKIPS = 20
_BACKPRESSURE = 10
"""At least so many messages, or those of ten seconds, may be in flight before the chain waits for the provider."""


@dataclass(frozen=True)
class Room:
    """How many messages a step may claim, and of what price in all; None for no limit."""

    count: int
    budget: int | None = None


@dataclass(frozen=True)
class Wait:
    """The campaign waits; None: for as long as empty steps do."""

    reason: Waiting
    until: datetime | None = None


@dataclass(frozen=True)
class Halt:
    """The campaign pauses."""

    reason: PauseReason


def bad_and_sent(total: Counts) -> Base:
    """What the breaker compares: rows that went wrong, or are in trouble, and rows that were sent."""
    return Base(total.failed + total.troubled, total.sent)


def room(
    campaign: Broadcast, total: Counts, instance: Instance, owner: Owner, used_today: int, now: datetime
) -> Room | Wait | Halt:
    """How many messages a step may send now, or why none."""
    if campaign.claims_done >= campaign.max_steps:
        return Halt(PauseReason.MAX_STEPS)
    if breaker.trips(bad_and_sent(total), campaign.base):
        return Halt(PauseReason.ERROR_RATE)
    budget = None
    if campaign.budget is not None:
        budget = campaign.budget - total.spent - total.reserved
        if budget <= 0 and total.pending:
            return Halt(PauseReason.BUDGET)
    if instance.deleted_at:
        return Wait(Waiting.INSTANCE)
    allowed = instance.trouble.allows(now)
    if not allowed:
        # A probe is over when it is recorded, which is long before its deadline.
        return Wait(Waiting.INSTANCE, instance.trouble.blocked_until if instance.trouble.is_blocked(now) else None)
    if instance.throttled_until and now < instance.throttled_until:
        return Wait(Waiting.PROVIDER, instance.throttled_until)
    if total.sending > max(_BACKPRESSURE, campaign.rate_limit // 6):
        return Wait(Waiting.PROVIDER)
    most = min(allowed, 1 if campaign.probing is not None else MOST_AT_ONCE)
    left = _left_of_quotas(instance, owner, used_today, now)
    return Room(min(most, left), budget) if isinstance(left, int) else left


def put_off(campaign: Broadcast, until: datetime) -> Slot:
    """The campaign's slot after a wait for its provider: its turn is not caught up, and is reserved anew then."""
    return Slot(max(until, campaign.slot.due) if campaign.slot else until)


def _left_of_quotas(instance: Instance, owner: Owner, used_today: int, now: datetime) -> int | Wait:
    """What the instance's 24 hours and the owner's day leave."""
    left = MOST_AT_ONCE
    if instance.daily_limit is not None:
        left = min(left, instance.hours.free(instance.daily_limit, now))
        if not left:
            return Wait(Waiting.QUOTA, instance.hours.free_at(instance.daily_limit, now))
    if owner.daily_limit is not None:
        left = min(left, owner.daily_limit - used_today)
        if left <= 0:
            return Wait(Waiting.QUOTA, quotas.day_free_at(now, owner.time_zone))
    return left


def taking(campaign: Broadcast, instance: Instance, available: int, now: datetime) -> Turn:
    """The campaign's turn, for so many messages."""
    pace = Pace(instance.rate_limit, campaign.rate_limit)
    return turn(pace, campaign.slot, instance.tat, now, available)


@dataclass(frozen=True)
class Pricing:
    """What a message to a row costs."""

    instance: Instance
    category: str | None
    region_of: Callable[[str], str | None]
    now: datetime

    def price(self, row: Row) -> int:
        country = self.region_of(row.phone) if self.instance.prices else None
        otherwise = self.instance.price_per_message
        return prices.price_of(self.instance.prices, otherwise, country, self.category, self.now.date())


@dataclass
class Choice:
    """Rows that a step takes, skips and puts off. `offer` is given them in their order."""

    campaign: Broadcast
    text: Text
    owner: Owner
    room: Room
    pricing: Pricing
    now: datetime
    new_attempt: Callable[[], str]
    most: int
    moved: list[Moved] = field(default_factory=list)
    contacts: dict[str, tuple[Contact, Contact]] = field(default_factory=dict)
    claims: list[Row] = field(default_factory=list)
    put: list[Due] = field(default_factory=list)
    dropped: list[Due] = field(default_factory=list)
    seen: set[RowKey] = field(default_factory=set)
    price: int = 0
    skips: int = 0
    is_out_of_budget: bool = False
    actions: int = _FIXED_ACTIONS

    @property
    def is_full(self) -> bool:
        return len(self.claims) >= self.most or self.is_out_of_budget

    def is_eligible(self, row: Row) -> bool:
        """Whether the row may be claimed in this pass, and was not offered before."""
        return row.key not in self.seen and row.is_due_in(
            self.campaign.pass_number,
            include_unknown=self.campaign.include_unknown,
            include_final=self.campaign.include_final,
        )

    def offer(self, row: Row, contact: Contact, zones: tuple[str, ...], due: Due | None = None) -> bool:
        """Take, skip or put off an eligible row; False when it waits for another step, and all after it in its lane.

        `due`: the entry of the agenda that brought it.
        """
        if contact.key in self.contacts:
            return False
        name = f"{row.campaign_id}/{row.key}"
        words = self.text.message
        verdict = gate(words, row.variables, name, contact, self.owner.rules, self.campaign.windows, zones, self.now)
        if isinstance(verdict, Open) and (failure := lacking(self.text, row.variables)):
            verdict = Fail(failure.code, failure.text)
        return self._take(row, contact, verdict, due, name)

    def pass_by(self, row: Row, due: Due | None) -> bool:
        """A due row that is not PENDING any more is dropped [B22]; False when it waits for another step."""
        if due and row.key not in self.seen:
            return self.drop(due)
        return True

    def drop(self, due: Due) -> bool:
        """Drop an entry of the agenda; False when it waits for another step."""
        if not self._fits(1):
            return False
        self.dropped.append(due)
        return True

    def _take(self, row: Row, contact: Contact, verdict: Verdict, due: Due | None, name: str) -> bool:
        match verdict:
            case Open():
                return self._claim(row, contact, due, name)
            case Later(at, _):
                if not self._fits(2 if due else 1):
                    return False
                self.put.append(agenda.retry(row.key, at))
            case Skip(reason):
                if not self._skip(row, skipped(row, Failure(str(reason), _WHY[reason]), self.now), due):
                    return False
            case Fail(code, text):
                if not self._skip(row, failed(row, Failure(code, text), self.now), due):
                    return False
        if due:
            self.dropped.append(due)
        self.seen.add(row.key)
        return True

    def _skip(self, row: Row, after: Row, due: Due | None) -> bool:
        if self.skips >= _MOST_SKIPS or not self._fits(2 if due else 1):
            return False
        self.skips += 1
        self.moved.append(Moved(row, after))
        return True

    def _claim(self, row: Row, contact: Contact, due: Due | None, name: str) -> bool:
        price = self.pricing.price(row)
        if self.room.budget is not None and self.price + price > self.room.budget:
            self.is_out_of_budget = True
        if self.is_full or not self._fits(3 if due else 2):
            return False
        after = claimed(row, self.new_attempt(), price, self.campaign.pass_number, self.now)
        self.moved.append(Moved(row, after))
        self.claims.append(after)
        self.contacts[contact.key] = (contact, replace(contact.claimed(name, self.now), v=contact.v + 1))
        self.price += price
        if due:
            self.dropped.append(due)
        self.seen.add(row.key)
        return True

    def _fits(self, actions: int) -> bool:
        if self.actions + actions > _MOST_ACTIONS:
            return False
        self.actions += actions
        return True

    @property
    def has_changed(self) -> bool:
        return bool(self.moved or self.put or self.dropped)


_WHY = {
    Reason.SUPPRESSED: "The person does not want messages",
    Reason.NO_CONSENT: "The owner requires a consent, and there is none",
    Reason.FREQUENCY_CAP: "The person had as many messages as the owner allows",
    Reason.WINDOW: "No window opens for the person's zones",
}


def probed(probing: Base | None, now: Base) -> Base | None:
    """The breaker after a pause: closed when five rows in a row were sent, begun again when one went wrong."""
    if probing is None:
        return None
    since = now.since(probing)
    if since.bad:
        return now
    return None if since.sent >= breaker.ACCEPTED_TO_CLOSE else probing


def tripped(campaign: Broadcast, total: Counts, now: datetime, codes: Sequence[str]) -> Change:
    """Too many rows went wrong: the campaign pauses, and a resume begins with one row at a time."""
    change = halted(campaign, now, PauseReason.ERROR_RATE)
    base = bad_and_sent(total)
    noted = {"codes": list(breaker.commonest(codes))}
    return replace(change, after=replace(change.after, base=base, probing=base), noted=noted)


def alerted(campaign: Broadcast, alert: Flagged | str, now: datetime) -> Change:
    """Give an alert, once (amendment 10)."""
    after = stepped(campaign, now, now)
    if isinstance(alert, Flagged):
        action = Action.QUOTA_WARNED if alert.flag == "warned" else Action.QUOTA_REACHED
        return Change(campaign, after, action, flagged=alert)
    if alert == "budget_warned":
        return Change(campaign, replace(after, budget_warned=True), Action.BUDGET_WARNED)
    return Change(campaign, replace(after, budget_reached=True), Action.BUDGET_REACHED)


def claim_change(
    choice: Choice, instance: Instance, taken: Turn, lanes: tuple[Lane, ...], day: str, total: Counts
) -> Change:
    """T1: the rows SENDING, their contacts, the quota, the slot, and the claim with its deadline [B7, B13]."""
    campaign, now = choice.campaign, choice.now
    deadline = now + SETTLES_AFTER
    closes_at = deadline + CLOSES_AFTER
    claim = agenda.claim(
        campaign.step, deadline, tuple(Claimed(row.key, str(row.attempt)) for row in choice.claims), day
    )
    count = len(choice.claims)
    after = replace(
        working(campaign, now).stepped(now),
        lanes=lanes,
        slot=taken.slot,
        wake_at=taken.slot.at,
        doing=claim.part,
        claims_done=campaign.claims_done + 1,
        base=breaker.moved_base(bad_and_sent(total), campaign.base),
        probing=probed(campaign.probing, bad_and_sent(total)),
        in_flight_until=max(campaign.in_flight_until or closes_at, closes_at),
    )
    paced = replace(
        instance,
        tat=taken.tat,
        hours=instance.hours.added(count, now),
        trouble=instance.trouble.probing(claim.part, deadline),
        v=instance.v + 1,
    )
    limit = choice.owner.daily_limit
    most = None if limit is None else limit - count
    return Change(
        campaign,
        after,
        is_batch=True,
        moved=tuple(choice.moved),
        contacts=tuple(choice.contacts.values()),
        instance=(instance, paced),
        taken=Taken(campaign.owner, day, count, choice.price, most),
        put=(claim, *choice.put),
        dropped=tuple(choice.dropped),
    ).counting()


def alert(
    campaign: Broadcast, total: Counts, owner: Owner, day: str, used: int, flags: Mapping[str, bool]
) -> Flagged | str | None:
    """An alert that is due: a flag of the day's quota, or `budget_warned`, `budget_reached` of the campaign."""
    given = [percent for percent, flag in _FLAGS.items() if flags[flag]]
    if (percent := quotas.alert(used, owner.daily_limit, given)) is not None:
        return Flagged(campaign.owner, day, _FLAGS[percent])
    given = [percent for percent, flag in _BUDGET_FLAGS.items() if getattr(campaign, flag)]
    if (percent := quotas.alert(total.spent + total.reserved, campaign.budget, given)) is not None:
        return _BUDGET_FLAGS[percent]
    return None


_FLAGS = {80: "warned", 100: "reached"}
_BUDGET_FLAGS = {80: "budget_warned", 100: "budget_reached"}
