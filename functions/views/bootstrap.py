"""Where the views' settings, Redis, tables, queue and clock meet; what is particular to one function is its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from botocore.exceptions import BotoCoreError, ClientError

from sluice import aws, totals
from sluice.clock import SystemClock
from sluice.errors import Unavailable
from views.counts.reading import Reader
from views.shards import store as shards
from views.shards.store import RedisShards
from views.sync.epochs import Sync
from views.sync.store import SyncStore

# Redis is left alone after these: a step is tried again later, and a count is answered from the database.
SYNC_REDIS_SECONDS = 2.0
READ_REDIS_SECONDS = 0.5


class Sendable(Protocol):
    """A message of the sync's queue."""

    def body(self) -> str: ...


@dataclass(frozen=True)
class ViewsSettings:
    """What the functions that show or move views read from the environment."""

    redis_url: str
    redis_mode: str
    view_shards: int
    views_table: str
    totals_table: str


@dataclass(frozen=True)
class SyncSettings(ViewsSettings):
    """What the functions of the sync read from the environment."""

    time_zone: ZoneInfo
    views_sync_queue_url: str
    sync_timeout_seconds: int


def redis_shards(settings: ViewsSettings, seconds: float) -> RedisShards:
    """The viewer shards in Redis, which may take so long for an answer. Raises RedisAway."""
    return RedisShards(shards.client(settings.redis_url, settings.redis_mode, seconds))


def reader(settings: ViewsSettings) -> Reader:
    """Reads what no sync has moved yet, on every shard that there ever was. Raises RedisAway, Unavailable."""
    read_shards = redis_shards(settings, READ_REDIS_SECONDS)
    return Reader(read_shards, totals.read_all, shard_count=len(ever_used(settings)))


def store(settings: ViewsSettings) -> SyncStore:
    """The sync's items, with their models bound to their tables."""
    return SyncStore(settings.views_table, settings.totals_table)


def sync(settings: SyncSettings) -> Sync:
    """The sync, with all that it works on."""
    return Sync(
        redis_shards(settings, SYNC_REDIS_SECONDS),
        store(settings),
        sender(settings.views_sync_queue_url),
        SystemClock(),
        settings.time_zone,
        shard_count=settings.view_shards,
        timeout=timedelta(seconds=settings.sync_timeout_seconds),
    )


def ever_used(settings: ViewsSettings) -> range:
    """All shards that there ever were."""
    control = store(settings).control()
    return range(max(settings.view_shards, control.shards if control else 0))


def sender(queue_url: str) -> Callable[[Sendable, int], None]:
    """Brings messages to the sync's queue, after as many seconds as it is told."""
    sqs = aws.client("sqs")

    def send(message: Sendable, delay_seconds: int) -> None:
        try:
            sqs.send_message(QueueUrl=queue_url, MessageBody=message.body(), DelaySeconds=delay_seconds)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("The sync's next step could not be sent") from error

    return send
