"""The recipients of a list in a request, and what becomes of it: clean rows, by lanes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from broadcasts.lanes import Lane

MOST_IN_A_REQUEST = 10_000
"""More come as a file (S5-6)."""


@dataclass(frozen=True)
class Recipient:
    """A recipient as the request has it: 10 to 15 digits, its variables, and its zone if the owner knows it."""

    phone: str
    variables: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None


@dataclass(frozen=True)
class CleanRow:
    """A recipient who counts: the first of a person. `line`: its place in the request, from 1."""

    line: int
    phone: str
    contact: str
    """The key of the person among the owner's contacts."""
    lane: int
    number: int
    """Its place in the lane, from 0."""
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Duplicate:
    """A recipient who is the same person as an earlier one: never sent to twice (decision 47)."""

    line: int
    of_line: int


@dataclass(frozen=True)
class Doubt:
    """What may be wrong with a row, such as a number that no country has: it is kept."""

    line: int
    code: str
    message: str


@dataclass(frozen=True)
class CleanList:
    """A list without duplicates, by lanes. Nothing is stored yet."""

    rows: tuple[CleanRow, ...]
    lanes: tuple[Lane, ...]
    duplicates: tuple[Duplicate, ...] = ()
    warnings: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class Accepted:
    """A list whose rows lie in the bucket under the prefix `source`."""

    source: str
    lanes: tuple[Lane, ...]
    accepted: int
    duplicates: int
    warnings: tuple[Doubt, ...] = ()


class Lists(Protocol):
    """Lists in requests."""

    def clean(self, owner: str, recipients: Sequence[Recipient], time_zone: str | None) -> CleanList:
        """Drop duplicates, and sort the rest into lanes. Pure but for the key of the contacts' hashes.

        `time_zone`: of recipients whose own nobody knows.
        """

    def accept(self, campaign_id: str, found: CleanList) -> Accepted:
        """Write the rows to the bucket, under a new prefix of this campaign. Raises Unavailable."""
