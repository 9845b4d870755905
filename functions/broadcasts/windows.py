"""When messages may go out: windows of wall-clock time in the recipient's zone. Pure.

The wall clock decides, in the hours that a change of summer time skips or repeats too: a window that begins in a
skipped hour opens when the clock has jumped, and a repeated hour is open twice.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_CLOCK = re.compile(r"(\d\d):([0-5]\d)", re.ASCII)
_LAST = 24 * 60
_MIDNIGHT = time()
_DAY = timedelta(days=1)
_DAYS_AHEAD = 16
"""A window on one weekday whose hour is skipped this week opens next week."""
SURE = (_DAYS_AHEAD - 2) * _DAY
"""So far ahead all changes of all zones are read."""


@dataclass(frozen=True)
class Window:
    """Open on these weekdays (0 is Monday) from `opens` until before `closes`, in minutes after midnight by the clock.

    If `closes` is not after `opens` the window closes on the following day; if they are equal, it is open for a day.
    """

    weekdays: tuple[int, ...]
    opens: int
    closes: int

    def is_open(self, wall: datetime) -> bool:
        """Whether it is open when a clock on the wall shows this."""
        at, day = wall.hour * 60 + wall.minute, wall.weekday()
        if self.opens < self.closes:
            return day in self.weekdays and self.opens <= at < self.closes
        return (day in self.weekdays and at >= self.opens) or ((day - 1) % 7 in self.weekdays and at < self.closes)


@dataclass(frozen=True)
class Windows:
    """A campaign's windows: it is open when one of them is."""

    each: tuple[Window, ...]


def minutes_of(text: str) -> int:
    """The minutes after midnight of `09:30`, from `00:00` to `24:00`. Raises ValueError for anything else."""
    if not (found := _CLOCK.fullmatch(text)) or (minutes := int(found[1]) * 60 + int(found[2])) > _LAST:
        raise ValueError("A time of day is written as 09:30")
    return minutes


def clock_of(minutes: int) -> str:
    """The text of minutes after midnight: `09:30`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def is_open(windows: Windows | None, zones: Sequence[str], now: datetime) -> bool:
    """Whether a window is open in each zone; always, when there are none. Raises ValueError without zones."""
    if not zones:
        raise ValueError("Windows need a zone")
    return windows is None or all(
        any(window.is_open(wall) for window in windows.each)
        for wall in (now.astimezone(ZoneInfo(zone)) for zone in zones)
    )


def next_opening(windows: Windows | None, zones: Sequence[str], now: datetime) -> datetime | None:
    """The first moment from `now` on, in UTC, when a window is open in each zone; `now` if that is so now.

    None when no moment of the next two weeks is: the zones are too far apart for these windows.
    """
    if windows is None or is_open(windows, zones, now):
        return now.astimezone(UTC)
    moments = {moment for zone in zones for window in windows.each for moment in _changes(window, ZoneInfo(zone), now)}
    return next((moment for moment in sorted(moments) if moment > now and is_open(windows, zones, moment)), None)


def turns(windows: Windows, zones: Sequence[str], now: datetime) -> Iterator[tuple[datetime, bool]]:
    """The moments after `now`, in UTC, at which a window opens in each zone (True), or does no more; of `SURE` days."""
    moments = {moment for zone in zones for window in windows.each for moment in _changes(window, ZoneInfo(zone), now)}
    was = is_open(windows, zones, now)
    for moment in sorted(each for each in moments if now < each <= now + SURE):
        if is_open(windows, zones, moment) is not was:
            was = not was
            yield moment, was


def _changes(window: Window, zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """The moments, in UTC, at which a window may begin or cease to be open in a zone."""
    today = now.astimezone(zone).date()
    for days in range(-1, _DAYS_AHEAD):
        for at in (window.opens, window.closes):
            wall = datetime.combine(today + days * _DAY, _MIDNIGHT, zone) + timedelta(minutes=at)
            first, second = (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
            yield first
            if first != second:
                # The clock shows this twice, or never: it is set in between.
                yield second
                yield _set_between(min(first, second), max(first, second), zone)


def _set_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between two at which a zone's clock is set, to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
