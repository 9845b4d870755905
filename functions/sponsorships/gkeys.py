"""G-Keys: a campaign's pool. A key is promised when a streamer joins, and unlocked with the pay (S3-9)."""

from collections.abc import Iterable
from hashlib import sha256

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from sluice.dynamodb import setting, transient_as_unavailable
from sponsorships.items import POOL, KeyItem, MarkerItem, PoolItem

FREE, RESERVED, UNLOCKED, MOVED = "free", "reserved", "unlocked", "moved"


def pool(campaign_id: str) -> PoolItem:
    """How many keys were loaded and taken, by a consistent read."""
    with transient_as_unavailable():
        try:
            return PoolItem.get(_pool_id(campaign_id), POOL, consistent_read=True)
        except DoesNotExist:
            return PoolItem(_pool_id(campaign_id), POOL)


def find(campaign_id: str, number: int) -> KeyItem | None:
    """A key, by a consistent read."""
    with transient_as_unavailable():
        try:
            return KeyItem.get(_pool_id(campaign_id), _key(number), consistent_read=True)
        except DoesNotExist:
            return None


def fresh(campaign_id: str, keys: Iterable[str]) -> list[str]:
    """The keys that were not loaded before, each once, by a consistent read."""
    once = {_marker(key): key for key in keys}
    with transient_as_unavailable():
        found = MarkerItem.batch_get([(_pool_id(campaign_id), part) for part in once], consistent_read=True)
        loaded = {item.part for item in found}
    return [key for part, key in once.items() if part not in loaded]


def load(transaction: TransactWrite, campaign_id: str, keys: Iterable[str]) -> None:
    """Add keys to the pool, on condition that none of them was loaded before, and that the pool is as it is read."""
    before = pool(campaign_id)
    number = int(before.loaded)
    for key in keys:
        number += 1
        marker = MarkerItem(_pool_id(campaign_id), _marker(key))
        transaction.save(marker, condition=MarkerItem.id.does_not_exist())
        _put(transaction, campaign_id, number, key)
    _set_loaded(transaction, before, number)


def reserve(transaction: TransactWrite, campaign_id: str, number: int, streamer: str) -> None:
    """Promise the next key, `number`, to a streamer; on condition that it is the next one, and free."""
    transaction.update(
        PoolItem(_pool_id(campaign_id), POOL),
        [PoolItem.taken.set(number)],
        ((PoolItem.taken == number - 1) & (PoolItem.loaded >= number)),
    )
    transaction.update(
        KeyItem(_pool_id(campaign_id), _key(number)),
        [KeyItem.state.set(RESERVED), KeyItem.streamer.set(streamer)],
        KeyItem.state == FREE,
    )


def unlock(transaction: TransactWrite, campaign_id: str, number: int, streamer: str) -> None:
    """Unlock a streamer's key."""
    transaction.update(
        KeyItem(_pool_id(campaign_id), _key(number)), [KeyItem.state.set(UNLOCKED)], _is_promised_to(streamer)
    )


def give_back(transaction: TransactWrite, campaign_id: str, number: int, streamer: str) -> None:
    """Append a streamer's key to the pool again, under a number of its own, so that each number is taken once."""
    before, key = pool(campaign_id), find(campaign_id, number)
    secret = key.secret if key else ""
    transaction.update(
        KeyItem(_pool_id(campaign_id), _key(number)), [KeyItem.state.set(MOVED)], _is_promised_to(streamer)
    )
    _put(transaction, campaign_id, int(before.loaded) + 1, secret)
    _set_loaded(transaction, before, int(before.loaded) + 1)


def _is_promised_to(streamer: str) -> Condition:
    promised: Condition = (KeyItem.state == RESERVED) & (KeyItem.streamer == streamer)
    return promised


def _put(transaction: TransactWrite, campaign_id: str, number: int, secret: str) -> None:
    item = KeyItem(_pool_id(campaign_id), _key(number), secret=secret, state=FREE)
    transaction.save(item, condition=KeyItem.id.does_not_exist())


def _set_loaded(transaction: TransactWrite, before: PoolItem, loaded: int) -> None:
    as_read: Condition = PoolItem.loaded == before.loaded
    values = {"loaded": loaded}
    if not before.loaded:
        as_read = PoolItem.id.does_not_exist()
        values["taken"] = 0
    transaction.update(before, setting(PoolItem, values), as_read)


def _pool_id(campaign_id: str) -> str:
    return f"keys#{campaign_id}"


def _key(number: int) -> str:
    return f"key#{number:06d}"


def _marker(key: str) -> str:
    return f"hash#{sha256(key.encode()).hexdigest()}"
