"""Schedule: read the metrics that are due, every minute."""

from dataclasses import asdict

from aws_lambda_powertools.utilities.typing import LambdaContext

from promotions.bootstrap import ChainSettings as Settings
from promotions.bootstrap import networks, store_without_money, wake
from promotions.commands import Closer
from promotions.tracking.tracker import Tracker
from sluice import settings
from sluice.clock import SystemClock
from sluice.log import logger


def _tracker(read: Settings) -> Tracker:
    clock = SystemClock()
    closer = Closer(store_without_money(read), wake(read), clock)
    return Tracker(networks(read), closer.by_trigger, clock)


tracker = settings.once(Settings, _tracker)


@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, object], _context: LambdaContext) -> dict[str, int]:
    report = asdict(tracker().run())
    logger.info("Tracked", **report)
    return report
