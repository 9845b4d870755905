"""Where the sync's settings, Redis, tables, queue and clock meet."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from botocore.exceptions import BotoCoreError, ClientError

from sluice import aws
from sluice.clock import SystemClock
from sluice.dynamodb import Database
from sluice.errors import Unavailable
from views.items import ControlItem
from views.messages import EpochStep, Page
from views.registered.rebuild import Rebuild
from views.registered.store import Registry
from views.settings import ViewsSettings
from views.shards.bootstrap import SYNC_REDIS_SECONDS, redis_shards
from views.shards.store import RedisShards
from views.sync.epochs import Sync
from views.sync.inbox import Inbox
from views.sync.store import SyncStore


@dataclass(frozen=True)
class SyncSettings(ViewsSettings):
    """What the functions of the sync read from the environment."""

    totals_table: str
    time_zone: ZoneInfo
    views_sync_queue_url: str
    sync_timeout_seconds: int


@dataclass(frozen=True)
class WorkerSettings(SyncSettings):
    """What the sync's worker reads from the environment."""

    registered_only: bool


def store(settings: SyncSettings) -> SyncStore:
    """The sync's items, with their models bound to their tables."""
    return SyncStore(settings.views_table, settings.totals_table)


def sync(settings: SyncSettings) -> Sync:
    """The sync, with all that it works on. Raises RedisAway."""
    return _sync(settings, redis_shards(settings, SYNC_REDIS_SECONDS))


def inbox(settings: WorkerSettings) -> Inbox:
    """The sync, and the rebuild of registered content that shares its queue. Raises RedisAway."""
    shards = redis_shards(settings, SYNC_REDIS_SECONDS)

    def recorded() -> range:
        control = ControlItem.present()
        return range(control.shards if control else 0)

    rebuild = Rebuild(
        Registry(Database(), settings.views_table),
        shards,
        recorded,
        sender(settings.views_sync_queue_url),
        SystemClock(),
        is_wanted=settings.registered_only,
    )
    return Inbox(_sync(settings, shards), rebuild)


def _sync(settings: SyncSettings, shards: RedisShards) -> Sync:
    return Sync(
        shards,
        store(settings),
        sender(settings.views_sync_queue_url),
        SystemClock(),
        settings.time_zone,
        shard_count=settings.view_shards,
        timeout=timedelta(seconds=settings.sync_timeout_seconds),
    )


def sender(queue_url: str) -> Callable[[EpochStep | Page, int], None]:
    """Brings messages to the sync's queue, after as many seconds as it is given."""
    sqs = aws.client("sqs")

    def send(message: EpochStep | Page, delay_seconds: int) -> None:
        try:
            sqs.send_message(QueueUrl=queue_url, MessageBody=message.body(), DelaySeconds=delay_seconds)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"The sync's next step could not be sent: {aws.why('SQS', error)}") from error

    return send
