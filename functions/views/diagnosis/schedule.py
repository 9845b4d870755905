"""Schedule: log the state of tracking and the sync, in a line that alarms read."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import settings
from sluice.log import logger
from views.diagnosis import bootstrap
from views.diagnosis.bootstrap import StatsSettings as Settings
from views.diagnosis.stats import Stats

stats_reader = settings.once(Settings, bootstrap.stats_reader)


def gauges(stats: Stats) -> dict[str, int]:
    """The numbers to log, without numbers that Redis does not report."""
    opened_at = stats.open_epoch.opened_at if stats.open_epoch else stats.at
    found = {
        "oldest_pending_seconds": stats.oldest_pending_seconds or 0,
        "pending_views": stats.pending_views,
        "pending_contents": stats.pending_contents,
        "parked_contents": stats.parked_contents,
        "refused_too_many": stats.refused_too_many,
        "open_epoch_seconds": int((stats.at - opened_at).total_seconds()),
        "redis_used_memory_bytes": stats.used_memory_bytes,
    }
    return {name: value for name, value in found.items() if value is not None}


@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, object], _context: LambdaContext) -> dict[str, int]:
    found = gauges(stats_reader().read())
    logger.info("Views gauges", extra=found)
    return found
