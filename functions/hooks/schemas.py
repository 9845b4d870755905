"""What the hooks' API takes and gives."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from hooks.campaign import Attempt, Delivery, DeliveryStatus
from hooks.endpoint import Endpoint, HookStatus
from hooks.types import is_filter, meant_by
from sluice import http
from sluice.envelope import shown
from sluice.schemas import Page, Resource


def _filters(texts: list[str]) -> list[str]:
    for each in texts:
        if not is_filter(each):
            meant = meant_by(each)
            advice = f": did you mean {meant}?" if meant else ""
            none = f"there is no {shown(each) or 'empty one'}{advice}"
            raise ValueError(f"events must be types such as boost.completed, or boost.*, and {none}")
    return sorted(set(texts))


def _since_1970(moment: datetime) -> datetime:
    """Ids of deliveries begin with the milliseconds since then."""
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError as error:  # the first and last hours of all years, in another zone
        raise ValueError("must be between the years 1970 and 9999") from error
    if in_utc.year < 1970:
        raise ValueError("must be between the years 1970 and 9999")
    return in_utc


Since1970 = Annotated[AwareDatetime, AfterValidator(_since_1970)]
Url = Annotated[
    str, Field(min_length=1, max_length=2000, description="https, port 443.", examples=["https://example.com/hooks"])
]
Filters = Annotated[
    list[Annotated[str, Field(max_length=80)]],
    Field(
        max_length=100,
        description="Types such as `boost.completed`, or `boost.*`. Empty: all but `broadcast.message_*` and `hook.*`.",
    ),
    AfterValidator(_filters),
]
Replayable = Literal[DeliveryStatus.FAILED, DeliveryStatus.HELD, DeliveryStatus.DELIVERED, DeliveryStatus.WAITING]
Description = Annotated[
    str, Field(max_length=200, description="Whose it is, for people. Empty: it has none."), http.OneLineOrEmpty
]


class NewHook(BaseModel):
    """An endpoint to create."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    events: Filters = []
    description: Description = ""

    def terms(self) -> dict[str, Any]:
        return {"url": self.url, "events": tuple(self.events), "description": self.description}


class HookChanges(BaseModel):
    """What to change of an endpoint."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: Filters | None = None
    description: Description | None = None
    status: Literal[HookStatus.DISABLED] | None = Field(None, description="To disable it; `enable` enables it.")

    def terms(self) -> dict[str, Any]:
        found = self.model_dump(exclude_none=True)
        return found | ({"events": tuple(self.events)} if self.events is not None else {})


class HookResource(Resource):
    """An endpoint."""

    id: str
    url: str
    events: list[str]
    description: str
    status: HookStatus
    disabled_reason: str | None
    generation: int = Field(description="Of its secret: `rotate` adds one.")
    master: int = Field(description="The number of the master in HooksSecret that its secret is derived from.")
    old_signs_until: http.Moment | None = Field(description="Until when the secret before signs too.")
    failing_since: http.Moment | None
    next_probe_at: http.Moment | None = Field(description="While it fails and is enabled: when it is tried next.")
    last_success_at: http.Moment | None
    created_at: http.Moment
    created_by: str
    updated_at: http.Moment

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        shown = endpoint if endpoint.is_enabled else replace(endpoint, next_probe_at=None)
        return cls.model_validate(shown, from_attributes=True)


class HookWithSecret(HookResource):
    """An endpoint in the response of create and rotate, which alone show a secret."""

    secret: str | None = Field(
        None, description="Null in the response to a repeated key, once the secret of then no longer signs."
    )


class HookDetail(HookResource):
    """An endpoint, and how much is held for it."""

    held: int = Field(0, description="Deliveries that are held: once it is enabled, `replay` sends them.")


class HookPage(BaseModel):
    """All endpoints."""

    items: list[HookResource]
    masters_in_use: list[int] = Field(
        description="The masters in HooksSecret that sign now, by their numbers. Others may be taken out."
    )


class Rotation(BaseModel):
    """How long the old secret signs too."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class Replay(BaseModel):
    """Whether a delivered one is sent again."""

    model_config = ConfigDict(extra="forbid")

    again: bool = Field(False, description="Needed to deliver once more what was delivered.")


class RangeReplay(BaseModel):
    """What to send again."""

    model_config = ConfigDict(extra="forbid")

    begin: Since1970 = Field(alias="from", description="Events from this time on.")
    end: Since1970 = Field(alias="to", description="Events before this time.")
    status: Replayable = Field(
        DeliveryStatus.FAILED,
        description="Only deliveries in this status. `waiting`: they are tried now instead of at their next time; send "
        "a test first, because while the endpoint fails they wait again.",
    )


class HookAttemptResource(Resource):
    """One attempt."""

    number: int
    at: http.Moment
    outcome: str = Field(description="An HTTP status; or timeout, blocked, refused, lost, unknown.")
    milliseconds: int
    excerpt: str


class DeliveryResource(Resource):
    """A delivery."""

    id: str
    hook_id: str
    event_id: str = Field(description="The header `webhook-id`, equal in each attempt and replay.")
    event_type: str
    event_at: http.Moment
    status: DeliveryStatus
    attempts: int
    wake_at: http.Moment | None = Field(description="When the next attempt is due.")
    created_at: http.Moment
    ended_at: http.Moment | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        return cls.model_validate(delivery, from_attributes=True)


class DeliveryDetail(DeliveryResource):
    """A delivery, its body and its attempts, newest first."""

    body: str
    log: list[HookAttemptResource]

    @classmethod
    def of_log(cls, delivery: Delivery, log: list[Attempt]) -> Self:
        attempts = [HookAttemptResource.model_validate(each, from_attributes=True) for each in log]
        return cls(**DeliveryResource.of(delivery).model_dump(), body=delivery.body, log=attempts)


class DeliveryPage(Page[DeliveryResource]):
    """A page of deliveries."""
