"""Makes the adapter of the viewer shards, and says how many there are."""

from sluice.dynamodb import bind
from views.items import ControlItem, ViewsItem
from views.settings import ViewsSettings
from views.shards import store
from views.shards.store import RedisShards

# Redis is left alone after these: a step is tried again later, and a count is answered from the database.
SYNC_REDIS_SECONDS = 2.0
READ_REDIS_SECONDS = 0.5


def redis_shards(settings: ViewsSettings, seconds: float) -> RedisShards:
    """The viewer shards in Redis, which may take so long for an answer. Raises RedisAway."""
    return RedisShards(store.client(settings.redis_url, settings.redis_mode, seconds))


def ever_used(settings: ViewsSettings) -> range:
    """All shards that there ever were. Raises Unavailable."""
    bind(ViewsItem, settings.views_table)
    control = ControlItem.present()
    return range(max(settings.view_shards, control.shards if control else 0))
