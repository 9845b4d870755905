"""What the API of monitoring takes and gives."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from sluice import http
from sluice.http import Moment
from sluice.schemas import Resource
from sponsorships.checkrun import CheckRun, CheckStatus
from sponsorships.participation import Adjustment, AdjustmentState
from sponsorships.schemas import MAX_TARGET


class NewParticipationAdjustment(BaseModel):
    """Impressions that no row shows."""

    model_config = ConfigDict(extra="forbid", strict=True)

    impressions: StrictInt = Field(ge=1, le=MAX_TARGET, description="How many to count beside the rows.")
    reason: http.Reason


class ParticipationAdjustmentResource(BaseModel):
    """Impressions that a hand in the database wrote, or that somebody proposed."""

    number: int
    delta: int = Field(description="The impressions that it claims beside those that count.")
    state: AdjustmentState = Field(
        description="`open`, `granted`, `rejected`, or `noted`: an edit that claims nothing that could be granted."
    )
    found_by: str = Field(description="`stream`, `sweep` or `worker` for a hand in the database, or `proposal`.")
    before: dict[str, float] = Field(description="The published value of each field that a hand changed.")
    after: dict[str, float] = Field(description="What the hand wrote.")
    reason: str | None
    proposer: str | None
    approvers: list[str]
    decided_by: str | None
    created_at: Moment

    @classmethod
    def of(cls, found: Adjustment) -> Self:
        values = {name: getattr(found, name) for name in cls.model_fields} | {"approvers": sorted(found.approvers)}
        return cls(**values | {"before": dict(found.before), "after": dict(found.after)})


class AdjustmentsResource(BaseModel):
    """The adjustments of a participation, the oldest first."""

    items: list[ParticipationAdjustmentResource]


class NewCheck(BaseModel):
    """What kind of run to start."""

    model_config = ConfigDict(extra="forbid", strict=True)

    deep: bool = Field(False, description="Whether to count rows, and to verify the ledger.")


class CheckRunResource(Resource):
    """A run over all participations."""

    id: str
    status: CheckStatus
    deep: bool
    created_at: Moment
    created_by: str
    ended_at: Moment | None
    checked: int = Field(description="Participations that were looked at.")
    settled: int = Field(description="Completions that no other detector had found.")
    edited: int = Field(description="Edits by hand that were put right.")
    corrected: int = Field(description="Tallies that were edited by hand and put right.")
    failed: int = Field(description="Participations that could not be looked at: the log says why.")
    problems: list[str] = Field(description="What a person has to look at; the first 20.")

    @classmethod
    def of(cls, found: CheckRun) -> Self:
        return cls(**{name: getattr(found, name) for name in cls.model_fields} | {"problems": list(found.problems)})


class DetectorResource(BaseModel):
    """What a detector found."""

    completions: int
    last_at: Moment | None = Field(description="When it last found a completion; the sweep: when it last began.")


class SweepResource(DetectorResource):
    """What the sweep found."""

    next_at: Moment | None


class StreamResource(BaseModel):
    """Whether the stream brings changes of documents."""

    enabled: bool = Field(description="Whether it brought one of the last two signs of life that the sweep wrote.")
    last_record_at: Moment | None = Field(description="When the last sign of life that it brought was written.")
    canary_age_seconds: int | None = Field(description="How long ago the sweep wrote the last sign of life.")
    lag_seconds: int | None = Field(description="How long the last sign of life was on its way.")
    dead_letters: int = Field(description="Batches of records that the stream gave up on.")


class Detectors(BaseModel):
    """The detectors of completions."""

    api: DetectorResource
    stream: DetectorResource
    sweep: SweepResource


class GapsResource(BaseModel):
    """Completions that only the sweep found."""

    last_24h: int
    last: Moment | None


class QueueResource(BaseModel):
    """A queue, and its dead letters."""

    waiting: int
    in_flight: int
    dead: int


class QueuesResource(BaseModel):
    """The queues of sponsorships."""

    checks: QueueResource
    steps: QueueResource


class CountsResource(BaseModel):
    """Participations by status, each counted up to 1,000."""

    active: int
    settling: int
    held: int
    review: int


class ConservationResource(BaseModel):
    """What the last deep run found out about the ledger."""

    checked_at: Moment | None
    ok: bool | None


type MonitoringHealth = Literal["ok", "degraded", "disconnected"]


class StatusResource(BaseModel):
    """How completions are detected and settled (S3-16, S3-19)."""

    status: Annotated[
        MonitoringHealth, Field(description="`disconnected`: the stream is silent, and the sweep goes on.")
    ]
    stream: StreamResource
    detectors: Detectors
    gaps: GapsResource
    full_check: CheckRunResource | None
    queues: QueuesResource
    participations: CountsResource
    open_adjustments: int = Field(description="Counted up to 1,000.")
    conservation: ConservationResource
