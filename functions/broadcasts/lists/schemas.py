"""What the API of instances, templates, suppressed contacts, limits and files takes and gives."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt
from pydantic.alias_generators import to_camel

from broadcasts.contact import KEPT_SENDS, Suppressed
from broadcasts.gate import Cap
from broadcasts.instance import Instance, ProviderName
from broadcasts.optouts import folded
from broadcasts.owners import Owner
from broadcasts.prices import Price
from broadcasts.template import CONTENT, Content, Template
from broadcasts.texts import LONGEST, variables_of
from broadcasts.uploads import MOST_BYTES, Upload
from broadcasts.zones import is_zone
from sluice import http
from sluice.http import Moment
from sluice.schemas import Currency, Page

MOST_PRICES = 50
"""Of an instance: they lie in the item that each claim writes."""
MOST_PHONES = 1_000
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WEBHOOKS = {ProviderName.EVOLUTION: "evolution", ProviderName.META: "meta"}


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("must be the name of a time zone, such as America/Sao_Paulo")
    return name


def _word(text: str) -> str:
    if not folded(text):
        raise ValueError("must have a letter or a digit")
    return text


def _day(text: str) -> str:
    # Prices are compared by `fromisoformat`, which takes a week too, and no `2026-1-1`.
    if not _DAY.fullmatch(text):
        raise ValueError("must be a day such as 2026-11-01")
    date.fromisoformat(text)
    return text


def _media(kind: str) -> str:
    if kind not in MOST_BYTES:
        raise ValueError(f"must be one of {', '.join(sorted(MOST_BYTES))}")
    return kind


class Given(BaseModel):
    """A body. Names are written in camel case."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    def given(self) -> dict[str, Any]:
        """The fields that the request has."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Shown(BaseModel):
    """An answer. Names are written in camel case."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, from_attributes=True, serialize_by_alias=True
    )


OwnerName = Annotated[
    str,
    Path(
        min_length=1,
        max_length=128,
        pattern=r"^[!-\"$-~]+$",
        description="The subject of the owner's tokens: visible ASCII characters without `#`.",
        examples=["acme"],
    ),
]
Name = Annotated[str, Field(min_length=1, max_length=100, examples=["Support"]), http.OneLine]
Address = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9 _.@+-]+$",
        description="Evolution: the instance's name there; Meta, AWS: the id of the phone number; sandbox: any.",
        examples=["support"],
    ),
]
BaseUrl = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        description="Where the provider is: https and a public host. Needed for Evolution.",
        examples=["https://evolution.example.com"],
    ),
]
RateLimit = Annotated[
    StrictInt, Field(ge=1, le=4_800, description="Messages a minute; above 60 it is an operator's to set.")
]
DailyLimit = Annotated[StrictInt, Field(ge=1, le=10**9, description="Messages in any 24 hours.")]
Money = Annotated[StrictInt, Field(ge=0, le=10**12, description="In 1/1,000,000 of the currency.", examples=[35000])]
Zone = Annotated[str, Field(max_length=64, examples=["America/Sao_Paulo"]), AfterValidator(_zone)]
Category = Literal["marketing", "utility", "authentication", "service"]
Secret = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[!-~]+$")]
SigningKey = Annotated[
    str,
    Field(
        min_length=32,
        max_length=1024,
        pattern=r"^[!-~]+$",
        description="At least 32 bytes: no webhook is trusted by a shorter key (RFC 7518, 3.2).",
    ),
]
Phone = Annotated[str, Field(pattern=r"^[0-9]{10,15}$", examples=["5511987654321"])]
Phones = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(
        min_length=1,
        max_length=MOST_PHONES,
        description="With the country's code. `+ ( ) - .` and spaces are dropped.",
        examples=[["5511987654321", "+55 (11) 98765-4322"]],
    ),
]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$", examples=["pt_BR"])]
Variables = Annotated[
    list[Annotated[str, Field(max_length=32)]],
    Field(max_length=50, description="Names of variables, in the order of the placeholders.", examples=[["name"]]),
]


# Instances


class PriceTerms(Given):
    """A provider's price of a message, from a day on."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["BR"])]
    category: Category
    price: Money
    since: Annotated[str, AfterValidator(_day), Field(alias="from", examples=["2026-11-01"])]

    def term(self) -> Price:
        return Price(self.country, self.category, self.price, self.since)


class NewCredentials(Given):
    """What the provider asks for. It is kept in Parameter Store, and never returned.

    Evolution: `apiKey`, and `jwtKey`, which signs its webhooks. Meta: `accessToken`, `appSecret`, `verifyToken`.
    """

    api_key: Secret | None = None
    access_token: Secret | None = None
    app_secret: Secret | None = None
    verify_token: Secret | None = None
    jwt_key: SigningKey | None = None

    def secrets(self) -> Mapping[str, str]:
        return {name: value for name, value in self.given().items() if value is not None}


_Prices = Annotated[list[PriceTerms], Field(max_length=MOST_PRICES)]


class _InstanceTerms(Given):
    credentials: NewCredentials | None = None

    def terms(self) -> dict[str, Any]:
        """The fields of an instance that the request has; credentials are none of them."""
        found = {name: value for name, value in self.given().items() if name != "credentials"}
        if "prices" in found:
            found["prices"] = tuple(each.term() for each in found["prices"])
        return found


class NewInstance(_InstanceTerms):
    """The body of a create."""

    name: Name
    provider: Annotated[ProviderName, Field(strict=False)]
    address: Address
    base_url: BaseUrl | None = None
    rate_limit: RateLimit = 60
    daily_limit: DailyLimit | None = None
    time_zone: Zone = "UTC"
    prices: _Prices = []
    price_per_message: Money | None = Field(None, description="Where `prices` has none; an operator's to set.")
    currency: Currency = "USD"


class EditedInstance(_InstanceTerms):
    """The body of a change: what is missing stays. `credentials` replace all that were there."""

    name: Name = ""
    provider: Annotated[ProviderName, Field(strict=False, description="It cannot change.")] = ProviderName.SANDBOX
    address: Address = ""
    base_url: BaseUrl | None = None
    rate_limit: RateLimit = 60
    daily_limit: DailyLimit | None = None
    time_zone: Zone = "UTC"
    prices: _Prices = []
    price_per_message: Money | None = None
    currency: Annotated[Currency, Field(description="It cannot change.")] = "USD"


class PriceResource(Shown):
    """A provider's price of a message, from a day on."""

    country: str
    category: str
    price: int
    since: str = Field(alias="from")


class InstanceResource(Shown):
    """An instance: one number at one provider. Credentials are never returned."""

    id: str = Field(examples=["ins_01KAJ3W5V0SM0FKVYVXB9EQT6N"])
    user_id: str
    name: str
    provider: ProviderName
    address: str
    base_url: str | None
    webhook_url: str | None = Field(description="Where the provider is to send its webhooks.")
    has_credentials: bool
    rate_limit: int
    daily_limit: int | None
    time_zone: str
    prices: list[PriceResource]
    price_per_message: int | None
    currency: str
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, found: Instance, api: str) -> "InstanceResource":
        """`api`: the URL that this request came to."""
        kind = _WEBHOOKS.get(found.provider)
        more = {
            "user_id": found.owner,
            "webhook_url": f"{api}/webhooks/{kind}/{found.id}" if kind else None,
            "has_credentials": found.credentials > 0,
            "prices": [PriceResource.model_validate(vars(each)) for each in found.prices],
        }
        return cls.model_validate(vars(found) | more)


class InstancePage(Page[InstanceResource]):
    """Instances of one owner, or of all, the oldest first."""


class InstanceCheck(Shown):
    """Whether an instance's credentials work."""

    works: bool | None = Field(description="Null: this provider cannot be asked.")
    message: str


# Templates


class NewTemplate(Given):
    """The body of a create."""

    name: Name
    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST,
            description="With variables: `{{name}}`, or `{{name|friend}}` with a default.",
            examples=["Hello {{name|friend}}"],
        ),
    ]
    category: Category = "marketing"
    language: Language
    provider_name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$", examples=["winter_sale"])] | None = Field(
        None, description="The name of the provider's template that this one stands for."
    )
    header: Variables = []
    parameters: Variables = []

    def content(self) -> Content:
        values = {each: getattr(self, each) for each in CONTENT}
        return Content(**values | {"header": tuple(self.header), "parameters": tuple(self.parameters)})


class EditedTemplate(Given):
    """The body of a change: what is missing stays. Another content is another version."""

    name: Name = ""
    text: Annotated[str, Field(min_length=1, max_length=LONGEST)] = ""
    category: Category = "marketing"
    language: Language = ""
    provider_name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")] | None = None
    header: Variables = []
    parameters: Variables = []

    def terms(self) -> dict[str, Any]:
        return {name: tuple(value) if isinstance(value, list) else value for name, value in self.given().items()}


class NewSync(Given):
    """Where to read the provider's template."""

    instance_id: Annotated[
        str, Field(min_length=1, max_length=64, description="An instance of the same owner at Meta.")
    ]
    account_id: Annotated[str, Field(pattern=r"^[0-9]{1,32}$", description="The id of the WhatsApp business account.")]


class TemplateResource(Shown):
    """A template with its latest version, or with the one that was asked for."""

    id: str = Field(examples=["tpl_01KAJ3W5V0SM0FKVYVXB9EQT6N"])
    user_id: str
    name: str
    text: str
    variables: list[str] = Field(description="Those that the text names.")
    category: str
    language: str
    provider_name: str | None
    header: list[str]
    parameters: list[str]
    version: int
    approval: str | None = Field(description="What the provider said last: `APPROVED`, `PENDING`, `REJECTED`, ...")
    synced_at: Moment | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, found: Template) -> "TemplateResource":
        more = {"user_id": found.owner, "variables": variables_of(found.text)}
        return cls.model_validate(vars(found) | more)


class TemplatePage(Page[TemplateResource]):
    """Templates of one owner, or of all, the oldest first."""


# People


class NewSuppression(Given):
    """A person who may not be written to."""

    phone: Phone
    reason: http.Reason


class ImportedSuppressions(Given):
    """People who may not be written to."""

    phones: Phones
    reason: http.Reason


class OnePhone(Given):
    """A person. A phone stands in no path: paths are in access logs."""

    phone: Phone


class NewConsents(Given):
    """People who have consented."""

    phones: Phones
    source: http.Reason = Field(description="Where the consent comes from.", examples=["web form, 2026-11-02"])


class GoneConsents(Given):
    """People who have taken their consent back."""

    phones: Phones


class RefusedPhone(Shown):
    """A phone that is none."""

    row: int = Field(description="Its place in the request, from 0.")
    code: str
    message: str


class SpokenResource(Shown):
    """What became of a request about people."""

    changed: int
    unchanged: int = Field(description="Those for whom it was so already.")
    refused: list[RefusedPhone]


class SuppressedResource(Shown):
    """A person who is not written to."""

    phone: str
    reason: str
    at: Moment

    @classmethod
    def of(cls, found: Suppressed) -> "SuppressedResource":
        return cls(phone=found.phone, reason=found.why, at=found.at)


class SuppressedPage(Page[SuppressedResource]):
    """People whom one owner's campaigns do not write to, in no order."""


# Limits


class CapTerms(Given):
    """At most so many messages to one person in so many hours, over all campaigns."""

    count: StrictInt = Field(ge=1, le=KEPT_SENDS)
    hours: StrictInt = Field(ge=1, le=720)


class NewLimits(Given):
    """What holds for an owner, in place of all that held before."""

    daily_limit: Annotated[StrictInt, Field(ge=0, le=10**9)] | None = Field(None, description="Messages a day.")
    frequency_cap: CapTerms | None = None
    requires_consent: StrictBool = False
    opt_out_words: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=30), AfterValidator(_word)]], Field(max_length=20)
    ] = Field([], description="Words that suppress who writes them, beside STOP, SAIR and the others.")
    time_zone: Zone = Field("UTC", description="Whose midnight begins a day.")

    def terms(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in type(self).model_fields if name != "frequency_cap"}
        cap = self.frequency_cap
        return found | {
            "opt_out_words": tuple(self.opt_out_words),
            "cap": Cap(cap.count, cap.hours) if cap else None,
        }


class CapResource(Shown):
    """At most so many messages to one person in so many hours."""

    count: int
    hours: int


class OwnerLimits(Shown):
    """What holds for an owner."""

    user_id: str
    daily_limit: int | None
    frequency_cap: CapResource | None
    requires_consent: bool
    opt_out_words: list[str]
    time_zone: str

    @classmethod
    def of(cls, found: Owner) -> "OwnerLimits":
        return cls.model_validate(_limits(found))


class InstanceUse(Shown):
    """What an instance sent in the last 24 hours, and what it may still send."""

    instance_id: str
    name: str
    daily_limit: int | None
    used: int
    remaining: int | None

    @classmethod
    def of(cls, found: Instance, now: datetime) -> "InstanceUse":
        used, limit = found.hours.used(now), found.daily_limit
        left = None if limit is None else found.hours.free(limit, now)
        return cls(instance_id=found.id, name=found.name, daily_limit=limit, used=used, remaining=left)


class QuotasResource(OwnerLimits):
    """What holds for an owner, and what is used of it."""

    day: str = Field(description="Today, in the owner's time zone.", examples=["2026-11-26"])
    used_today: int
    remaining_today: int | None = Field(description="Null without a daily limit.")
    spent_today: int = Field(description="The price of what was used, in 1/1,000,000.")
    instances: list[InstanceUse]

    @classmethod
    def with_use(
        cls, found: Owner, used: tuple[int, int], instances: list[Instance], now: datetime
    ) -> "QuotasResource":
        limit = found.daily_limit
        more: dict[str, Any] = {
            "day": found.day(now),
            "used_today": used[0],
            "remaining_today": None if limit is None else max(0, limit - used[0]),
            "spent_today": used[1],
            "instances": [InstanceUse.of(each, now) for each in instances],
        }
        return cls.model_validate(_limits(found) | more)


def _limits(found: Owner) -> dict[str, Any]:
    more = {
        "user_id": found.owner,
        "frequency_cap": {"count": found.cap.most, "hours": found.cap.hours} if found.cap else None,
    }
    return vars(found) | more | {"opt_out_words": list(found.opt_out_words)}


# Files


class NewMessageMedia(Given):
    """A file that a message is to carry."""

    content_type: Annotated[str, AfterValidator(_media), Field(examples=["image/png"])]
    bytes: Annotated[StrictInt, Field(ge=1, description="Its exact size.", examples=[20480])]


class MessageMediaForm(Shown):
    """A form that uploads the file: POST it as multipart/form-data with these fields, and the file as the last one."""

    media_id: str = Field(examples=["med_01KAJ3W5V0SM0FKVYVXB9EQT6N"])
    url: str
    fields: dict[str, str]
    expires_at: Moment

    @classmethod
    def of(cls, made: Upload) -> "MessageMediaForm":
        return cls.model_validate(made)
