"""What the API of the diagnosis takes and gives."""

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sluice.http import Moment
from sluice.schemas import Resource
from views.control import Phase
from views.diagnosis.explaining import Explanation, Unit
from views.diagnosis.stats import Stats
from views.held import ShardStats
from views.rules import Rules
from views.schemas import ContentName

SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3600


class ShardResource(BaseModel):
    """The state of one shard of the viewers."""

    shard: int
    epoch: int = Field(
        description="The last epoch of the sync that was opened on this shard. 0: none, or the shard restarted empty."
    )
    pending_views: int
    pending_contents: int
    syncing_contents: int = Field(description="Contents that the open epoch has taken and not moved yet.")
    parked_contents: int
    refused_fields: int
    unknown_contents: int = Field(
        description="Pending contents whose ids nobody vouches for: not registered, and first viewed without a token."
    )
    registry_complete: bool = Field(
        description="Whether the shard has all registered contents. Until then it refuses no unregistered content."
    )

    @classmethod
    def of(cls, number: int, shard: ShardStats) -> Self:
        return cls(shard=number, registry_complete=shard.is_registry_complete == 1, **vars(shard))


class StatsResource(BaseModel):
    """The state of tracking and the sync, from counters, without a scan. The first seven fields are those of S2-28."""

    max_views_per_session: int = Field(
        description="Views of one content that count in one session (MaxViewsPerSession); 0: off."
    )
    max_daily_views_per_user: int = Field(
        description="Views of one viewer that count in one day (MaxViewsPerDay); 0: off."
    )
    view_cooldown_minutes: int | float = Field(
        description="Minutes before a content counts again for a viewer (CooldownSeconds / 60); 0: off."
    )
    session_duration_hours: int | float = Field(
        description="Hours that a session lasts from its first view (SessionSeconds / 3600); 0: off."
    )
    total_view_keys: int = Field(
        description="Contents with pending views. A content that is pending on several shards counts once for each."
    )
    total_session_keys: int = Field(
        description="Sessions that began today, one per viewer and content. A restart of Redis resets the number."
    )
    total_daily_limit_keys: int = Field(
        description="Viewers with a counted view today. A restart of Redis resets the number."
    )
    used_memory_bytes: int | None = Field(
        description="Memory that the primaries of Redis use. Null if the service does not report it."
    )
    pending_views: int = Field(description="Views that no epoch of the sync has taken yet.")
    pending_contents: int = Field(description="The same as total_view_keys.")
    syncing_contents: int = Field(
        description="Contents that the open epoch has taken and not moved yet, on each shard."
    )
    oldest_pending_at: Moment | None = Field(
        description="When the oldest view that is not in the database yet was counted, taken by an epoch or not."
    )
    oldest_pending_seconds: int | None = Field(description="The age of that view.")
    open_epoch: int | None = Field(description="The epoch that is being moved. Null between epochs.")
    open_epoch_phase: Phase | None
    parked_contents: int = Field(description="Contents that the sync moved aside, on each shard.")
    refused_fields: int = Field(
        description="Rows of refusals, by rules, content and hour, that no epoch has moved yet."
    )
    unknown_contents: int = Field(
        description="Pending contents whose ids nobody vouches for, on each shard; a tenth of MaxContentsPerShard may."
    )
    refused_too_many: int = Field(
        description="Views that were refused with `too_many_contents` since the last epoch was opened."
    )
    shards: list[ShardResource]

    @classmethod
    def of(cls, stats: Stats, rules: Rules) -> Self:
        epoch = stats.open_epoch
        return cls(
            max_views_per_session=rules.max_per_session,
            max_daily_views_per_user=rules.max_per_day,
            view_cooldown_minutes=_quotient(rules.cooldown_seconds, SECONDS_PER_MINUTE),
            session_duration_hours=_quotient(rules.session_seconds, SECONDS_PER_HOUR),
            total_view_keys=stats.pending_contents,
            total_session_keys=stats.sessions,
            total_daily_limit_keys=stats.viewers,
            used_memory_bytes=stats.used_memory_bytes,
            pending_views=stats.pending_views,
            pending_contents=stats.pending_contents,
            syncing_contents=stats.syncing_contents,
            oldest_pending_at=stats.oldest_pending_at,
            oldest_pending_seconds=stats.oldest_pending_seconds,
            open_epoch=epoch.epoch if epoch else None,
            open_epoch_phase=epoch.phase if epoch else None,
            parked_contents=stats.parked_contents,
            refused_fields=stats.refused_fields,
            unknown_contents=stats.unknown_contents,
            refused_too_many=stats.refused_too_many,
            shards=[ShardResource.of(number, shard) for number, shard in enumerate(stats.shards)],
        )


def _quotient(seconds: int, unit: int) -> int | float:
    return seconds / unit if seconds % unit else seconds // unit


def _address(text: str) -> str:
    try:
        ip_address(text)
    except ValueError as error:
        raise ValueError("source_ip must be an IPv4 or IPv6 address") from error
    return text


_FORMS = ({"user"}, {"session"}, {"source_ip", "user_agent"}, {"session", "source_ip", "user_agent"})


class AskedViewer(BaseModel):
    """A viewer in one form: `user`, `session`, `source_ip` with `user_agent`, or these with `session`.

    It is neither kept nor logged.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    user: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None, description="The `sub` of the viewer's token.", examples=["ada"]
    )
    session: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None, description="The `session` that tracking returned to the viewer."
    )
    source_ip: Annotated[str, Field(max_length=45), AfterValidator(_address)] | None = Field(
        None,
        description="The viewer's address. With a session too: what the viewer did without it counts as well.",
        examples=["203.0.113.77"],
    )
    user_agent: Annotated[str, Field(max_length=8192)] | None = Field(None, description="The viewer's `User-Agent`.")

    @model_validator(mode="after")
    def _is_of_one_form(self) -> Self:
        if {name for name, value in self if value is not None} not in _FORMS:
            raise ValueError(
                "viewer must be one of user, session, or source_ip with user_agent, which may go with session"
            )
        return self


class AskedView(ContentName):
    """The view to explain."""

    viewer: AskedViewer


class RuleResource(Resource):
    """One rule, its limit, and how much of it this viewer has used."""

    rule: str = Field(examples=["daily_limit"])
    on: bool = Field(validation_alias="is_on")
    unit: Unit | None = Field(description="The unit of `limit` and `used`. Null for a rule without a limit.")
    limit: int | None = Field(
        description="Seconds for `cooldown`, contents of a shard for `too_many_contents`, views for the other rules. "
        "For `too_many_contents`: of unknown contents where the viewer is anonymous or only registered ones count."
    )
    used: int | None = Field(
        description="Views that count towards the limit. For `cooldown`: seconds since the last view, or null. "
        "For `too_many_contents`: such contents that are pending on the viewer's shard. "
        "For `network_limit`: null if the viewer is not anonymous or its address is not given."
    )
    refuses: bool


class ExplanationResource(BaseModel):
    """Whether the view would count now, and why. Nothing was counted."""

    would_count: bool
    reasons: list[str]
    retry_after_seconds: int | None = Field(
        description="Seconds until all rules would let the view pass. Null if it counts, or if waiting does not help."
    )
    rules: list[RuleResource]

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        decision = explanation.decision
        return cls(
            would_count=decision.is_counted,
            reasons=list(decision.reasons),
            retry_after_seconds=decision.retry_after_seconds,
            rules=[RuleResource.model_validate(standing) for standing in explanation.rules],
        )
