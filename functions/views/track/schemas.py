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
        description="The `session` of an earlier response. It wins over the cookie. An invalid session is ignored.",
    )


class Tracked(BaseModel):
    """The result of the rules for a view."""

    model_config = ConfigDict(extra="forbid")
    counted: bool
    reason: Reason | None = Field(None, description="The first of `reasons`. Present if the view was refused.")
    reasons: list[Reason] | None = Field(
        None, description="Every rule that refused the view. Present if it was refused."
    )
    retry_after_seconds: int | None = Field(
        None,
        description="Seconds until all of them would let the view pass. Absent if waiting does not help, or unknown.",
    )


class TrackedView(Tracked):
    """The result of a view."""

    degraded: bool | None = Field(
        None, description="Present while Redis is away: then `daily_viewed` is the only rule."
    )
    session: str = Field(
        description="Send it with the next view; it is also a cookie. It is valid for the length of a session."
    )


class NewViews(BaseModel):
    """Views to be counted, in their order."""

    model_config = ConfigDict(extra="forbid")
    views: Annotated[list[ViewedContent], Field(min_length=1, max_length=MAX_VIEWS)]
    session: StrictStr = Field("", description="The same as for one view.")


class ViewError(BaseModel):
    """What is wrong with a field."""

    model_config = ConfigDict(extra="forbid")
    field: str = Field(examples=["views.3.content_id"])
    message: str


class TrackedOfMany(Tracked):
    """The result of one of several views."""

    errors: list[ViewError] | None = Field(None, description="Present if the view is invalid. It was not counted.")


class TrackedViews(BaseModel):
    """The results of several views, in the order of the request."""

    model_config = ConfigDict(extra="forbid")
    views: list[TrackedOfMany]
    degraded: bool | None = Field(
        None, description="Present while Redis is away: then `daily_viewed` is the only rule."
    )
    session: str = Field(description="The same as for one view.")
