"""The switch that stops every context at once: while it is off, no chain commits a batch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pynamodb.transactions import TransactWrite

from sluice import platform
from sluice.audit import Head
from sluice.clock import Clock
from sluice.commit import Trace, commit
from sluice.dynamodb import Database
from sluice.errors import Conflicting
from sluice.platform import ENTITY, Platform, PlatformItem, PlatformStatus
from sluice.requests import Answer, Keyed, Requester, carry_out

_BUSY = "Other requests are stopping or resuming the platform at the same time: retry"
_NAMES = {
    PlatformStatus.STOPPED: ("PLATFORM_STOPPED", "PlatformStopped"),
    PlatformStatus.OPEN: ("PLATFORM_RESUMED", "PlatformResumed"),
}
_RESTORED = "PLATFORM_RESTORED"


@dataclass(frozen=True)
class Switch:
    """Stops and resumes. `copies` maps each table to its copy of the platform; all are written at once."""

    database: Database
    copies: Mapping[str, type[PlatformItem]]
    clock: Clock

    def read(self) -> Platform:
        """Return whether the platform is stopped, since when, by whom and why."""
        return _latest(self._read())

    def stop(self, reason: str, requester: Requester) -> Platform | Answer:
        """Stop: after this no batch commits. Raises Conflicting when it is stopped."""
        return self._turn(PlatformStatus.STOPPED, reason, requester)

    def resume(self, reason: str, requester: Requester) -> Platform | Answer:
        """Go on: each campaign looks within a minute. Raises Conflicting when the platform is open."""
        return self._turn(PlatformStatus.OPEN, reason, requester)

    def _turn(self, status: PlatformStatus, reason: str, requester: Requester) -> Platform | Answer:
        request = f"{status} {requester.request_id}"

        def attempt(keyed: Keyed[Platform] | None, now: datetime) -> Platform | None:
            copies = self._read()
            before = _latest(copies)
            if before.request == request:
                return before
            if all(copy.status is status for copy in copies.values()):
                raise _refusal(before)
            return self._commit(Platform(status, reason, requester.subject, now, request), copies, now, keyed)

        def stands(answer: Answer) -> bool:
            return self.read().audit_head.number >= answer.version

        keyed = requester.keyed.about(lambda found: (ENTITY, found.audit_head.number)) if requester.keyed else None
        return carry_out(attempt, keyed, stands, self.clock, _BUSY)

    def _read(self) -> dict[str, Platform]:
        return {table: platform.read(items) for table, items in self.copies.items()}

    def _commit(
        self, after: Platform, copies: Mapping[str, Platform], now: datetime, keyed: Keyed[Platform] | None
    ) -> Platform | None:
        action, event = _NAMES[after.status]
        before = _latest(copies)
        trace = Trace(
            entity=ENTITY,
            action=action,
            actor=after.actor or "",
            before=_snapshot(before),
            after=_snapshot(after),
            event=event,
            told=_snapshot(after),
            restored=_RESTORED,
        )

        def headed(head: Head) -> Platform:
            return replace(after, audit_head=head)

        def write(transaction: TransactWrite, after: Platform) -> None:
            for table, items in self.copies.items():
                platform.write(transaction, items, copies[table], after)

        return commit(self.database, before.audit_head, trace, now, entity=headed, write=write, keyed=keyed)


def _latest(copies: Mapping[str, Platform]) -> Platform:
    """The copies are alike, but for that of a context which was added since: it has none yet."""
    return max(copies.values(), key=lambda copy: copy.audit_head.number)


def _refusal(found: Platform) -> Conflicting:
    if found.is_stopped:
        message = "The platform is stopped already: GET /api/admin/stop says by whom and why"
        return Conflicting(message, "platform_already_stopped")
    return Conflicting("The platform is not stopped: there is nothing to resume", "platform_not_stopped")


def _snapshot(found: Platform) -> dict[str, Any]:
    return {"status": found.status, "reason": found.reason}
