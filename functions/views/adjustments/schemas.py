"""What the API of adjustments takes and gives."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sluice import http
from sluice.http import Moment
from sluice.schemas import Page, Resource
from views.adjustments.adjustment import MOST_VIEWS, Adjusted


def _not_zero(views: int) -> int:
    if not views:
        raise ValueError("views must not be 0")
    return views


class NewAdjustment(BaseModel):
    """The body of an adjustment."""

    model_config = ConfigDict(extra="forbid", strict=True)

    views: Annotated[int, AfterValidator(_not_zero)] = Field(
        ge=-MOST_VIEWS,
        le=MOST_VIEWS,
        description="Views to add to the organic views. Below 0: views to take away.",
        examples=[-5],
    )
    reason: http.Reason = Field(description="The reason. It is kept in the audit trail.")


class MadeAdjustment(Resource):
    """One adjustment."""

    id: str = Field(examples=["adj_01KAJ3W5V0SM0FKVYVXB9EQT6N"])
    views: int
    reason: str
    actor: str
    at: Moment


class AdjustedResource(BaseModel):
    """An adjustment and the result."""

    content_type: str
    content_id: str
    adjustment: MadeAdjustment
    organic: int = Field(
        description="The organic views in the database after the adjustment. Pending views are not included."
    )

    @classmethod
    def of(cls, adjusted: Adjusted) -> "AdjustedResource":
        content_type, content_id = adjusted.content
        made = MadeAdjustment.model_validate(adjusted.adjustment)
        return cls(content_type=content_type, content_id=content_id, adjustment=made, organic=adjusted.organic)


class AdjustmentPage(Page[MadeAdjustment]):
    """Adjustments of one content, newest first."""
