"""A boost campaign: its states, its commands and its steps. Pure: each returns the Change to commit.

pending | scheduled -> running <-> paused       pending, scheduled, running, paused -> cancelled
                       running -> completed | failed
cancelled, completed, failed -> reverting -> reverted
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from boosts.plan import Pattern, Plan, Position, by_month, month_of, shares
from boosts.usage import BATCH_DELAY_SECONDS, BATCH_SIZE, Limits, Usage, UsageChange, moved
from sluice import campaign as engine
from sluice.campaign import Chained, max_steps
from sluice.clock import next_midnight
from sluice.errors import Conflicting

PREFIX = "bst"
"""The prefix of a campaign's id."""


class Status(StrEnum):
    """The statuses of S1-35, and three for scheduling and reverting."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"
    REVERTING = "reverting"
    REVERTED = "reverted"


LIVE = frozenset({Status.SCHEDULED, Status.RUNNING, Status.REVERTING})
ENDED = frozenset({Status.CANCELLED, Status.COMPLETED, Status.FAILED})


class Action(StrEnum):
    """The actions in the audit log (S1-36, decision 9)."""

    CREATED = "FAKE_VIEWS_CAMPAIGN_CREATED"
    STARTED = "FAKE_VIEWS_CAMPAIGN_STARTED"
    PAUSED = "FAKE_VIEWS_CAMPAIGN_PAUSED"
    RESUMED = "FAKE_VIEWS_CAMPAIGN_RESUMED"
    CANCELLED = "FAKE_VIEWS_CAMPAIGN_CANCELLED"
    COMPLETED = "FAKE_VIEWS_CAMPAIGN_COMPLETED"
    FAILED = "FAKE_VIEWS_CAMPAIGN_FAILED"
    REVERT_STARTED = "FAKE_VIEWS_CAMPAIGN_REVERT_STARTED"
    REVERTED = "FAKE_VIEWS_CAMPAIGN_REVERTED"


class Waiting(StrEnum):
    """What a live campaign waits for."""

    START = "start"
    NEXT_BATCH = "next_batch"
    NEXT_DAY = "next_day"
    DAILY_CAP = "daily_cap"
    MONTHLY_CAP = "monthly_cap"
    STOP = "stop"
    """The platform is stopped. Never stored: it is the platform's state, not the campaign's."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a campaign is asked to do (S1-7)."""

    video_ids: tuple[str, ...]
    total_count: int
    duration_days: int
    pattern: Pattern
    daily_limit: int
    scheduled_for: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Campaign(Terms, Chained):
    """One campaign, with the fields of the source's table (S1-33). Counts are views, times are UTC."""

    status: Status = Status.PENDING
    executed_count: int = 0
    reverted_count: int = 0
    """How many of the executed views were taken back."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure_reason: str | None = None
    revert_reason: str | None = None

    # Where it is in its plan.
    plan_day: int = 0
    plan_date: dt.date | None = None
    done_today: int = 0
    batches_done: int = 0
    waiting_for: Waiting | None = None
    promised: Mapping[str, int] = field(default_factory=dict)
    """Views allotted in each month and not yet executed."""

    # Time spent running, without pauses.
    running_since: datetime | None = None
    active_seconds: float = 0.0

    @property
    def remaining_count(self) -> int:
        return self.total_count - self.executed_count

    @property
    def standing_count(self) -> int:
        """Views that are in the videos' counters."""
        return self.executed_count - self.reverted_count

    @property
    def is_live(self) -> bool:
        """Whether it has a next step."""
        return self.status in LIVE

    @property
    def is_running(self) -> bool:
        return self.status is Status.RUNNING

    @property
    def plan(self) -> Plan:
        return Plan(self.total_count, self.duration_days, self.daily_limit, self.pattern)

    @property
    def position(self) -> Position:
        return Position(self.plan_day, self.plan_date, self.done_today, self.executed_count)

    def standing_by_video(self) -> dict[str, int]:
        """The standing views of each video: equal shares, and the remainder one by one for the first videos."""
        return dict(zip(self.video_ids, shares(len(self.video_ids), self.standing_count), strict=True))

    def active_seconds_at(self, now: datetime) -> float:
        """Seconds spent running until `now`, without pauses."""
        current = (now - self.running_since).total_seconds() if self.running_since else 0.0
        return self.active_seconds + current

    def ahead(self, now: datetime, zone: ZoneInfo) -> list[tuple[dt.date, int]]:
        """The dates on which it would add views if it ran from `now` on, and how many."""
        start = max(now, self.wake_at or now).astimezone(zone).date()
        return [(day, views) for day, views in self.plan.ahead(self.position, start) if views]


@dataclass(frozen=True)
class Change(engine.Change[Campaign]):
    """A change of a campaign, and its additions to the use of the months. A batch moves the videos' counters."""

    usage: tuple[UsageChange, ...] = ()

    def views_by_video(self) -> dict[str, int]:
        """What the batch adds to each video's counter, or takes from it."""
        before = self.before.standing_by_video() if self.before else {}
        moves = {video: views - before.get(video, 0) for video, views in self.after.standing_by_video().items()}
        return {video: views for video, views in moves.items() if views}


@dataclass(frozen=True)
class BatchRow:
    """The row of a batch: the evidence for its views. Views below 0 were taken back."""

    step: int
    views: int
    views_by_video: Mapping[str, int]
    plan_day: int
    committed_at: datetime


@dataclass(frozen=True)
class RowPlace:
    """A place in the list of a campaign's rows: after the row of `step`."""

    step: int


# --- Commands


def create(campaign: Campaign) -> Change:
    """Create a campaign. A campaign with a time to start is scheduled (S1-57)."""
    if campaign.scheduled_for:
        start = {"wake_at": campaign.scheduled_for, "waiting_for": Waiting.START}
        campaign = replace(campaign, status=Status.SCHEDULED, **start)  # type: ignore[arg-type]
    return Change(None, campaign, Action.CREATED)


def execute(campaign: Campaign, now: datetime, zone: ZoneInfo) -> Change:
    """Start a campaign or resume a paused one, promising its views month by month (S1-10).

    Raises Conflicting in any other state.
    """
    if campaign.status not in (Status.PENDING, Status.SCHEDULED, Status.PAUSED):
        raise Conflicting("Campaign cannot be executed", "campaign_cannot_be_executed")
    resumed = campaign.status is Status.PAUSED
    running = replace(_commanded(campaign, Status.RUNNING, now), wake_at=now, running_since=now)
    if resumed:
        # A pause must not speed the campaign up: a batch that was not due before it is not due after it.
        running = replace(running, wake_at=max(now, campaign.wake_at or now))
    else:
        running = replace(
            running, started_at=now, waiting_for=Waiting.NEXT_BATCH, max_steps=_max_steps(campaign.plan.sizes())
        )
    running = replace(running, promised=by_month(iter(running.ahead(now, zone))))
    action = Action.RESUMED if resumed else Action.STARTED
    return Change(campaign, running, action, usage=moved(campaign.promised, running.promised))


def pause(campaign: Campaign, now: datetime) -> Change:
    """Pause a running campaign; it keeps its promised views (S1-11). Raises Conflicting in any other state."""
    if campaign.status is not Status.RUNNING:
        raise Conflicting("Campaign cannot be paused", "campaign_cannot_be_paused")
    return Change(campaign, _commanded(_not_active(campaign, now), Status.PAUSED, now), Action.PAUSED)


def cancel(campaign: Campaign, now: datetime) -> Change:
    """Cancel a campaign that has not ended (S1-12). Raises Conflicting in any other state."""
    if campaign.status not in (Status.PENDING, Status.SCHEDULED, Status.RUNNING, Status.PAUSED):
        raise Conflicting("Campaign cannot be cancelled", "campaign_cannot_be_cancelled")
    return _ending(campaign, _commanded(campaign, Status.CANCELLED, now), Action.CANCELLED, now)


def revert(campaign: Campaign, reason: str, now: datetime) -> Change:
    """Begin to take an ended campaign's views back.

    Raises Conflicting while the campaign can still add views, and when it has none to take back.
    """
    if campaign.status not in ENDED or not campaign.standing_count:
        raise Conflicting("Campaign cannot be reverted", "campaign_cannot_be_reverted")
    reverting = replace(
        _commanded(campaign, Status.REVERTING, now),
        revert_reason=reason,
        wake_at=now,
        waiting_for=Waiting.NEXT_BATCH,
        steps_done=0,
        max_steps=_max_steps((campaign.standing_count,)),
    )
    return Change(campaign, reverting, Action.REVERT_STARTED)


# --- Steps


def run_step(campaign: Campaign, usage: Usage, limits: Limits, now: datetime, zone: ZoneInfo) -> Change:
    """Run one due step of a running or a reverting campaign. `usage` is the use of the month of `now`."""
    stepped = campaign.stepped(now)
    if campaign.is_exhausted:
        return fail(campaign, stepped, f"not done after {campaign.max_steps} steps", now)
    if campaign.status is Status.REVERTING:
        return _take_back(campaign, stepped, now, zone)
    return _add(campaign, stepped, usage, limits, now, zone)


def fail(campaign: Campaign, stepped: Campaign | None, reason: str, now: datetime) -> Change:
    """End a campaign that cannot go on."""
    failed = stepped or campaign.commanded(now)
    failed = replace(failed, status=Status.FAILED, failure_reason=reason)
    return _ending(campaign, failed, Action.FAILED, now)


def _add(campaign: Campaign, stepped: Campaign, usage: Usage, limits: Limits, now: datetime, zone: ZoneInfo) -> Change:
    """Add a batch of `min(1000, room in the plan day, in the day, in the month)`, or say what it waits for.

    The plan date is never after today: the step was not due before it.
    """
    today = now.astimezone(zone).date()
    position = campaign.position.on(today)
    stepped = replace(stepped, plan_day=position.day, plan_date=today, done_today=position.done)
    room_in_plan = campaign.plan.room_on(position.day, position.executed, position.done)
    room_in_day = limits.max_per_day - usage.days.get(today.day, 0)
    source, movable = _movable(campaign.promised, usage, limits)
    held = campaign.promised.get(usage.month, 0)
    room_in_month = min(held + movable, limits.global_monthly_cap - usage.executed)
    views = max(0, min(BATCH_SIZE, room_in_plan, room_in_day, room_in_month))
    if not views:
        return Change(campaign, _waiting(stepped, room_in_plan, room_in_day, now, zone))

    missing = max(0, views - held)
    usage_changes = [UsageChange(usage.month, allotted=missing, executed=views, day=today.day)]
    promised = {**campaign.promised, usage.month: held + missing - views}
    if missing:
        usage_changes.append(UsageChange(source, allotted=-missing))
        promised[source] -= missing
    day_goes_on = views < room_in_plan
    batched = replace(
        stepped,
        executed_count=campaign.executed_count + views,
        done_today=position.done + views,
        batches_done=campaign.batches_done + 1,
        promised={month: left for month, left in promised.items() if left},
        wake_at=_next_batch(now) if day_goes_on else next_midnight(now, zone),
        waiting_for=Waiting.NEXT_BATCH if day_goes_on else Waiting.NEXT_DAY,
    )
    if batched.remaining_count:
        return Change(campaign, batched, usage=tuple(usage_changes), is_batch=True)
    ended = _ending(campaign, replace(batched, status=Status.COMPLETED), Action.COMPLETED, now)
    return replace(ended, usage=(*usage_changes, *ended.usage), is_batch=True)


def _take_back(campaign: Campaign, stepped: Campaign, now: datetime, zone: ZoneInfo) -> Change:
    """Take views back. The caps get nothing back, because they limit what was executed; the day has them apart."""
    views = min(BATCH_SIZE, campaign.standing_count)
    taken = replace(stepped, reverted_count=campaign.reverted_count + views, wake_at=_next_batch(now))
    today = now.astimezone(zone).date()
    usage = (UsageChange(month_of(today), taken_back=views, day=today.day),)
    if taken.standing_count:
        return Change(campaign, taken, usage=usage, is_batch=True)
    done = replace(taken, status=Status.REVERTED, wake_at=None, waiting_for=None)
    return Change(campaign, done, Action.REVERTED, usage=usage, is_batch=True)


def _movable(promised: Mapping[str, int], usage: Usage, limits: Limits) -> tuple[str, int]:
    """The month whose promise can move into this one, and how many views: the plan spilled over a month's end."""
    others = sorted(month for month, views in promised.items() if views and month != usage.month)
    if not others:
        return "", 0
    return others[0], max(0, min(promised[others[0]], limits.global_monthly_cap - usage.allotted))


def _waiting(stepped: Campaign, room_in_plan: int, room_in_day: int, now: datetime, zone: ZoneInfo) -> Campaign:
    midnight = next_midnight(now, zone)
    if room_in_plan <= 0:
        return replace(stepped, wake_at=midnight, waiting_for=Waiting.NEXT_DAY)
    if room_in_day <= 0:
        return replace(stepped, wake_at=midnight, waiting_for=Waiting.DAILY_CAP)
    month = month_of(now.astimezone(zone).date())
    while month_of(midnight.astimezone(zone).date()) == month:
        midnight = next_midnight(midnight, zone)
    return replace(stepped, wake_at=midnight, waiting_for=Waiting.MONTHLY_CAP)


def _next_batch(now: datetime) -> datetime:
    return now + timedelta(seconds=BATCH_DELAY_SECONDS)


def _commanded(campaign: Campaign, status: Status, now: datetime) -> Campaign:
    return replace(campaign.commanded(now), status=status)


def _not_active(campaign: Campaign, now: datetime) -> Campaign:
    return replace(campaign, active_seconds=campaign.active_seconds_at(now), running_since=None)


def _ending(before: Campaign, after: Campaign, action: Action, now: datetime) -> Change:
    """End the campaign, and return all views that are still promised."""
    ended = replace(_not_active(after, now), ended_at=now, wake_at=None, waiting_for=None, promised={})
    return Change(before, ended, action, usage=moved(after.promised, {}))


def _max_steps(sizes: tuple[int, ...]) -> int:
    return max_steps(sum(-(-size // BATCH_SIZE) for size in sizes), len(sizes))
