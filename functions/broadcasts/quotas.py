"""How much may be sent: by an instance in any 24 hours (S5-56), by an owner on each of their days (S5-55). Pure.

An instance counts by hours: an hour counts until 24 hours after its end, so no 24 hours ever hold more than the limit.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sluice.clock import next_midnight

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
KEPT_HOURS = 25
ALERTS = (80, 100)
"""Percent of a limit at which its owner is told, once each (S5-58)."""


@dataclass(frozen=True)
class Hours:
    """What was sent in each of at most 25 hours, from the hour `since` on (hours since 1970)."""

    counts: tuple[int, ...] = ()
    since: int = 0

    def used(self, now: datetime) -> int:
        """What counts in the 24 hours until now."""
        return sum(self._kept(now))

    def added(self, number: int, now: datetime) -> "Hours":
        """With so many messages more in this hour; hours that count no longer are gone."""
        kept = list(self._kept(now))
        kept[-1] += number
        return Hours(tuple(kept), self._first(now))

    def free(self, limit: int, now: datetime) -> int:
        """How many messages the limit allows now."""
        return max(0, limit - self.used(now))

    def free_at(self, limit: int, now: datetime) -> datetime | None:
        """When the limit allows a message again; now if it does, None if it never does."""
        if limit < 1:
            return None
        left = self.used(now)
        if left < limit:
            return now
        for number, count in enumerate(self._kept(now)):
            left -= count
            if left < limit:
                return _EPOCH + (self._first(now) + number + KEPT_HOURS) * _HOUR
        raise AssertionError("Without any hour nothing is used")

    def _kept(self, now: datetime) -> Sequence[int]:
        """The counts of the 25 hours until this one."""
        at = self._first(now) - self.since
        return [self.counts[place] if 0 <= place < len(self.counts) else 0 for place in range(at, at + KEPT_HOURS)]

    def _first(self, now: datetime) -> int:
        """The first of the 25 hours. Never earlier than another writer's, whose clock was a little ahead."""
        return max((now - _EPOCH) // _HOUR - KEPT_HOURS + 1, self.since)


def day_of(now: datetime, zone: str) -> date:
    """The day in an owner's zone whose quota a message uses."""
    return now.astimezone(ZoneInfo(zone)).date()


def day_free_at(now: datetime, zone: str) -> datetime:
    """When an owner's next day begins, in UTC."""
    return next_midnight(now, ZoneInfo(zone))


def alert(used: int, limit: int | None, flagged: Collection[int]) -> int | None:
    """The next threshold, in percent, that is reached and not flagged yet; None for no alert.

    Its flag and its event are one write, before the step goes on: it is told once, whoever crossed it.
    """
    if limit is None:
        return None
    return next((each for each in ALERTS if each not in flagged and used * 100 >= each * limit), None)
