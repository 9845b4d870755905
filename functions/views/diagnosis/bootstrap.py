"""Where the diagnosis's settings, Redis, the control item and the clock meet."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from zoneinfo import ZoneInfo

from sluice import keyring
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from views.diagnosis.explaining import Explainer
from views.diagnosis.stats import StatsReader
from views.items import ControlItem, ViewsItem
from views.rules import Calendar, RuleSettings
from views.settings import ViewsSettings
from views.shards.bootstrap import READ_REDIS_SECONDS, redis_shards
from views.track import counter
from views.track.counter import ViewCounter
from views.viewers import Viewers

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class StatsSettings(ViewsSettings):
    """What the function that logs the gauges reads from the environment."""

    time_zone: ZoneInfo


@dataclass(frozen=True)
class DiagnosisSettings(RuleSettings, StatsSettings):
    """What the API's function reads from the environment: the rules, as tracking has them, too."""

    content_types: tuple[str, ...]
    honour_do_not_track: bool
    literal_user_keys: bool
    views_secret: str


def stats_reader(settings: StatsSettings) -> StatsReader:
    """Reads how tracking and the sync stand."""
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
    rules = settings.rules()
    recognised = Viewers(
        keyring.usable(settings.views_secret, "views secret"),
        settings.time_zone,
        lambda subject: subject,
        timedelta(seconds=settings.session_seconds or DAY_SECONDS),
        names_users=settings.literal_user_keys,
    )
    decides = ViewCounter(
        lambda: counter.nodes(settings.redis_url, settings.redis_mode), rules, settings.time_zone, settings.view_shards
    )
    return Explainer(
        recognised,
        decides,
        cache(lambda: redis_shards(settings, READ_REDIS_SECONDS)),
        SystemClock(),
        Calendar(settings.time_zone),
        rules,
        shard_count=settings.view_shards,
        honours_do_not_track=settings.honour_do_not_track,
    )
