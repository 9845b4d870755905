"""What the views API takes and gives."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, StrictStr, model_serializer

from sluice.totals import Totals

Reason = Literal["cooldown", "daily_viewed", "session_limit", "daily_limit", "bot", "do_not_track"]
DISCLOSURE = "includes promoted views"


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

    @classmethod
    def of(cls, content_type: str, content_id: str, totals: Totals) -> "ViewCount":
        return cls(
            content_type=content_type,
            content_id=content_id,
            organic=Organic(synced=totals.organic, pending=0),
            boosted=totals.boosted,
            view_count=totals.organic + totals.boosted,
            disclosure=DISCLOSURE if totals.boosted else None,
        )

    @model_serializer(mode="wrap")
    def _without_an_empty_disclosure(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        fields: dict[str, object] = serialize(self)
        return fields if self.disclosure else {name: value for name, value in fields.items() if name != "disclosure"}


class NewView(BaseModel):
    """A view to be counted."""

    model_config = ConfigDict(extra="forbid")
    content_type: StrictStr = Field(description="One of the installation's content types.", examples=["video"])
    content_id: StrictStr = Field(
        description="Opaque.", examples=["abc123"], pattern="^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$"
    )
    session: StrictStr = Field(
        "",
        description="The `session` of an earlier answer; before the cookie. One that is forged or over counts as none.",
    )


class TrackedView(BaseModel):
    """What became of a view."""

    model_config = ConfigDict(extra="forbid")
    counted: bool
    reason: Reason | None = Field(None, description="The first of `reasons`; there when the view was refused.")
    reasons: list[Reason] | None = Field(None, description="Every rule that refused it; there when any did.")
    retry_after_seconds: int | None = Field(
        None, description="When all of them would let it pass. Not there when waiting does not help."
    )
    degraded: bool | None = Field(None, description="There while the cache is away: then once a day is the only rule.")
    session: str = Field(description="To be sent with the next view; also a cookie. Good for the length of a session.")
