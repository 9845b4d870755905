"""SQS: run one step of a boost campaign."""

from functools import cache

from boosts.batches import BoostBatches
from boosts.bootstrap import BoostsSettings as Settings
from boosts.bootstrap import store, wake
from boosts.campaign import Campaign
from sluice import settings
from sluice.clock import SystemClock
from sluice.steps import StepChain
from sluice.worker import handler_of


@cache
def chain() -> StepChain[Campaign]:
    read = settings.read(Settings)
    return StepChain(BoostBatches(store(read), read.limits, read.time_zone), wake(read), SystemClock())


handler = handler_of(chain)
