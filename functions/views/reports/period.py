"""Periods: the days of a report, or its hours."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sluice.errors import Invalid

_HOUR = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:00:00(\.0{1,6})?Z")
_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")  # a mistyped year must not span two thousand years

_LAST_HOUR = 23


def day_of(text: str) -> date:
    """The day that `2026-11-20` is. Raises ValueError."""
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass  # a month has no such day
    raise ValueError("must be a day such as 2026-11-20, from the year 2000 on")


def day_or_hour_of(text: str) -> date | datetime:
    """The day that `2026-11-20` is, or the hour in UTC that `2026-11-20T05:00:00Z` is. Raises ValueError."""
    if _HOUR.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    try:
        return day_of(text)
    except ValueError as error:
        raise ValueError(
            "must be a day such as 2026-11-20, or a whole hour such as 2026-11-20T05:00:00Z, from the year 2000 on"
        ) from error


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


@dataclass(frozen=True)
class Hours:
    """The hours from `first` to `last`, both included, in UTC; each is the moment when its hour begins."""

    first: datetime
    last: datetime

    @property
    def days(self) -> list[date]:
        return Period(self.first.date(), self.last.date()).days

    def of_day(self, day: date) -> tuple[str, str]:
        """The first and the last hour of a day that are in the period: `00` to `23` for a whole day."""
        first = self.first.hour if day == self.first.date() else 0
        last = self.last.hour if day == self.last.date() else _LAST_HOUR
        return f"{first:02}", f"{last:02}"


def hours(first: date | None, last: date | None, today: date, *, most_days: int) -> Hours:
    """The requested hours; a day stands for all of its hours. Without `last` they end today, without `first` they begin
    with the day of `last`.

    Raises Invalid, naming the parameter, for more than `most_days`, or for no hour.
    """
    last = last or today
    end = last if isinstance(last, datetime) else datetime.combine(last, time(_LAST_HOUR), UTC)
    first = first or end.date()
    begin = first if isinstance(first, datetime) else datetime.combine(first, time(), UTC)
    if begin > end:
        raise Invalid.of("from", f"from must not be after to, which is {_said(last)}")
    if end - begin >= timedelta(days=most_days):
        raise Invalid.of("from", f"from and to must span at most {most_days} days")
    return Hours(begin, end)


def _said(moment: date) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if isinstance(moment, datetime) else moment.isoformat()
