"""Fields of Redis and rows to fold that cannot be read: the sync logs them for its alarm, and they hold up no other."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from sluice.clock import rfc3339
from tests.account import Account
from tests.integration.harness import Functions
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

    def put_away(self, viewer: str, content: str, counted_at: dict[str, str]) -> None:
        """A view that was taken without Redis."""
        row = {"id": f"viewer#anon:{viewer}", "part": f"2026-11-20#{content}", "content": content, "unfolded": "3"}
        item = {name: {"S": value} for name, value in row.items()} | {"counted_at": counted_at}
        self.aws.client("dynamodb").put_item(TableName=self.aws.ref("ViewsTable"), Item=item)

    def shown(self, content: str) -> int:
        return int(self.request("views/counts/api-get", ("/abc123", f"/{content}")).body["view_count"])


@pytest.fixture
def world(aws: Account, functions: Functions, single_server: Servers) -> Iterator[Spoiled]:
    single_server.flush()
    with time_machine.travel(NOW, tick=False) as clock:
        yield Spoiled(aws, functions, single_server, clock)


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
