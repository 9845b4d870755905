"""What the API of tracking takes and gives. `views.track.bodies` reads it without these."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from views.rules import Reason
from views.track.bodies import MAX_VIEWS


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
