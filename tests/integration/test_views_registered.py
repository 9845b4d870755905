"""Registered content: what is kept of it, and that each shard has all of it or refuses nobody."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from sluice.errors import Unavailable
from tests.account import Account
from tests.integration.console import answer_lost_of_the_first, before_the_first
from tests.integration.harness import ON_A_CLUSTER_TOO, Answer, Functions, Harness
from tests.redis_servers import Servers, free_ports
from views import keys, messages
from views.messages import Page
from views.registered import api as registered_api
from views.registered import rebuild as registered
from views.registered.content import BUCKETS
from views.registered.rebuild import PATIENCE
from views.shards.store import RedisShards, client
from views.sync import worker as sync_worker

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
CLOSING = timedelta(seconds=20)
ABOUT = {"title": "How sluices work", "owner": "ada"}
EVERY = range(16)
SCHEDULED = json.dumps({"scheduled_at": "2026-11-20T00:00:00Z"})
pytestmark = pytest.mark.usefixtures("patient")


class Registrar(Harness):
    """An administrator, and a queue that is worked off by hand, where only registered content counts."""

    def __init__(self, aws: Account, functions: Functions, servers: Servers, clock: Any) -> None:
        aws.choose(RedisUrl=servers.url, RedisMode=servers.mode, RegisteredContentOnly="true")
        super().__init__(aws, functions, clock)
        self.servers = servers

    def ask(
        self,
        file: str,
        body: Any = None,
        content: str = "story/123",
        role: str = "admin",
        subject: str = "ada",
        key: str | None = None,
    ) -> Answer:
        path = ("story/123", content)
        return self.request(f"views/registered/api-{file}", path, body=body, role=role, subject=subject, key=key)

    def put(self, content: str = "story/123", key: str | None = None, **changes: str) -> Answer:
        return self.ask("put", ABOUT | changes, content, key=key)

    def delete(self, table: str, **key: Any) -> None:
        """An item, by hand."""
        names = {name: {"N" if isinstance(value, int) else "S": str(value)} for name, value in key.items()}
        self.aws.client("dynamodb").delete_item(TableName=self.aws.ref(table), Key=names)

    def deliver(self, body: str, message_id: str = "message-1") -> bool:
        """Whether the worker acknowledged a message."""
        return self.hand_over("views/sync/worker-steps", body, message_id)

    def messages(self) -> list[str]:
        """Takes what is visible off the queue."""
        return self.take("ViewsQueue", ahead=timedelta())

    def work_off(self) -> int:
        """Hands the worker every message, and tells how many there were."""
        for number in range(200):
            bodies = self.messages()
            if not bodies:
                return number
            for body in bodies:
                assert self.deliver(body)
        raise AssertionError("the rebuild does not end")

    def members(self, shard: int) -> set[str]:
        with self.servers.client_of(keys.registered(shard)) as found:
            return {member.decode() for member in found.smembers(keys.registered(shard))}

    def shards(self) -> RedisShards:
        return RedisShards(client(self.servers.url, self.servers.mode, 2))

    def restart(self, shard: int) -> None:
        """What a shard held is gone."""
        with self.servers.client_of(keys.registered(shard)) as found:
            found.delete(keys.registered(shard), keys.rebuild(shard), keys.epoch(shard))

    def audited(self) -> list[tuple[str, str, str]]:
        return [(entry["entity"], entry["action"], entry["actor"]) for entry in self.entries()]

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        rows = sorted(self.aws.items("OutboxTable"), key=lambda row: str(row["created_at"]))
        return [(row["name"], json.loads(row["data"])) for row in rows]


@pytest.fixture
def world(aws: Account, functions: Functions, redis: Servers) -> Iterator[Registrar]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield Registrar(aws, functions, redis, clock)


def complete(world: Registrar) -> None:
    """The first sync there ever was, and all that came of it."""
    assert world.deliver(SCHEDULED)
    world.work_off()


def test_a_content_is_put_and_shown(world: Registrar) -> None:
    put, shown = world.put(), world.ask("get", role="operator")

    assert put.status == shown.status == 200
    assert put.body == shown.body
    assert put.body == {
        "content_type": "story",
        "content_id": "123",
        **ABOUT,
        "registered_at": "2026-11-20T08:30:00.000000Z",
        "updated_at": "2026-11-20T08:30:00.000000Z",
    }


def test_a_change_keeps_when_it_was_registered_and_each_leaves_an_entry_and_an_event(world: Registrar) -> None:
    world.put()
    world.clock.shift(60)

    changed = world.ask("put", ABOUT | {"owner": "grace"}, subject="alan")

    assert (changed.body["registered_at"][:19], changed.body["updated_at"][:19]) == (
        "2026-11-20T08:30:00",
        "2026-11-20T08:31:00",
    )
    assert world.audited() == [
        ("content:story:123", "CONTENT_REGISTERED", "ada"),
        ("content:story:123", "CONTENT_CHANGED", "alan"),
    ]
    story = {"content_type": "story", "content_id": "123"}
    assert world.events() == [
        ("ContentRegistered", story | ABOUT),
        ("ContentChanged", story | ABOUT | {"owner": "grace"}),
    ]


def test_its_chain_of_entries_is_verified(world: Registrar) -> None:
    world.put()
    world.put(title="Another")

    whole = world.verified("content:story:123")
    key = {"entity": {"S": "content:story:123"}, "number": {"N": "2"}}
    world.aws.client("dynamodb").delete_item(TableName=world.aws.ref("AuditTable"), Key=key)
    cut = world.verified("content:story:123")

    assert whole == {"entity": "content:story:123", "valid": True, "entries": 2, "problem": None, "rolled_back": []}
    assert (cut["valid"], cut["problem"]) == (False, "entry 2 was cut off")


def test_what_was_never_registered_has_no_chain(world: Registrar) -> None:
    world.put()

    assert world.verified("content:story:other")["code"] == "not_found"


def test_a_repeat_changes_nothing(world: Registrar) -> None:
    first = world.put()
    world.clock.shift(60)

    again = world.put()

    assert again == first
    assert len(world.audited()) == len(world.events()) == 1


def test_a_late_retry_of_a_put_changes_nothing_back(world: Registrar) -> None:
    first = world.put(key="one", owner="ada")
    world.put(key="two", owner="grace")

    again = world.put(key="one", owner="ada")

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert world.ask("get").body["owner"] == "grace"
    assert len(world.audited()) == 2


def test_a_put_that_changes_nothing_keeps_its_answer_too(world: Registrar) -> None:
    world.put(owner="ada")
    same = world.put(key="one", owner="ada")
    world.put(owner="grace")

    again = world.put(key="one", owner="ada")
    other = world.put(key="one", owner="alan")

    assert (again.status, again.body) == (200, same.body)
    assert other.refusal[:2] == (409, "idempotency_key_reused")
    assert world.ask("get").body["owner"] == "grace"


def test_a_put_whose_content_was_rolled_back_is_carried_out_again(world: Registrar) -> None:
    world.put(key="one", owner="ada")
    world.delete("ViewsTable", id="content#story#123", part="about")
    world.delete("AuditTable", entity="content:story:123", number=1)

    again = world.put(key="one", owner="ada")

    assert (again.status, "Idempotency-Replayed" in again.headers) == (200, False)
    assert world.ask("get").body["owner"] == "ada"


def test_two_who_change_it_at_once_both_leave_an_entry(world: Registrar) -> None:
    world.put()

    with before_the_first("transact_write_items", lambda: world.put(owner="grace")):
        last = world.put(owner="alan")

    assert last.body["owner"] == "alan"
    assert [action for _, action, _ in world.audited()] == ["CONTENT_REGISTERED", "CONTENT_CHANGED", "CONTENT_CHANGED"]


def test_what_was_never_registered_is_404(world: Registrar) -> None:
    answer = world.ask("get")

    assert answer.refusal == (404, "content_not_found", "This content is not registered")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": "a"}, "owner"),
        (ABOUT | {"title": ""}, "title"),
        (ABOUT | {"title": "a" * 201}, "title"),
        (ABOUT | {"title": "two\nlines"}, "title"),
        (ABOUT | {"title": " "}, "title"),
        (ABOUT | {"owner": ""}, "owner"),
        (ABOUT | {"owner": "a" * 129}, "owner"),
        (ABOUT | {"owner": 7}, "owner"),
        (ABOUT | {"price": 7}, "price"),
        ("[]", "body"),
    ],
)
def test_a_wrong_field_is_400_and_named_and_nothing_is_written(world: Registrar, body: Any, field: str) -> None:
    answer = world.ask("put", body)

    assert (answer.status, answer.fields[0]) == (400, field)
    assert world.aws.items("ViewsTable") == []


@pytest.mark.parametrize(("content", "field"), [("podcast/123", "content_type"), ("story/-1", "content_id")])
@pytest.mark.parametrize("file", ["put", "get"])
def test_what_cannot_be_a_content_is_400_and_named(world: Registrar, file: str, content: str, field: str) -> None:
    answer = world.ask(file, ABOUT if file == "put" else None, content)

    assert (answer.status, answer.fields) == (400, [field])


def test_the_longest_title_and_owner_are_taken(world: Registrar) -> None:
    assert world.put(title="ü" * 200, owner="o" * 128).status == 200


@pytest.mark.parametrize(("file", "role"), [("put", "operator"), ("put", "user"), ("get", "service"), ("get", "user")])
def test_putting_needs_an_admin_and_looking_an_operator(world: Registrar, file: str, role: str) -> None:
    answer = world.ask(file, role=role)

    assert answer.status == 403
    assert world.aws.items("ViewsTable") == []


@ON_A_CLUSTER_TOO
def test_a_put_is_known_to_every_shard(world: Registrar) -> None:
    complete(world)

    world.put("story/123")
    world.put("video/a")

    assert all(world.members(shard) == {"story:123", "video:a", "*"} for shard in EVERY)


def test_a_put_makes_no_set_where_there_is_none(world: Registrar) -> None:
    """It would cost memory where all contents count; and a rebuild finds the content in the database."""
    world.put()

    assert not any(world.members(shard) for shard in EVERY)


def test_a_put_is_known_to_shards_that_a_larger_number_left_behind(world: Registrar) -> None:
    world.aws.choose(ViewShards="20")
    complete(world)
    world.aws.choose(ViewShards="16")
    registered_api.configured.cache_clear()
    registered_api.registration.cache_clear()

    world.put()

    assert all(world.members(shard) == {"story:123", "*"} for shard in range(20))


def test_without_redis_a_put_says_what_to_do_and_a_repeat_heals_it(world: Registrar) -> None:
    complete(world)
    world.functions.environment["REDIS_URL"] = f"redis://127.0.0.1:{free_ports(1)[0]}"
    away = world.put()
    del world.functions.environment["REDIS_URL"]
    registered_api.configured.cache_clear()
    registered_api.registration.cache_clear()
    between = world.members(3)

    again = world.put()

    assert (away.status, away.body["code"]) == (503, "unavailable")
    assert away.body["message"].endswith("repeat this request")
    assert int(away.headers["Retry-After"]) >= 1
    assert (between, again.status, world.members(3)) == ({"*"}, 200, {"story:123", "*"})
    assert len(world.audited()) == 1


def test_a_put_that_died_after_its_row_is_healed_by_a_repeat(world: Registrar) -> None:
    complete(world)
    with pytest.raises(KeyboardInterrupt), answer_lost_of_the_first("transact_write_items"):
        world.put()
    between = world.members(3)

    world.put()

    assert (between, world.members(3)) == ({"*"}, {"story:123", "*"})
    assert len(world.audited()) == 1


@ON_A_CLUSTER_TOO
def test_the_sync_gives_every_shard_all_of_it_and_then_the_marker(world: Registrar, monkeypatch: Any) -> None:
    """A page holds a few: however many there are, memory is that of a page."""
    contents = {f"story:{number}" for number in range(40)}
    for content in contents:
        world.put(content.replace(":", "/"))
    world.servers.flush()
    monkeypatch.setattr(registered.Rebuild.__init__, "__kwdefaults__", {"page_contents": 2})

    complete(world)

    assert all(world.members(shard) == contents | {"*"} for shard in EVERY)
    assert not any(key.endswith(b":rebuild") for key in world.servers.everything())


def test_a_complete_shard_is_left_alone(world: Registrar) -> None:
    complete(world)
    world.clock.shift(CLOSING)

    assert world.deliver(SCHEDULED)

    assert world.messages() == []


def test_only_the_shard_that_lost_it_is_rebuilt(world: Registrar) -> None:
    world.put()
    complete(world)
    world.restart(5)
    world.clock.shift(CLOSING)

    assert world.deliver(SCHEDULED)
    (beginning,) = world.messages()
    assert world.deliver(beginning)
    (first,) = world.messages()

    assert json.loads(first)["registered"]["shards"] == [5]
    finish(world, [first])
    assert world.members(5) == {"story:123", "*"}


@pytest.mark.parametrize("key", [keys.registered, keys.rebuild], ids=["registered", "rebuild"])
def test_a_shard_whose_keys_a_hand_made_into_another_type_is_rebuilt(world: Registrar, key: Any) -> None:
    complete(world)
    world.restart(5)
    with world.servers.client_of(key(5)) as client_of_shard:
        client_of_shard.rpush(key(5), "oops")
    put = world.put()
    world.clock.shift(CLOSING)

    assert world.deliver(SCHEDULED)
    world.work_off()

    assert put.status == 200
    assert world.members(5) == {"story:123", "*"}


def test_an_epoch_that_is_opened_by_hand_rebuilds_too(world: Registrar) -> None:
    world.put()
    complete(world)
    world.restart(5)
    world.clock.shift(CLOSING)

    opened = world.request("views/sync/api-start")
    world.work_off()

    assert opened.status == 202
    assert world.members(5) == {"story:123", "*"}


@ON_A_CLUSTER_TOO
def test_where_all_content_counts_no_set_is_made_and_one_that_was_is_forgotten(world: Registrar) -> None:
    world.put()
    complete(world)
    world.aws.choose(RegisteredContentOnly="false")
    sync_worker.inbox.cache_clear()
    world.clock.shift(CLOSING)

    assert world.deliver(SCHEDULED)

    assert world.messages() == []
    kept = {key.rpartition(b":")[2] for key in world.servers.everything()}
    assert kept & {b"registered", b"rebuild"} == set()


def test_it_can_be_switched_on_and_off_and_on_again(world: Registrar) -> None:
    world.put("story/1")
    for number, is_on in enumerate(["true", "false", "true"], 2):
        world.aws.choose(RegisteredContentOnly=is_on)
        sync_worker.inbox.cache_clear()
        world.clock.shift(CLOSING)
        complete(world)
        world.put(f"story/{number}")

    assert all(world.members(shard) == {"*", *(f"story:{n}" for n in range(1, 5))} for shard in EVERY)


def test_a_rebuild_that_was_under_way_when_it_was_switched_off_leaves_nothing(world: Registrar) -> None:
    waiting = pages(world, begun(world), 3)
    world.aws.choose(RegisteredContentOnly="false")
    sync_worker.inbox.cache_clear()

    assert world.deliver(SCHEDULED)
    finish(world, waiting)

    assert not any(world.members(shard) for shard in EVERY)


def begun(world: Registrar) -> Page:
    """The first page's message of a rebuild that has begun."""
    complete(world)
    for shard in EVERY:
        world.restart(shard)
    assert world.deliver(Page().body())
    (body,) = world.messages()
    page = messages.parse(body)
    assert page is not None
    return page


def pages(world: Registrar, page: Page, most: int) -> list[str]:
    """Works off so many pages; what is on the queue then."""
    bodies = [page.body()]
    for _ in range(most):
        for body in bodies:
            assert world.deliver(body)
        bodies = world.messages()
    return bodies


def finish(world: Registrar, bodies: list[str]) -> None:
    for body in bodies:
        assert world.deliver(body)
    world.work_off()


@pytest.mark.parametrize("most", [0, 1, BUCKETS // 2, BUCKETS - 1, BUCKETS])
def test_a_put_in_the_middle_of_a_rebuild_is_not_lost(world: Registrar, most: int) -> None:
    """Whether its bucket was read before or is read after."""
    waiting = pages(world, begun(world), most)

    for number in range(30):
        world.put(f"story/{number}")
    finish(world, waiting)

    assert all(world.members(shard) == {f"story:{number}" for number in range(30)} | {"*"} for shard in EVERY)


@pytest.mark.parametrize("most", [1, BUCKETS // 2, BUCKETS - 1])
def test_a_shard_that_loses_a_put_in_the_middle_gets_no_marker_from_this_rebuild(world: Registrar, most: int) -> None:
    waiting = pages(world, begun(world), most)
    for number in range(30):
        world.put(f"story/{number}")
    world.restart(3)

    while waiting and "*" not in world.members(4):
        for body in waiting:
            assert world.deliver(body)
        waiting = world.messages()
    unmarked = world.members(3)
    finish(world, waiting)

    assert "*" not in unmarked
    assert world.members(3) == world.members(4) == {f"story:{number}" for number in range(30)} | {"*"}


def test_a_put_whose_row_is_there_and_whose_sets_are_not_told_yet_is_in_a_rebuild(world: Registrar) -> None:
    page = begun(world)
    with pytest.raises(KeyboardInterrupt), answer_lost_of_the_first("transact_write_items"):
        world.put()

    finish(world, [page.body()])

    assert all(world.members(shard) == {"story:123", "*"} for shard in EVERY)


def test_a_message_that_comes_twice_at_any_place_does_no_harm(world: Registrar) -> None:
    for number in range(30):
        world.put(f"story/{number}")
    waiting = [begun(world).body()]

    for _ in range(BUCKETS + 3):
        for number, body in enumerate(waiting):
            assert world.deliver(body)
            assert number or world.deliver(body)
        waiting = list(dict.fromkeys(world.messages()))

    assert waiting == []
    assert all(world.members(shard) == {f"story:{number}" for number in range(30)} | {"*"} for shard in EVERY)


def test_a_begin_that_comes_again_takes_over_and_the_first_gives_no_marker(world: Registrar) -> None:
    """Else a page of the first, on a shard that restarted empty meanwhile, would be vouched for by the second."""
    world.put()
    first = begun(world)
    waiting = pages(world, first, BUCKETS // 2)
    for shard in EVERY:
        world.restart(shard)

    assert world.deliver(Page().body())
    (second,) = world.messages()
    for body in waiting:
        assert world.deliver(body)

    assert world.messages() == []
    assert not any("*" in world.members(shard) for shard in EVERY)
    finish(world, [second])
    assert all(world.members(shard) == {"story:123", "*"} for shard in EVERY)


def test_a_rebuild_that_gets_on_is_waited_for_and_a_dead_one_is_begun_anew(world: Registrar) -> None:
    world.put()
    lost = pages(world, begun(world), 3)
    world.clock.shift(PATIENCE)
    assert world.deliver(SCHEDULED)
    waited_for = world.messages()

    world.clock.shift(1)
    assert world.deliver(SCHEDULED)
    world.work_off()

    assert (len(lost), waited_for) == (1, [])
    assert all(world.members(shard) == {"story:123", "*"} for shard in EVERY)


def test_a_worker_that_dies_after_it_added_a_page_adds_it_again(world: Registrar) -> None:
    world.put()
    page = begun(world)

    with cannot_send():
        assert not world.deliver(page.body())
    finish(world, [page.body()])

    assert all(world.members(shard) == {"story:123", "*"} for shard in EVERY)


def test_without_redis_a_page_is_delivered_again(world: Registrar) -> None:
    page = begun(world)
    world.functions.environment["REDIS_URL"] = f"redis://127.0.0.1:{free_ports(1)[0]}"
    sync_worker.inbox.cache_clear()

    assert not world.deliver(page.body())


@pytest.mark.parametrize(
    "text",
    ['{"registered": 7}', '{"registered": {"rebuild": "a", "more": 1}}', '{"registered": {"shards": ["x"]}}'],
)
def test_a_message_that_names_no_page_is_for_the_dead_letters(world: Registrar, text: str) -> None:
    assert not world.deliver(text)


@ON_A_CLUSTER_TOO
def test_a_shard_without_its_rebuild_takes_nothing_of_it(world: Registrar) -> None:
    shards = world.shards()
    shards.begin_rebuild([0], "one", 5)

    added = shards.register([0, 1], ["story:1"], 6, "one")

    assert added == [True, False]
    assert (world.members(0), world.members(1)) == ({"!one", "story:1"}, set())
    assert shards.rebuilds([0, 1]) == [6, 0]
    assert shards.end_rebuild([0, 1], "one") == [True, False]
    assert shards.rebuilds([0, 1]) == [None, 0]
    assert shards.begin_rebuild([0, 1], "two", 7) == [False, True]


def test_a_second_rebuild_ends_the_first(world: Registrar) -> None:
    shards = world.shards()
    shards.begin_rebuild([0], "one", 5)

    shards.begin_rebuild([0], "two", 6)

    assert world.members(0) == {"!two"}
    assert shards.register([0], ["story:1"], 7, "one") == shards.end_rebuild([0], "one") == [False]
    assert shards.end_rebuild([0], "two") == [True]


def test_a_set_that_is_gone_is_under_way_no_more(world: Registrar) -> None:
    """Even by hand, which leaves what says that it was."""
    shards = world.shards()
    shards.begin_rebuild([0], "one", 5)
    with world.servers.client_of(keys.registered(0)) as found:
        found.delete(keys.registered(0))

    assert shards.rebuilds([0]) == [0]


@contextmanager
def cannot_send() -> Iterator[None]:
    """The queue takes nothing."""

    def refuse(*_: Any) -> None:
        raise Unavailable("The sync's next step could not be sent")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sync_worker.inbox().rebuild, "send", refuse)
        yield
