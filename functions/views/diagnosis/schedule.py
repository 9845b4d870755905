"""Schedule: log how tracking and the sync stand; alarms are made of that line."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import settings
from sluice.clock import SystemClock
from views import bootstrap
from views.bootstrap import READ_REDIS_SECONDS, ViewsSettings
from views.diagnosis.stats import Stats, StatsReader
from views.rules import Calendar
from views.shards.store import RedisShards

logger = Logger()


@dataclass(frozen=True)
class Settings(ViewsSettings):
    """What the function reads from the environment."""

    time_zone: ZoneInfo


@cache
def configured() -> Settings:
    return settings.read(Settings)


@cache
def shards() -> RedisShards:
    return bootstrap.redis_shards(configured(), READ_REDIS_SECONDS)


@cache
def stats_reader() -> StatsReader:
    read = configured()
    control = bootstrap.store(read).control
    return StatsReader(shards, control, SystemClock(), Calendar(read.time_zone), shard_count=read.view_shards)


def gauges(stats: Stats) -> dict[str, int]:
    """What is logged, without what Redis does not tell."""
    opened_at = stats.open_epoch.opened_at if stats.open_epoch else stats.at
    found = {
        "oldest_pending_seconds": stats.oldest_pending_seconds or 0,
        "pending_views": stats.pending_views,
        "pending_contents": stats.pending_contents,
        "parked_contents": stats.parked_contents,
        "open_epoch_seconds": int((stats.at - opened_at).total_seconds()),
        "redis_used_memory_bytes": stats.used_memory_bytes,
    }
    return {name: value for name, value in found.items() if value is not None}


@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, object], _context: LambdaContext) -> dict[str, int]:
    found = gauges(stats_reader().read())
    logger.info("Views gauges", extra=found)
    return found
