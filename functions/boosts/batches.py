"""What a step of a boost campaign does: the context's part in the step chain."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from aws_lambda_powertools import Logger

from boosts.campaign import Campaign, Change, Status, execute, fail, run_step
from boosts.plan import month_of
from boosts.store import Store
from boosts.usage import Limits, Usage
from sluice.campaign import State

logger = Logger(child=True)

_WORKER = "worker"
_SCHEDULE = "schedule"


@dataclass(frozen=True)
class BoostBatches:
    """Reads what a batch needs, computes it with pure code, and commits it in one transaction (S1-20 to S1-25)."""

    store: Store
    limits: Limits
    zone: ZoneInfo

    def read(self, campaign_id: str, now: datetime) -> State[Campaign] | None:
        """The campaign, and the use of the month of `now`."""
        return self.store.read(campaign_id, self._month_of(now))

    def commit(self, state: State[Campaign], committed_by: str, now: datetime) -> Campaign | None:
        """Run one step: start a scheduled campaign, add a batch, or wait. None when a condition failed."""
        usage = self.store.usage_in(state, self._month_of(now))
        if state.campaign.status is Status.SCHEDULED:
            change, actor = self._start(state.campaign, now), _SCHEDULE
        else:
            change, actor = run_step(state.campaign, usage, self.limits, now, self.zone), _WORKER
        after = self.store.commit(change.run_by(committed_by), actor, now)
        if after and change.is_batch:
            # An alarm reads month_percent from these lines.
            percent = self._month_percent(usage, change)
            logger.info("Batch committed", views=sum(change.views_by_video().values()), month_percent=percent)
        if after and after.status is Status.FAILED:
            logger.error("Campaign failed", reason=after.failure_reason)  # an alarm counts these lines
        return after

    def _month_of(self, now: datetime) -> str:
        return month_of(now.astimezone(self.zone).date())

    def _month_percent(self, usage: Usage, change: Change) -> float:
        """How much of the monthly cap is executed, by the usage as read: other campaigns may have added to it since."""
        executed = usage.executed + sum(each.executed for each in change.usage)
        return 100 * executed / self.limits.global_monthly_cap

    def _start(self, campaign: Campaign, now: datetime) -> Change:
        change = execute(campaign, now, self.zone)
        problem = self.store.lacking(change)
        return fail(campaign, None, problem, now) if problem else change
