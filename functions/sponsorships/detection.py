"""Detectors: each finds a participation that reached its target, or that a hand edited. None decides about money."""

from dataclasses import dataclass, replace
from datetime import datetime

from aws_lambda_powertools import Logger

from sluice.dynamodb import Database
from sluice.errors import Unavailable
from sponsorships import monitor
from sponsorships.edits import put_right
from sponsorships.participation import Participation, ParticipationStatus, Standing
from sponsorships.settlement import Settlement
from sponsorships.store import offer_of

logger = Logger(child=True)

STREAM, SWEEP = "stream", "sweep"
_ATTEMPTS = 20


@dataclass(frozen=True)
class Detection:
    """Looks at participations for a detector: records edits, and has completions settled."""

    settlement: Settlement
    database: Database
    gap_seconds: int
    """How long after the last impression a completion may be found by the sweep alone."""

    def look(self, participation_id: str, source: str) -> None:
        """Look at a participation whose document was changed. Nothing is written if nobody edited it (S3-11 to S3-13).

        What the API has marked as reached is checked already.
        """
        standing = self.settlement.standing(participation_id)
        if standing is None:
            logger.info("Dropped: there is no such participation")
            return
        standing = self.put_right(standing, source) or standing
        participation = standing.participation
        offer = offer_of(participation_id)
        if (
            offer
            and participation.status is ParticipationStatus.ACTIVE
            and participation.reached < offer.target <= standing.total
        ):
            self.check(participation_id, source)

    def put_right(self, standing: Standing, source: str) -> Standing | None:
        """Record an edit by hand, once, and set the fields back: what stands then; None if there was no edit.

        None, too, while the ledger has no entry of its join, which says what the fields are worth. `standing`: as read,
        the participation before its tallies. Raises Unavailable.
        """
        for _ in range(_ATTEMPTS):
            found = standing.participation
            if not found.edited:
                return None
            offer = offer_of(found.id)
            if offer is None:  # the ledger was restored alone: a run finds the edit when both tables are
                # An alarm counts these lines.
                logger.error("The ledger has no entry of its join", participation=found.id)
                return None
            now = self.settlement.clock.now()
            after = self.settlement.store.commit(put_right(standing, offer, source, now), source, now)
            if after:
                logger.warning("Edited by hand", participation=after.id, fields=sorted(found.edited), found_by=source)
                if after.is_live:
                    self.settlement.wake_step(after)
                return replace(standing, participation=after)
            again = self.settlement.standing(found.id)
            if again is None:
                return None
            standing = again
        raise Unavailable("Others kept committing first")

    def check(self, participation_id: str, source: str) -> Participation | None:
        """Settle a participation if its rows reach the target: the participation if this call settled it."""
        settled = self.settlement.check(participation_id, source)
        if settled:
            now = self.settlement.clock.now()
            monitor.count(source, now)
            if source == SWEEP:
                self._look_for_gap(settled, now)
        return settled

    def _look_for_gap(self, settled: Participation, now: datetime) -> None:
        """The API marks what it has seen: it missed an unmarked target, and the event of a marked one was lost."""
        standing = self.settlement.standing_of(settled)
        if standing.last_at is None:
            return
        waited_seconds = int((now - datetime.fromisoformat(standing.last_at)).total_seconds())
        if waited_seconds > self.gap_seconds:
            offer = offer_of(settled.id)
            missed_by = "api" if offer and settled.reached < offer.target else "event"
            # An alarm counts these lines.
            logger.error("DetectorGap", detector=missed_by, participation=settled.id, waited_seconds=waited_seconds)
            monitor.note_gap(self.database, settled, missed_by, waited_seconds, now)
