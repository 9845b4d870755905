"""What the API of recording takes and gives. `sponsorships.recording.bodies` reads it without these."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from sluice.http import Moment
from sponsorships.impressions import Reason
from sponsorships.recording.bodies import MAX_TOKENS


class NewImpressionToken(BaseModel):
    """On whose page the advertisement is."""

    model_config = ConfigDict(extra="forbid")
    streamer_id: StrictStr = Field(pattern="^[A-Za-z0-9_-]{1,64}$", examples=["nina"])


class MintedToken(BaseModel):
    """A token that proves an impression, between two times."""

    token: str = Field(examples=["imp1.eyJwIjoic3BuXzAxIn0.wQ"])
    usable_at: Moment
    expires_at: Moment


class PresentedToken(BaseModel):
    """A token that was minted here."""

    model_config = ConfigDict(extra="forbid")
    token: StrictStr = Field(max_length=1024)


class PresentedTokens(BaseModel):
    """Impression tokens, of one viewer or of many."""

    model_config = ConfigDict(extra="forbid")
    tokens: Annotated[list[Annotated[StrictStr, Field(max_length=1024)]], Field(min_length=1, max_length=MAX_TOKENS)]


class Counted(BaseModel):
    """The result of an impression or a click."""

    counted: bool
    reason: Reason | None = Field(None, description="The first of `reasons`. Present if it was refused.")
    reasons: list[Reason] | None = Field(None, description="Why it was refused, in the order of the checks.")
    accepted_at: Moment | None = Field(
        None, description="When it was counted. With `token_used`: when an earlier request counted it."
    )
    retry_after_seconds: int | None = Field(None, description="Seconds until the token is usable.")


class CountedImpression(Counted):
    """The result of an impression."""

    click_token: str | None = Field(
        None, description="Proves a click on this impression for 24 hours. Present when `accepted_at` is."
    )


class CountedImpressions(BaseModel):
    """The results of several impressions, in the order of the request."""

    impressions: list[CountedImpression]
