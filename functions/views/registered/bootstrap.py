"""Where the settings of registered content, Redis, tables and clock meet."""

from dataclasses import dataclass
from functools import cache

from sluice.clock import SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.requests import RequestItem
from views.registered.commands import Registration
from views.registered.store import Registry
from views.settings import ViewsSettings
from views.shards.bootstrap import READ_REDIS_SECONDS, ever_used, redis_shards


@dataclass(frozen=True)
class RegisteredSettings(ViewsSettings, CommitSettings):
    requests_table: str
    content_types: tuple[str, ...]


def registration(settings: RegisteredSettings) -> Registration:
    """Registers content in the database, then in Redis, which is connected to when it is first asked."""
    bind(RequestItem, settings.requests_table)
    return Registration(
        Registry(database(settings), settings.views_table),
        cache(lambda: redis_shards(settings, READ_REDIS_SECONDS)),
        lambda: ever_used(settings),
        SystemClock(),
    )
