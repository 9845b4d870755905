"""What people do with adjustments: propose one, approve it, reject it."""

from dataclasses import dataclass
from datetime import datetime

from sluice.errors import NotFound
from sluice.requests import Answer, Requester
from sponsorships import adjustments, edits
from sponsorships.commands import Participations
from sponsorships.participation import Adjustment, Change, Participation
from sponsorships.store import offer_of


@dataclass
class Outcome:
    """The adjustment as a command leaves it, which is shown before it is committed."""

    adjustment: Adjustment | None = None

    def of(self, change: Change) -> Change:
        self.adjustment = change.adjustment
        return change


@dataclass(frozen=True)
class Adjustments:
    """Two people grant what no row shows."""

    participations: Participations
    threshold: int
    """In minor units: what a participation was granted in all, up to which one approval is enough. 0: never."""

    def find(self, found_id: str, number: int) -> Adjustment:
        """An adjustment. Raises NotFound."""
        found = adjustments.find(found_id, number)
        if found is None:
            raise NotFound("Adjustment not found", "adjustment_not_found")
        return found

    def propose(
        self, found_id: str, impressions: int, reason: str, outcome: Outcome, requester: Requester
    ) -> Participation | Answer:
        """Propose to count impressions that no row shows. Raises Conflicting `too_late`."""

        def change(found: Participation, now: datetime) -> Change:
            return outcome.of(edits.propose(found, impressions, reason, requester.subject, now))

        return self.participations.command("propose-adjustment", found_id, requester, change)

    def approve(self, found_id: str, number: int, outcome: Outcome, requester: Requester) -> Participation | Answer:
        """Approve an adjustment. Raises Conflicting `already_decided`, `own_proposal`, `too_late`."""

        def change(found: Participation, now: datetime) -> Change:
            offer = offer_of(found_id)
            if offer is None:
                raise NotFound("Participation not found", "participation_not_found")
            standing, adjustment = self.participations.standing(found), self.find(found_id, number)
            return outcome.of(edits.approve(standing, adjustment, offer, requester.subject, now, self.threshold))

        return self.participations.command(f"approve-adjustment-{number}", found_id, requester, change)

    def reject(
        self, found_id: str, number: int, reason: str, outcome: Outcome, requester: Requester
    ) -> Participation | Answer:
        """Reject an adjustment. Raises Conflicting `already_decided`."""

        def change(found: Participation, now: datetime) -> Change:
            return outcome.of(edits.reject(found, self.find(found_id, number), reason, requester.subject, now))

        return self.participations.command(f"reject-adjustment-{number}", found_id, requester, change)
