"""SQS: run one step of an import of existing counts."""

from functools import cache

from sluice import settings
from sluice.clock import SystemClock
from sluice.steps import StepChain
from sluice.worker import handler_of
from views.imports.batches import ImportBatches
from views.imports.bootstrap import ImportSettings as Settings
from views.imports.bootstrap import store, wake
from views.imports.campaign import Import


@cache
def chain() -> StepChain[Import]:
    read = settings.read(Settings)
    return StepChain(ImportBatches(store(read)), wake(read), SystemClock())


handler = handler_of(chain)
