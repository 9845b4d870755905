"""How a campaign's views are spread over days, and over videos. Pure arithmetic."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, pairwise


class Pattern(StrEnum):
    """How the views are distributed over the days (S1-17, S1-63)."""

    STEADY = "steady"
    BURST = "burst"
    PROGRESSIVE = "progressive"


@dataclass(frozen=True)
class Plan:
    """Day sizes that sum exactly to the total, none above the daily limit.

    Plan days count from 1. Each date on which the campaign worked uses up one plan day, even if it could not add all
    of its views: the rest spills into the next plan day, and the end date moves (design section 6).
    """

    total: int
    days: int
    daily_limit: int
    pattern: Pattern

    def wishes(self) -> tuple[int, ...]:
        """Views of each day by the pattern alone, before the daily limit moves any."""
        return _wishes(self)

    def sizes(self) -> tuple[int, ...]:
        """Views of each day.

        Steady is `floor(T*k/D) - floor(T*(k-1)/D)`: 333, 333, 334, ... for 10000 over 30 (S1-18). Burst has linear
        weights D..1: 800, 600, 400, 200 for 2000 over 4 (S1-19); views over the daily limit spill forward. Progressive
        is its mirror, and spills backward. A total of limit x days degenerates to steady (decision 4).
        """
        return _sizes(self)

    def due_by(self, day: int) -> int:
        """Views that should be done when plan day `day` ends; the total from the last day on."""
        return _due(self)[min(day, self.days)]

    def room_on(self, day: int, executed: int, done_today: int) -> int:
        """Views that may still be added on plan day `day`."""
        return max(0, min(self.daily_limit - done_today, self.due_by(day) - executed))

    def ahead(self, position: "Position", start: dt.date) -> Iterator[tuple[dt.date, int]]:
        """The dates from `start` on, and the views that would be added on each if no cap delayed them."""
        executed = position.executed
        today = position.on(start)
        while executed < self.total:
            views = self.room_on(today.day, executed, today.done)
            yield start, views
            executed += views
            start += dt.timedelta(days=1)
            today = Position(today.day + 1, start, 0, executed)


@lru_cache(256)
def _wishes(plan: Plan) -> tuple[int, ...]:
    match plan.pattern:
        case Pattern.STEADY:
            ends = [plan.total * day // plan.days for day in range(plan.days + 1)]
            return tuple(end - start for start, end in pairwise(ends))
        case Pattern.BURST:
            return tuple(_by_weight(plan.total, range(plan.days, 0, -1)))
        case Pattern.PROGRESSIVE:
            return tuple(reversed(_by_weight(plan.total, range(plan.days, 0, -1))))


@lru_cache(256)
def _sizes(plan: Plan) -> tuple[int, ...]:
    if plan.pattern is Pattern.PROGRESSIVE:
        return tuple(reversed(_clipped(reversed(plan.wishes()), plan.daily_limit)))
    return tuple(_clipped(iter(plan.wishes()), plan.daily_limit))


@lru_cache(256)
def _due(plan: Plan) -> tuple[int, ...]:
    return tuple(accumulate(plan.sizes(), initial=0))


def _by_weight(total: int, weights: range) -> list[int]:
    """Shares in proportion to the weights, by largest remainder; of equal remainders the first is the largest."""
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda day: -(total * weights[day] % whole))
    for day in by_remainder[: total - sum(shares)]:
        shares[day] += 1
    return shares


def _clipped(wishes: Iterator[int], most: int) -> list[int]:
    """No day above `most`: the excess goes to the next day."""
    sizes, over = [], 0
    for wish in wishes:
        sizes.append(min(wish + over, most))
        over += wish - sizes[-1]
    return sizes


@dataclass(frozen=True)
class Position:
    """A campaign's position in its plan: it has added `done` views on plan day `day`, which is the date `date`."""

    day: int
    date: dt.date | None
    done: int
    executed: int

    def on(self, today: dt.date) -> "Position":
        """The position on `today`: the next plan day, unless it is the date of this one."""
        return self if today == self.date else Position(self.day + 1, today, 0, self.executed)


def shares(videos: int, views: int) -> list[int]:
    """`views` in equal shares, and the remainder one by one for the first videos."""
    each, over = divmod(views, videos)
    return [each + (number < over) for number in range(videos)]


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
