"""History: a content's views per day, with organic, boosted and adjusted views in separate columns."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class HistoryDay:
    """One day. `organic`: views that the sync moved on it. `adjusted`: corrections by hand."""

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
    """A content's present counters; `adjusted` is the sum of all its adjustments."""

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
