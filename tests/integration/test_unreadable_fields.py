"""Fields of Redis and rows to fold that cannot be read: the sync logs them for its alarm, and they hold up no other."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from sluice.clock import rfc3339
from tests.account import Account
from tests.integration.harness import ON_A_CLUSTER_TOO, Functions
from tests.integration.log_metrics import metrics
from tests.integration.test_views_sync import NOW, Syncs
from tests.redis_servers import Servers
from views import keys

REFUSED = "cooldown|video:{}|2026-11-20T08"
pytestmark = pytest.mark.usefixtures("patient")


class Spoiled(Syncs):
    """A sync, and somebody who writes into Redis by hand."""

    def write(self, key: str, field: str | bytes, value: str) -> None:
        with self.servers.client_of(key) as client:
            client.hset(key, field, value)

    def put_list(self, key: str) -> None:
        """Put a key of a type that no key of ours has in the place of another."""
        with self.servers.client_of(key) as client:
            client.delete(key)
            client.rpush(key, "oops")

    def type_of(self, key: str) -> bytes:
        with self.servers.client_of(key) as client:
            found: bytes = client.type(key)
            return found

    def put_away(self, viewer: str, content: str, counted_at: dict[str, str]) -> None:
        """A view that was taken without Redis."""
        row = {"id": f"viewer#anon:{viewer}", "part": f"2026-11-20#{content}", "content": content, "unfolded": "3"}
        item = {name: {"S": value} for name, value in row.items()} | {"counted_at": counted_at}
        self.aws.client("dynamodb").put_item(TableName=self.aws.ref("ViewsTable"), Item=item)

    def shown(self, content: str) -> int:
        return int(self.request("views/counts/api-get", ("/abc123", f"/{content}")).body["view_count"])


@pytest.fixture
def world(aws: Account, functions: Functions, redis: Servers) -> Iterator[Spoiled]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield Spoiled(aws, functions, redis, clock)


@pytest.fixture
def problems(aws: Account, log_lines: Callable[[], list[dict[str, Any]]]) -> Callable[[], int]:
    """How many lines of the worker ring ViewsSyncProblemsAlarm."""
    return lambda: len(metrics(aws, "ViewsSyncWorkerLogs", log_lines()).get("SyncProblems", []))


@pytest.mark.parametrize("value", ["oops", "2026-11-20:oops", "oops:2026-11-20:3;", "today:3", "-3"])
@pytest.mark.parametrize("key", [keys.pending, keys.parked], ids=["pending", "parked"])
def test_views_that_cannot_be_read_hold_up_no_others(
    world: Spoiled, problems: Callable[[], int], key: Any, value: str
) -> None:
    world.sync()
    world.track("video:a", 3, shard=2)
    world.write(key(2), "video:b", value)
    problems()

    seen = world.shown("b")
    epoch = world.sync()

    assert seen == 0
    assert epoch["parked"] == 0
    assert world.totals() == {"organic#video#a": 3}
    assert problems() == 1
    assert world.ask("sync/api-start", text='{"force": false}').body["outcome"] == "nothing_pending"


def test_what_can_be_read_of_a_content_is_added_beside_what_cannot(world: Spoiled) -> None:
    world.sync()
    world.write(keys.parked(2), "video:a", "oops")
    world.write(keys.pending(2), "video:a", "2026-11-20:3;oops;")

    seen = world.shown("a")
    world.sync()

    assert seen == 3
    assert world.totals() == {"organic#video#a": 3}


def test_refusals_that_cannot_be_read_hold_up_no_others(world: Spoiled, problems: Callable[[], int]) -> None:
    world.sync()
    world.write(keys.refused(2), REFUSED.format("a"), "oops")
    world.write(keys.refused(2), REFUSED.format("b"), "4")
    problems()

    epoch = world.sync()

    assert epoch["refusals"] == 4
    assert problems() == 1


@pytest.mark.parametrize("key", [keys.pending, keys.refused], ids=["pending", "refused"])
def test_a_name_that_is_no_text_is_dropped(world: Spoiled, problems: Callable[[], int], key: Any) -> None:
    world.sync()
    world.track("video:a", 3, shard=2)
    world.write(key(2), b"video:\xff", "4")
    problems()

    epoch = world.sync()

    assert (epoch["views"], epoch["refusals"]) == (3, 0)
    assert problems() == 1


def test_stats_that_cannot_be_read_keep_no_epoch_from_opening(world: Spoiled) -> None:
    world.sync()
    world.track("video:a", 3, shard=2)
    world.write(keys.stats(2), "counted", "oops")

    world.sync()

    assert world.totals() == {"organic#video#a": 3}


@pytest.mark.parametrize("counted_at", [{"S": "oops"}, {"N": "1"}])
def test_a_view_to_fold_that_cannot_be_read_holds_up_no_others(
    world: Spoiled, problems: Callable[[], int], monkeypatch: pytest.MonkeyPatch, counted_at: dict[str, str]
) -> None:
    monkeypatch.setattr("views.sync.epochs.FOLDED_ROWS", 1)
    world.put_away("1", "video:a", counted_at)
    world.put_away("2", "video:b", {"S": rfc3339(NOW)})
    problems()

    epoch = world.sync()

    assert epoch["folded"] == 1
    assert world.totals() == {"organic#video#b": 1}
    assert problems() >= 1


def test_a_viewers_state_that_cannot_be_read_holds_up_no_view_to_fold(world: Spoiled) -> None:
    viewer = "anon:1"
    for field in (keys.digest("video:a"), b"d"):
        world.write(keys.viewer_state(viewer), field, "oops")
    world.put_away("1", "video:a", {"S": rfc3339(NOW)})
    world.put_away("2", "video:b", {"S": rfc3339(NOW)})

    assert world.sync()["folded"] == 2


def test_a_failure_that_cannot_be_read_is_missing_from_its_epoch(world: Spoiled) -> None:
    world.track("video:a", 3)
    epoch = world.sync()["epoch"]
    item = {"id": {"S": f"sync:{epoch}"}, "part": {"S": "failed#video:a"}, "failures": {"S": "oops"}}
    world.aws.client("dynamodb").put_item(TableName=world.aws.ref("ViewsTable"), Item=item)

    answer = world.ask("sync/api-epoch", epoch=str(epoch))

    assert (answer.status, answer.body["failures"]) == (200, [])


# Keys of another type.

EACH_KEY = pytest.mark.parametrize(
    "key",
    [keys.pending, keys.syncing, keys.parked, keys.epoch, keys.refused, keys.refusing, keys.stats],
    ids=lambda key: key.__name__,
)


@ON_A_CLUSTER_TOO
@EACH_KEY
def test_a_key_of_another_type_holds_up_no_sync_and_is_moved_aside(
    world: Spoiled, problems: Callable[[], int], key: Any
) -> None:
    world.sync()
    world.track("video:a", 3, shard=2)
    world.track("video:a", 4, shard=3)
    world.write(keys.refused(3), REFUSED.format("a"), "2")
    world.put_list(key(2))
    problems()

    first = world.sync(force=True)
    rung = problems()
    world.clock.shift(60)
    second = world.sync(force=True)

    # What stands beside it on the shard is added, at the next epoch if the shard had lost its epoch.
    assert world.totals() == {"organic#video#a": 4 if key is keys.pending else 7}
    assert (first["refusals"] + second["refusals"], first["parked"]) == (2, 0)
    assert rung == 1
    assert world.type_of(key(2)) != b"list"
    assert world.type_of(keys.unreadable(key(2))) == b"list"
    assert problems() == 0


@ON_A_CLUSTER_TOO
@EACH_KEY
def test_a_key_of_another_type_is_empty_for_those_who_read_and_stays_where_it_is(world: Spoiled, key: Any) -> None:
    world.sync()
    world.track("video:a", 3, shard=2)
    world.track("video:a", 4, shard=3)
    world.put_list(key(2))

    stats = world.request("views/diagnosis/api-stats")
    seen = world.shown("a")

    assert stats.status == 200
    assert seen == (4 if key is keys.pending else 7)
    assert world.type_of(key(2)) == b"list"


def test_a_viewers_state_of_another_type_holds_up_no_view_to_fold(world: Spoiled, problems: Callable[[], int]) -> None:
    world.put_list(keys.viewer_state("anon:1"))
    world.put_away("1", "video:a", {"S": rfc3339(NOW)})
    world.put_away("2", "video:b", {"S": rfc3339(NOW)})
    problems()

    assert world.sync()["folded"] == 2
    assert problems() == 1


def test_a_viewer_whose_state_is_of_another_type_is_explained(world: Spoiled) -> None:
    """The viewer of the request is ada."""
    world.put_list(keys.viewer_state("user:ada"))

    answer = world.request("views/diagnosis/api-explain")

    assert (answer.status, answer.body["would_count"]) == (200, True)
    assert world.type_of(keys.viewer_state("user:ada")) == b"list"


@pytest.mark.parametrize("key", [keys.pending, keys.registered], ids=["pending", "registered"])
def test_a_view_that_meets_a_key_of_another_type_is_counted_without_redis_until_the_sync_moves_it(
    world: Spoiled, key: Any
) -> None:
    world.aws.choose(RegisteredContentOnly=str(key is keys.registered).lower())
    world.sync()
    for shard in range(16):
        world.put_list(key(shard))

    degraded = world.request("views/track/api-track")
    world.sync()
    world.clock.shift(timedelta(days=1))
    again = world.request("views/track/api-track")

    assert (degraded.body["counted"], degraded.body.get("degraded")) == (True, True)
    assert world.totals() == {"organic#video#abc123": 1}
    assert (again.status, again.body.get("degraded")) == (200, None)
