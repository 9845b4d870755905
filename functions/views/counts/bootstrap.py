"""Where the settings of the counts, Redis and the tables meet."""

from dataclasses import dataclass

from sluice import totals
from sluice.dynamodb import bind
from sluice.totals import TotalItem
from views.breaker import Breaker
from views.counts.display import Display
from views.counts.reading import Reader
from views.settings import ViewsSettings
from views.shards.bootstrap import READ_REDIS_SECONDS, ever_used, redis_shards


@dataclass(frozen=True)
class CountsSettings(ViewsSettings):
    totals_table: str
    content_types: tuple[str, ...]


def display(settings: CountsSettings) -> Display:
    """Shows counts, with a reader that is made when one is needed."""
    bind(TotalItem, settings.totals_table)
    return Display(lambda: reader(settings), totals.read_all, Breaker())


def reader(settings: ViewsSettings) -> Reader:
    """Reads views that no sync has moved yet, on every shard ever used. Raises RedisAway, Unavailable."""
    shards = redis_shards(settings, READ_REDIS_SECONDS)
    return Reader(shards, totals.read_all, shard_count=len(ever_used(settings)))
