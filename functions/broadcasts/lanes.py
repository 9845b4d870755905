"""Lanes: the rows of one set of time zones. Pure.

A row's place is its lane and its number in it, from 0. Rows lie in chunks, so that one Query reads the next ones.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from broadcasts.zones import Zones

MOST_LANES = 100


@dataclass(frozen=True)
class Lane:
    """The rows of one set of zones. `cursor` is the number of the next row of this pass."""

    number: int
    zones: Zones
    rows: int
    cursor: int = 0

    @property
    def is_done(self) -> bool:
        """Whether no row is left in this pass."""
        return self.cursor >= self.rows

    def moved(self, cursor: int) -> "Lane":
        """The lane with the rows before `cursor` taken. Raises ValueError if that goes back, or beyond the last."""
        if not self.cursor <= cursor <= self.rows:
            raise ValueError(f"A cursor at {self.cursor} of {self.rows} does not move to {cursor}")
        return replace(self, cursor=cursor)


class Places:
    """Gives rows their places while a file is read. The same rows in the same order get the same places.

    The first 99 sets of zones have a lane each; the rest share the hundredth, whose windows must be open in all of
    their zones. Its memory is the lanes alone.
    """

    def __init__(self) -> None:
        self._numbers: dict[Zones, int] = {}
        self._rows: list[int] = []
        self._shared: set[str] = set()

    def place(self, zones: Zones) -> tuple[int, int]:
        """The lane of the next row with these zones, and its number in the lane."""
        lane = self._numbers.get(zones)
        if lane is None:
            lane = self._new(zones)
        self._rows[lane] += 1
        return lane, self._rows[lane] - 1

    def lanes(self) -> tuple[Lane, ...]:
        """The lanes of the rows so far."""
        zones = {number: zones for zones, number in self._numbers.items()} | {
            MOST_LANES - 1: tuple(sorted(self._shared))
        }
        return tuple(Lane(number, zones[number], rows) for number, rows in enumerate(self._rows))

    def _new(self, zones: Zones) -> int:
        if len(self._numbers) < MOST_LANES - 1:
            self._numbers[zones] = len(self._numbers)
            self._rows.append(0)
            return self._numbers[zones]
        if len(self._rows) < MOST_LANES:
            self._rows.append(0)
        self._shared.update(zones)
        return MOST_LANES - 1


def furthest_behind(lanes: Iterable[Lane], is_open: Callable[[Lane], bool]) -> Lane | None:
    """The lane to send from: of those with rows left that are open, the one with the smallest part done."""
    waiting = [lane for lane in lanes if not lane.is_done and is_open(lane)]
    return min(waiting, key=lambda lane: (lane.cursor / lane.rows, lane.number), default=None)
