"""Periods: the days that a report is about."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from sluice.errors import Invalid

_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")  # a forgotten year is no reason to look at two thousand


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
    """The days from `first` to `last`, with both."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def period(first: date | None, last: date | None, today: date, *, usual: int, most: int) -> Period:
    """The days that are asked for; without a last one up to today, without a first one as many as usual.

    Raises Invalid, naming the parameter, for more days than `most` and for none.
    """
    last = last or today
    first = first or last - timedelta(days=usual - 1)
    if first > last:
        raise Invalid.of("from", f"from must not be after to, which is {last}")
    if (last - first).days >= most:
        raise Invalid.of("from", f"from and to must span at most {most} days")
    return Period(first, last)
