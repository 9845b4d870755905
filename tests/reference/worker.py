"""SQS: run one step of a campaign."""

from functools import cache

from sluice import settings
from sluice.clock import SystemClock
from sluice.steps import StepChain
from sluice.worker import handler_of
from tests.reference.batches import Batches
from tests.reference.bootstrap import ReferenceSettings as Settings
from tests.reference.bootstrap import store, wake
from tests.reference.campaign import Campaign
from tests.reference.sandbox import PARTY


@cache
def chain() -> StepChain[Campaign]:
    read = settings.read(Settings)
    batches = Batches(store(read), PARTY, SystemClock())
    return StepChain(batches, wake(read), SystemClock(), batches.act)


handler = handler_of(chain)
