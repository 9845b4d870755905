"""What the API of sponsorships takes and gives. Amounts are whole minor units beside their currency."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, field_validator

from sluice import http
from sluice.http import Moment
from sluice.journal import Budget
from sluice.money import exponent, shown
from sluice.schemas import Amount, BudgetResource, Currency, Page, Rate, Resource
from sponsorships.campaign import MOST_KEYS, AtEnd, Campaign, Keys, SponsorshipStatus, Terms, Viewers
from sponsorships.impressions import ViewerPeriod
from sponsorships.participation import MOST_VOIDED, Adjustment, ParticipationStatus, PayWaiting, Standing, Why
from sponsorships.shown import Proof, Shown

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

    keys: Annotated[list[GKey], Field(min_length=1, max_length=MOST_KEYS)]


class LoadedKeys(Resource):
    """A campaign's pool of G-Keys."""

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


class RefundResource(Resource):
    """A claim back."""

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


class MoneyResource(BaseModel):
    """An amount: whole minor units, and for people."""

    amount: int
    currency: str
    shown: str = Field(examples=["3300.00 USD"])

    @classmethod
    def of(cls, amount: int, currency: str) -> Self:
        return cls(amount=amount, currency=currency, shown=shown(amount, currency))


class LegResource(Resource):
    """What an entry changes in one account: above 0 it comes in."""

    account: str
    amount: int


class LedgerEntryResource(Resource):
    """An entry of the ledger, with everything that its hash covers.

    `hash` is SHA-256 over the other fields as JSON with sorted names, `,` and `:` as separators, in UTF-8.
    """

    id: str
    kind: str
    currency: str
    legs: list[LegResource]
    cause: str
    actor: str
    at: str
    memo: dict[str, str]
    hash: str


class StatementTerms(BaseModel):
    """The terms that the streamer joined on: money by the ledger's entry, times by the campaign."""

    rate: str
    currency: str
    exponent: int = Field(description="The currency's decimal places.")
    target_impressions: int
    pay: MoneyResource = Field(description="What was set aside: floor(rate x target_impressions).")
    at_end: AtEnd
    hold_hours: int
    viewer_period: ViewerPeriod
    min_seconds: int
    token_seconds: int


class AdjustmentLine(BaseModel):
    """An edit of the monitored fields, or a proposal: impressions that count when two people approve them."""

    number: int
    delta: int = Field(description="The impressions that it claims.")
    found_by: str
    state: str
    before: dict[str, float] = Field(description="The published value of each field that a hand changed.")
    after: dict[str, float] = Field(description="What the hand wrote.")
    reason: str | None
    proposer: str | None
    approvers: list[str]

    @classmethod
    def of(cls, found: Adjustment) -> Self:
        values = {name: getattr(found, name) for name in cls.model_fields} | {"approvers": sorted(found.approvers)}
        return cls(**values | {"before": dict(found.before), "after": dict(found.after)})


class StatementResource(BaseModel):
    """What a participation came to. With the evidence it can be computed again without this service."""

    participation_id: str
    campaign_id: str
    streamer: str
    status: ParticipationStatus
    why: Why | None
    terms: StatementTerms
    impressions: int = Field(description="Rows that count: the leaves under `root`.")
    granted: int = Field(description="Impressions beside the rows, which two people approved.")
    overshoot: int = Field(description="Impressions above the target, which earn nothing.")
    voided: int
    void_reasons: dict[str, int] = Field(description="Voided rows by reason.")
    refused: dict[str, int] = Field(description="Refused tokens by reason, until it settled.")
    refused_by_day: dict[str, dict[str, int]] = Field(
        description="Refused tokens by day, in UTC, and by reason, until now: tokens are refused after it settled too."
    )
    adjustments: list[AdjustmentLine]
    root: str = Field(description="Of the Merkle tree of RFC 6962 over the rows that count, in hex.")
    settled_at: Moment
    pay: MoneyResource
    clawed: MoneyResource = Field(description="How much of the pay was claimed back.")
    rejection_reason: str | None
    reserve: LedgerEntryResource = Field(description="The entry of the join: it set the pay aside and keeps the terms.")
    entry_id: str | None
    entry: LedgerEntryResource | None = Field(description="The entry that paid or released it; null while it is held.")

    @classmethod
    def of(cls, it: Shown) -> Self:
        """The statement, as it is shown."""
        found, offer, statement = it.participation, it.offer, it.statement
        names = ("impressions", "granted", "overshoot", "voided", "refused", "root", "settled_at")
        return cls(
            **{name: getattr(statement, name) for name in names},
            **{name: getattr(found, name) for name in ("campaign_id", "streamer", "status", "why")},
            participation_id=found.id,
            terms=StatementTerms(
                **{
                    name: getattr(offer, name)
                    for name in StatementTerms.model_fields.keys() & vars(offer).keys() - {"pay"}
                },
                target_impressions=offer.target,
                pay=MoneyResource.of(offer.pay, offer.currency),
            ),
            void_reasons=dict(it.void_reasons),
            refused_by_day={day: dict(by_reason) for day, by_reason in it.refused_by_day.items()},
            adjustments=[AdjustmentLine.of(each) for each in it.adjustments],
            pay=MoneyResource.of(it.pay, offer.currency),
            clawed=MoneyResource.of(found.clawed, offer.currency),
            rejection_reason=found.rejection_reason if found.status is ParticipationStatus.REJECTED else None,
            reserve=LedgerEntryResource.model_validate(it.reserve),
            entry_id=it.entry.id if it.entry else None,
            entry=LedgerEntryResource.model_validate(it.entry) if it.entry else None,
        )


class PathResource(BaseModel):
    """A hash beside the way from a leaf to the root."""

    side: str = Field(description="Where it stands: `left` or `right`.")
    hash: str


class ProofResource(BaseModel):
    """That an impression is a leaf under a root.

    `leaf` is SHA-256(0x00, `participation_id|viewer|nonce|issued_at|accepted_at`); each node above is
    SHA-256(0x01, left, right), from the first hash of `path` to the last.
    """

    participation_id: str
    viewer: str
    nonce: str
    issued_at: str
    accepted_at: str
    leaf: str
    index: int
    leaves: int
    path: list[PathResource]
    root: str
    root_of: Literal["statement", "rows"] = Field(
        description="Whose root it is: the statement's, or that of the rows as they are now."
    )

    @classmethod
    def of(cls, participation_id: str, proof: Proof) -> Self:
        row = proof.row
        return cls(
            participation_id=participation_id,
            viewer=row.part,
            **{name: getattr(row, name) for name in ("nonce", "issued_at", "accepted_at")},
            leaf=proof.leaf.hex(),
            index=proof.index,
            leaves=proof.leaves,
            path=[PathResource(side=side, hash=beside.hex()) for side, beside in proof.path],
            root=proof.root.hex(),
            root_of="statement" if proof.is_final else "rows",
        )
