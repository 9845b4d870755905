"""What the API of the sync takes and gives."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from sluice.http import Moment
from sluice.schemas import Resource
from views.control import Control, Phase
from views.sync.applying import Failure
from views.sync.epochs import Outcome, Started


class SyncStart(BaseModel):
    """The body of a start of the sync."""

    model_config = ConfigDict(extra="forbid", strict=True)

    force: bool = Field(False, description="Open an epoch even when nothing is pending (S2-26).")


class EpochState(Resource):
    """The progress of an epoch of the sync. `closed_at` is set when it is done."""

    epoch: int
    phase: Phase
    day: date = Field(description="The day whose daily counts get the epoch's views.")
    step: int
    shards: int
    pages: int
    contents: int = Field(description="Contents whose views were moved.")
    views: int = Field(description="Views that were moved.")
    parked: int = Field(description="Contents that were moved aside because they failed too often.")
    refusals: int = Field(description="Refused views whose counts were moved.")
    folded: int = Field(description="Views that were tracked while Redis was away, and were added in this epoch.")
    opened_at: Moment
    closed_at: Moment | None


class FailureResource(Resource):
    """A content that could not be applied. Once it is moved aside, each later epoch tries it again."""

    content: str = Field(examples=["story:123"])
    failures: int
    reason: str
    is_parked: bool


class EpochResource(EpochState):
    """An epoch of the sync, and its contents that could not be applied."""

    failures: list[FailureResource]

    @classmethod
    def of(cls, control: Control, failures: Sequence[Failure]) -> "EpochResource":
        state = EpochState.model_validate(control)
        return cls(**dict(state), failures=[FailureResource.model_validate(failure) for failure in failures])


class SyncResource(EpochState):
    """The outcome of a start, and the progress of the present or last epoch (0: there was none)."""

    outcome: Outcome = Field(
        description="`running`: an open epoch continues. "
        "`waiting`: the last epoch closed a moment ago, and the next one opens by itself."
    )

    @classmethod
    def of(cls, started: Started) -> "SyncResource":
        return cls(outcome=started.outcome, **dict(EpochState.model_validate(started.control)))
