"""A boost campaign: its states, its commands and its batches. Pure: each returns the Change to commit.

pending -> running <-> paused       pending, running, paused -> cancelled
           running -> completed | failed
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from boosts.plan import Pattern, Plan, Position, by_month, month_of
from boosts.usage import BATCH_DELAY_SECONDS, BATCH_SIZE, Limits, Usage, UsageChange, moved
from sluice.clock import next_midnight
from sluice.errors import Conflicting


class Status(StrEnum):
    """S1-35."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


class Action(StrEnum):
    """What the audit log calls it (S1-36, decision 9)."""

    CREATED = "FAKE_VIEWS_CAMPAIGN_CREATED"
    STARTED = "FAKE_VIEWS_CAMPAIGN_STARTED"
    PAUSED = "FAKE_VIEWS_CAMPAIGN_PAUSED"
    RESUMED = "FAKE_VIEWS_CAMPAIGN_RESUMED"
    CANCELLED = "FAKE_VIEWS_CAMPAIGN_CANCELLED"
    COMPLETED = "FAKE_VIEWS_CAMPAIGN_COMPLETED"
    FAILED = "FAKE_VIEWS_CAMPAIGN_FAILED"


class Waiting(StrEnum):
    """Why a running campaign waits."""

    NEXT_BATCH = "next_batch"
    NEXT_DAY = "next_day"
    DAILY_CAP = "daily_cap"
    MONTHLY_CAP = "monthly_cap"


@dataclass(frozen=True)
class Campaign:
    """One campaign. The first fields are those of the source's table (S1-33); counts are views, times are UTC."""

    id: str
    video_id: str
    total_count: int
    duration_days: int
    pattern: Pattern
    daily_limit: int
    created_at: datetime
    updated_at: datetime
    created_by: str
    status: Status = Status.PENDING
    executed_count: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure_reason: str | None = None

    # The step chain's (design section 3).
    step: int = 0
    wake_at: datetime | None = None
    committed_by: str | None = None
    steps_done: int = 0
    max_steps: int = 0
    sweeps: int = 0
    request: str | None = None
    """The last command and the id of its request: a repeat after a lost answer is answered, not refused."""

    # Where it is in its plan.
    plan_day: int = 0
    plan_date: date | None = None
    done_today: int = 0
    batches_done: int = 0
    waiting_for: Waiting | None = None
    promised: Mapping[str, int] = field(default_factory=dict)
    """Views allotted in each month and not yet executed."""

    # Time spent running, without pauses.
    running_since: datetime | None = None
    active_seconds: float = 0.0

    # The head of its audit chain.
    audit_number: int = 0
    audit_hash: str = ""

    @property
    def remaining_count(self) -> int:
        return self.total_count - self.executed_count

    @property
    def is_running(self) -> bool:
        return self.status is Status.RUNNING

    @property
    def plan(self) -> Plan:
        return Plan(self.total_count, self.duration_days, self.daily_limit, self.pattern)

    @property
    def position(self) -> Position:
        return Position(self.plan_day, self.plan_date, self.done_today, self.executed_count)

    def active_seconds_at(self, now: datetime) -> float:
        """Seconds spent running until `now`, without pauses."""
        current = (now - self.running_since).total_seconds() if self.running_since else 0.0
        return self.active_seconds + current

    def ahead(self, now: datetime, zone: ZoneInfo) -> list[tuple[date, int]]:
        """The dates on which it would add views if it ran from `now` on, and how many."""
        start = max(now, self.wake_at or now).astimezone(zone).date()
        return [(day, views) for day, views in self.plan.ahead(self.position, start) if views]


@dataclass(frozen=True)
class Change:
    """What one transaction does: the campaign before and after, and everything that goes with it."""

    before: Campaign | None
    after: Campaign
    action: Action | None = None
    usage: tuple[UsageChange, ...] = ()
    views: int = 0
    """Views that this batch adds to the video."""

    def asked_by(self, request: str) -> "Change":
        """The change, with the command's request remembered on the campaign."""
        return replace(self, after=replace(self.after, request=request))


def create(campaign: Campaign) -> Change:
    """A new campaign comes to be."""
    return Change(None, campaign, Action.CREATED)


def execute(campaign: Campaign, now: datetime, zone: ZoneInfo) -> Change:
    """Start a pending campaign or resume a paused one, promising its views month by month (S1-10).

    Raises Conflicting in any other state.
    """
    if campaign.status not in (Status.PENDING, Status.PAUSED):
        raise Conflicting("Campaign cannot be executed", "campaign_cannot_be_executed")
    # Pausing is no way around the pace: what was not due before the pause is not due after it.
    wake_at = max(now, campaign.wake_at or now)
    running = replace(
        _commanded(campaign, Status.RUNNING, now),
        wake_at=wake_at,
        running_since=now,
        waiting_for=campaign.waiting_for or Waiting.NEXT_BATCH,
    )
    days = running.ahead(now, zone)
    running = replace(running, promised=by_month(iter(days)))
    if campaign.status is Status.PENDING:
        running = replace(running, started_at=now, max_steps=_max_steps(campaign))
    action = Action.STARTED if campaign.status is Status.PENDING else Action.RESUMED
    return Change(campaign, running, action, moved(campaign.promised, running.promised))


def pause(campaign: Campaign, now: datetime) -> Change:
    """Pause a running campaign; it keeps what it was promised (S1-11). Raises Conflicting in any other state."""
    if campaign.status is not Status.RUNNING:
        raise Conflicting("Campaign cannot be paused", "campaign_cannot_be_paused")
    return Change(campaign, _stopped(campaign, Status.PAUSED, now), Action.PAUSED)


def cancel(campaign: Campaign, now: datetime) -> Change:
    """Cancel a campaign that has not ended (S1-12). Raises Conflicting when it has."""
    if campaign.status not in (Status.PENDING, Status.RUNNING, Status.PAUSED):
        raise Conflicting("Campaign cannot be cancelled", "campaign_cannot_be_cancelled")
    return _ending(campaign, _commanded(campaign, Status.CANCELLED, now), Action.CANCELLED, now)


def run_step(
    campaign: Campaign, usage: Usage, limits: Limits, message_id: str, now: datetime, zone: ZoneInfo
) -> Change:
    """One step: a batch of `min(1000, left of the plan day, left of the day, left of the month)`, or none and why.

    `usage` is that of the month of `now`. The campaign is running, and due: so its plan date is not after today.
    """
    today = now.astimezone(zone).date()
    position = campaign.position.on(today)
    stepped = replace(
        campaign,
        step=campaign.step + 1,
        committed_by=message_id,
        steps_done=campaign.steps_done + 1,
        sweeps=0,
        updated_at=now,
        plan_day=position.day,
        plan_date=today,
        done_today=position.done,
    )
    if stepped.steps_done >= campaign.max_steps:
        failed = replace(stepped, status=Status.FAILED, failure_reason=f"not done after {campaign.max_steps} steps")
        return _ending(campaign, failed, Action.FAILED, now)

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
        wake_at=now + timedelta(seconds=BATCH_DELAY_SECONDS) if day_goes_on else next_midnight(now, zone),
        waiting_for=Waiting.NEXT_BATCH if day_goes_on else Waiting.NEXT_DAY,
    )
    if batched.remaining_count:
        return Change(campaign, batched, None, tuple(usage_changes), views)
    ended = _ending(campaign, replace(batched, status=Status.COMPLETED), Action.COMPLETED, now)
    return replace(ended, usage=(*usage_changes, *ended.usage), views=views)


def _movable(promised: Mapping[str, int], usage: Usage, limits: Limits) -> tuple[str, int]:
    """The month from which a promise can be moved into this one, and how much of it: the plan spilled over its end."""
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


def _commanded(campaign: Campaign, status: Status, now: datetime) -> Campaign:
    """A command fences: it bumps `step`, so that no batch computed before it can commit after it."""
    return replace(campaign, status=status, step=campaign.step + 1, committed_by=None, sweeps=0, updated_at=now)


def _stopped(campaign: Campaign, status: Status, now: datetime) -> Campaign:
    return replace(
        _commanded(campaign, status, now),
        active_seconds=campaign.active_seconds_at(now),
        running_since=None,
    )


def _ending(before: Campaign, after: Campaign, action: Action, now: datetime) -> Change:
    """Every ending returns all that is still promised."""
    ended = replace(
        after,
        ended_at=now,
        wake_at=None,
        waiting_for=None,
        promised={},
        active_seconds=before.active_seconds_at(now),
        running_since=None,
    )
    return Change(before, ended, action, moved(after.promised, {}))


def _max_steps(campaign: Campaign) -> int:
    """Twice the planned batches, four a day, and a hundred (design section 3): beyond that, something is wrong."""
    batches = sum(-(-size // BATCH_SIZE) for size in campaign.plan.sizes())
    return 2 * batches + 4 * campaign.duration_days + 100
