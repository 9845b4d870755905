"""Periods: the days of a report."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from sluice.errors import Invalid

_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")  # a mistyped year must not span two thousand years


def day_of(text: str) -> date:
    """The day that `2026-11-20` is. Raises ValueError."""
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass  # a month has no such day
    raise ValueError("must be a day such as 2026-11-20, from the year 2000 on")


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def period(first: date | None, last: date | None, today: date, *, usual: int, most: int) -> Period:
    """The requested days. Without `last` they end today, without `first` there are `usual` of them.

    Raises Invalid, naming the parameter, for more days than `most`, or for no day.
    """
    last = last or today
    first = first or last - timedelta(days=usual - 1)
    if first > last:
        raise Invalid.of("from", f"from must not be after to, which is {last}")
    if (last - first).days >= most:
        raise Invalid.of("from", f"from and to must span at most {most} days")
    return Period(first, last)
