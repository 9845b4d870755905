"""What the API of promotions takes and gives. Amounts are whole minor units beside their currency."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, model_validator

from promotions.accounts import Connection, Link, LinkState, Verdict
from promotions.campaign import MOST_MINUTES, Resolution
from promotions.limits import Family, Left
from promotions.operation import Operation, OperationState
from promotions.ports import Kind, NetworkPolicy
from promotions.promotion import (
    CloseReason,
    Promotion,
    PromotionStatus,
    PromotionType,
    Share,
    Stage,
    Terms,
    Tracked,
    Trigger,
)
from promotions.split import Participant, ParticipantState, Reason
from promotions.texts import Preview, seen
from promotions.uploads import Upload
from sluice import http, money
from sluice.audit import Entry
from sluice.errors import Invalid
from sluice.http import Moment
from sluice.journal import Balance, Budget, Line
from sluice.schemas import Amount, BudgetResource, Currency, Page, Resource

MOST_CLAIM_HOURS = 30 * 24
_MOST_ENGAGED = 5000
_KINDS = ("like", "repost", "quote", "reply")
_LISTS = ("texts", "media")


def _text(text: str) -> str:
    if any(unicodedata.category(each) in ("Cc", "Cs") and each != "\n" for each in text):
        raise ValueError("must not have control characters but line breaks")
    if not seen(text):
        raise ValueError("must not be blank")
    return text


def _distinct(ids: list[str]) -> list[str]:
    if len(set(ids)) < len(ids):
        raise ValueError("must not name a picture twice")
    return ids


Strict = ConfigDict(extra="forbid", strict=True)
Title = Annotated[
    str,
    Field(min_length=1, max_length=120, description="The title, also in the contract.", examples=["Winter"]),
    http.OneLine,
]
Network = Annotated[str, Field(min_length=1, max_length=32, examples=["sandbox"])]
Host = Annotated[str, Field(min_length=1, max_length=253, examples=["mastodon.social"])]
Handle = Annotated[str, Field(min_length=1, max_length=320, pattern=r"^[A-Za-z0-9_.@-]+$", examples=["nina"])]
Texts = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=5000), AfterValidator(_text)]],
    Field(
        min_length=2,
        max_length=2,
        description="The text of the first post, and of the second one, which replies to it. Both get a short code.",
        examples=[["Look at this #ad", "All of it is here: https://example.com"]],
    ),
]
MediaIds = Annotated[
    list[Annotated[str, Field(pattern=r"^med_[0-9A-HJKMNP-TV-Z]{26}$")]],
    AfterValidator(_distinct),
    Field(max_length=4, description="The uploaded pictures of the first post."),
]
Minutes = Annotated[StrictInt, Field(ge=1, le=MOST_MINUTES, description="How long it runs.", examples=[1440])]
ClaimHours = Annotated[
    StrictInt, Field(ge=0, le=MOST_CLAIM_HOURS, description="How long after the close a share can be claimed.")
]
_TYPE = Annotated[
    PromotionType, Field(strict=False, description="Whether participants are rewarded, or the promotion is only shown.")
]
_SHARE = Annotated[
    Share, Field(strict=False, description="Whether all get the same, or by the weights of what they did.")
]


_Weight = Annotated[StrictInt, Field(ge=0, le=1000)]


class Weights(BaseModel):
    """What each kind of engagement weighs, where shares are `weighted`."""

    model_config = Strict

    like: _Weight = 1
    repost: _Weight = 2
    quote: _Weight = 3
    reply: _Weight = 2

    @model_validator(mode="after")
    def _not_all_zero(self) -> Self:
        if not any(vars(self).values()):
            raise ValueError("weights must not all be 0")
        return self


class AutoClose(BaseModel):
    """A metric that closes the promotion when it reaches a number."""

    model_config = ConfigDict(extra="forbid", strict=True, from_attributes=True)

    metric: Literal["likes", "reposts", "quotes", "replies"]
    at_least: StrictInt = Field(ge=1, le=10**12)


_Triggers = Annotated[list[AutoClose], Field(max_length=10)]


class NewPromotion(BaseModel):
    """The body of a create."""

    model_config = Strict

    title: Title
    type: _TYPE = PromotionType.REWARDED
    network: Network
    texts: Texts
    media: MediaIds = []
    budget: Amount
    currency: Currency
    duration_minutes: Minutes
    share: _SHARE = Share.EQUAL
    weights: Weights = Weights()
    max_per_participant: Amount | None = Field(None, description="The most that one participant gets.")
    claim_window_hours: ClaimHours = 168
    auto_close: _Triggers = []

    def terms(self) -> Terms:
        """The terms."""
        return Terms(**_given(self))


class EditedPromotion(BaseModel):
    """The body of a PATCH: the fields to change. `max_per_participant` may be null: no limit."""

    model_config = Strict

    title: Title | None = None
    type: _TYPE | None = None
    network: Network | None = None
    texts: Texts | None = None
    media: MediaIds | None = None
    budget: Amount | None = None
    currency: Currency | None = None
    duration_minutes: Minutes | None = None
    share: _SHARE | None = None
    weights: Weights | None = None
    max_per_participant: Amount | None = None
    claim_window_hours: ClaimHours | None = None
    auto_close: _Triggers | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one field to change")
        nulls = [name for name in self.model_fields_set - {"max_per_participant"} if getattr(self, name) is None]
        if nulls:
            raise Invalid.of(min(nulls), f"{min(nulls)} must not be null")
        return self

    def given(self) -> Mapping[str, Any]:
        """The fields to change, as `Terms` has them."""
        return _given(self)


def _given(body: NewPromotion | EditedPromotion) -> dict[str, Any]:
    values = {name: getattr(body, name) for name in type(body).model_fields}
    if isinstance(body, EditedPromotion):
        values = {name: value for name, value in values.items() if name in body.model_fields_set}
    for name in _LISTS:
        if name in values:
            values[name] = tuple(values[name])
    if "weights" in values:
        values["weights"] = tuple(getattr(values["weights"], each) for each in _KINDS)
    if "auto_close" in values:
        values["auto_close"] = tuple(Trigger(**vars(each)) for each in values["auto_close"])
    return values


class StageResource(Resource):
    """One stage of a publish."""

    stage: str
    began_at: Moment
    ended_at: Moment | None
    attempts: int = Field(description="How often its call was made.")
    result: str | None = Field(description="The result of its call: the id of a post, or of a transaction.")
    reason: str | None = Field(description="Why it waits, has halted, or was refused.")


class OperationResource(Resource):
    """One publish: all its stages, with their times and attempts."""

    number: int
    state: OperationState
    began_at: Moment
    ended_at: Moment | None
    stages: list[StageResource]

    @classmethod
    def of(cls, operation: Operation) -> Self:
        return cls.model_validate(operation)


class OperationsResource(BaseModel):
    """All publishes of a promotion, in their order."""

    items: list[OperationResource]


class ErrorResource(Resource):
    """Why a promotion halted."""

    event: str
    stage: str
    reason: str
    retriable: bool = Field(description="Whether `resume` alone may help. Else an operator resolves what happened.")
    at: Moment


class CallResource(Resource):
    """The call that its stage makes outside."""

    purpose: str
    attempt: int
    attempt_id: str = Field(description="Names this attempt, for `resolve`.")
    state: str = Field(description="`sending`, `waiting`, `unknown`, `sent`, `failed` or `stuck`.")
    begun_at: Moment
    due_at: Moment = Field(description="When the next look or attempt is due.")
    reason: str | None


class PromotionResource(BaseModel):
    """A promotion."""

    id: str
    owner: str
    title: str
    type: PromotionType
    network: str
    texts: list[str]
    media: list[str]
    budget: int
    currency: str
    exponent: int = Field(description="The currency's decimal places.")
    duration_minutes: int
    share: Share
    weights: Weights
    max_per_participant: int | None
    claim_window_hours: int
    auto_close: list[AutoClose]
    status: PromotionStatus
    stage: Stage | None
    round: int = Field(description="How often it was published.")
    error: ErrorResource | None
    call: CallResource | None
    cancel_requested_at: Moment | None
    host: str | None = Field(description="The server that the posts are on.")
    tweet_id: str | None = Field(description="The id of the first post.")
    contract_id: str | None
    contract_status: str | None
    last_thread_tweet_id: str | None = Field(description="The id of the second post.")
    campaign_start_time: Moment | None
    campaign_close_time: Moment | None
    closing_since: Moment | None
    close_reason: CloseReason | None
    final_rate: str | None = Field(description="What a weight of 1 gets, in major units, before rounding.")
    promised: int = Field(description="What participants were promised at the close.")
    paid: int
    refunded: int
    claim_until: Moment | None
    money: BudgetResource
    operation: OperationResource | None = Field(description="The present publish, or the last one.")
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, found: Promotion, budget: Budget) -> Self:
        """The promotion, and where its money is."""
        made = {"owner", "exponent", "texts", "media", "weights", "auto_close", "error", "call", "final_rate"}
        names = cls.model_fields.keys() - {*made, "money", "operation"}
        return cls(
            **{name: getattr(found, name) for name in names},
            owner=found.created_by,
            exponent=money.exponent(found.currency),
            texts=list(found.texts),
            media=list(found.media),
            weights=Weights(**dict(zip(_KINDS, found.weights, strict=True))),
            auto_close=[AutoClose.model_validate(each) for each in found.auto_close],
            error=ErrorResource.model_validate(found.error) if found.error else None,
            call=CallResource.model_validate(found.call) if found.call else None,
            final_rate=found.split.rate if found.split else None,
            money=BudgetResource.model_validate(budget),
            operation=OperationResource.of(found.operation) if found.operation else None,
        )


class PromotionPage(Page[PromotionResource]):
    """Promotions, newest first. A page of a filtered list may have fewer items than `limit`, or none."""


class ProblemResource(Resource):
    """What stands against a publish."""

    field: str
    message: str


class PreviewResource(BaseModel):
    """What a publish would do now: nothing was changed."""

    texts: list[str] = Field(description="The texts as they would go out, with their code.")
    problems: list[ProblemResource] = Field(description="What stands against it; empty: it can be published.")
    budget: int
    wallet: int = Field(description="What the owner's wallet has.")
    network_cost_usd: str = Field(description="What the network takes for the two posts, by its price list.")

    @classmethod
    def of(cls, preview: Preview) -> Self:
        problems = [ProblemResource.model_validate(each) for each in preview.problems]
        return cls(**{**vars(preview), "texts": list(preview.texts), "problems": problems})


class WithWhy(BaseModel):
    """Why."""

    model_config = Strict

    reason: http.Reason


class NewResolution(BaseModel):
    """What became of a call that cannot be looked up."""

    model_config = Strict

    attempt_id: str = Field(min_length=1, max_length=64, description="The `attempt_id` of the promotion's `call`.")
    outcome: Literal["sent", "not_sent"]
    result: Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z0-9@.#_-]+$")] | None = Field(
        None, description="For `sent`: the id of the post, or of the transaction."
    )
    reason: http.Reason

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if (self.outcome == "sent") != (self.result is not None):
            raise Invalid.of("result", "result is required for sent, and for nothing else")
        return self

    def said(self) -> Resolution:
        """The resolution."""
        return Resolution(self.attempt_id, self.result, self.reason)


class NewMedia(BaseModel):
    """A picture to upload."""

    model_config = Strict

    type: Annotated[str, Field(max_length=64, examples=["image/png"])]
    bytes: StrictInt = Field(ge=1, le=2**31, description="Its size. A larger file is refused.")


class UploadResource(BaseModel):
    """A form to upload a picture with: POST it to `url` as multipart/form-data, the file as the last field, `file`."""

    media_id: str
    url: str
    fields: dict[str, str]
    expires_at: Moment

    @classmethod
    def of(cls, upload: Upload) -> Self:
        return cls(**{**vars(upload), "fields": dict(upload.fields)})


class MetricsResource(BaseModel):
    """How often the two posts were engaged with, as the network counts."""

    likes: int
    reposts: int
    quotes: int
    replies: int


class EngagementResource(BaseModel):
    """The metrics of a promotion's posts."""

    metrics: MetricsResource | None = Field(description="Null until they are read for the first time.")
    read_at: Moment | None
    next_read_at: Moment | None = Field(description="Null when tracking has ended.")
    missing: bool = Field(description="Whether the network no longer has a post.")
    final: bool
    errors: int = Field(description="How many reads failed.")

    @classmethod
    def of(cls, found: Tracked) -> Self:
        known = found.known
        return cls(
            metrics=MetricsResource.model_validate(known.metrics) if known.metrics else None,
            read_at=known.read_at,
            next_read_at=found.next_read_at,
            missing=known.missing,
            final=found.is_final,
            errors=found.errors,
        )


class RewardResource(BaseModel):
    """A participant, with its share or the reason why it has none."""

    network: str
    host: str
    account_id: str
    handle: str
    kinds: list[Kind]
    weight: int
    eligible: bool
    reason: str | None = Field(description=f"Why it gets nothing: `{'`, `'.join(Reason)}`.")
    amount: int
    state: ParticipantState

    @classmethod
    def of(cls, found: Participant) -> Self:
        names = cls.model_fields.keys() - {"kinds", "eligible"}
        values = {name: getattr(found, name) for name in names}
        return cls(**values, kinds=sorted(found.kinds), eligible=found.reason is None)


class RewardPage(Page[RewardResource]):
    """Participants, in the order of their hashes."""


class ClaimResource(BaseModel):
    """The caller's participants of a promotion."""

    campaign_id: str
    currency: str
    items: list[RewardResource]


class MyRewardResource(RewardResource):
    """The caller's share of a promotion, or the reason why there is none."""

    campaign_id: str
    title: str
    currency: str
    claim_until: Moment | None

    @classmethod
    def mine(cls, promotion: Promotion, found: Participant) -> Self:
        shown = RewardResource.of(found).model_dump()
        more = {name: getattr(promotion, name) for name in ("title", "currency", "claim_until")}
        return cls(**shown, **more, campaign_id=promotion.id)


class MyRewardsResource(BaseModel):
    """The caller's rewards over all promotions, newest first: at most 100."""

    items: list[MyRewardResource]


class StatementLine(Resource):
    """One movement of a promotion's money."""

    account: str = Field(description="`budget#...` or `reserved#...`.")
    number: int
    entry: str
    kind: str
    amount: int = Field(description="In minor units. Below 0: it went out.")
    after: int
    at: str = Field(json_schema_extra={"format": "date-time"})
    against: str = Field(description="The account on the other side.")

    @classmethod
    def of(cls, account: str, line: Line) -> Self:
        return cls(account=account, **vars(line))


class PromotionStatement(Page[StatementLine]):
    """The movements of a promotion's money, oldest first."""

    campaign_id: str
    currency: str
    exponent: int
    money: BudgetResource


class PromotionEvent(BaseModel):
    """What happened to a promotion, as its audit log has it."""

    number: int
    action: str
    actor: str
    at: str = Field(json_schema_extra={"format": "date-time"})
    after: dict[str, Any] | None

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class PromotionEvents(Page[PromotionEvent]):
    """What happened, newest first."""


class NewConnection(BaseModel):
    """A token of an account at a network."""

    model_config = Strict

    host: Host | None = Field(None, description="For Mastodon: the account's server.")
    token: Annotated[str, Field(min_length=1, max_length=3000, pattern=r"^[!-~ ]+$")] = Field(
        description="It is kept in Parameter Store, and is never answered, logged or put on the bus. "
        "For the sandbox: the account's name.",
        json_schema_extra={"writeOnly": True},
    )


class ConnectionResource(Resource):
    """A network that the caller connected."""

    network: str
    host: str
    account_id: str
    handle: str
    connected_at: Moment
    is_revoked: bool = Field(description="Whether the network has refused its token since.")

    @classmethod
    def of(cls, found: Connection) -> Self:
        return cls.model_validate(found)


class NewLink(BaseModel):
    """An account that the caller says is theirs."""

    model_config = Strict

    network: Network
    host: Host | None = Field(
        None, description="For Mastodon: the server of the promotion's posts, through which the profile is read."
    )
    handle: Handle = Field(description="`nina`, or `nina@home.example` for an account of another server.")


class LinkResource(Resource):
    """An account that the caller says is theirs, or has proven: its profile had the code."""

    id: str
    network: str
    host: str
    handle: str
    state: LinkState
    code: str = Field(description="Write it into the profile of the account, then verify the link.")
    valid_until: Moment
    account_id: str | None
    proven_at: Moment | None

    @classmethod
    def of(cls, found: Link) -> Self:
        return cls.model_validate(found)


class LinksResource(BaseModel):
    """The caller's links."""

    items: list[LinkResource]


class NewException(BaseModel):
    """An operator's word about an account."""

    model_config = Strict

    eligible: bool = Field(description="True: it is rewarded whatever the rules say. False: never, nor may it publish.")
    reason: http.Reason


class ExceptionResource(Resource):
    """An operator's word about an account."""

    host: str
    account_id: str
    eligible: bool | None = Field(description="Null: it was taken back, and the rules decide.")
    reason: str
    by: str
    updated_at: Moment

    @classmethod
    def of(cls, found: Verdict) -> Self:
        return cls.model_validate(found)


class QuotaResource(BaseModel):
    """What is left of the requests that a server allows in a window; all users of the platform share them."""

    host: str
    family: Family
    used: int
    most: int
    window_seconds: int
    blocked_until: Moment | None = Field(
        description="No request is made before this time: the server said that no request is left."
    )
    last_success: Moment | None


class NetworkResource(BaseModel):
    """What a network allows, and what it costs."""

    network: str
    hosts: list[str] = Field(description="For Mastodon: the servers whose accounts can be connected.")
    rewards: bool = Field(description="Whether its rules allow paying accounts that engage.")
    links: bool = Field(description="Whether an account can be proven by a code in its profile.")
    text_limit: int
    media_types: list[str]
    media_count: int
    media_bytes: int
    post_price_usd: str
    link_price_usd: str = Field(description="Of a post with a URL in its text.")
    quotas: list[QuotaResource]

    @classmethod
    def of(cls, policy: NetworkPolicy, hosts: Iterable[str], left: Mapping[str, Iterable[Left]]) -> Self:
        names = ("network", "rewards", "links", "text_limit", "media_count", "media_bytes")
        return cls(
            **{name: getattr(policy, name) for name in names},
            hosts=list(hosts),
            media_types=sorted(policy.media_types),
            post_price_usd=str(policy.post_price),
            link_price_usd=str(policy.link_price),
            quotas=[QuotaResource(host=host, **vars(each)) for host, several in left.items() for each in several],
        )


class NetworksResource(BaseModel):
    """The networks that promotions can be published at."""

    items: list[NetworkResource]


class PurseResource(BaseModel):
    """What the caller has in one currency."""

    currency: str
    exponent: int
    balance: int = Field(description="In minor units.")

    @classmethod
    def of(cls, balance: Balance) -> Self:
        exponent = money.exponent(balance.currency)
        return cls(currency=balance.currency, exponent=exponent, balance=balance.amount)


class PursesResource(BaseModel):
    """The caller's wallets, as `GET /api/v1/wallets/me` lists them."""

    user: str
    items: list[PurseResource]


class SandboxAccount(BaseModel):
    """An account of the sandbox. Fields that are left out are not known."""

    model_config = Strict

    note: Annotated[str, Field(max_length=2000)] = ""
    created_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    followers: StrictInt | None = Field(None, ge=0, le=10**12)
    following: StrictInt | None = Field(None, ge=0, le=10**12)
    posts: StrictInt | None = Field(None, ge=0, le=10**12)
    bot: bool | None = None
    suspended: bool | None = None


class SandboxAccountResource(BaseModel):
    """An account of the sandbox."""

    id: str
    handle: str


_Handles = Annotated[list[Handle], Field(max_length=_MOST_ENGAGED)]


class SandboxCounts(BaseModel):
    """The metrics of a post, if they differ from the accounts that engaged with it."""

    model_config = Strict

    likes: StrictInt = Field(0, ge=0, le=10**12)
    reposts: StrictInt = Field(0, ge=0, le=10**12)
    quotes: StrictInt = Field(0, ge=0, le=10**12)
    replies: StrictInt = Field(0, ge=0, le=10**12)


class SandboxEngagement(BaseModel):
    """Who engaged with a post of the sandbox, by their handles."""

    model_config = Strict

    like: _Handles = []
    repost: _Handles = []
    quote: _Handles = []
    reply: _Handles = []
    counts: SandboxCounts | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if sum(len(getattr(self, each)) for each in _KINDS) > _MOST_ENGAGED:
            raise ValueError(f"at most {_MOST_ENGAGED} handles in all")
        return self

    def engaged(self) -> dict[Kind, list[str]]:
        return {Kind(each): getattr(self, each) for each in _KINDS}


class SandboxPost(BaseModel):
    """A post of the sandbox."""

    post_id: str
    engaged: int = Field(description="How many engagements it has.")
