"""What the API of several wings takes."""

from pydantic import BaseModel, ConfigDict, Field

from sluice import http
from sluice.errors import Invalid
from sluice.ids import is_id


class ContentName(BaseModel):
    """One content."""

    model_config = ConfigDict(extra="forbid", strict=True)

    content_type: str = Field(description="One of the installation's content types.", examples=["video"])
    content_id: str = Field(description="The content's id.", examples=["abc123"])


def place(cursor: str | None, prefix: str) -> str | None:
    """The id that a list goes on after, of that prefix. Raises Invalid for a cursor of another kind."""
    position = http.read_cursor(cursor, id=str)
    if position is None:
        return None
    if not is_id(prefix, position["id"]):
        raise Invalid.of("cursor", "cursor must be a next_cursor of this API")
    return str(position["id"])
