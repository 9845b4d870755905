"""An import: its states, and what a check of its file does to its campaign. Pure.

 AWAITING_FILE --start--> CHECKING --list accepted--> IMPORTING --rows laid down--> DONE
   \\-- 24 h --> EXPIRED      \\---- refused ----> FAILED

EXPIRED and DONE are not stored: the first is a matter of time, the second is what the campaign says of its rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from broadcasts import campaign as broadcasts
from broadcasts.campaign import Action, Broadcast, BroadcastStatus
from broadcasts.csv_file import Options
from broadcasts.lanes import Lane
from sluice.errors import Conflicting

PREFIX = "imp"
"""The prefix of an import's id."""
BEGUN_WITHIN = timedelta(hours=24)
AGAIN_AFTER = timedelta(seconds=5400)
"""The visibility timeout of the queue: a check that began longer ago is dead."""
MOST_LISTED = 100
"""Faults and warnings that a report lists; all faults are in a file."""

_S = BroadcastStatus
_OPEN = frozenset({_S.DRAFT, _S.IMPORTING, _S.SCHEDULED})


class ListImportStatus(StrEnum):
    """Where an import stands."""

    AWAITING_FILE = "AWAITING_FILE"
    CHECKING = "CHECKING"
    IMPORTING = "IMPORTING"
    DONE = "DONE"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True)
class Tally:
    """The rows of a file: all of them are accepted, rejected or duplicates."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    warnings: int = 0


@dataclass(frozen=True, kw_only=True)
class Import:
    """An import as its item keeps it. Times are UTC."""

    id: str
    campaign_id: str
    status: ListImportStatus = ListImportStatus.AWAITING_FILE
    options: Options
    created_at: datetime
    created_by: str
    started_at: datetime | None = None
    begun_at: datetime | None = None
    """When a worker last began to check it."""
    checked_at: datetime | None = None
    etag: str | None = None
    """The file as it was at the start: no other is read."""
    size: int | None = None
    tally: Tally = Tally()
    code: str | None = None
    reason: str | None = None
    """Why it failed."""
    source: str | None = None
    """Where its clean rows lie."""

    def shown(self, campaign: Broadcast, now: datetime) -> ListImportStatus:
        """Its status, with what time and its campaign say of it."""
        if self.status is ListImportStatus.AWAITING_FILE and now - self.created_at >= BEGUN_WITHIN:
            return ListImportStatus.EXPIRED
        if self.status is ListImportStatus.IMPORTING and campaign.source != self.source:
            return ListImportStatus.DONE
        return self.status

    def started(self, etag: str, size: int, now: datetime) -> Self:
        """The import with its file. Raises Conflicting when that is too late."""
        if self.status is not ListImportStatus.AWAITING_FILE:
            raise Conflicting("The import was started before", "import_started")
        if now - self.created_at >= BEGUN_WITHIN:
            raise Conflicting("The import was not started within 24 hours: begin a new one", "import_expired")
        return replace(self, status=ListImportStatus.CHECKING, started_at=now, etag=etag, size=size)

    def is_stuck(self, now: datetime) -> bool:
        """Whether it is CHECKING, and nobody checks it: its message was not sent, or its worker died."""
        last = self.begun_at
        return self.status is ListImportStatus.CHECKING and (last is None or now - last >= AGAIN_AFTER)

    def accepted(self, tally: Tally, source: str, now: datetime) -> Self:
        return replace(self, status=ListImportStatus.IMPORTING, tally=tally, source=source, checked_at=now)

    def failed(self, code: str, reason: str, tally: Tally, now: datetime) -> Self:
        return replace(self, status=ListImportStatus.FAILED, code=code, reason=reason, tally=tally, checked_at=now)


@dataclass(frozen=True)
class Standing:
    """An import as it is shown."""

    importing: Import
    status: ListImportStatus
    report: dict[str, Any] | None = None
    """What the check found: the first errors, warnings and rendered texts; None before it, and after 7 days."""
    errors_url: str | None = None
    """Where all errors are downloaded, for 15 minutes."""


@dataclass(frozen=True)
class Judged(broadcasts.Change):
    """What the end of a check does to a campaign; the import changes in the same transaction."""

    importing: tuple[Import, Import] | None = None


def begin(import_id: str, campaign: Broadcast, options: Options, by: str, now: datetime) -> Import:
    """An import that waits for its file. Raises Conflicting when the campaign takes no recipients."""
    require_open(campaign)
    return Import(id=import_id, campaign_id=campaign.id, options=options, created_at=now, created_by=by)


def require_open(campaign: Broadcast) -> None:
    """Raises Conflicting (`not_editable`) unless a list may take the place of the campaign's own.

    A campaign that is RUNNING takes one as long as its rows are not all laid down: until then it claims none.
    """
    waits = campaign.status is _S.RUNNING and not (campaign.is_laid and campaign.accepted)
    if campaign.status not in _OPEN and not waits:
        raise Conflicting("Only campaigns in draft or scheduled can be edited", "not_editable")


def listed(
    campaign: Broadcast, before: Import, tally: Tally, source: str, lanes: tuple[Lane, ...], now: datetime
) -> Judged:
    """The campaign with the rows of a file in place of the list before. Raises Conflicting (`not_editable`)."""
    require_open(campaign)
    after = broadcasts.listed(campaign.commanded(now), source, lanes, now)
    noted = {"import": before.id, "rows": tally.rows, "accepted": tally.accepted}
    importing = before, before.accepted(tally, source, now)
    return Judged(campaign, after, Action.EDITED, noted=noted, importing=importing)


def given_up(campaign: Broadcast, importing: tuple[Import, Import], now: datetime) -> Judged | None:
    """A RUNNING campaign that has no list fails with its import; None for any other, which stays as it is."""
    if campaign.status is not _S.RUNNING or campaign.accepted:
        return None
    after = replace(
        campaign.commanded(now),
        status=_S.FAILED,
        wake_at=None,
        doing=None,
        waiting_for=None,
        active_seconds=campaign.active_at(now),
        running_since=None,
        failure_reason="IMPORT_FAILED",
    )
    noted = {"import": importing[1].id, "code": importing[1].code}
    return Judged(campaign, after, Action.FAILED, noted=noted, importing=importing)


def options_of(stored: Mapping[str, object]) -> Options:
    """The options as an item keeps them."""
    return Options(**stored)  # type: ignore[arg-type]
