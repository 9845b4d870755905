"""What the API of imports takes and gives."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sluice import http
from sluice.http import Moment
from sluice.schemas import cursor_of
from sluice.store import Place
from views.imports.campaign import CHUNK_ROWS, MOST_VIEWS, Import, ImportStatus, Row, SkippedRow, SkipReason


class NewImport(BaseModel):
    """The body of a create."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=200), http.OneLine] = Field(
        description="A name for people. It helps to find the import again."
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
    chunks: int = Field(description="Uploaded chunks. The next chunk is rows/{chunks + 1}.")
    rows: int
    applied: int = Field(description="Rows whose counts are part of the organic views now.")
    skipped: int = Field(description="Rows that were not applied. The route `skipped` lists them with the reasons.")
    views: int = Field(description="Views of the applied rows.")
    created_at: Moment
    created_by: str
    started_at: Moment | None
    ended_at: Moment | None
    failure_reason: str | None = Field(
        description="Why a failed import could not go on. The rows that it applied stay."
    )

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

    number: int = Field(description="The number of the row in the import, from 1.")
    content_type: str
    content_id: str
    count: int
    reason: SkipReason = Field(
        description="`already_imported`: another import, or an earlier row of this import, has the content."
    )


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
