"""The same as `test_sync_model.py`, on a real Redis, single and cluster, and the database's own conditions."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.cluster import RedisCluster

from sluice import totals
from tests.account import Account
from tests.factories import FixedClock
from tests.integration.test_sync_tables import ViewsTables
from tests.redis_servers import Servers, cluster_servers, servers, single_server  # noqa: F401
from tests.sync_world import TIMEOUT, MemoryStore, World
from tests.unit.test_sync_model import play
from views import keys
from views.epochs import Message, Phase, Sync
from views.shards import Outdated, RedisShards
from views.sync_store import SyncStore


class RealShards(RedisShards):
    """With what happens to shards: views, and a restart without anything."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.client = client

    def track(self, shard: int, content: str) -> None:
        self.client.hincrby(keys.pending(shard), content, 1)

    def restart(self, shard: int) -> None:
        for key in (keys.epoch(shard), keys.pending(shard), keys.syncing(shard), keys.parked(shard)):
            self.client.delete(key)


class RealStore(SyncStore):
    """With what a test reads."""

    def __init__(self, tables: ViewsTables) -> None:
        super().__init__("Views", tables.aws.ref("TotalsTable"))
        self._tables = tables

    def totals(self, contents: Any) -> Any:
        return totals.read_all(contents)

    def daily(self, content: str) -> int:
        of = "#".join(keys.content_of(content))
        return sum(int(item["views"]) for item in self._tables.items() if item["id"] == of)


@pytest.fixture
def shards(servers: Servers) -> Iterator[RealShards]:  # noqa: F811
    servers.flush()
    cls: Any = RedisCluster if servers.mode == "cluster" else Redis
    client = cls(host="127.0.0.1", port=servers.ports[0])
    yield RealShards(client)
    client.close()


@pytest.fixture
def tables(aws: Account) -> ViewsTables:
    return ViewsTables(aws)


@pytest.mark.parametrize("restarts", [False, True])
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(st.integers(0, 2**20), min_size=60, max_size=250))
def test_views_are_synced_once_and_read_right_whatever_happens(
    shards: RealShards,
    servers: Servers,
    tables: ViewsTables,
    restarts: bool,
    events: list[int],
) -> None:
    """S2-9, S2-12, S2-25."""
    servers.flush()
    tables.aws.forget_items()

    play(World(shards, RealStore(tables)), events, restarts=restarts)


def test_a_late_worker_is_told_that_its_epoch_is_done(shards: RealShards) -> None:
    shards.open([0], 1)
    shards.open([0], 2)

    for late in (
        lambda: shards.left([0], 1),
        lambda: shards.page(0, 1, 10),
        lambda: shards.held([0], 1, ["video:a"]),
        lambda: shards.drop([0], 1, ["video:a"]),
        lambda: shards.park([0], 1, "2026-11-20", "video:a"),
    ):
        with pytest.raises(Outdated):
            late()


def test_a_page_takes_the_same_memory_whatever_is_pending(shards: RealShards) -> None:
    peaks = []
    for pending in (1_000, 100_000):
        for start in range(0, pending, 5_000):
            names = {f"video:{n}": 1 for n in range(start, min(start + 5_000, pending))}
            shards.client.hset(keys.pending(0), mapping=names)
        epoch = int(shards.client.get(keys.epoch(0)) or 0) + 1
        sent: list[Message] = []
        store = MemoryStore()
        sync = Sync(shards, store, sent.append, FixedClock(), shard_count=16, timeout=TIMEOUT)
        store.now = None if epoch == 1 else first.now
        first = store
        if store.now:
            sync._clock.time += TIMEOUT * 2  # type: ignore[attr-defined]
        sync.start("2026-11-20")
        for _ in range(2):
            sync.run(sent.pop(), "m")

        tracemalloc.start()
        sync.run(sent.pop(), "m")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

        assert len(store.organic) == 500
        while sent:
            sync.run(sent.pop(), "m")
        assert store.now and store.now.phase is Phase.DONE
        assert len(store.organic) == pending

    assert abs(peaks[1] - peaks[0]) < 200_000


def test_a_repeated_open_takes_nothing_more(shards: RealShards) -> None:
    shards.track(0, "video:a")
    shards.open([0], 1)
    shards.track(0, "video:a")

    shards.open([0], 1)

    assert [(seen.pending, seen.parts[0].views) for seen in shards.read([0], ["video:a"])[0]] == [(1, 1)]


def test_a_shard_that_restarted_empty_joins_an_epoch_with_nothing(shards: RealShards) -> None:
    shards.track(0, "video:a")

    shards.open([0], 2)

    assert [(seen.epoch, seen.pending, seen.parts) for seen in shards.read([0], ["video:a"])[0]] == [(2, 1, ())]


def test_a_shard_behind_an_epoch_holds_nothing_of_it(shards: RealShards) -> None:
    shards.track(0, "video:a")
    shards.open([0], 1)

    assert shards.left([0], 2) == [0]
    assert shards.held([0], 2, ["video:a"]) == [[()]]
    shards.drop([0], 2, ["video:a"])
    assert shards.left([0], 1) == [1]
