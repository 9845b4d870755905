"""What the API of registered content takes and gives."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sluice import http
from sluice.http import Moment
from sluice.schemas import Resource


class NewContent(BaseModel):
    """The title and the owner of a content."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[str, Field(min_length=1, max_length=200), http.OneLine] = Field(examples=["How sluices work"])
    owner: Annotated[str, Field(min_length=1, max_length=128), http.OneLine] = Field(examples=["ada"])


class ContentResource(Resource):
    """A registered content."""

    content_type: str
    content_id: str
    title: str
    owner: str
    registered_at: Moment
    updated_at: Moment = Field(description="When the title or the owner changed last.")
