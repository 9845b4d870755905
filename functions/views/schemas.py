"""What the views API gives."""

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer

from sluice.totals import Totals

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
