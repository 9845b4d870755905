"""Schemas that several wings of the API share."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel, ConfigDict, Field

ContentType = Annotated[str, Path(description="One of the installation's content types.", examples=["video"])]
ContentId = Annotated[str, Path(description="The content's id.", examples=["abc123"])]


class ContentName(BaseModel):
    """One content."""

    model_config = ConfigDict(extra="forbid", strict=True)

    content_type: str = Field(description="One of the installation's content types.", examples=["video"])
    content_id: str = Field(description="The content's id.", examples=["abc123"])
