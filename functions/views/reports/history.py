"""History: a content's views day by day, measured, boosted and corrected ones each in a column of their own."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class HistoryDay:
    """One day. `organic` is what the sync moved on it, `adjusted` what was corrected by hand."""

    date: date
    organic: int
    boosted: int
    adjusted: int


@dataclass(frozen=True)
class ListedAdjustment:
    """Views that were added, or with a minus taken away, by hand."""

    at: datetime
    views: int
    reason: str
    actor: str


@dataclass(frozen=True)
class Overall:
    """A content's counters as they are; `adjusted` is by all adjustments there ever were."""

    organic: int
    boosted: int
    imported: int | None
    adjusted: int


@dataclass(frozen=True)
class History:
    """A content's days of a period, its adjustments there, and its totals as they are now.

    Organic total = organic views of all days + imported + all adjustments.
    """

    days: list[HistoryDay]
    adjustments: list[ListedAdjustment]
    overall: Overall
