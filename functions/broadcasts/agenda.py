"""What a campaign has to do later, beside its lists: judge a claim, look a row up, try a row again. Pure.

Kinds sort claim, look, retry: of all that is due a step meets the few claims first, so that no number of retries that
may not be sent hides a claim that nobody settles (amendment 1).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from broadcasts.row import RowKey
from sluice.clock import rfc3339

PREFIX = "due#"


class Kind(StrEnum):
    """Why something is due."""

    CLAIM = "claim"
    LOOK = "look"
    RETRY = "retry"


@dataclass(frozen=True)
class Claimed:
    """A row that a step took, and the attempt that it took it for."""

    key: RowKey
    attempt: str


@dataclass(frozen=True)
class Due:
    """One entry of the agenda: `due#retry#2026-11-26T10:00:00.000000Z#g1/r3/17342`."""

    kind: Kind
    at: datetime
    name: str
    """The key of the row; for a claim the step that committed it."""
    rows: tuple[Claimed, ...] = ()
    """What a claim took."""
    day: str = ""
    """The day whose quota a claim was taken from: of a claim, and of a look at a row of it."""

    @property
    def part(self) -> str:
        return f"{PREFIX}{self.kind}#{rfc3339(self.at)}#{self.name}"

    @property
    def key(self) -> RowKey:
        """The row of a look or a retry."""
        return RowKey.parse(self.name)

    @classmethod
    def parse(cls, part: str, rows: tuple[Claimed, ...] = (), day: str = "") -> "Due":
        """Raises ValueError for a part of anything else."""
        _, kind, at, name = part.split("#")
        return cls(Kind(kind), datetime.fromisoformat(at), name, rows, day)

    def moved_to(self, at: datetime) -> "Due":
        return replace(self, at=at)

    def of_day(self, day: str) -> "Due":
        """With the day of its claim, which a look may give back to; a retry is a claim of another day."""
        return replace(self, day=day) if self.kind is Kind.LOOK else self


def look(key: RowKey, at: datetime, day: str = "") -> Due:
    return Due(Kind.LOOK, at, str(key), day=day)


def retry(key: RowKey, at: datetime) -> Due:
    return Due(Kind.RETRY, at, str(key))


def claim(step: int, deadline: datetime, rows: tuple[Claimed, ...], day: str) -> Due:
    return Due(Kind.CLAIM, deadline, f"{step:08d}", rows, day)
