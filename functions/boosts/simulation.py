"""What a campaign would do: a simulation runs the worker's own steps on a simulated clock. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from boosts.campaign import Campaign, Change, Status, Waiting, execute, run_step
from boosts.plan import month_of
from boosts.usage import Limits, Usage, UsageChange
from sluice import prices

# What is written, in write units (a transaction's count double). A step: the campaign (2) with its sweep index (2). A
# batch, also of a revert: usage, row, the platform's check (6). Each video of a batch: its total and its day (4).
STEP_WRITES, BATCH_WRITES, VIDEO_WRITES = 4, 6, 4


@dataclass(frozen=True)
class SimulationDay:
    """One date. `views` is what the steps would add, or take back.

    `wished` is the size of its plan day by the pattern alone; `planned` is its size after the daily limit has moved
    views between days.
    """

    date: dt.date
    plan_day: int
    wished: int
    planned: int
    views: int
    batches: int
    waiting_for: Waiting | None

    @property
    def clipped(self) -> int:
        """Views that the pattern wants on this day and the daily limit moves to another."""
        return max(0, self.wished - self.planned)

    @property
    def spilled_in(self) -> int:
        """Views that the daily limit moves to this day from another."""
        return max(0, self.planned - self.wished)


@dataclass(frozen=True)
class Month:
    """One month: the views that the campaign needs of it, and the views that its cap leaves at present."""

    month: str
    needed: int
    left: int

    @property
    def fits(self) -> bool:
        return self.needed <= self.left


@dataclass(frozen=True)
class Simulation:
    """What would happen from `starts_at` on. `cost_usd` is at list price, without free tiers."""

    starts_at: datetime
    ends_at: datetime
    status: Status
    steps: int
    batches: int
    cost_usd: float
    days: tuple[SimulationDay, ...]
    months: tuple[Month, ...]


def months_ahead(campaign: Campaign, now: datetime, zone: ZoneInfo) -> list[str]:
    """The months whose use a simulation needs: the months of the plan, and two more for views that spill."""
    start = max(now, campaign.scheduled_for or now).astimezone(zone).date()
    end = start + dt.timedelta(days=campaign.duration_days + 62)
    return sorted({month_of(dt.date.fromordinal(day)) for day in range(start.toordinal(), end.toordinal())})


def simulate(
    campaign: Campaign, usages: Mapping[str, Usage], limits: Limits, now: datetime, zone: ZoneInfo
) -> Simulation:
    """Run a campaign to its end. A campaign that waits for a command is executed first.

    `usages` is the present use of the months: future batches of other campaigns are not included.
    """
    book = dict(usages)

    def used(month: str) -> Usage:
        return book.get(month, Usage(month))

    def apply(change: Change) -> Campaign:
        for each in change.usage:
            book[each.month] = _used(used(each.month), each)
        return change.after

    if campaign.status in (Status.PENDING, Status.SCHEDULED, Status.PAUSED):
        begin = max(now, campaign.scheduled_for or now) if campaign.status is Status.SCHEDULED else now
        change = execute(campaign, begin, zone)
        needs = {usage.month: usage.allotted for usage in change.usage if usage.allotted > 0}
        months = tuple(Month(month, views, used(month).left(limits)) for month, views in needs.items())
        campaign = apply(change)
    else:
        months = ()
    starts_at = moment = max(now, campaign.wake_at or now)
    days: dict[dt.date, SimulationDay] = {}
    steps = batches = moves = 0
    while campaign.is_live:
        moment = max(moment, campaign.wake_at or moment)
        today = moment.astimezone(zone).date()
        change = run_step(campaign, used(month_of(today)), limits, moment, zone)
        steps += 1
        batches += change.is_batch
        moves += len(change.views_by_video())
        campaign = apply(change)
        days[today] = _worked(days.get(today), today, campaign, change)
    writes = batches * BATCH_WRITES + moves * VIDEO_WRITES
    cost = (steps * step_usd(STEP_WRITES) + writes * prices.WRITES.usd) / 1_000_000
    return Simulation(starts_at, moment, campaign.status, steps, batches, round(cost, 6), tuple(days.values()), months)


def step_usd(write_units: float) -> float:
    """List price of a million steps that each write so much: three small items read; a message sent, received and
    deleted; 60 ms of 256 MB; half a kilobyte of log.
    """
    return (
        write_units * prices.WRITES.usd
        + 3 * prices.READS.usd
        + 3 * prices.QUEUE_REQUESTS.usd
        + prices.LAMBDA_REQUESTS.usd
        + 0.25 * 0.06 * prices.LAMBDA_TIME.usd
        + 0.5 * prices.LOGS.usd
    )


def _worked(day: SimulationDay | None, today: dt.date, campaign: Campaign, change: Change) -> SimulationDay:
    views = abs(sum(change.views_by_video().values()))
    if day is None:
        plan, number = campaign.plan, campaign.plan_day - 1
        in_plan = number < campaign.duration_days and not campaign.reverted_count
        wished, planned = (plan.wishes()[number], plan.sizes()[number]) if in_plan else (0, 0)
        day = SimulationDay(today, campaign.plan_day, wished, planned, 0, 0, None)
    waiting_for = campaign.waiting_for if campaign.waiting_for is not Waiting.NEXT_BATCH else None
    return replace(day, views=day.views + views, batches=day.batches + change.is_batch, waiting_for=waiting_for)


def _used(usage: Usage, change: UsageChange) -> Usage:
    days = {**usage.days, change.day: usage.days.get(change.day, 0) + change.executed}
    return Usage(usage.month, usage.allotted + change.allotted, usage.executed + change.executed, days)
