"""What the API of imports takes and gives."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sluice import http
from sluice.http import Moment
from sluice.schemas import Page, Resource
from views.imports.campaign import CHUNK_ROWS, MOST_VIEWS, CountRow, ImportStatus, SkipReason
from views.schemas import ContentName


class NewImport(BaseModel):
    """The body of a create."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=200), http.OneLine] = Field(
        description="A name for people. It helps to find the import again."
    )


class ImportRow(ContentName):
    """A content and its count in the other system."""

    count: int = Field(ge=0, le=MOST_VIEWS, examples=[5000])

    def row(self) -> CountRow:
        return CountRow(self.content_type, self.content_id, self.count)


class ImportRows(BaseModel):
    """The body of a put: one chunk."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rows: Annotated[list[ImportRow], Field(min_length=1, max_length=CHUNK_ROWS)]


class ImportResource(Resource):
    """An import and its progress."""

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


class ImportPage(Page[ImportResource]):
    """Imports, newest first."""


class SkippedResource(Resource):
    """A row that was not applied."""

    number: int = Field(description="The number of the row in the import, from 1.")
    content_type: str
    content_id: str
    count: int = Field(validation_alias="views")
    reason: SkipReason = Field(
        description="`already_imported`: another import, or an earlier row of this import, has the content."
    )


class SkippedPage(Page[SkippedResource]):
    """Rows that were not applied, in their order."""
