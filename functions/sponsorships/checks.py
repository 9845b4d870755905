"""Runs over all participations: starting one, one at a time; and its steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from sluice import ledger
from sluice.campaign import State
from sluice.errors import Unreadable
from sluice.store import Listing, Place
from sponsorships import adjustments, monitor, rows
from sponsorships.checkrun import LEDGER, CheckRun, Findings, Page, give_up, go_on
from sponsorships.detection import SWEEP, Detection
from sponsorships.edits import correct
from sponsorships.items import CheckItem, ListedItem
from sponsorships.participation import Offer, ParticipationStatus, Standing
from sponsorships.store import RunStore, offers_of

logger = Logger(child=True)

PAGE = 100
"""Participations that a step looks at."""
MOST_ROWS = 100_000
"""Impressions after which a step looks at no more of them: counting so many takes a core 2 seconds."""
ACCOUNTS = 25
"""Accounts that a step verifies."""

_READINGS = 3
_WAITING_TOO_LONG = timedelta(hours=24)


@dataclass
class _Found:
    """What a step has found so far."""

    checked: int = 0
    settled: int = 0
    edited: int = 0
    corrected: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)
    counted: int = 0
    """Impressions of the participations whose rows were counted."""

    def page(self, after: Place | None) -> Page:
        numbers = {name: getattr(self, name) for name in ("checked", "settled", "edited", "corrected", "failed")}
        found = Findings(**numbers, problems=tuple(self.problems))
        if after is None:
            return Page(found, frozenset(self.currencies))
        return Page(found, frozenset(self.currencies), after.campaign_id, after.created_at)


@dataclass(frozen=True)
class CheckBatches:
    """A step of a run: one page of participations, or of the ledger's accounts.

    What it finds is settled, put right and corrected in transactions of their own, so a step that is repeated finds
    nothing twice; it may count too little then.
    """

    store: RunStore
    detection: Detection

    def read(self, run_id: str, _now: datetime) -> State[CheckRun] | None:
        return self.store.read_with(run_id)

    def commit(self, state: State[CheckRun], committed_by: str, now: datetime) -> CheckRun | None:
        found = state.campaign
        if found.is_exhausted:
            change = give_up(found, now)
        else:
            if found.steps_done == 0:
                self._look_at_adjustments(now)
            change = go_on(found, self._accounts(found, now) if found.stage == LEDGER else self._page(found), now)
        after = self.store.commit(change.run_by(committed_by), SWEEP, now)
        if after and not after.is_live:
            logger.info(
                "Checked", run=after.id, **{name: getattr(after, name) for name in ("checked", "settled", "edited")}
            )
        return after

    def _look_at_adjustments(self, now: datetime) -> None:
        oldest = adjustments.oldest_open()
        if oldest and now - oldest[0] > _WAITING_TOO_LONG:
            logger.error("Adjustments waiting", participation=oldest[1])  # an alarm counts these lines

    def _page(self, at: CheckRun) -> Page:
        """Look at the next participations in the status of the run's stage, the newest first."""
        listing = Listing(ListedItem.by_status.query, at.stage, "status")
        after = Place(at.after_id, at.after_at or "") if at.after_id else None
        ids, following = listing.newest_first(PAGE, after)
        found = _Found()
        standings, offers = self._read(ids, found)
        for standing in standings:
            found.checked += 1
            self._alone(standing.participation.id, found, self._look, standing, offers, found, at.deep)
            if found.counted > MOST_ROWS:
                last = standing.participation
                return found.page(_place(last.id, last.created_at))
        if at.stage == ParticipationStatus.COMPLETED:
            self._find_unpaid(standings, found)
        return found.page(following)

    def _read(self, ids: Sequence[str], found: _Found) -> tuple[list[Standing], dict[str, Offer]]:
        """Participations with their tallies and terms; what cannot be read holds up nothing else."""
        try:
            return self._standings(ids), offers_of(ids)
        except Unreadable:
            standings: list[Standing] = []
            offers: dict[str, Offer] = {}
            for each in ids:
                self._alone(each, found, lambda one: offers.update(offers_of([one])), each)
                self._alone(each, found, lambda one: standings.extend(self._standings([one])), each)
            return standings, offers

    def _standings(self, ids: Sequence[str]) -> list[Standing]:
        settlement = self.detection.settlement
        return settlement.standings_of(settlement.store.get_all(ids))

    def _alone(self, participation_id: str, found: _Found, look: Callable[..., object], *arguments: object) -> None:
        """Call `look`: if it fails for one participation, the others are looked at all the same."""
        try:
            look(*arguments)
        except Exception:
            logger.exception("Not checked", participation=participation_id)
            found.failed += 1

    def _look(self, standing: Standing, offers: dict[str, Offer], found: _Found, deep: bool) -> None:
        put_right = self.detection.put_right(standing, SWEEP)
        if put_right:
            found.edited += 1
            standing = put_right
        participation = standing.participation
        offer = offers.get(participation.id)
        if offer is None:
            found.problems.append(f"{participation.id}: the ledger has no reserve entry")
            return
        found.currencies.add(offer.currency)
        if participation.status is not ParticipationStatus.ACTIVE:
            return
        if deep:
            found.counted += standing.impressions
            difference = self._difference(standing)
            if difference:
                standing = self._correct(standing, difference, found)
        if standing.total >= offer.target:
            found.counted += standing.impressions
            found.settled += self.detection.check(participation.id, SWEEP) is not None

    def _difference(self, standing: Standing) -> int:
        """What the rows of an active participation have more than its tallies: 0, or a hand was there.

        Recording adds one to both, so it is exact between two equal readings of the tallies. If they are never equal,
        it is left to the next run.
        """
        settlement, participation = self.detection.settlement, standing.participation
        before = standing
        for _ in range(_READINGS):
            valid = rows.count(settlement.secret, participation.id).valid
            after = settlement.standing_of(participation)
            if after.impressions == before.impressions:
                return valid - after.impressions
            before = after
        return 0

    def _correct(self, standing: Standing, difference: int, found: _Found) -> Standing:
        """Correct a tally, on condition that nobody commanded the participation since it was read."""
        settlement, now = self.detection.settlement, self.detection.settlement.clock.now()
        before = standing.participation
        after = settlement.store.commit(correct(before, difference, now), SWEEP, now)
        if after is None:
            return standing
        logger.error("TallyDiffers", participation=after.id, difference=difference)  # an alarm counts these lines
        found.corrected += 1
        found.problems.append(f"{after.id}: a tally was edited by hand, and corrected by {difference}")
        return settlement.standing_of(after)

    def _find_unpaid(self, standings: Sequence[Standing], found: _Found) -> None:
        completed = [
            each.participation.id for each in standings if each.participation.status is ParticipationStatus.COMPLETED
        ]
        paid = ledger.find_all(f"pay#{each}" for each in completed)
        for each in completed:
            if f"pay#{each}" not in paid:
                logger.error("Completed without pay", participation=each)  # an alarm counts these lines
                found.problems.append(f"{each}: completed, and the ledger has no pay")

    def _accounts(self, at: CheckRun, now: datetime) -> Page:
        """Verify the next accounts of the first of the run's currencies; and behind the last one, their sum."""
        currency = at.currencies[0]
        names, following = ledger.accounts(currency, ACCOUNTS, at.after_id)
        problems = [f"{name}: {difference}" for name in names if (difference := ledger.verify(name))]
        if following is None:
            total = ledger.conservation(currency)
            if total:
                problems.append(f"{currency}: all balances sum to {total}")
        for problem in problems:
            logger.error("Conservation broken", problem=problem)  # an alarm counts these lines
        broken = at.broken + len(problems)
        if broken or following is None:
            monitor.note_conservation(is_ok=not broken, now=now)
        return Page(Findings(broken=len(problems), problems=tuple(problems)), after_id=following)


def _place(participation_id: str, created_at: datetime) -> Place:
    return Place(participation_id, CheckItem.created_at.serialize(created_at))
