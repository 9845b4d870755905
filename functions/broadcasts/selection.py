"""Which campaigns and which rows a list has, and in which order. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from broadcasts.campaign import GONE, Broadcast, BroadcastStatus, Kind
from broadcasts.phones import person_of
from broadcasts.row import SOURCE_STATUS, Row, RowStatus

MOST_SORTED = 1000
"""Campaigns that one request reads, to sort, to search or to filter them (amendment 28)."""
MOST_WALKED = 5000
"""Rows that one request reads, to find those that a filter wants."""
LIVE_AS_SHOWN: Mapping[BroadcastStatus, tuple[BroadcastStatus, ...]] = {
    BroadcastStatus.RUNNING: (BroadcastStatus.RUNNING,),
    BroadcastStatus.SCHEDULED: (BroadcastStatus.SCHEDULED, BroadcastStatus.IMPORTING),
}
"""Statuses of a filter whose campaigns all have a next step, and the statuses that they are stored in."""
_NEVER = datetime.max.replace(tzinfo=UTC)


class SortBy(StrEnum):
    """What a list of campaigns may be sorted by (S5-11)."""

    CREATED_AT = "createdAt"
    UPDATED_AT = "updatedAt"
    NAME = "name"
    STATUS = "status"
    SCHEDULED_FOR = "scheduledFor"


class Direction(StrEnum):
    """Which way a list is sorted (S5-11)."""

    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True)
class Totals:
    """Totals over campaigns (S5-21)."""

    campaigns: int = 0
    active: int = 0
    completed: int = 0
    sent: int = 0
    delivered: int = 0

    @property
    def delivery_rate(self) -> float | None:
        """Delivered messages in percent of sent ones; None when none was sent."""
        return round(self.delivered / self.sent * 100, 2) if self.sent else None


@dataclass(frozen=True)
class Order:
    """An order of campaigns; newest first is the order that a cursor pages in."""

    by: SortBy = SortBy.CREATED_AT
    direction: Direction = Direction.DESC


@dataclass(frozen=True)
class Filter:
    """Which campaigns are wanted. `status` is one that is shown; `search` is a part of the name, in any case."""

    status: BroadcastStatus | None = None
    instance_id: str | None = None
    search: str | None = None

    def takes(self, campaign: Broadcast, owner: str | None) -> bool:
        """Whether a campaign is wanted, of that owner or of any: indexes lag, and know of neither."""
        return (
            campaign.kind is Kind.CAMPAIGN
            and campaign.status not in GONE
            and owner in (None, campaign.owner)
            and self.status in (None, campaign.shown)
            and self.instance_id in (None, campaign.instance_id)
            and (not self.search or self.search.casefold() in campaign.name.casefold())
        )


def sorted_by(order: Order, campaigns: Iterable[Broadcast]) -> list[Broadcast]:
    """Campaigns in an order; equal ones by their ids, so that pages do not overlap. No time sorts last of times."""

    def value(campaign: Broadcast) -> Any:
        match order.by:
            case SortBy.CREATED_AT:
                return campaign.created_at
            case SortBy.UPDATED_AT:
                return campaign.updated_at
            case SortBy.NAME:
                return campaign.name.casefold()
            case SortBy.STATUS:
                return campaign.shown.value
            case SortBy.SCHEDULED_FOR:
                return campaign.scheduled_for or _NEVER

    descending = order.direction is Direction.DESC
    return sorted(campaigns, key=lambda each: (value(each), each.id), reverse=descending)


@dataclass(frozen=True)
class RowFilter:
    """Which rows are wanted: in these statuses, all if None; of this phone's person."""

    statuses: frozenset[RowStatus] | None = None
    phone: str | None = None

    @classmethod
    def of(cls, status: RowStatus | None, phone: str | None, *, is_source: bool) -> "RowFilter":
        """`is_source`: `status` is one of the source's four, which may stand for several of ours."""
        if status is None:
            return cls(None, phone)
        if not is_source:
            return cls(frozenset({status}), phone)
        return cls(frozenset(each for each in RowStatus if SOURCE_STATUS.get(each, each) is status), phone)

    @property
    def is_all(self) -> bool:
        return self.statuses is None and self.phone is None

    def takes(self, row: Row) -> bool:
        in_status = self.statuses is None or row.status in self.statuses
        return in_status and (self.phone is None or person_of(row.phone) == person_of(self.phone))


@dataclass(frozen=True)
class RowPlace:
    """A place in a campaign's rows: a list's generation, a lane, and a number in it."""

    generation: int
    lane: int
    number: int

    @property
    def is_row(self) -> bool:
        """Whether there may be such a row: a cursor may be forged."""
        return 0 < self.generation < 10**6 and 0 <= self.lane < 100 and 0 <= self.number < 10**7
