"""What people do: start a run over all participations; propose an adjustment, approve it, reject it."""

from dataclasses import dataclass
from datetime import datetime

from sluice.commands import ChainCommands
from sluice.errors import NotFound
from sluice.ids import new_id
from sluice.requests import Answer, Keyed, Requester
from sponsorships import adjustments, checkrun, edits, monitor
from sponsorships.checkrun import Change as CheckChange
from sponsorships.checkrun import CheckRun, begin, deepen
from sponsorships.participation import Adjustment, Change, Participation
from sponsorships.settlement import Settlement
from sponsorships.store import offer_of


class Runs(ChainCommands[CheckRun, CheckChange]):
    """Starts runs: one is going at a time."""

    noun = "check"
    prefix = checkrun.PREFIX

    def going(self) -> CheckRun | None:
        """The run that is going, by consistent reads."""
        found = self._last()[1]
        return found if found and found.is_live else None

    def start(self, deep: bool, requester: Requester) -> CheckRun | Answer:
        """Start a run; or return the one that is going, which becomes a deep one if that is wanted (S3-17)."""

        def attempt(keyed: Keyed[CheckRun] | None, now: datetime) -> CheckRun | None:
            last, found = self._last()
            if found and found.is_live:
                if deep and not found.deep:
                    return self._chained.commit(deepen(found, now), requester.subject, now, keyed)
                return self._chained.answer(found, now, keyed) if keyed else found
            made = {"id": new_id(checkrun.PREFIX, now), "created_at": now, "updated_at": now, "wake_at": now}
            new = CheckRun(**made, created_by=requester.subject, deep=deep)  # type: ignore[arg-type]
            return self._chained.commit(begin(new, last), requester.subject, now, keyed)

        return self.carry_out(attempt, requester)

    def last(self) -> CheckRun | None:
        """The run that is going, or the last one."""
        return self._last()[1]

    def _last(self) -> tuple[str | None, CheckRun | None]:
        last = monitor.going_run()
        return last, self._chained.get(last) if last else None


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

    commands: ChainCommands[Participation, Change]
    settlement: Settlement
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

        return self.commands.command("propose-adjustment", found_id, requester, change)

    def approve(self, found_id: str, number: int, outcome: Outcome, requester: Requester) -> Participation | Answer:
        """Approve an adjustment. Raises Conflicting `already_decided`, `own_proposal`, `too_late`."""

        def change(found: Participation, now: datetime) -> Change:
            offer = offer_of(found_id)
            if offer is None:
                raise NotFound("Participation not found", "participation_not_found")
            standing, adjustment = self.settlement.standing_of(found), self.find(found_id, number)
            return outcome.of(edits.approve(standing, adjustment, offer, requester.subject, now, self.threshold))

        return self.commands.command(f"approve-adjustment-{number}", found_id, requester, change)

    def reject(
        self, found_id: str, number: int, reason: str, outcome: Outcome, requester: Requester
    ) -> Participation | Answer:
        """Reject an adjustment. Raises Conflicting `already_decided`."""

        def change(found: Participation, now: datetime) -> Change:
            return outcome.of(edits.reject(found, self.find(found_id, number), reason, requester.subject, now))

        return self.commands.command(f"reject-adjustment-{number}", found_id, requester, change)
