"""What the open routes of providers answer."""

from pydantic import BaseModel, Field


class HeardResource(BaseModel):
    """What became of a provider's request."""

    events: int = Field(description="Statuses and inbound messages that were taken; the rest of it is of no use here.")
