"""The shards on a real Redis, single and cluster, and in memory; and the sync on the real ones."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.cluster import ClusterNode

from sluice.errors import Misconfigured, Unavailable
from tests.account import Account
from tests.factories import NOON, UTC_ZONE, FixedClock
from tests.integration.test_sync_tables import RealStore
from tests.redis_servers import Servers, free_ports
from tests.sync_world import SHARDS, TIMEOUT, MemoryShards, MemoryStore, World, noon
from tests.unit.test_sync_model import play
from tests.view_counter import ViewCounter
from views import keys
from views.held import AwayView, Outdated, Part, Seen, Taken, parts_of
from views.messages import EpochStep
from views.rules import Calendar, Rules
from views.shards.store import RedisShards, client
from views.sync.epochs import Sync

CALENDAR = Calendar(UTC_ZONE)
NOW = CALENDAR.moment(NOON).now
DAY = "2026-11-20"
VIEWER = "anon:AAAAAAAAAAAAAAAAAAAAAA"
FIELD = "cooldown+daily_viewed|story:x:y~1|2026-11-20T08"


class RealShards(RedisShards):
    """With what happens to shards: views, refusals, and a restart without anything."""

    def __init__(self, servers: Servers) -> None:
        self.client: Any = client(servers.url, servers.mode, 10)
        super().__init__(self.client)
        self._counter = ViewCounter(servers.nodes, Rules(), UTC_ZONE, SHARDS)
        self._viewers = (f"anon:{number:022}" for number in count())

    def track(self, shard: int, content: str, day: str | None = None) -> str | None:
        """A view of a new viewer is counted; the day that it is of. Without a day as older releases did."""
        if day is None:
            self.client.hincrby(keys.pending(shard), content, 1)
            return None
        viewer = next(each for each in self._viewers if keys.shard_of(each, SHARDS) == shard)
        return self.view(viewer, content, day)

    def view(self, viewer: str, content: str, day: str) -> str | None:
        """Somebody views a content; the day that the view is of, None when it does not count."""
        if not self._counter.track(viewer, *keys.content_of(content), noon(day)).is_counted:
            return None
        newest, *_ = parts_of(self.client.hget(keys.pending(keys.shard_of(viewer, SHARDS)), content).decode(), 0)
        return newest.day

    def refuse(self, shard: int, name: str) -> None:
        self.client.hincrby(keys.refused(shard), name, 1)

    def refusals_of(self, shard: int, name: str) -> tuple[int, int]:
        refused, refusing = (self.client.hget(key(shard), name) for key in (keys.refused, keys.refusing))
        return int(refused or 0), int(refusing or 0)

    def restart(self, shard: int) -> None:
        for key in (keys.epoch, keys.pending, keys.syncing, keys.parked, keys.refused, keys.refusing):
            self.client.delete(key(shard))
        for state in self.client.scan_iter(f"{keys.tag(shard)}:anon:*"):
            self.client.delete(state)


@pytest.fixture
def real(servers: Servers) -> Iterator[RealShards]:
    shards = RealShards(servers)
    yield shards
    shards.client.close()


@pytest.fixture(params=["memory", "single", "cluster"])
def shards(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryShards()
        return
    servers: Servers = request.getfixturevalue(f"{request.param}_server" + "s" * (request.param == "cluster"))
    servers.flush()
    shards = RealShards(servers)
    yield shards
    shards.client.close()


@pytest.mark.parametrize("restarts", [False, True])
@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(events=st.lists(st.integers(0, 2**20), min_size=150, max_size=250))
def test_views_are_synced_once_and_read_right_whatever_happens(
    real: RealShards, servers: Servers, aws: Account, restarts: bool, events: list[int]
) -> None:
    """S2-9, S2-12, S2-25."""
    servers.flush()
    aws.forget_items()

    play(World(real, RealStore(aws)), events, restarts=restarts)


def test_a_late_worker_is_told_that_its_epoch_is_done(shards: Any) -> None:
    shards.open([0], 1)
    shards.open([0], 2)

    for late in (
        lambda: shards.left([0], 1, Taken.VIEWS),
        lambda: shards.page(0, 1, 10, Taken.REFUSALS),
        lambda: shards.held([0], 1, ["video:a"]),
        lambda: shards.refusals([0], 1, [FIELD]),
        lambda: shards.drop([0], 1, ["video:a"], Taken.VIEWS),
        lambda: shards.park([0], 1, DAY, "video:a"),
    ):
        with pytest.raises(Outdated):
            late()


def test_an_epoch_takes_what_is_pending_and_refused(shards: Any) -> None:
    shards.open([0], 0)
    shards.track(0, "video:a")
    shards.refuse(0, FIELD)

    shards.open([0], 1)

    assert shards.read([0], ["video:a"]) == [[Seen(1, 0, (Part(1, 1),))]]
    assert shards.refusals_of(0, FIELD) == (0, 1)


def test_a_repeated_open_takes_nothing_more(shards: Any) -> None:
    shards.open([0], 0)
    for _ in range(2):
        shards.track(0, "video:a")
        shards.refuse(0, FIELD)
        shards.open([0], 1)

    assert shards.read([0], ["video:a"]) == [[Seen(1, 1, (Part(1, 1),))]]
    assert shards.refusals_of(0, FIELD) == (1, 1)


def since(shards: RealShards) -> dict[str, int]:
    """Since when views wait on the first shard, by their state."""
    found: Any = shards.client.hgetall(keys.stats(0))
    return {name.decode(): int(value) for name, value in found.items() if name.endswith(b"since")}


def test_an_epoch_takes_with_the_views_since_when_they_wait(real: RealShards, servers: Servers) -> None:
    """S2-28. Until the last of them is dropped or moved aside; those that come meanwhile wait since then."""
    real.open([0], 0)
    waits = []
    for epoch, leave in ((1, lambda: real.drop([0], 1, ["story:a"], Taken.VIEWS)), (2, lambda: park(real, 2))):
        now = NOON + timedelta(hours=epoch)
        ViewCounter(servers.nodes, Rules(), UTC_ZONE, 1).track_many("anon:1", [("story", "a"), ("story", "b")], now)
        real.open([0], epoch)
        waits.append(since(real))
        ViewCounter(servers.nodes, Rules(), UTC_ZONE, 1).track("anon:2", "story", "a", now + timedelta(minutes=1))
        real.open([0], epoch)
        real.drop([0], epoch, ["story:b"], Taken.VIEWS)
        waits.append(since(real))
        leave()
        waits.append(since(real))
        real.client.delete(keys.pending(0), keys.viewer_state("anon:1", 1), keys.viewer_state("anon:2", 1))
        real.client.hdel(keys.stats(0), "since")

    hours = [int((NOON + timedelta(hours=epoch)).timestamp() * 1000) for epoch in (1, 2)]
    assert waits == [
        each
        for hour in hours
        for each in (
            {"syncing_since": hour},
            {"syncing_since": hour, "since": hour + 60_000},
            {"since": hour + 60_000},
        )
    ]


def park(shards: RealShards, epoch: int) -> None:
    shards.park([0], epoch, DAY, "story:a")


def test_an_epoch_of_nothing_leaves_no_wait(real: RealShards, servers: Servers) -> None:
    """S2-28. Nor does dropping refusals end the views' wait."""
    real.open([0], 0)
    ViewCounter(servers.nodes, Rules(), UTC_ZONE, 1).track("anon:1", "story", "a", NOON)
    real.refuse(0, FIELD)
    real.open([0], 1)

    real.drop([0], 1, [FIELD], Taken.REFUSALS)
    waiting = since(real)
    real.drop([0], 1, ["story:a"], Taken.VIEWS)
    real.open([0], 2)

    assert waiting == {"syncing_since": int(NOON.timestamp() * 1000)}
    assert since(real) == {}


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_shard_without_an_epoch_joins_one_with_nothing(shards: Any, epoch: int) -> None:
    shards.track(0, "video:a")
    shards.refuse(0, FIELD)

    shards.open([0], epoch)

    assert shards.read([0], ["video:a"]) == [[Seen(epoch, 1, ())]]
    assert shards.refusals_of(0, FIELD) == (1, 0)


def test_a_shard_behind_an_epoch_holds_nothing_of_it(shards: Any) -> None:
    shards.open([0], 0)
    shards.track(0, "video:a")
    shards.refuse(0, FIELD)
    shards.open([0], 1)

    for taken in Taken:
        assert shards.left([0], 2, taken) == [0]
        assert shards.page(0, 2, 10, taken) == []
        shards.drop([0], 2, ["video:a", FIELD], taken)
    assert shards.held([0], 2, ["video:a"]) == [[()]]
    assert shards.refusals([0], 2, [FIELD]) == [[0]]
    shards.park([0], 2, DAY, "video:a")

    assert [shards.left([0], 1, taken) for taken in Taken] == [[1], [1]]
    assert shards.parked(0, 10) == []


def test_what_all_shards_hold_is_answered_in_order(shards: Any) -> None:
    shards.open(range(16), 0)
    for shard in range(16):
        for _ in range(shard):
            shards.track(shard, "video:a")
            shards.refuse(shard, FIELD)
    shards.open(range(16), 1)

    assert shards.left(range(16), 1, Taken.VIEWS) == [0] + [1] * 15
    held = shards.held(range(16), 1, ["video:b", "video:a"])
    assert held == [[(), (Part(1, shard),) if shard else ()] for shard in range(16)]
    assert shards.refusals(range(16), 1, [FIELD, "other"]) == [[shard, 0] for shard in range(16)]
    assert shards.page(5, 1, 10, Taken.REFUSALS) == [FIELD]
    shards.drop(range(16), 1, [FIELD], Taken.REFUSALS)
    assert shards.left(range(16), 1, Taken.REFUSALS) == [0] * 16
    assert shards.left(range(16), 1, Taken.VIEWS) == [0] + [1] * 15


def test_what_is_moved_aside_keeps_its_epoch_and_day(shards: Any) -> None:
    shards.open([0], 0)
    for epoch in (1, 2):
        shards.track(0, "video:a")
        shards.open([0], epoch)
        shards.park([0], epoch, f"2026-11-2{epoch}", "video:a")
    shards.track(0, "video:a")
    shards.open([0], 3)

    parts = {Part(1, 1, "2026-11-21"), Part(2, 1, "2026-11-22"), Part(3, 1)}
    assert shards.parked(0, 10) == ["video:a"]
    assert set(shards.held([0], 3, ["video:a"])[0][0]) == parts
    assert set(shards.read([0], ["video:a"])[0][0].parts) == parts

    shards.drop([0], 3, ["video:a"], Taken.VIEWS)

    assert shards.parked(0, 10) == []
    assert shards.held([0], 3, ["video:a"]) == [[()]]


def test_an_epoch_keeps_the_days_of_its_views(shards: Any) -> None:
    """Pending, taken, and moved aside. A bare number, of an older release, gets the epoch's day there."""
    days = ["2026-11-19", "2026-11-20"]
    shards.open([0], 0)
    shards.track(0, "video:a")
    for day in (*days, *days, days[1]):
        shards.track(0, "video:a", day)
    pending = shards.read([0], ["video:a"])
    shards.open([0], 7)

    held = shards.held([0], 7, ["video:a"])[0][0]
    shards.park([0], 7, DAY, "video:a")
    shards.open([0], 8)

    assert pending == [[Seen(0, 6, ())]]
    assert set(held) == {Part(7, 4, days[1]), Part(7, 1, days[0]), Part(7, 1)}
    assert set(shards.held([0], 8, ["video:a"])[0][0]) == {
        Part(7, 4, days[1]),
        Part(7, 1, days[0]),
        Part(7, 1, DAY),
    }


def away(viewer: str, content: str, day: str, hour: int = 12) -> AwayView:
    return AwayView(viewer, content, CALENDAR.moment(noon(day) + timedelta(hours=hour - 12)))


def test_a_view_is_added_by_the_sync_or_counted_by_the_script(shards: Any) -> None:
    """S2-33. Of many viewers, in order. Whichever comes first, the other refuses; and a repeat is answered alike."""
    viewers = [f"anon:{number:022}" for number in range(40)]
    views = [away(viewer, "video:a", DAY) for viewer in viewers]
    for viewer in viewers[::3]:
        assert shards.view(viewer, "video:a", DAY) == DAY
        assert shards.view(viewer, "video:b", DAY) == DAY

    claims = [shards.claim(views, SHARDS, NOW) for _ in range(2)]
    again = [shards.view(viewer, "video:a", DAY) for viewer in viewers]

    assert claims == [[number % 3 > 0 for number in range(40)]] * 2
    assert again == [None] * 40


@pytest.mark.parametrize(
    ("counted", "is_ours"),
    [
        ([], True),
        ([12], False),
        ([-12], True),  # the day before
        ([0], False),  # at its first moment
        ([24], True),  # the day after
        ([12, 25], False),  # in a session that began on it
        ([-20, 1, 25], True),  # what was counted on it is forgotten by then
    ],
)
def test_a_claim_asks_whether_the_script_counted_on_that_day(
    real: RealShards, servers: Servers, counted: list[int], is_ours: bool
) -> None:
    """S2-33. The first answer stays, whatever the viewer does next."""
    servers.flush()
    tracking = ViewCounter(servers.nodes, Rules(), UTC_ZONE, SHARDS)
    for hour in counted:
        assert tracking.track(VIEWER, "story", "a", noon(DAY) + timedelta(hours=hour - 12)).is_counted
    view = away(VIEWER, "story:a", DAY, 13)

    claims = []
    for days in (1, 3, 5):
        then = noon(DAY) + timedelta(days=days)
        claims += real.claim([view], SHARDS, CALENDAR.moment(then).now)
        tracking.track(VIEWER, "story", "a", then + timedelta(days=1))

    assert claims == [is_ours] * 3


def test_days_are_claimed_one_by_one_in_any_order(real: RealShards, servers: Servers) -> None:
    servers.flush()
    views = [away(VIEWER, "story:a", f"2026-11-{day}") for day in (20, 21, 22)]

    first = [real.claim([view], SHARDS, NOW) for view in (views[1], views[0])]

    assert [*first, real.claim(views, SHARDS, NOW)] == [[True], [True], [True] * 3]


def test_a_claimed_view_counts_for_cooldown_and_session(real: RealShards, servers: Servers) -> None:
    """S2-2, S2-5, S2-6. As the content's last view at its own time; the session goes on, or begins."""
    servers.flush()
    rules = Rules(once_per_day=False, max_per_session=2)
    tracking = ViewCounter(servers.nodes, rules, UTC_ZONE, SHARDS)
    late = [noon(DAY) + timedelta(hours=11, minutes=58), noon(DAY) + timedelta(hours=12, minutes=1)]
    tracking.track(VIEWER, "story", "a", noon(DAY) - timedelta(hours=14))
    real.claim([AwayView(VIEWER, "story:a", CALENDAR.moment(late[0]))], SHARDS, NOW)
    real.claim([AwayView(VIEWER, "story:b", CALENDAR.moment(late[0]))], SHARDS, NOW)

    told = [tracking.explain(VIEWER, "story", content, late[1]).reasons for content in "ab"]
    standing = [real.standing(VIEWER, SHARDS, f"story:{content}") for content in "ab"]

    assert told == [("cooldown",), ("cooldown",)]
    assert [each.session_views for each in standing] == [2, 1]
    assert [each.last_view for each in standing] == [int(late[0].timestamp() * 1000)] * 2
    assert standing[1].session_start == standing[1].last_view


def test_a_claimed_view_does_not_take_the_place_of_a_later_one(real: RealShards, servers: Servers) -> None:
    servers.flush()
    ViewCounter(servers.nodes, Rules(), UTC_ZONE, SHARDS).track(VIEWER, "story", "a", noon("2026-11-22"))

    assert real.claim([away(VIEWER, "story:a", DAY)], SHARDS, NOW) == [True]

    assert real.standing(VIEWER, SHARDS, "story:a").last_view == int(noon("2026-11-22").timestamp() * 1000)


def test_a_session_of_long_ago_is_not_gone_on_with(real: RealShards, servers: Servers) -> None:
    """Its age has four bytes of milliseconds."""
    servers.flush()
    ViewCounter(servers.nodes, Rules(), UTC_ZONE, SHARDS).track(VIEWER, "story", "a", noon("2026-09-01"))

    real.claim([away(VIEWER, "story:a", DAY)], SHARDS, NOW)

    standing = real.standing(VIEWER, SHARDS, "story:a")
    assert (standing.session_start, standing.session_views) == (int(noon(DAY).timestamp() * 1000), 1)


def test_a_state_that_begins_with_a_claimed_view_expires(real: RealShards, servers: Servers) -> None:
    """S2-34. None expires sooner for a claim; and old claims are cleared with what else is old."""
    servers.flush()
    state, hour = keys.viewer_state(VIEWER, SHARDS), 3_600_000
    expire_in = []
    for content, expires_in in (("a", None), ("b", 1), ("c", 100)):
        if expires_in:
            real.client.pexpire(state, expires_in * hour)
        real.claim([away(VIEWER, f"story:{content}", DAY)], SHARDS, NOW)
        expire_in.append(round(real.client.pttl(state) / hour))

    tracking = ViewCounter(servers.nodes, Rules(), UTC_ZONE, SHARDS)
    for day in range(5):
        tracking.track(VIEWER, "story", "d", noon(DAY) + timedelta(days=day))

    assert expire_in == [75, 75, 100]
    assert real.client.hlen(state) == 2


def test_so_many_at_most_are_moved_aside_or_paged(shards: Any) -> None:
    shards.open([0], 0)
    names = {f"video:{n}" for n in range(1000)}
    for name in names:
        shards.track(0, name)
    shards.open([0], 1)

    seen: set[str] = set()
    while page := shards.page(0, 1, 300, Taken.VIEWS):
        assert len(page) <= 300
        shards.drop([0], 1, page[1:], Taken.VIEWS)
        shards.park([0], 1, DAY, page[0])
        seen |= set(page)

    assert seen == names
    assert len(shards.parked(0, 2)) == 2
    assert shards.parked(1, 2) == []


@pytest.mark.parametrize("what", ["nothing", "pending", "taken", "parked", "refused", "taken refusals"])
def test_there_is_work_wherever_something_waits(shards: Any, what: str) -> None:
    shards.open([3], 0)
    if what in ("pending", "taken", "parked"):
        shards.track(3, "video:a")
    if "refus" in what:
        shards.refuse(3, FIELD)
    if what in ("taken", "parked", "taken refusals"):
        shards.open([3], 1)
    if what == "parked":
        shards.park([3], 1, DAY, "video:a")

    assert shards.have_work(range(2, 5)) == [False, what != "nothing", False]


def test_a_shard_that_was_moved_to_another_node_is_found(cluster_servers: Servers) -> None:
    cluster_servers.flush()
    shards = RealShards(cluster_servers)
    shards.open(range(16), 0)
    slot = int(shards.client.keyslot(keys.epoch(3)))
    shards.restart(3)

    with moved(cluster_servers, slot):
        assert shards.left(range(16), 0, Taken.VIEWS) == [0] * 16
        shards.open([3], 0)
        shards.restart(3)

    assert shards.have_work(range(16)) == [False] * 16
    shards.client.close()


def test_the_nodes_are_asked_for_again_when_one_does_not_answer(cluster_servers: Servers) -> None:
    shards = RealShards(cluster_servers)
    dead = ClusterNode("127.0.0.1", free_ports(1)[0], "primary")
    slot = int(shards.client.keyslot(keys.epoch(3)))
    shards.client.nodes_manager.slots_cache[slot] = [dead]
    shards.client.nodes_manager.create_redis_connections([dead])

    with pytest.raises(Unavailable):
        shards.left(range(16), 0, Taken.VIEWS)

    assert shards.left(range(16), 0, Taken.VIEWS) == [0] * 16
    shards.client.close()


def test_a_slot_without_a_server_is_unavailable(cluster_servers: Servers) -> None:
    shards = RealShards(cluster_servers)
    del shards.client.nodes_manager.slots_cache[int(shards.client.keyslot(keys.epoch(3)))]

    with pytest.raises(Unavailable):
        shards.left(range(16), 0, Taken.VIEWS)

    shards.client.close()


@pytest.mark.parametrize("mode", ["single", "cluster"])
def test_a_server_that_is_not_there_is_unavailable(mode: str) -> None:
    with pytest.raises(Unavailable):
        RedisShards(client(f"redis://127.0.0.1:{free_ports(1)[0]}", mode, 0.2)).have_work([0])


def test_another_mode_is_refused() -> None:
    with pytest.raises(Misconfigured, match="single, cluster"):
        client("redis://127.0.0.1:1", "sentinel", 0.2)


def test_a_page_takes_the_same_memory_whatever_is_pending(real: RealShards) -> None:
    sent: list[EpochStep] = []
    store, clock = MemoryStore(), FixedClock()
    sync = Sync(real, store, lambda message, _: sent.append(message), clock, UTC_ZONE, shard_count=16, timeout=TIMEOUT)
    sync.start()
    peaks = []
    for pending in (1_000, 100_000):
        for start in range(0, pending, 5_000):
            names = {f"video:{n}": 1 for n in range(start, min(start + 5_000, pending))}
            real.client.hset(keys.pending(0), mapping=names)
        clock.time += TIMEOUT + timedelta(seconds=1)
        sync.start()
        for _ in range(2):
            sync.run(sent.pop(), "m")

        tracemalloc.start()
        sync.run(sent.pop(), "m")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

        assert store.now is not None
        assert (store.now.epoch, store.now.contents) == (len(peaks), 500)
        while sent and len(peaks) == 1:
            sync.run(sent.pop(), "m")

    assert len(store.organic) >= 1_000
    assert abs(peaks[1] - peaks[0]) < 10_000_000


@contextmanager
def moved(servers: Servers, slot: int) -> Iterator[None]:
    """One empty slot of a cluster on another node, for a while."""
    home = servers.ports[slot * len(servers.ports) // 16_384]
    _give(servers, slot, next(port for port in servers.ports if port != home))
    yield
    _give(servers, slot, home)


def _give(servers: Servers, slot: int, port: int) -> None:
    clients = dict(zip(servers.ports, servers.clients(), strict=True))
    node = clients[port].execute_command("CLUSTER", "MYID")
    for each in (clients.pop(port), *clients.values()):
        each.execute_command("CLUSTER", "SETSLOT", slot, "NODE", node)
        each.close()
