"""A campaign day by day: planned, done, and still expected. Pure."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from boosts.campaign import ENDED, BatchRow, Campaign, Status


@dataclass(frozen=True)
class PlanDay:
    """One date. `planned` is the size of its plan day, 0 beyond the plan; `done` and `expected` are of this date."""

    date: dt.date
    plan_day: int
    planned: int
    done: int = 0
    expected: int = 0


def timeline(campaign: Campaign, rows: Iterable[BatchRow], now: datetime, zone: ZoneInfo) -> list[PlanDay]:
    """The dates on which views were added, by their rows, and the dates on which more are expected.

    A date on which a cap allowed no views has no row, so its plan day is missing.
    """
    sizes = campaign.plan.sizes()

    def blank(date: dt.date, plan_day: int) -> PlanDay:
        return PlanDay(date, plan_day, sizes[plan_day - 1] if plan_day <= len(sizes) else 0)

    days: dict[dt.date, PlanDay] = {}
    for row in rows:
        if row.views > 0:
            date = row.committed_at.astimezone(zone).date()
            day = days.get(date) or blank(date, row.plan_day)
            days[date] = replace(day, done=day.done + row.views)
    if campaign.status not in ENDED | {Status.REVERTING, Status.REVERTED}:
        start = max(now, campaign.wake_at or now).astimezone(zone).date()
        first = campaign.position.on(start).day
        for number, (date, views) in enumerate(campaign.plan.ahead(campaign.position, start)):
            day = days.get(date) or blank(date, first + number)
            days[date] = replace(day, expected=views)
    return [days[date] for date in sorted(days)]
