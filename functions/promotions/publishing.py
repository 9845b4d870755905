"""The steps of a promotion's chain: each begins a call, judges one, or goes on without; and the calls themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from promotions import campaign as promotions
from promotions import settling
from promotions.outside import Outside
from promotions.promotion import CALLS, Change, CloseReason, Promotion, Stage, halt
from promotions.store import PromotionStore
from sluice.campaign import Chained, State
from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.journal import Insufficient
from sluice.outward import CallState, answered, begin, perform, seen

logger = Logger(child=True)

WORKER = "worker"
WORKER_SECONDS = 60
"""The worker's timeout: an invocation that commits an intent now is dead after it. A test compares the template."""
_ATTEMPTS = 20


@dataclass(frozen=True)
class PromotionBatches:
    """Reads a promotion and commits its next step."""

    store: PromotionStore
    outside: Outside
    closing: Callable[[Promotion, datetime], Change]

    def read(self, promotion_id: str, _now: datetime) -> State[Promotion] | None:
        return self.store.read_with(promotion_id)

    def commit(self, state: State[Promotion], committed_by: str, now: datetime) -> Promotion | None:
        change = self._next(state.campaign, now)
        try:
            return _logged(self.store.commit(change.run_by(committed_by), WORKER, now))
        except Insufficient:
            return None  # others moved the money since it was read: look again

    def _next(self, promotion: Promotion, now: datetime) -> Change:
        call, patience = promotion.call, self.outside.patience(promotion)
        if promotion.is_exhausted and promotion.stage is not Stage.RUNNING:
            return halt(promotion, "too many steps", now, call=call)
        if call and call.is_open:
            found = seen(call, self.outside.look(promotion, call), now, patience)
            return promotions.look(promotion, found, now)
        if promotion.stage in CALLS:
            if promotion.must_undo:
                return promotions.back(promotion, now)
            ends = now + timedelta(seconds=WORKER_SECONDS)
            begun = begin(call, str(promotion.stage), self.outside.ref(promotion, now), now, ends, patience)
            return promotions.intend(promotion, begun, now)
        match promotion.stage:
            case Stage.RELEASE:
                return promotions.release(promotion, now, WORKER)
            case Stage.RUNNING:
                return settling.close(promotion, CloseReason.SCHEDULE, now)
            case _:
                return self.closing(promotion, now)


@dataclass(frozen=True)
class Calls:
    """Makes the call whose intent a step committed, and records its outcome."""

    store: PromotionStore
    outside: Outside
    clock: Clock

    def __call__(self, committed: Chained, committed_by: str, now: datetime) -> Promotion | None:
        """The promotion with the outcome recorded; None when no call was begun, or it is settled already.

        The record commits at the promotion's present step: a cancel that was answered meanwhile is obeyed. If it cannot
        be committed, the look finds out what happened.
        """
        if not isinstance(committed, Promotion) or committed.call is None:
            return None
        call = committed.call
        if call.state is not CallState.SENDING:
            return None  # nothing was begun: what a look left unknown is not called again
        patience = self.outside.patience(committed)
        outcome = perform(call, lambda made: self.outside.call(committed, made), now, patience)
        for _ in range(_ATTEMPTS):
            present, now = self.store.get(committed.id), self.clock.now()
            mine = present.call if present else None
            if present is None or mine is None or mine.attempt_id != call.attempt_id:
                logger.info("Not recorded: the call is settled")
                return None
            change = promotions.record(present, answered(mine, outcome, now, patience), now)
            recorded = self.store.commit(change.run_by(committed_by), WORKER, now)
            if recorded is not None:
                return _logged(recorded)
        raise Unavailable("Others kept committing first")


def _logged(promotion: Promotion | None) -> Promotion | None:
    if promotion and promotion.error:
        # An alarm counts these lines: money is held until somebody looks.
        logger.error("Promotion halted", stage=promotion.stage, reason=promotion.error.reason)
    return promotion
