"""How a campaign's views are spread over days. Pure arithmetic."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise


class Pattern(StrEnum):
    """How the days compare (S1-18)."""

    STEADY = "steady"


@dataclass(frozen=True)
class Plan:
    """Day sizes that sum exactly to the total, none above the daily limit.

    Plan days are counted from 1. A plan day is used up by a date on which the campaign worked, however much it could
    do; what it could not do spills into the next, and the end date moves (design section 6).
    """

    total: int
    days: int
    daily_limit: int
    pattern: Pattern

    def sizes(self) -> list[int]:
        """Views of each day: `floor(T*k/D) - floor(T*(k-1)/D)`, so 10000 over 30 days is 333, 333, 334, ... (S1-18)."""
        ends = [self.total * day // self.days for day in range(self.days + 1)]
        return [end - start for start, end in pairwise(ends)]

    def due_by(self, day: int) -> int:
        """Views that should be done when plan day `day` ends; the total from the last day on."""
        return list(accumulate(self.sizes(), initial=0))[min(day, self.days)]

    def room_on(self, day: int, executed: int, done_today: int) -> int:
        """Views that may still be added on plan day `day`."""
        return max(0, min(self.daily_limit - done_today, self.due_by(day) - executed))

    def ahead(self, position: "Position", start: dt.date) -> Iterator[tuple[dt.date, int]]:
        """The dates from `start` on, and what would be added on each if nothing else stood in the way."""
        due = list(accumulate(self.sizes(), initial=0))
        executed = position.executed
        today = position.on(start)
        while executed < self.total:
            room = min(self.daily_limit - today.done, due[min(today.day, self.days)] - executed)
            yield start, max(0, room)
            executed += max(0, room)
            start += dt.timedelta(days=1)
            today = Position(today.day + 1, start, 0, executed)


@dataclass(frozen=True)
class Position:
    """Where a campaign is in its plan: on plan day `day`, which is the date `date`, on which it has `done` views."""

    day: int
    date: dt.date | None
    done: int
    executed: int

    def on(self, today: dt.date) -> "Position":
        """The position on `today`: the next plan day, unless it is the date of this one."""
        return self if today == self.date else Position(self.day + 1, today, 0, self.executed)


def month_of(day: dt.date) -> str:
    """`2026-11`."""
    return f"{day:%Y-%m}"


def by_month(days: Iterator[tuple[dt.date, int]]) -> dict[str, int]:
    """Views for each month in which there are any."""
    months: dict[str, int] = {}
    for day, views in days:
        if views:
            months[month_of(day)] = months.get(month_of(day), 0) + views
    return months
