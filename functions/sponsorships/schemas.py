"""What the API of sponsorships takes and gives. Amounts are whole minor units beside their currency."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, field_validator

from sluice import http
from sluice.http import Moment
from sluice.ledger import Budget
from sluice.money import exponent
from sluice.schemas import Amount, Currency, Page, Rate
from sponsorships import gkeys
from sponsorships.campaign import AtEnd, Campaign, Keys, SponsorshipStatus, Terms, Viewers
from sponsorships.commands import MOST_VOIDED
from sponsorships.impressions import ViewerPeriod
from sponsorships.participation import ParticipationStatus, PayWaiting, Why
from sponsorships.settlement import Standing

MAX_TARGET = 100_000
MAX_HOLD_HOURS = 30 * 24
_Milestones = Annotated[list[Annotated[StrictInt, Field(ge=1, le=MAX_TARGET)]], Field(max_length=10)]
Streamer = Annotated[str, Field(min_length=1, max_length=64, description="The streamer's subject.", examples=["nina"])]
GKey = Annotated[str, Field(min_length=1, max_length=256), http.OneLine]


class NewSponsorship(BaseModel):
    """The body of a create."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=100), http.OneLine]
    target_impressions: StrictInt = Field(
        ge=1, le=MAX_TARGET, description="The number of distinct viewers at which a streamer is paid.", examples=[2000]
    )
    rate: Rate = Field(description="The price of an impression, as decimal text in major units.")
    currency: Currency
    budget: Amount
    ends_at: Annotated[AwareDatetime, Field(strict=False, description="When the campaign ends, up to a year ahead.")]
    milestones: _Milestones | None = Field(
        None, description="Numbers of impressions that cause an event; by default the deployment's, below the target."
    )
    viewers: Annotated[Viewers, Field(strict=False, description="Who counts: viewers with a token, or anyone.")] = (
        Viewers.REGISTERED
    )
    viewer_period: Annotated[
        ViewerPeriod, Field(strict=False, description="Whether a viewer counts once a campaign, or once a day.")
    ] = ViewerPeriod.CAMPAIGN
    min_seconds: StrictInt = Field(5, ge=0, le=600, description="How old a token must be to be used.")
    token_seconds: StrictInt = Field(600, ge=10, le=3600, description="How old a token may be.")
    hold_hours: StrictInt = Field(0, ge=0, le=MAX_HOLD_HOURS, description="How long pay waits for an objection.")
    gkeys: Annotated[Keys, Field(strict=False, description="Whether each streamer is promised a G-Key.")] = Keys.NONE
    at_end: Annotated[
        AtEnd, Field(strict=False, description="What a streamer below the target gets when the campaign ends.")
    ] = AtEnd.NOTHING

    @field_validator("ends_at")
    @classmethod
    def _in_utc(cls, ends_at: datetime) -> datetime:
        try:
            return ends_at.astimezone(UTC)
        except OverflowError as error:  # the last hours of year 9999, in a zone behind UTC
            raise ValueError("ends_at must be in the future, and within a year") from error

    def terms(self, milestones: tuple[int, ...]) -> Terms:
        """The terms; `milestones` are the deployment's, for a body without any."""
        given = self.milestones
        below = tuple(each for each in milestones if each < self.target_impressions)
        chosen = below if given is None else tuple(sorted(set(given)))
        return Terms(**{**dict(self), "rate": format(self.rate, "f"), "milestones": chosen})


class BudgetResource(BaseModel):
    """Where the money is: funded = remaining + reserved + paid + refunded."""

    model_config = ConfigDict(from_attributes=True)

    funded: int
    remaining: int
    reserved: int
    paid: int
    refunded: int


class SponsorshipResource(BaseModel):
    """A campaign. What is only its advertiser's is null for others."""

    id: str
    owner: str
    name: str
    status: SponsorshipStatus
    target_impressions: int
    rate: str
    currency: str
    exponent: int = Field(description="The currency's decimal places.")
    pay: int = Field(description="What a streamer earns at the target: floor(rate x target_impressions).")
    milestones: list[int]
    viewers: Viewers
    viewer_period: ViewerPeriod
    min_seconds: int
    token_seconds: int
    hold_hours: int
    gkeys: Keys
    at_end: AtEnd
    ends_at: Moment
    created_at: Moment
    updated_at: Moment
    started_at: Moment | None
    closed_at: Moment | None
    budget: int | None
    max_streamers: int | None = Field(description="How many streamers the budget can pay.")
    money: BudgetResource | None

    @classmethod
    def of(cls, campaign: Campaign, budget: Budget | None) -> Self:
        """The campaign; `budget` is None for someone to whom it does not belong."""
        names = cls.model_fields.keys() - {"owner", "exponent", "budget", "max_streamers", "money"}
        values = {name: getattr(campaign, name) for name in names} | {"milestones": list(campaign.milestones)}
        return cls(
            **values,
            owner=campaign.created_by,
            exponent=exponent(campaign.currency),
            budget=campaign.budget if budget else None,
            max_streamers=campaign.max_streamers if budget else None,
            money=BudgetResource.model_validate(budget) if budget else None,
        )


class SponsorshipPage(Page[SponsorshipResource]):
    """Campaigns, newest first."""


class NewKeys(BaseModel):
    """G-Keys to load."""

    model_config = ConfigDict(extra="forbid", strict=True)

    keys: Annotated[list[GKey], Field(min_length=1, max_length=gkeys.MOST)]


class LoadedKeys(BaseModel):
    """A campaign's pool of G-Keys."""

    model_config = ConfigDict(from_attributes=True)

    loaded: int = Field(description="How many keys the pool was ever given.")
    free: int = Field(description="How many of them are not promised.")
    doubles: int = Field(description="How many keys of the request were there before.")


class NewParticipation(BaseModel):
    """Who joins: by default the bearer of the token."""

    model_config = ConfigDict(extra="forbid", strict=True)

    streamer_id: Streamer | None = Field(None, description="For a service: the streamer that joins.")


class ParticipationResource(BaseModel):
    """A participation. `impressions` are counted rows, at this moment; `granted` were approved by two people."""

    id: str
    campaign_id: str
    streamer: str
    status: ParticipationStatus
    why: Why | None = Field(
        description="Why it settles or settled: the target, the campaign's end, or the streamer left."
    )
    impressions: int
    granted: int
    clicks: int
    earnings: int = Field(description="What these impressions are worth; paid at the target.")
    paid: int
    clawed: int = Field(description="How much of the pay was claimed back.")
    currency: str
    target_impressions: int
    waiting_for: PayWaiting | None
    detected_by: str | None
    has_key: bool
    rejection_by: str | None
    rejection_reason: str | None
    joined_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, standing: Standing, campaign: Campaign, earnings: int) -> Self:
        found = standing.participation
        of_found = cls.model_fields.keys() & vars(found).keys() - {"impressions", "clicks", "earnings"}
        return cls(
            **{name: getattr(found, name) for name in of_found},
            impressions=standing.impressions,
            clicks=standing.clicks,
            earnings=earnings,
            currency=campaign.currency,
            target_impressions=campaign.target_impressions,
            has_key=found.key_number is not None,
            joined_at=found.created_at,
        )


class ParticipationPage(Page[ParticipationResource]):
    """Participations."""


class KeyResource(BaseModel):
    """A streamer's G-Key."""

    key: str


class NewVoid(BaseModel):
    """Impressions to take out of the count."""

    model_config = ConfigDict(extra="forbid", strict=True)

    viewers: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]], Field(min_length=1, max_length=MOST_VOIDED)
    ]
    reason: http.Reason


class WithReason(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: http.Reason


class NewRefund(BaseModel):
    """What to claim back: by default all that was paid."""

    model_config = ConfigDict(extra="forbid", strict=True)

    amount: Amount | None = None
    reason: http.Reason


class RefundResource(BaseModel):
    """A claim back."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    amount: int
    reason: str
    proposer: str
    approver: str | None


class NewTokens(BaseModel):
    """Viewers that a service wants tokens for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    streamer_id: Streamer
    viewers: Annotated[list[Annotated[str, Field(min_length=1, max_length=128)]], Field(min_length=1, max_length=100)]


class TokenResource(BaseModel):
    """A token with which one viewer's impression is recorded, once."""

    viewer_id: str
    token: str
    usable_at: Moment
    expires_at: Moment


class TokensResource(BaseModel):
    """Tokens, in the order of the viewers."""

    tokens: list[TokenResource]
