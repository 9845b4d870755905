"""Time, so that tests can drive it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present moment, in UTC."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day in `zone`, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def next_midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    """The first moment of the day after `moment` in `zone`, in UTC. Days of 23 and 25 hours come out right."""
    return day_start(moment.astimezone(zone).date() + timedelta(days=1), zone)


def rfc3339(moment: datetime) -> str:
    """`2026-11-20T08:30:00.000000Z`: always UTC and of one width, so that text sorts as time does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
