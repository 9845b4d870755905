"""What a step of a boost campaign does: the context's part in the step chain."""

from datetime import datetime
from zoneinfo import ZoneInfo

from aws_lambda_powertools import Logger

from boosts.campaign import Campaign, Status, run_step
from boosts.plan import month_of
from boosts.store import State, Store
from boosts.usage import Limits

logger = Logger(child=True)

_ACTOR = "worker"


class BoostBatches:
    """Reads what a batch needs, computes it with pure code, and commits it in one transaction (S1-20 to S1-25)."""

    def __init__(self, store: Store, limits: Limits, zone: ZoneInfo) -> None:
        self._store = store
        self._limits = limits
        self._zone = zone

    def read(self, campaign_id: str, now: datetime) -> State | None:
        """The campaign, and the use of the month of `now`."""
        return self._store.read(campaign_id, month_of(now.astimezone(self._zone).date()))

    def commit(self, state: State, message_id: str, now: datetime) -> Campaign | None:
        """One batch, or a step without effect when nothing may be done now; None when a condition failed."""
        change = run_step(state.campaign, state.usage, self._limits, message_id, now, self._zone)
        after = self._store.commit(change, _ACTOR, now)
        if after and after.status is Status.FAILED:
            logger.error("Campaign failed", reason=after.failure_reason)  # an alarm counts these lines
        return after
