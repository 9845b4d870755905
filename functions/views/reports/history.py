"""History: a content's views day by day, measured, boosted and corrected ones each in a column of their own."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sluice import totals
from sluice.dynamodb import transient_as_unavailable
from sluice.totals import Totals
from views.items import AdjustedItem, DailyItem
from views.reports.period import Period


@dataclass(frozen=True)
class Day:
    """One day. `organic` is what the sync moved on it, `adjusted` what was corrected by hand."""

    date: date
    organic: int
    boosted: int
    adjusted: int


@dataclass(frozen=True)
class Adjustment:
    """Views that were added, or with a minus taken away, by hand."""

    at: datetime
    views: int
    reason: str
    actor: str


@dataclass(frozen=True)
class History:
    """A content's days of a period, its adjustments there, and its totals as they are now.

    Organic total = organic views of all days + imported + all adjustments.
    """

    days: list[Day]
    adjustments: list[Adjustment]
    total: Totals
    adjusted: int
    """By all adjustments there ever were."""


def history(content: tuple[str, str], period: Period, zone: ZoneInfo) -> History:
    """The history of a content (type, id), in days of `zone`; a day without views has zeros."""
    organic = _organic_days(content, period)
    boosted = totals.read_boosted_days(*content, period.days)
    adjustments = _adjustments(content)
    of_period = [each for each in adjustments if each.at.astimezone(zone).date() in period]
    adjusted = dict.fromkeys(period.days, 0)
    for each in of_period:
        adjusted[each.at.astimezone(zone).date()] += each.views
    return History(
        [Day(day, organic.get(day.isoformat(), 0), boosted[day], adjusted[day]) for day in period.days],
        of_period,
        totals.read(*content),
        sum(each.views for each in adjustments),
    )


def _organic_days(content: tuple[str, str], period: Period) -> dict[str, int]:
    with transient_as_unavailable():
        of_period = DailyItem.part.between(period.first.isoformat(), period.last.isoformat())
        items = DailyItem.query(_id(content), of_period, consistent_read=True)
        return {item.part: int(item.views) for item in items}


def _adjustments(content: tuple[str, str]) -> list[Adjustment]:
    """All there ever were: they are made by hand, so they are few."""
    with transient_as_unavailable():
        items = AdjustedItem.query(_id(content), AdjustedItem.part.startswith("adjusted#"), consistent_read=True)
        return [Adjustment(item.at, int(item.views), item.reason, item.actor) for item in items]


def _id(content: tuple[str, str]) -> str:
    return "#".join(("content", *content))
