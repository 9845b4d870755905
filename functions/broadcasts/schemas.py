"""What the API of campaigns takes and gives, in the source's names (S5-1, S5-2). Money is in 1/1,000,000."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, model_validator
from pydantic.alias_generators import to_camel

from broadcasts import campaign as broadcasts
from broadcasts.asked import Asked
from broadcasts.campaign import Broadcast, BroadcastStatus, PauseReason, Text
from broadcasts.ports import MediaType
from broadcasts.recipients import MOST_IN_A_REQUEST, CleanList, Recipient
from broadcasts.reviewed import Review
from broadcasts.row import SOURCE_STATUS, Counts, Row, RowStatus
from broadcasts.selection import Totals
from broadcasts.simulation import Plan
from broadcasts.texts import LONGEST, is_variable
from broadcasts.windows import Window, Windows, clock_of, minutes_of
from broadcasts.zones import is_zone
from sluice import http
from sluice.http import Moment

MOST_RATE = 4800
"""80 a second, the Cloud API's: what `MaxRatePerMinute` can be at most."""
MOST_MONEY = 10**15
_VARIABLE_BYTES = 2048
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WARNED = 100
"""Duplicates and warnings that an answer names; all of them are counted."""

Strict = ConfigDict(
    extra="forbid", strict=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
)
Camel = ConfigDict(
    alias_generator=to_camel,
    validate_by_name=True,
    validate_by_alias=True,
    serialize_by_alias=True,
    from_attributes=True,
)


def _https(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_public = (
            parts.scheme == "https" and bool(parts.hostname) and not parts.username and parts.port in (None, 443)
        )
    except ValueError as error:
        raise ValueError("must be an https URL") from error
    if not is_public or not url.isascii() or any(each.isspace() for each in url):
        raise ValueError("must be an https URL")
    return url


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("must be the name of a time zone, such as America/Sao_Paulo")
    return name


def _clock(text: str) -> str:
    minutes_of(text)
    return text


def _variables(found: dict[str, str]) -> dict[str, str]:
    for name in found:
        if not is_variable(name):
            raise ValueError("the name of a variable is a small letter, then at most 31 small letters, digits and _")
    size = sum(len(name.encode()) + len(value.encode(errors="replace")) for name, value in found.items())
    if size > _VARIABLE_BYTES:
        raise ValueError(f"the variables of a recipient have at most {_VARIABLE_BYTES} bytes")
    return found


def _readable(text: str) -> str:
    for each in text:
        if (each < " " and each not in "\n\r\t") or "\x7f" <= each < "\xa0" or "\ud800" <= each <= "\udfff":
            raise ValueError("must not have control characters but line breaks and tabs")
    return text


def _ahead(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # the last hours of year 9999, in a zone behind UTC
        raise ValueError("must be within a year") from error


Name = Annotated[
    str, Field(min_length=1, max_length=200, description="The campaign's name.", examples=["Winter"]), http.OneLine
]
InstanceId = Annotated[str, Field(min_length=1, max_length=40, examples=["ins_01KAJ3W5V0SM0FKVYVXB9EQT6N"])]
Message = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST,
        description="The text, with variables such as `{{name}}` or `{{name|friend}}` (S5-41). A template's text is "
        "sent where there is none.",
        examples=["Hello {{name}}!"],
    ),
    AfterValidator(_readable),
]
TemplateId = Annotated[str, Field(max_length=40)]
MediaUrl = Annotated[
    str,
    Field(max_length=2000, description="The https URL of a file. The provider reads it."),
    AfterValidator(_https),
]
MediaId = Annotated[
    str,
    Field(
        pattern=r"^med_[0-9A-HJKMNP-TV-Z]{26}$",
        description="A file of the campaign's owner, by `POST /api/media`, in place of `mediaUrl`.",
        examples=["med_01KAJ3W5V0SM0FKVYVXB9EQT6N"],
    ),
]
Media = Annotated[MediaType, Field(strict=False, description="What kind of file it is.")]
RateLimit = Annotated[
    StrictInt,
    Field(ge=1, le=MOST_RATE, description="Messages a minute: 1 to 60, unless the platform allows more (S5-6)."),
]
Scheduled = Annotated[
    AwareDatetime, Field(strict=False, description="When it starts by itself."), AfterValidator(_ahead)
]
ZoneName = Annotated[
    str, Field(max_length=64, examples=["America/Sao_Paulo"], description="A time zone."), AfterValidator(_zone)
]
Budget = Annotated[
    StrictInt,
    Field(ge=1, le=MOST_MONEY, description="The most that the campaign may cost, in 1/1,000,000 of its currency."),
]
MaxRetries = Annotated[StrictInt, Field(ge=0, le=10, description="How often a refused message is tried again (S5-2).")]
Phone = Annotated[str, Field(pattern=r"^[0-9]{10,15}$", examples=["5511987654321"])]
Variables = Annotated[
    dict[str, Annotated[str, AfterValidator(_readable)]],
    AfterValidator(_variables),
    Field(description="The recipient's variables: at most 2 KB.", examples=[{"name": "Nina"}]),
]


class RecipientBody(BaseModel):
    """A recipient (S5-5, S5-7)."""

    model_config = Strict

    phone: Phone
    variables: Variables = {}
    time_zone: ZoneName | None = Field(None, description="The recipient's time zone, if it is known.")

    def recipient(self) -> Recipient:
        return Recipient(self.phone, self.variables, self.time_zone)


Recipients = Annotated[
    list[RecipientBody],
    Field(
        min_length=1,
        max_length=MOST_IN_A_REQUEST,
        description="1 to 10,000 recipients (S5-6). A longer list comes as a file: POST .../recipients/import.",
    ),
]


class SendingWindow(BaseModel):
    """When messages may go out, by the clock of the recipient."""

    model_config = Strict

    weekdays: list[Weekday] = Field(default=[*WEEKDAYS], min_length=1, max_length=7)
    opens: Annotated[str, AfterValidator(_clock)] = Field(alias="from", examples=["09:00"])
    closes: Annotated[str, AfterValidator(_clock)] = Field(
        alias="to", examples=["18:00"], description="If it is not after `from`, the window closes on the next day."
    )

    def window(self) -> Window:
        days = tuple(sorted({WEEKDAYS.index(each) for each in self.weekdays}))
        return Window(days, minutes_of(self.opens) % (24 * 60), minutes_of(self.closes))

    @classmethod
    def of(cls, window: Window) -> Self:
        days = [WEEKDAYS[each] for each in window.weekdays]
        return cls.model_validate({"weekdays": days, "from": clock_of(window.opens), "to": clock_of(window.closes)})


SendingWindows = Annotated[list[SendingWindow], Field(max_length=20)]


class _CampaignBody(BaseModel):
    """Fields of a campaign that a body may have."""

    model_config = Strict

    message: Message | None = None
    template_id: TemplateId | None = None
    media_url: MediaUrl | None = None
    media_id: MediaId | None = None
    media_type: Media | None = None
    scheduled_for: Scheduled | None = None
    windows: SendingWindows | None = None
    time_zone: ZoneName | None = Field(
        None, description="The time zone of recipients whose own is not known; the instance's if there is none."
    )
    budget: Budget | None = None

    def asked(self) -> Asked:
        """What is asked for."""
        named = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        message, recipients = named.pop("message", None), named.pop("recipients", None)
        named.pop("lines", None)
        if "windows" in named:
            windows = tuple(each.window() for each in named["windows"] or ())
            named["windows"] = Windows(windows) if windows else None
        if named.get("media_type"):
            named["media_type"] = str(named["media_type"])
        for one, other in (("media_url", "media_id"), ("media_id", "media_url")):
            if named.get(one):
                named.setdefault(other, None)  # it takes the place of the other
        return Asked(
            named,
            message,
            "message" in self.model_fields_set,
            tuple(each.recipient() for each in recipients) if recipients is not None else None,
        )


class NewBroadcast(_CampaignBody):
    """The body of a create (S5-27). `message` or `templateId` is required. Recipients may come as a file later."""

    name: Name
    instance_id: InstanceId
    rate_limit: RateLimit | None = Field(None, description="Messages a minute; the instance's own if there is none.")
    max_retries: MaxRetries = 3
    recipients: Recipients | None = None

    @model_validator(mode="after")
    def _a_text(self) -> Self:
        if self.message is None and self.template_id is None:
            raise ValueError("Give a message or a templateId")
        return self


class SimulatedBroadcast(NewBroadcast):
    """A campaign as a create has it, which is only simulated."""

    name: Name = "Simulated"
    lines: list[Annotated[StrictInt, Field(ge=1)]] = Field(
        [], max_length=50, description="Lines to be rendered beside the first 50."
    )


class EditedBroadcast(_CampaignBody):
    """The body of a PUT (S5-8): the fields to change. Recipients replace those before."""

    name: Name | None = None
    instance_id: InstanceId | None = None
    rate_limit: RateLimit | None = None
    max_retries: MaxRetries | None = None
    recipients: Recipients | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one field to change")
        required = self.model_fields_set & {"name", "instance_id", "rate_limit", "max_retries", "recipients"}
        if nulls := sorted(to_camel(name) for name in required if getattr(self, name) is None):
            raise ValueError(f"{nulls[0]} must not be null")
        return self


class CampaignAction(BaseModel):
    """An action (S5-10); the flags are those of a retry."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: Literal["start", "pause", "resume", "cancel", "retry"]
    include_unknown: bool = Field(
        default=False,
        description="Send again to those of whom nobody knows whether they have it: they may get it twice.",
    )
    include_final: bool = Field(default=False, description="Send again to those who were refused for good.")

    @model_validator(mode="after")
    def _of_a_retry(self) -> Self:
        if self.action != "retry" and (self.include_unknown or self.include_final):
            raise ValueError("include_unknown and include_final are for a retry")
        return self


class TestMessage(BaseModel):
    """To whom a test goes; variables that are missing are those of the first recipient."""

    __test__ = False
    model_config = Strict

    phone: Phone
    variables: Variables = {}

    def recipient(self) -> Recipient:
        return Recipient(self.phone, self.variables)


class SimulatedRest(BaseModel):
    """What a simulation of a campaign shows besides."""

    model_config = Strict

    lines: list[Annotated[StrictInt, Field(ge=1)]] = Field(
        [], max_length=50, description="Lines to be rendered beside the first 50."
    )


class DuplicateResource(BaseModel):
    """A recipient who is on the list already: not sent to twice (decision 47)."""

    model_config = Camel

    line: int
    of_line: int


class ListWarning(BaseModel):
    """What is doubtful about a recipient, who stays on the list."""

    model_config = Camel

    line: int
    code: str
    message: str


class ListReport(BaseModel):
    """What became of the recipients of a request. At most 100 duplicates and warnings are listed."""

    model_config = Camel

    accepted: int
    duplicate_count: int
    duplicates: list[DuplicateResource]
    warning_count: int
    warnings: list[ListWarning]

    @classmethod
    def of(cls, found: CleanList) -> Self:
        return cls(
            accepted=len(found.rows),
            duplicate_count=len(found.duplicates),
            duplicates=[DuplicateResource.model_validate(each) for each in found.duplicates[:_WARNED]],
            warning_count=len(found.warnings),
            warnings=[ListWarning.model_validate(each) for each in found.warnings[:_WARNED]],
        )


KindName = Literal["campaign", "test", "gone"]
WaitingFor = Literal["import", "window", "quota", "instance", "provider", "retry", "settling"]


class CountedResource(BaseModel):
    """totalRecipients = pendingCount + sentCount + failedCount + skippedCount + unknownCount, always."""

    model_config = Camel

    total_recipients: int
    pending_count: int = Field(description="Rows that are not settled; `inFlight` of them are being sent.")
    sent_count: int = Field(description="Sent, delivered or read: it does not sink when a message is delivered.")
    delivered_count: int = Field(description="Delivered or read.")
    read_count: int
    failed_count: int
    skipped_count: int = Field(description="Not sent, by a rule: no consent, suppressed, too many messages.")
    unknown_count: int = Field(description="Nobody knows whether they were sent, and nobody will look any more.")
    in_flight: int
    spent: int = Field(description="The price of what was sent, in 1/1,000,000.")
    reserved: int = Field(description="The price of what may have been sent, in 1/1,000,000.")

    @staticmethod
    def counted(total: Counts) -> dict[str, Any]:
        """The fields of a sum of counters."""
        return {
            "total_recipients": total.total,
            "pending_count": total.open,
            "sent_count": total.sent,
            "delivered_count": total.delivered,
            "read_count": total.read,
            "failed_count": total.failed,
            "skipped_count": total.skipped,
            "unknown_count": total.closed,
            "in_flight": total.in_flight,
            "spent": total.spent,
            "reserved": total.reserved,
        }


class BroadcastListed(CountedResource):
    """A campaign in a list: without its text."""

    id: str
    name: str
    kind: KindName
    status: BroadcastStatus
    user_id: str
    instance_id: str
    template_id: str | None
    template_version: int | None
    media_url: str | None
    media_id: str | None
    media_type: str | None
    scheduled_for: Moment | None
    started_at: Moment | None
    completed_at: Moment | None
    cancelled_at: Moment | None
    rate_limit: int
    max_retries: int
    windows: list[SendingWindow]
    time_zone: str | None
    budget: int | None
    currency: str
    pause_reason: PauseReason | None
    failure_reason: str | None
    waiting_for: WaitingFor | None
    next_step_at: Moment | None = Field(description="When its next step is due. Null: nothing happens by itself.")
    in_flight_until: Moment | None
    importing: bool = Field(description="Whether its list is still being stored: it can be started all the same.")
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, found: Broadcast, total: Counts, **more: Any) -> Self:
        """The campaign, with the sum of its counters."""
        own = BroadcastListed.model_fields.keys() - CountedResource.model_fields.keys()
        made = {"status", "user_id", "windows", "importing", "next_step_at"}
        return cls(
            **{name: getattr(found, name) for name in own - made},
            **cls.counted(total),
            status=found.shown,
            user_id=found.owner,
            next_step_at=found.wake_at,
            windows=[SendingWindow.of(each) for each in found.windows.each] if found.windows else [],
            importing=not found.is_laid,
            **more,
        )


class BroadcastResource(BroadcastListed):
    """A campaign (S5-1)."""

    message: str
    list_report: ListReport | None = Field(
        None, description="What became of the recipients of this request; null when it had none."
    )

    @classmethod
    def whole(cls, found: Broadcast, total: Counts, text: Text, cleaned: CleanList | None = None) -> Self:
        """The campaign with its text; `cleaned` are the recipients of the request."""
        return cls.of(found, total, message=text.message, list_report=ListReport.of(cleaned) if cleaned else None)


class RetriedResource(BaseModel):
    """The answer to a retry."""

    model_config = Camel

    campaign: BroadcastResource
    to_retry: int = Field(description="How many recipients it is sent to.")
    may_get_it_twice: int = Field(description="How many of them may have it already.")

    @classmethod
    def of(cls, found: Broadcast, total: Counts, text: Text) -> Self:
        """A campaign that is being retried, with the sum of its counters as they were before."""
        flags = {"include_unknown": found.include_unknown, "include_final": found.include_final}
        return cls(
            campaign=BroadcastResource.whole(found, total, text),
            to_retry=broadcasts.to_retry(total, **flags),
            may_get_it_twice=total.closed if found.include_unknown else 0,
        )


class BroadcastPage(BaseModel):
    """Campaigns. A page of a filtered list that is read by cursor may have fewer items than `limit`, or none."""

    model_config = Camel

    items: list[BroadcastListed]
    next_cursor: str | None
    total: int | None = Field(None, description="How many there are; null where the list is read by cursor.")


class BroadcastStats(BaseModel):
    """Totals over campaigns (S5-21)."""

    model_config = Camel

    total_campaigns: int
    active_campaigns: int
    completed_campaigns: int
    total_messages_sent: int
    average_delivery_rate: float | None = Field(
        description="Delivered messages in percent of sent ones; null when none was sent."
    )

    @classmethod
    def of(cls, found: Totals) -> Self:
        return cls(
            total_campaigns=found.campaigns,
            active_campaigns=found.active,
            completed_campaigns=found.completed,
            total_messages_sent=found.sent,
            average_delivery_rate=found.delivery_rate,
        )


class ProgressResource(CountedResource):
    """The progress of a campaign: all that a screen shows (S5-20, S5-34)."""

    campaign_id: str
    name: str
    status: BroadcastStatus
    percent: float = Field(description="Settled recipients in percent, 0 to 100 (S5-37).")
    current_rate: float | None = Field(description="Messages a minute over its active time; null at 0 s (S5-38).")
    estimated_seconds_left: int | None = Field(description="By the current rate (S5-39); null at rate 0.")
    expected_end_at: Moment | None = Field(description="By its rate, windows and quota, if all are accepted.")
    active_seconds: int
    rate_limit: int
    failed_retryable: int = Field(description="Of those that failed: a retry sends to them.")
    failed_final: int
    to_retry: int = Field(description="How many recipients a retry would send to now.")
    importing: bool
    imported: int = Field(description="Rows of the list that are stored.")
    waiting_for: WaitingFor | None
    next_step_at: Moment | None
    pause_reason: PauseReason | None
    failure_reason: str | None
    in_flight_until: Moment | None = Field(description="By then `inFlight` is 0, whatever happens.")
    platform_stopped: bool
    budget: int | None
    currency: str
    pass_number: int = Field(description="1, and one more for each retry.")
    scheduled_for: Moment | None
    started_at: Moment | None
    completed_at: Moment | None
    next_poll_seconds: int = Field(description="When it is worth asking again; 0 when nothing will change.")

    @classmethod
    def of(cls, found: Broadcast, total: Counts, now: datetime, ends_at: datetime | None, stopped: bool) -> Self:
        """The campaign now, with the sum of its counters."""
        rate = broadcasts.current_rate(found, total, now)
        own = ProgressResource.model_fields.keys() & Broadcast.__dataclass_fields__.keys()
        return cls(
            **{name: getattr(found, name) for name in own - {"status", "active_seconds"}},
            **cls.counted(total),
            campaign_id=found.id,
            status=found.shown,
            percent=broadcasts.percent(total),
            current_rate=rate,
            estimated_seconds_left=broadcasts.seconds_left(total, rate),
            expected_end_at=ends_at,
            active_seconds=found.active_at(now),
            failed_retryable=total.failed_retryable,
            failed_final=total.failed_final,
            to_retry=broadcasts.to_retry(total, include_unknown=False, include_final=False),
            importing=not found.is_laid,
            imported=found.laid,
            next_step_at=found.wake_at,
            platform_stopped=stopped,
            next_poll_seconds=poll_seconds(found, total, now),
        )


def poll_seconds(found: Broadcast, total: Counts, now: datetime) -> int:
    """After how many seconds a screen asks again: 2 while messages go out, 30 while nothing is due, 0 at the end."""
    if not found.is_live:
        # Late statuses still come for what was sent.
        return 30 if total.sent > total.delivered else 0
    wait = (found.wake_at - now).total_seconds() if found.wake_at else 0
    return int(max(2, min(wait, 30)))


class ErrorOfRow(BaseModel):
    """Why a recipient was not sent to."""

    model_config = Camel

    code: str
    text: str
    is_retryable: bool


class AttemptResource(BaseModel):
    """An earlier attempt."""

    model_config = Camel

    id: str
    at: Moment
    outcome: str


class RowResource(BaseModel):
    """A recipient of a campaign (S5-2)."""

    model_config = Camel

    key: str = Field(description="Names the recipient in this campaign: `g1-r0-17`.")
    line: int = Field(description="Its line in the list, from 1.")
    recipient: str = Field(description="The phone, as the list has it.")
    variables: dict[str, str]
    status: RowStatus
    error: ErrorOfRow | None
    failed_at: Moment | None
    sent_at: Moment | None
    delivered_at: Moment | None
    read_at: Moment | None
    retry_count: int = Field(description="Attempts of this pass that were refused; throttles do not count.")
    max_retries: int
    last_retry_at: Moment | None = Field(description="When the last attempt began, if it was not the first.")
    message_id: str | None = Field(description="The provider's.")
    price: int
    attempts: list[AttemptResource] = Field(description="The last five before the present one.")
    other_attempts: int = Field(
        description="How often a provider reported on an earlier attempt: perhaps a second message."
    )

    @classmethod
    def of(cls, row: Row, campaign: Broadcast, *, is_source: bool = False) -> Self:
        """The row; `is_source`: in the source's four statuses."""
        same = ("line", "variables", "failed_at", "sent_at", "delivered_at", "read_at", "message_id", "price")
        status = row.status
        return cls(
            **{name: getattr(row, name) for name in (*same, "other_attempts")},
            key=str(row.key).replace("/", "-"),
            recipient=row.phone,
            status=SOURCE_STATUS.get(status, status) if is_source else status,
            error=ErrorOfRow.model_validate(row.error) if row.error else None,
            retry_count=row.tries,
            max_retries=campaign.max_retries,
            last_retry_at=row.claimed_at if row.history else None,
            attempts=[AttemptResource.model_validate(each) for each in row.history],
        )


class RowPage(BaseModel):
    """Recipients, in the order in which they are sent to. A page of a filtered list may have fewer than `limit`."""

    model_config = Camel

    items: list[RowResource]
    next_cursor: str | None


class PreviewedRow(BaseModel):
    """A message as one recipient would get it."""

    model_config = Camel

    line: int
    phone: str
    text: str


class SkippedRow(BaseModel):
    """A recipient who would get nothing, and why."""

    model_config = Camel

    line: int
    phone: str
    outcome: str = Field(description="`skipped`, `failed` or `later`.")
    code: str
    message: str


class PlannedDayResource(BaseModel):
    """A day, in the owner's time zone."""

    model_config = Camel

    date: date
    messages: int


class PlannedMinuteResource(BaseModel):
    """A minute of the first 24 hours, with messages."""

    model_config = Camel

    at: Moment
    messages: int


class ClosedResource(BaseModel):
    """A time when no window is open."""

    model_config = Camel

    since: Moment
    until: Moment


class CountryCost(BaseModel):
    """What the messages to a country would cost."""

    model_config = Camel

    country: str | None
    messages: int
    cost: int


class CollisionResource(BaseModel):
    """Another campaign that sends by the same instance: they share its rate."""

    model_config = Camel

    id: str
    name: str
    rate_limit: int


class SimulationOfBroadcast(BaseModel):
    """What a campaign would do. Nothing is changed, and nothing is sent."""

    model_config = Camel

    plan_hash: str = Field(description="For `If-Match` of a start: it runs only what was reviewed.")
    total_recipients: int
    outcomes: dict[str, int] = Field(description="How many rows are `sent`, and how many are not, by the reason.")
    previews: list[PreviewedRow] = Field(description="The first 50 messages, and those that were asked for.")
    skipped: list[SkippedRow] = Field(description="The first 1,000 recipients who would get nothing.")
    warnings: list[str]
    list_report: ListReport | None
    starts_at: Moment
    ends_at: Moment | None = Field(description="When the last message goes out; null when some never would.")
    messages_per_minute: float = Field(description="Its share of the instance's rate.")
    days: list[PlannedDayResource]
    minutes: list[PlannedMinuteResource]
    closed: list[ClosedResource]
    quota_days: list[date] = Field(description="Days that end with the owner's quota used up.")
    unsent: int = Field(description="Rows whose windows never open.")
    currency: str
    cost: int = Field(description="In 1/1,000,000.")
    cost_by_country: list[CountryCost]
    over_budget: bool
    collisions: list[CollisionResource]

    @classmethod
    def of(cls, found: Review, cleaned: CleanList | None = None) -> Self:
        """The review of a campaign."""
        plan: Plan = found.plan
        return cls(
            plan_hash=found.plan_hash,
            total_recipients=found.total,
            outcomes=dict(found.outcomes),
            previews=[PreviewedRow.model_validate(each) for each in found.previews],
            skipped=[SkippedRow.model_validate(each) for each in found.skipped],
            warnings=list(found.warnings),
            list_report=ListReport.of(cleaned) if cleaned else None,
            starts_at=plan.starts_at,
            ends_at=plan.ends_at,
            messages_per_minute=round(found.rate, 2),
            days=[PlannedDayResource.model_validate(each) for each in plan.days],
            minutes=[PlannedMinuteResource.model_validate(each) for each in plan.minutes],
            closed=[ClosedResource.model_validate(each) for each in plan.closed],
            quota_days=list(plan.quota_days),
            unsent=plan.unsent,
            currency=found.currency,
            cost=sum(each.cost for each in found.costs),
            cost_by_country=[CountryCost.model_validate(each) for each in found.costs],
            over_budget=found.is_over_budget,
            collisions=[CollisionResource.model_validate(each) for each in found.collisions],
        )
