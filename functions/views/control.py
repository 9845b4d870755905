"""The state of the sync: the control item, as a value."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Phase(StrEnum):
    """The kind of an epoch's next step."""

    OPENING = "opening"
    RETRYING = "retrying"
    PAGING = "paging"
    REFUSALS = "refusals"
    FOLDING = "folding"
    DONE = "done"


@dataclass(frozen=True)
class Control:
    """The state of the sync. The counters are for people: they may miss a part of a step that crashed."""

    epoch: int
    phase: Phase
    step: int
    day: str
    """The day, `2026-11-20`, that the epoch is named after. Views that name no day, of an older release, are of it."""
    shards: int
    """The highest number of shards ever used, so that views on shards that are no longer in use are found."""
    opened_at: datetime
    closed_at: datetime | None = None
    committed_by: str | None = None
    """The id of the message whose step was committed last."""
    pages: int = 0
    contents: int = 0
    views: int = 0
    parked: int = 0
    refusals: int = 0
    folded: int = 0
