"""From the crossing to the money: a check settles a participation; its steps close, count, decide, pay (S3-7 to 9).

A check decides nothing by itself, so there may be any number of them, late, doubled or lost: the transaction decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from aws_lambda_powertools import Logger

from sluice import ledger
from sluice.campaign import State
from sluice.clock import Clock, next_midnight
from sluice.errors import Unavailable
from sluice.journal import Entry, wallet
from sluice.wake import Wake
from sponsorships import adjustments, gkeys, rows
from sponsorships.edits import put_right
from sponsorships.items import TallyItem
from sponsorships.participation import (
    Action,
    Change,
    Key,
    Offer,
    Participation,
    ParticipationStatus,
    Standing,
    Why,
    decide,
    give_up,
    settle,
    wait_for_midnight,
)
from sponsorships.secret import ImpressionSecret
from sponsorships.store import ParticipationStore, offer_of

logger = Logger(child=True)

_ATTEMPTS = 20
WORKER = "worker"
ENDS = {ParticipationStatus.COMPLETED: Action.COMPLETED, ParticipationStatus.EXPIRED: Action.EXPIRED}
"""What the audit log calls each end."""


def _standing(participation: Participation, tallies: Sequence[TallyItem]) -> Standing:
    return Standing(
        participation,
        sum(int(tally.impressions) for tally in tallies),
        sum(int(tally.clicks) for tally in tallies),
        max((tally.last_at for tally in tallies if tally.last_at), default=None),
    )


@dataclass(frozen=True)
class Settlement:
    """Checks participations, and settles those that reached their target."""

    store: ParticipationStore
    secret: ImpressionSecret
    wake: Wake
    clock: Clock

    def standing(self, participation_id: str) -> Standing | None:
        """A participation and its tallies, by consistent reads: first how many shards there are, then their sums."""
        participation = self.store.get(participation_id)
        return self.standing_of(participation) if participation else None

    def standing_of(self, participation: Participation) -> Standing:
        """The tallies of a participation as read."""
        return self.standings_of([participation])[0]

    def standings_of(self, participations: Sequence[Participation]) -> list[Standing]:
        """The tallies of several participations as read, by one consistent batch read."""
        tallies = rows.tallies_of({each.id: int(each.shards) for each in participations})
        return [_standing(each, tallies[each.id]) for each in participations]

    def check(self, participation_id: str, source: str) -> Participation | None:
        """Settle a participation if its rows reach the target; the participation if this call settled it.

        `source`: who found it, `api`, `stream` or `sweep`. Raises Unavailable.
        """
        for _ in range(_ATTEMPTS):
            standing = self.standing(participation_id)
            if standing is None:
                logger.info("Dropped: there is no such participation")
                return None
            participation = standing.participation
            if participation.status is ParticipationStatus.SETTLING:
                self.wake_step(participation)
                return None
            offer = offer_of(participation_id)
            if participation.status is not ParticipationStatus.ACTIVE or offer is None or standing.total < offer.target:
                return None
            # Rows and adjustments, not tallies and the document: a hand may have edited any.
            valid = rows.count(self.secret, participation_id).valid
            if valid + adjustments.granted(participation_id) < offer.target:
                logger.error("TallyDiffers", tallies=standing.impressions, rows=valid)  # an alarm counts these lines
                return None
            now = self.clock.now()
            settled = self.store.commit(settle(participation, Why.TARGET, source, now), source, now)
            if settled:
                self.wake_step(settled)
                return settled
        raise Unavailable("Others kept committing first")

    def end(self, participation: Participation, why: Why, actor: str) -> Participation | None:
        """Settle an active participation for its end, whatever it has: the closed rows decide.

        None when it was changed meanwhile.
        """
        now = self.clock.now()
        settled = self.store.commit(settle(participation, why, None, now), actor, now)
        if settled:
            self.wake_step(settled)
        return settled

    def wake_step(self, participation: Participation) -> None:
        """Send its step to the queue; what cannot be sent is left to the sweeper."""
        try:
            self.wake(participation.id, participation.step, participation.wake_at or self.clock.now())
        except Unavailable:
            logger.exception("Not woken: left to the sweeper", campaign_id=participation.id, step=participation.step)


@dataclass(frozen=True)
class ParticipationBatches:
    """A step of a participation: close the tallies, count the rows, and decide in one transaction."""

    store: ParticipationStore
    secret: ImpressionSecret
    zone: ZoneInfo
    max_daily_earnings: int
    """In minor units; 0 is off."""

    def read(self, participation_id: str, _now: datetime) -> State[Participation] | None:
        return self.store.read_with(participation_id)

    def commit(self, state: State[Participation], committed_by: str, now: datetime) -> Participation | None:
        change = self._decided(state.campaign, now)
        after = self.store.commit(change.run_by(committed_by), WORKER, now)
        if after and after.status is ParticipationStatus.REVIEW:
            logger.error("Participation in review", impressions=after.impressions)  # an alarm counts these lines
        return after

    def _decided(self, participation: Participation, now: datetime) -> Change:
        offer = offer_of(participation.id)
        if offer is None:  # its table was restored alone: its terms are unknown until the ledger's is, too
            logger.error("The ledger has no entry of its join")
        if offer is None or participation.is_exhausted:
            return give_up(participation, now)
        if participation.edited:  # to decide would overwrite the edit: the next step decides
            logger.warning("Edited by hand", fields=sorted(participation.edited), found_by=WORKER)
            standing = _standing(participation, rows.tallies(participation.id, int(participation.shards)))
            return put_right(standing, offer, WORKER, now)
        rows.close(participation.id, participation.shards, participation.step)
        count = rows.count(self.secret, participation.id)
        today = now.astimezone(self.zone).date()
        found = replace(participation, granted=adjustments.granted(participation.id))
        # A cap that was lowered below the pay since the join holds it back while other pay came that day, not for ever.
        cap = max(self.max_daily_earnings, offer.pay) if self.max_daily_earnings else 0
        change = decide(found, offer, count, now, cap, today)
        if change.earned:
            earned = self.store.earned(participation.streamer, offer.currency, today.isoformat())
            if earned + change.earned.amount > cap:
                return wait_for_midnight(participation, next_midnight(now, self.zone), now)
        return _once(change, offer)


def ended_by(participation_id: str) -> Entry | None:
    """The entry that paid or released what was set aside for a participation, whatever its document says."""
    return next(iter(ledger.find_all((f"pay#{participation_id}", f"rel#{participation_id}")).values()), None)


def _once(change: Change, offer: Offer) -> Change:
    """The change without what was done already: what was set aside is paid or released once, a promised key goes once.

    Else a hand that sets a participation back would pay it with what is set aside for others.
    """
    after, key = change.after, change.key
    entry = ended_by(after.id) if change.posting else None
    if entry:
        logger.error("Settled before: the ledger has its entry", entry=entry.id)
        paid = entry.amount_in(wallet(offer.currency, after.streamer))
        after = replace(after, paid=paid)
        statement = change.statement and replace(change.statement, pay=paid, entry=entry.id)
        if not paid and after.status is ParticipationStatus.COMPLETED:
            after, key = replace(after, status=ParticipationStatus.EXPIRED), Key.GIVE_BACK
        ended = {"action": ENDS[after.status], "statement": statement, "posting": None, "earned": None}
        change = Change(**(vars(change) | ended | {"after": after}))
    if key and after.key_number:
        item = gkeys.find(after.campaign_id, after.key_number)
        key = key if item and item.state == gkeys.RESERVED else None
    return replace(change, key=key)
