"""Where the diagnosis's settings, Redis, the control item and the clock meet."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from sluice.clock import SystemClock
from sluice.dynamodb import bind
from views.diagnosis.explaining import Explainer
from views.diagnosis.stats import StatsReader
from views.items import ControlItem, ViewsItem
from views.rules import Calendar
from views.settings import ViewsSettings
from views.shards.bootstrap import READ_REDIS_SECONDS, redis_shards
from views.track.bootstrap import TrackingSettings, deciding, recognised


@dataclass(frozen=True)
class StatsSettings(ViewsSettings):
    time_zone: ZoneInfo


@dataclass(frozen=True)
class DiagnosisSettings(TrackingSettings, StatsSettings):
    """What the API's function reads from the environment: also the rules, as tracking has them."""


def stats_reader(settings: StatsSettings) -> StatsReader:
    """Reads the state of tracking and the sync."""
    bind(ViewsItem, settings.views_table)
    return StatsReader(
        cache(lambda: redis_shards(settings, READ_REDIS_SECONDS)),
        ControlItem.present,
        SystemClock(),
        Calendar(settings.time_zone),
        shard_count=settings.view_shards,
    )


def explainer(settings: DiagnosisSettings) -> Explainer:
    """Explains by the rules and the script of tracking. Raises Misconfigured."""
    return Explainer(
        recognised(settings, lambda subject: subject),
        deciding(settings),
        cache(lambda: redis_shards(settings, READ_REDIS_SECONDS)),
        SystemClock(),
        Calendar(settings.time_zone),
        settings.rules(),
        shard_count=settings.view_shards,
        honours_do_not_track=settings.honour_do_not_track,
    )
