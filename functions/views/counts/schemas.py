"""What the API of counts takes and gives."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from views.counts.display import Source
from views.counts.reading import Count
from views.schemas import ContentName

DISCLOSURE = "includes promoted views"
MAX_ITEMS = 100
MAX_ITEMS_OF_ANYONE = 20
"""Each content is two consistent reads: docs/cost.md has what a day of such requests costs."""


class Contents(BaseModel):
    """The body of a bulk retrieval (S2-11)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: Annotated[list[ContentName], Field(min_length=1, max_length=MAX_ITEMS)]


class FewContents(BaseModel):
    """The body of a bulk retrieval that is open to all."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: Annotated[list[ContentName], Field(min_length=1, max_length=MAX_ITEMS_OF_ANYONE)]


class Organic(BaseModel):
    """Views by viewers: `synced` views are in the database, `pending` views are still in Redis."""

    synced: int
    pending: int


class ViewCount(BaseModel):
    """A content's views: organic synced + organic pending + boosted = view_count, always."""

    content_type: str
    content_id: str
    organic: Organic
    boosted: int = Field(description="Views that the operator's boost campaigns added.")
    view_count: int
    disclosure: str | None = Field(None, description="Present if some of the views are boosted.")
    degraded: bool | None = Field(None, description="True if Redis did not answer: pending views are left out.")
    source: Source | None = Field(
        None, description="Present if the request named a source. The other parts are then 0."
    )

    @classmethod
    def of(cls, content: tuple[str, str], count: Count, source: Source | None) -> "ViewCount":
        content_type, content_id = content
        return cls(
            content_type=content_type,
            content_id=content_id,
            organic=Organic(synced=count.synced, pending=count.pending),
            boosted=count.boosted,
            view_count=count.synced + count.pending + count.boosted,
            disclosure=DISCLOSURE if count.boosted else None,
            degraded=count.is_degraded or None,
            source=source,
        )

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        fields: dict[str, object] = serialize(self)
        return {name: value for name, value in fields.items() if value is not None}


class ViewCounts(BaseModel):
    """The counts of the requested contents, in the order of the request."""

    items: list[ViewCount]
