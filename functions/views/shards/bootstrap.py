"""Makes the adapter of the viewer shards."""

from views.settings import ViewsSettings
from views.shards import store
from views.shards.store import RedisShards

# Redis is left alone after these: a step is tried again later, and a count is answered from the database.
SYNC_REDIS_SECONDS = 2.0
READ_REDIS_SECONDS = 0.5


def redis_shards(settings: ViewsSettings, seconds: float) -> RedisShards:
    """The viewer shards in Redis, which may take so long for an answer. Raises RedisAway."""
    return RedisShards(store.client(settings.redis_url, settings.redis_mode, seconds))
