"""A statement as it is shown, with what stands around it, and the proof of one of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sluice.journal import Entry
from sponsorships.campaign import Campaign
from sponsorships.impressions import Row
from sponsorships.participation import Adjustment, Offer, Participation, ParticipationStatus, Statement


@dataclass(frozen=True)
class Line:
    """A row as the evidence lists it; each field is a column."""

    viewer: str
    """The row's `part`: with a day, where a viewer counts once a day."""
    nonce: str
    issued_at: str
    accepted_at: str
    by: str
    voided: str
    """The reason; empty: it counts."""


@dataclass(frozen=True)
class Shown:
    """A statement, and what stands around it."""

    campaign: Campaign
    participation: Participation
    offer: Offer
    statement: Statement
    reserve: Entry
    """What set the pay aside, on which terms."""
    entry: Entry | None
    """What paid or released it; None while it is held."""
    void_reasons: Mapping[str, int]
    refused_by_day: Mapping[str, Mapping[str, int]]
    adjustments: list[Adjustment] = field(default_factory=list)

    @property
    def pay(self) -> int:
        """What was paid, or is held, in minor units."""
        return 0 if self.participation.status is ParticipationStatus.REJECTED else self.statement.pay


@dataclass(frozen=True)
class Proof:
    """That a row is a leaf under a root: `merkle.climbed` goes from the one to the other."""

    row: Row
    index: int
    leaves: int
    leaf: bytes
    path: list[tuple[str, bytes]]
    root: bytes
    is_final: bool
    """Whether the root is the statement's."""
