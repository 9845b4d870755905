"""What the admin API takes and gives, in the sources' field names."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    ValidationInfo,
    field_validator,
)

from boosts.campaign import Campaign, Status, Terms, Waiting
from boosts.plan import Pattern
from boosts.usage import BATCH_DELAY_SECONDS, BATCH_SIZE, Today
from sluice import http
from sluice.clock import day_start
from sluice.http import Moment
from sluice.schemas import Page, Resource

_VIDEO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}")


def _own_video(video_id: str) -> str:
    if "/" in video_id or video_id.lower().startswith("www."):
        raise ValueError(
            "External URLs are refused: a boost adjusts your own counters. Send the id of one of your videos"
        )
    if not _VIDEO_ID.fullmatch(video_id):
        raise ValueError("video_id must be 1 to 128 letters, digits or . _ : ~ -, and begin with a letter or digit")
    return video_id


VideoId = Annotated[str, AfterValidator(_own_video)]


class NewCampaign(BaseModel):
    """The body of a create (S1-7)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    video_id: VideoId | None = Field(None, description="The id of one of your own videos.", examples=["abc123"])
    total_count: StrictInt = Field(ge=1, description="The total number of views to add.", examples=[15000])
    duration_days: StrictInt = Field(
        ge=1, le=365, description="The number of days to spread the views over.", examples=[30]
    )
    pattern: Annotated[Pattern, Field(strict=False, description="How the views are distributed over the days.")]
    daily_limit: StrictInt = Field(ge=1, description="The maximum number of views on any day.", examples=[500])
    scheduled_for: Annotated[AwareDatetime | None, Field(strict=False)] = Field(
        None,
        description="When the campaign starts by itself, up to a year ahead. Without it, it waits for `execute`.",
    )
    video_ids: Annotated[list[VideoId] | None, Field(min_length=1, max_length=20)] = Field(
        None, description="Several videos that share every batch, instead of `video_id`.", validate_default=True
    )

    @field_validator("video_ids")
    @classmethod
    def _of_one_kind(cls, video_ids: list[str] | None, others: ValidationInfo) -> list[str] | None:
        if "video_id" in others.data and (others.data["video_id"] is None) == (video_ids is None):
            raise ValueError("Give either video_id or video_ids")
        if video_ids and len(set(video_ids)) < len(video_ids):
            raise ValueError("video_ids contains a video twice")
        return video_ids

    @field_validator("scheduled_for")
    @classmethod
    def _in_utc(cls, scheduled_for: datetime | None) -> datetime | None:
        try:
            return scheduled_for.astimezone(UTC) if scheduled_for else None
        except OverflowError as error:  # the last hours of year 9999, in a zone behind UTC
            raise ValueError("scheduled_for must be in the future, and within a year") from error

    def terms(self) -> Terms:
        """The terms of the campaign."""
        of_videos = (self.video_id,) if self.video_id else tuple(self.video_ids or ())
        return Terms(video_ids=of_videos, **self.model_dump(exclude={"video_id", "video_ids"}))


class Progress(BaseModel):
    """The progress of a campaign."""

    percent: float = Field(description="Executed views in percent of the total, 0 to 100.")
    batches_done: int
    views_per_second: float | None = Field(
        description="Executed views per second of running time. Null if the campaign has not run."
    )
    next_batch_at: Moment | None = Field(description="When the next batch is due; null when nothing is due.")
    waiting_for: Waiting | None = Field(description="What the campaign waits for; null when nothing is due.")
    expected_end_at: Moment | None = Field(
        description="The expected end, if no cap delays the campaign. Null unless it is running."
    )


class CampaignResource(BaseModel):
    """A campaign (S1-33): executed_count + remaining_count = total_count, always (S1-34)."""

    id: str
    video_id: str | None = Field(description="Null for a campaign of several videos.")
    video_ids: list[str]
    total_count: int
    executed_count: int
    remaining_count: int
    reverted_count: int = Field(description="How many of the executed views were taken back.")
    duration_days: int
    pattern: Pattern
    daily_limit: int
    status: Status
    scheduled_for: Moment | None
    started_at: Moment | None
    ended_at: Moment | None
    created_at: Moment
    updated_at: Moment
    created_by: str
    failure_reason: str | None
    revert_reason: str | None
    progress: Progress

    @classmethod
    def of(cls, campaign: Campaign, now: datetime, zone: ZoneInfo, *, is_stopped: bool) -> "CampaignResource":
        """The campaign as shown at `now`. `is_stopped`: whether the platform is stopped."""
        names = cls.model_fields.keys() - {"progress", "video_id", "video_ids"}
        values = {name: getattr(campaign, name) for name in names}
        return cls(
            **values,
            video_id=campaign.video_ids[0] if len(campaign.video_ids) == 1 else None,
            video_ids=list(campaign.video_ids),
            progress=_progress(campaign, now, zone, is_stopped=is_stopped),
        )


class CampaignPage(Page[CampaignResource]):
    """Campaigns, newest first."""


class SimulatedDay(Resource):
    """One date of a simulation."""

    date: date
    plan_day: int
    wished: int = Field(description="The size of the day by the pattern.")
    clipped: int = Field(description="How many of these views the daily limit moves to another day.")
    spilled_in: int = Field(description="Views that are moved here from another day.")
    planned: int
    views: int = Field(description="Views that the steps would add on this date (a revert: take back).")
    batches: int
    waiting_for: Waiting | None


class SimulatedMonth(Resource):
    """One month, its cap and its present use."""

    month: str
    needed: int
    left: int
    fits: bool


class SimulationResource(Resource):
    """A simulation by the worker's own steps. Future batches of other campaigns are not included."""

    starts_at: Moment
    ends_at: Moment
    status: Status = Field(description="The final status.")
    steps: int
    batches: int
    cost_usd: float = Field(description="At list price, without free tiers.")
    days: list[SimulatedDay]
    months: list[SimulatedMonth] = Field(
        description="The months of the campaign. `execute` is refused if one of them has no room."
    )


class PlanDayResource(Resource):
    """One date of a campaign."""

    date: date
    plan_day: int
    planned: int = Field(description="The size of the plan day. 0 after the end of the plan.")
    done: int
    expected: int = Field(description="Views that are still expected on this date, if no cap delays the campaign.")


class PlanResource(BaseModel):
    """A campaign day by day."""

    campaign_id: str
    days: list[PlanDayResource]


class NewRevert(BaseModel):
    """The body of a revert."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: http.Reason = Field(description="The reason, for the audit trail.")
    simulate: bool = Field(False, description="Return a simulation, and change nothing.")


class LimitsResource(BaseModel):
    """The caps and their use. The first three fields are the source's (S1-13)."""

    max_per_day: int
    global_monthly_cap: int
    current_month_total: int = Field(description="Views executed this month, by date of execution.")
    current_month_reserved: int = Field(
        description="Views that are promised to campaigns this month and not yet executed."
    )
    remaining: int = Field(description="Views that new campaigns can still get this month.")
    today_total: int = Field(description="Views executed today.")
    today_remaining: int
    time_zone: str = Field(description="The platform's time zone (TimeZone), in which days and months begin and end.")

    @classmethod
    def of(cls, today: Today, zone: ZoneInfo) -> "LimitsResource":
        return cls(
            max_per_day=today.limits.max_per_day,
            global_monthly_cap=today.limits.global_monthly_cap,
            current_month_total=today.usage.executed,
            current_month_reserved=today.usage.reserved,
            remaining=today.usage.left(today.limits),
            today_total=today.today_total,
            today_remaining=max(0, today.limits.max_per_day - today.today_total),
            time_zone=zone.key,
        )


def _progress(campaign: Campaign, now: datetime, zone: ZoneInfo, *, is_stopped: bool) -> Progress:
    active_seconds = campaign.active_seconds_at(now)
    waiting_for = Waiting.STOP if is_stopped else campaign.waiting_for
    return Progress(
        percent=round(100 * campaign.executed_count / campaign.total_count, 2),
        batches_done=campaign.batches_done,
        views_per_second=round(campaign.executed_count / active_seconds, 3) if active_seconds > 0 else None,
        next_batch_at=campaign.wake_at if campaign.is_live else None,
        waiting_for=waiting_for if campaign.is_live else None,
        expected_end_at=_expected_end(campaign, now, zone) if campaign.is_running else None,
    )


def _expected_end(campaign: Campaign, now: datetime, zone: ZoneInfo) -> datetime:
    days = campaign.ahead(now, zone)
    last_day, views = days[-1]
    begin = max(now, campaign.wake_at or now)
    if len(days) > 1 or begin.astimezone(zone).date() != last_day:
        begin = day_start(last_day, zone)
    batches = -(-views // BATCH_SIZE)
    return begin + timedelta(seconds=(batches - 1) * BATCH_DELAY_SECONDS)
