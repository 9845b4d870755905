"""The sync's command and its worker, on their event files: from views in Redis to totals, message by message."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from tests.account import Account
from tests.integration.harness import NOTHING, Answer, Functions, Harness
from tests.redis_servers import Servers, free_ports
from views import keys
from views.sync import api as sync
from views.sync import worker as sync_worker

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
CLOSING = timedelta(seconds=20)
"""Until after an epoch that was just closed another opens."""
MOST_MESSAGES = 100
COUNTERS = ("contents", "views", "parked", "refusals", "folded")
pytestmark = pytest.mark.usefixtures("patient")


class Syncs(Harness):
    """An operator, viewers without rules, and a queue that is worked off by hand."""

    def __init__(self, aws: Account, functions: Functions, servers: Servers, clock: Any) -> None:
        aws.choose(RedisUrl=servers.url, RedisMode=servers.mode)
        super().__init__(aws, functions, clock)
        self.servers = servers

    def ask(self, file: str, *, text: str | None = None, epoch: str = "7", role: str = "operator") -> Answer:
        return self.request(f"views/{file}", ("/7", f"/{epoch}"), body=NOTHING if text is None else text, role=role)

    def start(self, *, force: bool = False) -> Answer:
        return self.ask("sync/api-start", text=json.dumps({"force": force}))

    def deliver(self, body: str, message_id: str = "message-1") -> bool:
        """Whether the worker acknowledged a message."""
        return self.hand_over("views/sync/worker-steps", body, message_id)

    def messages(self) -> list[str]:
        """Takes what is visible off the queue."""
        return self.take("ViewsQueue", ahead=timedelta())

    def work_off(self) -> None:
        """Hands the worker every message, and waits for those that are delayed."""
        for number in range(MOST_MESSAGES):
            bodies = self.messages()
            if not bodies:
                self.clock.shift(CLOSING)
                bodies = self.messages()
            if not bodies:
                return
            assert all(self.deliver(body, f"message-{number}") for body in bodies)
        raise AssertionError("the sync does not end")

    def sync(self, *, force: bool = False) -> dict[str, Any]:
        """The last epoch, after a start and all that came of it."""
        self.start(force=force)
        self.work_off()
        shown = self.ask("sync/api-get")
        assert (shown.status, shown.body["phase"]) == (200, "done")
        return dict(shown.body)

    def forget(self) -> None:
        """The functions begin anew, as in another process."""
        sync.sync.cache_clear()
        sync_worker.inbox.cache_clear()

    def track(self, content: str, views: int, shard: int = 0) -> None:
        with self.servers.client_of(keys.pending(shard)) as client:
            client.hincrby(keys.pending(shard), content, views)

    def pending(self, shard: int = 0) -> dict[bytes, bytes]:
        with self.servers.client_of(keys.pending(shard)) as client:
            found: dict[bytes, bytes] = client.hgetall(keys.pending(shard))
            return found

    def daily(self) -> dict[tuple[str, str], int]:
        return {
            (str(item["id"]), str(item["part"])): int(item["views"])
            for item in self.aws.items("ViewsTable")
            if str(item["id"]).startswith("content#")
        }


@pytest.fixture
def world(aws: Account, functions: Functions, single_server: Servers) -> Iterator[Syncs]:
    single_server.flush()
    with time_machine.travel(NOW, tick=False) as clock:
        yield Syncs(aws, functions, single_server, clock)


def test_a_start_moves_all_that_is_pending_to_the_totals_and_their_days(world: Syncs) -> None:
    """S2-8, S2-12, S2-15, S2-27."""
    world.track("video:abc123", 3)
    world.track("video:abc123", 2, shard=9)
    world.track("story:123", 4, shard=15)

    epoch = world.sync()

    assert {name: epoch[name] for name in ("epoch", "day", "shards", *COUNTERS)} == {
        "epoch": 1,
        "day": "2026-11-20",
        "shards": 16,
        **dict.fromkeys(COUNTERS, 0),
        "contents": 2,
        "views": 9,
    }
    assert world.totals() == {"organic#video#abc123": 5, "organic#story#123": 4}
    assert world.daily() == {("content#video#abc123", "2026-11-20"): 5, ("content#story#123", "2026-11-20"): 4}
    assert world.pending() == world.pending(9) == world.pending(15) == {}


def test_the_first_start_of_all_numbers_the_shards_and_the_first_epoch_follows(world: Syncs) -> None:
    world.track("video:abc123", 3)

    answer = world.start()
    shown = world.ask("sync/api-get")

    assert (answer.status, answer.body["outcome"], answer.body["epoch"]) == (202, "waiting", 0)
    assert (shown.status, shown.body["epoch"]) == (200, 0)
    assert world.messages() == []
    world.clock.shift(CLOSING)
    assert len(world.messages()) == 1


def test_a_later_start_opens_the_next_epoch_at_once_and_says_how_far_it_is(world: Syncs) -> None:
    world.track("video:abc123", 3)
    world.sync()
    world.clock.shift(CLOSING)
    world.track("video:abc123", 1)

    opened, again = world.start(), world.start()

    assert (opened.status, opened.body["outcome"]) == (202, "opened")
    assert {name: opened.body[name] for name in ("epoch", "phase", "step", "pages", *COUNTERS)} == {
        "epoch": 2,
        "phase": "opening",
        "step": 0,
        "pages": 0,
        **dict.fromkeys(COUNTERS, 0),
    }
    assert opened.body["opened_at"].startswith("2026-11-20T08:3")
    assert opened.body["closed_at"] is None
    assert (again.status, again.body["outcome"], again.body["epoch"]) == (200, "running", 2)
    world.work_off()
    assert world.totals() == {"organic#video#abc123": 4}


def test_nothing_pending_opens_nothing_and_force_opens_an_epoch_that_moves_nothing(world: Syncs) -> None:
    """S2-26, decision 19."""
    world.track("video:abc123", 3)
    world.sync()
    world.clock.shift(CLOSING)

    idle = world.start()
    forced = world.sync(force=True)

    assert (idle.status, idle.body["outcome"], idle.body["epoch"], idle.body["views"]) == (200, "nothing_pending", 1, 3)
    assert (forced["epoch"], forced["views"], forced["contents"]) == (2, 0, 0)
    assert world.totals() == {"organic#video#abc123": 3}


@pytest.mark.parametrize("text", [None, "", "{}", '{"force": false}'])
def test_a_body_may_be_left_out(world: Syncs, text: str | None) -> None:
    answer = world.ask("sync/api-start", text=text)

    assert (answer.status, answer.body["outcome"]) == (200, "nothing_pending")


@pytest.mark.parametrize(
    ("text", "field"),
    [('{"force": "yes"}', "force"), ('{"force": 1}', "force"), ('{"all": true}', "all"), ("[]", "body"), ("{", "body")],
)
def test_a_body_that_is_not_understood_is_400_and_starts_nothing(world: Syncs, text: str, field: str) -> None:
    world.track("video:abc123", 3)

    answer = world.ask("sync/api-start", text=text)

    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == [field]
    assert world.aws.items("ViewsTable") == []


@pytest.mark.parametrize("file", ["sync/api-start", "sync/api-get", "sync/api-epoch"])
@pytest.mark.parametrize("role", ["user", "service"])
def test_it_needs_an_operator(world: Syncs, file: str, role: str) -> None:
    answer = world.ask(file, role=role)

    assert answer.status == 403
    assert answer.body["message"] == f"This route needs the role operator; yours is {role}"


def test_before_the_first_sync_there_is_nothing_to_show(world: Syncs) -> None:
    present, first = world.ask("sync/api-get"), world.ask("sync/api-epoch", epoch="1")

    assert (present.status, present.body["message"]) == (
        404,
        "There was no sync yet: a POST to this path starts the first one",
    )
    assert (first.status, first.body["message"]) == (404, "There is no epoch 1")


@pytest.mark.parametrize("epoch", ["0", "-1", "seven", "99999999999999999999"])
def test_what_is_no_epoch_is_400(world: Syncs, epoch: str) -> None:
    answer = world.ask("sync/api-epoch", epoch=epoch)

    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == ["epoch"]


def test_every_epoch_is_remembered(world: Syncs) -> None:
    """S2-15."""
    for views in (3, 4):
        world.track("video:abc123", views)
        world.sync()
        world.clock.shift(CLOSING)

    shown = [world.ask("sync/api-epoch", epoch=epoch) for epoch in ("1", "2", "3")]

    assert [answer.status for answer in shown] == [200, 200, 404]
    assert [(answer.body["epoch"], answer.body["views"], answer.body["phase"]) for answer in shown[:2]] == [
        (1, 3, "done"),
        (2, 4, "done"),
    ]
    assert shown[1].body == world.ask("sync/api-get").body


def test_what_could_not_be_applied_is_named_and_tried_again(world: Syncs) -> None:
    """S2-14, S2-25."""
    world.track("video:odd", 3)
    world.track("video:abc123", 4)
    odd = {"key": {"S": "organic#video#odd"}, "views": {"S": "no number"}}
    world.aws.client("dynamodb").put_item(TableName=world.aws.ref("TotalsTable"), Item=odd)

    failed = world.sync()
    world.aws.client("dynamodb").delete_item(TableName=world.aws.ref("TotalsTable"), Key={"key": odd["key"]})
    world.clock.shift(CLOSING)
    mended = world.sync()

    assert (failed["views"], failed["parked"]) == (4, 1)
    assert [(each["content"], each["failures"], each["is_parked"]) for each in failed["failures"]] == [
        ("video:odd", 3, True)
    ]
    assert world.ask("sync/api-epoch", epoch="1").body["failures"] == failed["failures"]
    assert (mended["views"], mended["failures"]) == (3, [])
    assert world.totals() == {"organic#video#abc123": 4, "organic#video#odd": 3}


def test_without_redis_a_start_is_503_and_what_was_is_shown_still(world: Syncs) -> None:
    """S2-33."""
    world.track("video:abc123", 3)
    world.sync()
    world.functions.environment["REDIS_URL"] = f"redis://127.0.0.1:{free_ports(1)[0]}"
    world.forget()

    answer, shown = world.start(), world.ask("sync/api-get")

    assert (answer.status, answer.body["message"]) == (503, "Redis does not answer")
    assert int(answer.headers["Retry-After"]) >= 1
    assert (shown.status, shown.body["views"]) == (200, 3)


def test_the_stop_of_the_platform_does_not_hold_it(world: Syncs) -> None:
    stopped = world.invoke("operations/stop-stop")
    world.track("video:abc123", 3)

    epoch = world.sync()

    assert stopped["statusCode"] == 200
    assert epoch["views"] == 3


@pytest.mark.parametrize(
    ("zone", "scheduled_at", "day"),
    [
        ("UTC", "2026-11-21T00:00:00Z", "2026-11-20"),
        ("Europe/Berlin", "2026-11-20T23:00:00Z", "2026-11-20"),
        ("America/New_York", "2026-11-21T05:00:00Z", "2026-11-20"),
    ],
)
def test_the_midnight_message_opens_the_epoch_of_the_day_that_ended(
    world: Syncs, zone: str, scheduled_at: str, day: str
) -> None:
    """S2-8, S2-22, decision 15."""
    world.aws.choose(TimeZone=zone)
    world.track("video:abc123", 3)
    world.clock.move_to(datetime.fromisoformat(scheduled_at) + timedelta(seconds=2))

    acknowledged = world.deliver(json.dumps({"scheduled_at": scheduled_at}))
    world.work_off()
    repeated = world.deliver(json.dumps({"scheduled_at": scheduled_at}))
    world.work_off()

    epoch = world.ask("sync/api-get").body
    assert acknowledged
    assert repeated
    assert (epoch["epoch"], epoch["day"], epoch["views"]) == (1, day, 3)
    assert world.daily() == {("content#video#abc123", day): 3}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "{}",
        "step 1",
        '{"epoch": 1}',
        '{"epoch": "one", "step": 0}',
        '{"scheduled_at": 1}',
        '{"scheduled_at": null}',
        '{"scheduled_at": "today"}',
        '{"scheduled_at": "2026-11-21T00:00:00"}',
        '{"scheduled_at": "<aws.scheduler.scheduled-time>"}',
        "[" * 100_000,
    ],
)
def test_a_message_that_cannot_be_read_is_put_back_for_a_person(world: Syncs, body: str) -> None:
    assert not world.deliver(body)
    assert world.aws.items("ViewsTable") == []


@pytest.mark.parametrize("body", ['{"epoch": 1, "step": 0}', '{"epoch": 9, "step": 4}'])
def test_a_message_of_no_epoch_is_dropped(world: Syncs, body: str) -> None:
    assert world.deliver(body)
    assert world.totals() == {}


def test_without_redis_a_step_is_put_back(world: Syncs) -> None:
    """S2-25, S2-32."""
    world.track("video:abc123", 3)
    world.start()
    world.clock.shift(CLOSING)
    (step,) = world.messages()
    world.functions.environment["REDIS_URL"] = f"redis://127.0.0.1:{free_ports(1)[0]}"

    assert not world.deliver(step)

    world.functions.environment.clear()
    world.forget()
    assert world.deliver(step)
    world.work_off()
    assert world.totals() == {"organic#video#abc123": 3}
