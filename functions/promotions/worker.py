"""SQS: run one step of a promotion, make the call that it begins, and wake the next."""

from promotions import bootstrap
from promotions.bootstrap import StepSettings as Settings
from promotions.closing import Closing
from promotions.promotion import Promotion
from promotions.publishing import Calls, PromotionBatches
from sluice import settings
from sluice.clock import SystemClock
from sluice.steps import StepChain
from sluice.worker import handler_of


def _chain(read: Settings) -> StepChain[Promotion]:
    promotions, outside, clock = bootstrap.store(read), bootstrap.outside(read), SystemClock()
    batches = PromotionBatches(promotions, outside, Closing(outside, clock))
    return StepChain(batches, bootstrap.wake(read), clock, Calls(promotions, outside, clock))


chain = settings.once(Settings, _chain)
handler = handler_of(chain)
