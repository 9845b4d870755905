"""What the API takes and gives."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tests.reference.campaign import Status, Terms


class NewCampaign(BaseModel):
    """What to count to, and how fast."""

    model_config = ConfigDict(extra="forbid")

    total: int = Field(ge=1, le=1_000)
    pace_seconds: int = Field(default=0, ge=0, le=86_400)
    begin_by: AwareDatetime | None = None

    def terms(self) -> Terms:
        return Terms(self.total, self.pace_seconds, self.begin_by)


class CampaignResource(BaseModel):
    """A campaign and its progress."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    status: Status
    total: int
    counted: int
