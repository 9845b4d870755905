"""SQS: run one step of a delivery, make the attempt that it claims, and wake the next."""

from hooks import bootstrap
from hooks.batches import DeliveryBatches, Sending
from hooks.bootstrap import SendingSettings as Settings
from hooks.campaign import Delivery
from hooks.wire import Wire
from sluice import settings
from sluice.clock import SystemClock
from sluice.steps import StepChain
from sluice.worker import handler_of


def _chain(read: Settings) -> StepChain[Delivery]:
    store, clock = bootstrap.store(read), SystemClock()
    masters = bootstrap.masters(read, clock)
    sending = Sending(store, masters, Wire(read.private_ranges, clock), clock)
    return StepChain(DeliveryBatches(store, masters), bootstrap.wake(read), clock, sending)


chain = settings.once(Settings, _chain)
handler = handler_of(chain)
