"""What a campaign would do: when its messages would go out, from its lanes, windows, rate and quota. Pure.

It goes from one change to the next: a window that opens or closes, a quota that is used up, a day that ends. So
a million rows take no longer than ten.
"""

import datetime as dt
import json
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from broadcasts.windows import SURE, Windows, is_open, turns
from broadcasts.zones import Zones
from sluice.clock import next_midnight

MINUTES_SHOWN = 24 * 60
"""A million rows are 16,667 minutes: the first day is enough (amendment 30)."""
_LONGEST_DAYS, _LEAST_DAYS = 366, 14
_MOST_WORK = 366 * 20
"""Days x zones x windows that are looked at: those of a year for 20 windows of one zone, or for one of 20 zones."""
_MINUTE = timedelta(minutes=1)
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Load:
    """Rows that are to be sent, of people in the same zones."""

    zones: Zones
    rows: int


@dataclass(frozen=True)
class Pace:
    """How fast, and when. `daily`: the most that a day of `zone` may have, of which `used` is gone today."""

    rate: float
    """Messages a minute."""
    windows: Windows | None = None
    daily: int | None = None
    used: int = 0
    zone: ZoneInfo = _UTC


@dataclass(frozen=True)
class PlannedDay:
    """A day of the owner's zone, and how many messages go out on it."""

    date: dt.date
    messages: int


@dataclass(frozen=True)
class PlannedMinute:
    """A minute in which messages go out."""

    at: datetime
    messages: int


@dataclass(frozen=True)
class Closed:
    """A time when nothing goes out, because no window is open."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Plan:
    """When messages would go out, if every one is accepted at once."""

    starts_at: datetime
    ends_at: datetime | None
    """When the last one goes out; None when some never would, or nothing is to be sent."""
    days: tuple[PlannedDay, ...] = ()
    minutes: tuple[PlannedMinute, ...] = ()
    """Of the first 24 hours, those with messages."""
    closed: tuple[Closed, ...] = ()
    quota_days: tuple[dt.date, ...] = ()
    """Days that end with the quota used up."""
    unsent: int = 0
    """Rows that would never go out: their zones are too far apart for the windows, or a year is not enough (of many
    windows in many zones less than that is looked at, and at least two weeks).
    """


@dataclass(frozen=True)
class _Run:
    """Messages at equal intervals."""

    begins: datetime
    interval: timedelta
    count: int

    def before(self, moment: datetime) -> int:
        """How many of them are before a moment."""
        return max(0, min(self.count, -((self.begins - moment) // self.interval)))

    @property
    def last(self) -> datetime:
        return self.begins + (self.count - 1) * self.interval


def plan(loads: Sequence[Load], pace: Pace, start: datetime) -> Plan:
    """When the rows would go out from `start` on."""
    left = {number: load.rows for number, load in enumerate(loads) if load.rows > 0}
    used: Counter[dt.date] = Counter({start.astimezone(pace.zone).date(): pace.used})
    interval = timedelta(minutes=1) / pace.rate
    runs: list[_Run] = []
    closed: list[Closed] = []
    spent: list[dt.date] = []
    now = start
    hours = {number: _Hours(pace.windows, loads[number].zones) for number in left}
    end = start + _horizon(loads, pace.windows)
    while left and now < end:
        opened = [number for number in left if hours[number].is_open(now)]
        if not opened:
            until = _first(hours[number].next(now) for number in left)
            if until is None:
                break
            closed.append(Closed(now, until))
            now = until
            continue
        today, midnight = now.astimezone(pace.zone).date(), next_midnight(now, pace.zone)
        room = None if pace.daily is None else pace.daily - used[today]
        if room is not None and room <= 0:
            spent.append(today)
            now = midnight
            continue
        changes = [hours[number].next(now) for number in left]
        until = _first([*changes, midnight if room is not None else None])
        count = sum(left[number] for number in opened)
        count = min(count, count if room is None else room)
        run = _Run(now, interval, count)
        run = replace(run, count=run.before(until)) if until else run
        runs.append(run)
        used[today] += run.count
        _take(left, opened, run.count)
        now = run.last + interval
    unsent = sum(left.values())
    return Plan(
        start,
        max((each.last for each in runs), default=None) if not unsent else None,
        _days(runs, pace.zone),
        _minutes(runs, start),
        tuple(closed),
        tuple(spent),
        unsent,
    )


class _Hours:
    """When windows open and close in some zones, read two weeks at a time. It is asked of times that never go back."""

    def __init__(self, windows: Windows | None, zones: Zones) -> None:
        self._windows, self._zones = windows, zones
        self._turns: deque[tuple[datetime, bool]] = deque()
        self._is_open = windows is None
        self._read_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        if self._windows and (self._read_at is None or now >= self._read_at + SURE):
            self._read(self._windows, now)
        while self._turns and self._turns[0][0] <= now:
            self._is_open = self._turns.popleft()[1]
        return self._is_open

    def next(self, now: datetime) -> datetime | None:
        """When it opens, if it is closed now, or closes; None when that is not near."""
        self.is_open(now)
        if self._windows and not self._turns and self._read_at != now:
            self._read(self._windows, now)
        return self._turns[0][0] if self._turns else None

    def _read(self, windows: Windows, now: datetime) -> None:
        self._read_at, self._is_open = now, is_open(windows, self._zones, now)
        self._turns = deque(turns(windows, self._zones, now))


def _horizon(loads: Sequence[Load], windows: Windows | None) -> timedelta:
    """How far ahead is looked: a poll of the progress waits for it."""
    work = len(windows.each) * sum(len(each.zones) for each in loads) if windows else 1
    return timedelta(days=max(_LEAST_DAYS, min(_LONGEST_DAYS, _MOST_WORK // max(1, work))))


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((each for each in moments if each is not None), default=None)


def _take(left: dict[int, int], opened: Sequence[int], count: int) -> None:
    """Take rows from open lanes, each by its part of what is left, as the lane that is furthest behind goes first."""
    total = sum(left[number] for number in opened)
    before = 0
    for number in opened:
        rows = left[number]
        share = (before + rows) * count // total - before * count // total
        before += rows
        left[number] -= share
        if not left[number]:
            del left[number]


def _days(runs: Sequence[_Run], zone: ZoneInfo) -> tuple[PlannedDay, ...]:
    found: Counter[dt.date] = Counter()
    for run in runs:
        at = run.begins
        while at <= run.last:
            midnight = next_midnight(at, zone)
            found[at.astimezone(zone).date()] += run.before(midnight) - run.before(at)
            at = midnight
    return tuple(PlannedDay(day, messages) for day, messages in sorted(found.items()) if messages)


def _minutes(runs: Sequence[_Run], start: datetime) -> tuple[PlannedMinute, ...]:
    found: Counter[datetime] = Counter()
    first = start.replace(second=0, microsecond=0)
    end = first + MINUTES_SHOWN * _MINUTE
    for run in runs:
        at = run.begins.replace(second=0, microsecond=0)
        while at <= run.last and at < end:
            found[at] += run.before(at + _MINUTE) - run.before(at)
            at += _MINUTE
    return tuple(PlannedMinute(at, messages) for at, messages in sorted(found.items()) if messages)


def hash_of(reviewed: Mapping[str, object], outcomes: Mapping[str, int]) -> str:
    """The hash of what was reviewed (amendment 30): the terms, and how many rows have which outcome; no times."""
    text = json.dumps([dict(reviewed), dict(outcomes)], sort_keys=True, separators=(",", ":"), default=str)
    return sha256(text.encode()).hexdigest()
