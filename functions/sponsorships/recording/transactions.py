"""What the recorder asks of the database. `table.Table` is the real one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from sponsorships.impressions import Click, Row
from sponsorships.recording.standing import Crossing, Item, Standing, Totals


class Kind(Enum):
    """What became of a transaction."""

    DONE = auto()
    FAILED = auto()
    """A condition failed: nothing was written."""
    CONFLICT = auto()
    """Another transaction was on one of the items, or the table is too busy: nothing was written."""
    UNHEARD = auto()
    """No answer came: it may have been written."""


@dataclass(frozen=True)
class Outcome:
    """What became of a transaction; and of a failed one the actions that failed, with the item that each met."""

    kind: Kind
    failed: Mapping[int, Item] = field(default_factory=dict)


class Table(Protocol):
    """The rows, tallies and participations of sponsorships, and the outbox. Each call is made once.

    All raise Unavailable for what is not worth another try at once.
    """

    def standing(self, participation: str) -> Standing | None:
        """A participation with its campaign's terms, by one consistent batch read; None if there is none."""

    def totals(self, participation: str, shards: int) -> Totals | None:
        """A participation and all its tallies, by a consistent read; a second one if it has more than `shards`."""

    def record(self, participation: str, rows: Sequence[Row], k: int) -> Outcome:
        """Put rows and count them in tally `k`: all or none. Action `len(rows)` is the tally's."""

    def click(self, click: Click, at: str) -> Outcome:
        """Mark a row as clicked, once, and count it in the row's tally. Action 0 is the row's."""

    def mark(self, crossing: Crossing, now: datetime) -> Outcome:
        """Mark the crossing of thresholds, with its event, while the participation is active and as it was read."""

    def grow(self, participation: str, shards: int) -> bool:
        """Spread a participation over twice as many tallies, while it is active and has `shards`; whether it was."""

    def refuse(self, participation: str, reason: str, times: int, now: datetime) -> None:
        """Count refusals. A plain write: it is not money, so a repeat may count one twice."""
