"""What the API of imports and adjustments takes and gives."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sluice import http
from sluice.errors import Invalid
from sluice.http import Moment
from sluice.ids import is_id
from sluice.schemas import cursor_of
from sluice.store import Place
from views.adjustments.commands import MOST_VIEWS as MOST_ADJUSTED
from views.adjustments.commands import Adjusted, Adjustment
from views.imports.campaign import CHUNK_ROWS, MOST_VIEWS, Import, ImportStatus, Row, SkippedRow, SkipReason


class NewImport(BaseModel):
    """The body of a create."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=200), http.OneLine] = Field(
        description="For people, and to find it again."
    )


class ImportRow(BaseModel):
    """A content and its count in the other system."""

    model_config = ConfigDict(extra="forbid", strict=True)

    content_type: str = Field(description="One of the installation's content types.", examples=["video"])
    content_id: str = Field(description="The content's id.", examples=["abc123"])
    count: int = Field(ge=0, le=MOST_VIEWS, examples=[5000])

    def row(self) -> Row:
        return Row(self.content_type, self.content_id, self.count)


class ImportRows(BaseModel):
    """The body of a put: one chunk."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rows: Annotated[list[ImportRow], Field(min_length=1, max_length=CHUNK_ROWS)]


class ImportResource(BaseModel):
    """An import and its progress."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["imp_01KAJ3W5V0SM0FKVYVXB9EQT6N"])
    name: str
    status: ImportStatus
    chunks: int = Field(description="Chunks that were put; the next one is rows/{chunks + 1}.")
    rows: int
    applied: int = Field(description="Rows whose counts are part of the organic views now.")
    skipped: int = Field(description="Rows that were not applied: `skipped` lists them with their reasons.")
    views: int = Field(description="Views of the applied rows.")
    created_at: Moment
    created_by: str
    started_at: Moment | None
    ended_at: Moment | None
    failure_reason: str | None = Field(description="Why a failed import could not go on; what it applied stays.")

    @classmethod
    def of(cls, found: Import) -> "ImportResource":
        return cls.model_validate(found)


class ImportPage(BaseModel):
    """Imports, newest first."""

    items: list[ImportResource]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Sequence[Import], after: Place | None) -> "ImportPage":
        return cls(items=[ImportResource.of(each) for each in found], next_cursor=cursor_of(after))


class SkippedResource(BaseModel):
    """A row that was not applied."""

    number: int = Field(description="Its number among all rows of the import, from 1.")
    content_type: str
    content_id: str
    count: int
    reason: SkipReason = Field(description="`already_imported`: by another import, or by an earlier row of this one.")


class SkippedPage(BaseModel):
    """Rows that were not applied, in their order."""

    items: list[SkippedResource]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Sequence[SkippedRow], after: int | None) -> "SkippedPage":
        items = [
            SkippedResource(
                number=each.number,
                content_type=each.row.content_type,
                content_id=each.row.content_id,
                count=each.row.views,
                reason=each.reason,
            )
            for each in found
        ]
        return cls(items=items, next_cursor=http.write_cursor({"number": after} if after else None))


def _not_zero(views: int) -> int:
    if not views:
        raise ValueError("views must not be 0")
    return views


class NewAdjustment(BaseModel):
    """The body of an adjustment."""

    model_config = ConfigDict(extra="forbid", strict=True)

    views: Annotated[int, AfterValidator(_not_zero)] = Field(
        ge=-MOST_ADJUSTED, le=MOST_ADJUSTED, description="Added to the organic views; below 0: taken.", examples=[-5]
    )
    reason: Annotated[str, Field(min_length=1, max_length=500), http.OneLine] = Field(
        description="Why; kept in the audit log."
    )


class MadeAdjustment(BaseModel):
    """One adjustment."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["adj_01KAJ3W5V0SM0FKVYVXB9EQT6N"])
    views: int
    reason: str
    actor: str
    at: Moment


class AdjustedResource(BaseModel):
    """An adjustment that was made, and what came of it."""

    content_type: str
    content_id: str
    adjustment: MadeAdjustment
    organic: int = Field(description="The organic views in the database now; pending ones come on top.")

    @classmethod
    def of(cls, adjusted: Adjusted) -> "AdjustedResource":
        content_type, content_id = adjusted.content
        made = MadeAdjustment.model_validate(adjusted.adjustment)
        return cls(content_type=content_type, content_id=content_id, adjustment=made, organic=adjusted.organic)


class AdjustmentPage(BaseModel):
    """Adjustments of one content, newest first."""

    items: list[MadeAdjustment]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Sequence[Adjustment], after: str | None) -> "AdjustmentPage":
        cursor = http.write_cursor({"id": after} if after else None)
        return cls(items=[MadeAdjustment.model_validate(each) for each in found], next_cursor=cursor)


def place(cursor: str | None, prefix: str) -> str | None:
    """The id that a list goes on after, of that prefix. Raises Invalid for a cursor of another kind."""
    position = http.read_cursor(cursor, id=str)
    if position is None:
        return None
    if not is_id(prefix, position["id"]):
        raise Invalid.of("cursor", "cursor is not one that this API gave")
    return str(position["id"])
