"""What the views API takes and gives."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, StrictStr, model_serializer

from sluice.http import Moment
from views.counts.display import Shown, Source
from views.rules import Reason
from views.sync.epochs import Control, Outcome, Phase, Started
from views.sync.store import Failure
from views.track.bodies import MAX_VIEWS

DISCLOSURE = "includes promoted views"
MAX_ITEMS = 100


class ContentName(BaseModel):
    """One content."""

    model_config = ConfigDict(extra="forbid", strict=True)

    content_type: str = Field(description="One of the installation's content types.", examples=["video"])
    content_id: str = Field(description="The content's id.", examples=["abc123"])


class Contents(BaseModel):
    """The body of a bulk retrieval (S2-11)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: Annotated[list[ContentName], Field(min_length=1, max_length=MAX_ITEMS)]


class Organic(BaseModel):
    """Views by viewers: those in the database, and those not yet moved there."""

    synced: int
    pending: int


class ViewCount(BaseModel):
    """A content's views: organic synced + organic pending + boosted = view_count, always."""

    content_type: str
    content_id: str
    organic: Organic
    boosted: int = Field(description="Added by the operator's boost campaigns.")
    view_count: int
    disclosure: str | None = Field(None, description="There when any of the views are boosted.")
    degraded: bool | None = Field(None, description="True when Redis did not answer: pending views are left out.")
    source: Source | None = Field(None, description="There when one was asked for: the parts of the others are 0.")

    @classmethod
    def of(cls, content: tuple[str, str], shown: Shown, source: Source | None) -> "ViewCount":
        content_type, content_id = content
        return cls(
            content_type=content_type,
            content_id=content_id,
            organic=Organic(synced=shown.synced, pending=shown.pending),
            boosted=shown.boosted,
            view_count=shown.synced + shown.pending + shown.boosted,
            disclosure=DISCLOSURE if shown.boosted else None,
            degraded=shown.is_degraded or None,
            source=source,
        )

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        fields: dict[str, object] = serialize(self)
        return {name: value for name, value in fields.items() if value is not None}


class ViewCounts(BaseModel):
    """The counts of the contents that were asked for, in their order."""

    items: list[ViewCount]


class ViewedContent(BaseModel):
    """A content that was viewed."""

    model_config = ConfigDict(extra="forbid")
    content_type: StrictStr = Field(description="One of the installation's content types.", examples=["video"])
    content_id: StrictStr = Field(
        description="Opaque.", examples=["abc123"], pattern="^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$"
    )


class NewView(ViewedContent):
    """A view to be counted."""

    session: StrictStr = Field(
        "",
        description="The `session` of an earlier answer; before the cookie. One that is forged or over counts as none.",
    )


class Tracked(BaseModel):
    """What the rules made of a view."""

    model_config = ConfigDict(extra="forbid")
    counted: bool
    reason: Reason | None = Field(None, description="The first of `reasons`; there when the view was refused.")
    reasons: list[Reason] | None = Field(None, description="Every rule that refused it; there when any did.")
    retry_after_seconds: int | None = Field(
        None,
        description="When all of them would let it pass. Not there when waiting does not help, or it is not known.",
    )


class TrackedView(Tracked):
    """What became of a view."""

    degraded: bool | None = Field(None, description="There while the cache is away: then once a day is the only rule.")
    session: str = Field(description="To be sent with the next view; also a cookie. Good for the length of a session.")


class NewViews(BaseModel):
    """Views to be counted, in their order."""

    model_config = ConfigDict(extra="forbid")
    views: Annotated[list[ViewedContent], Field(min_length=1, max_length=MAX_VIEWS)]
    session: StrictStr = Field("", description="As of one view.")


class ViewError(BaseModel):
    """What is wrong with a field."""

    model_config = ConfigDict(extra="forbid")
    field: str = Field(examples=["views.3.content_id"])
    message: str


class TrackedOfMany(Tracked):
    """What became of one of many views."""

    errors: list[ViewError] | None = Field(None, description="There when the view is none, so nothing was counted.")


class TrackedViews(BaseModel):
    """What became of views: an answer for each, in their order."""

    model_config = ConfigDict(extra="forbid")
    views: list[TrackedOfMany]
    degraded: bool | None = Field(None, description="There while the cache is away: then once a day is the only rule.")
    session: str = Field(description="As of one view.")


class SyncStart(BaseModel):
    """How the sync is to be started."""

    model_config = ConfigDict(extra="forbid", strict=True)

    force: bool = Field(False, description="Open an epoch even when nothing is pending (S2-26).")


class EpochState(BaseModel):
    """How far an epoch of the sync is. `closed_at` is there when it is done."""

    model_config = ConfigDict(from_attributes=True)

    epoch: int
    phase: Phase
    day: date = Field(description="The day whose daily counts get the epoch's views.")
    step: int
    shards: int
    pages: int
    contents: int = Field(description="Contents whose views were moved.")
    views: int = Field(description="Views that were moved.")
    parked: int = Field(description="Contents that were moved aside, because they failed too often.")
    refusals: int = Field(description="Refused views whose counts were moved.")
    folded: int = Field(description="Views that were taken while Redis was away, and are counted now.")
    opened_at: Moment
    closed_at: Moment | None


class FailureResource(BaseModel):
    """A content that could not be applied. Once it is moved aside, each later epoch tries it again."""

    model_config = ConfigDict(from_attributes=True)

    content: str = Field(examples=["story:123"])
    failures: int
    reason: str
    is_parked: bool


class EpochResource(EpochState):
    """An epoch of the sync, and what of it could not be applied."""

    failures: list[FailureResource]

    @classmethod
    def of(cls, control: Control, failures: Sequence[Failure]) -> "EpochResource":
        state = EpochState.model_validate(control)
        return cls(**dict(state), failures=[FailureResource.model_validate(failure) for failure in failures])


class SyncResource(EpochState):
    """What starting the sync came to, and how far its present or last epoch is (0: there was none)."""

    outcome: Outcome = Field(
        description="`running`: an epoch is open already, and goes on. "
        "`waiting`: the last epoch was closed a moment ago, and the next opens by itself."
    )

    @classmethod
    def of(cls, started: Started) -> "SyncResource":
        return cls(outcome=started.outcome, **dict(EpochState.model_validate(started.control)))
