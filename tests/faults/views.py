"""Views in the world, on a real Redis: their flows, and what must hold of them at rest."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from itertools import count as count_from
from typing import Any
from unittest.mock import patch

from botocore.session import Session

from tests.faults.cache import Server, through
from tests.faults.chain import (
    SHARED,
    act,
    actions_by_entity,
    are_all_published,
    by_the_operator,
    check_queues,
    check_trail,
    platform,
)
from tests.faults.faults import LATE, OF_AWS, OF_REDIS_ALONE
from tests.faults.script import Command
from tests.faults.sweep import Context, Flow, Violation
from tests.faults.views_watch import FAILURES, Watch, imports
from tests.faults.world import Request, World, a_world
from tests.redis_servers import Servers
from views import keys
from views.breaker import Breaker
from views.imports import campaign
from views.registered import rebuild as registered
from views.registered import store as registry
from views.sync import applying
from views.sync import store as sync_store
from views.sync.epochs import Sync
from views.track import fallback
from views.track.counter import ViewCounter as TrackCounter

MODULES = (
    "views.sync.epochs",
    "views.sync.applying",
    "views.sync.store",
    "views.items",
    "views.sync.api",
    "views.track.fallback",
    "views.track.api",
    "views.track.counter",
    "views.imports.store",
    "views.imports.campaign",
    "views.imports.batches",
    "views.imports.commands",
    "views.adjustments.commands",
    "views.adjustments.store",
    "views.registered.commands",
    "views.registered.rebuild",
    "views.registered.store",
    "views.totals",
)
"""Where the mutation check looks for conditions, fences and guards."""
_REFUSED = "views.track.counter.ViewCounter._answer:"
_IMPORTED = "views.imports.batches.ImportBatches.commit:"
OUT_OF_SIGHT = {
    "views.sync.store._unfolded_since: return if item.unfolded, always": (
        "Who folds a row that is folded is refused by the condition of the transaction that adds it."
    ),
    "views.track.api._cookie: if name == COOKIE": "The callers have no cookies.",
    "views.track.fallback.Fallback.track_many: if self._seconds() > ends": "No time passes in a call.",
    "views.track.counter.ViewCounter._run: if answers": "A server that fails has answered all of a request, or none.",
    f"{_REFUSED} if 'WRONGTYPE' in str(error)": "No key is of another type.",
    f"{_REFUSED} if 'user_script' in str(error) and (not _takes_no_writes(error))": (
        "No script is wrong, and no server refuses what it is sent; so for the next two."
    ),
    f"{_REFUSED} clause 'user_script' in str(error) of an if": "",
    f"{_REFUSED} clause not _takes_no_writes(error) of an if": "",
    "views.track.counter.ViewCounter._ask: if moved": "There is one server.",
    "views.sync.epochs.Sync._next: if opened is None": "Two who open an epoch at one moment write the same.",
    f"{_IMPORTED} if after and after.status is ImportStatus.FAILED": "Log lines; so for the next two.",
    f"{_IMPORTED} clause after of an if": "",
    f"{_IMPORTED} clause after.status is ImportStatus.FAILED of an if": "",
}
"""What the sweep cannot notice, for want of it in the world: tests/unit and tests/integration have it."""
UNREACHED: dict[str, str] = {}
"""Functions that no flow reaches."""
SHARDS = 2
SYNC, IMPORTS = "/api/admin/views/sync", "/api/admin/views/imports"
EVENING = datetime(2026, 11, 20, 23, 57, tzinfo=UTC)
_GAUGES, _SWEEPER, _WORKER = "ViewsDiagnosisScheduleFunction", "OperationsSweeperFunction", "ViewsSyncWorkerFunction"
# Until midnight nothing needs to happen every five minutes.
_A_DAY: dict[str, Any] = {"silent": (_GAUGES, _SWEEPER), "at_rest_within": timedelta(hours=26)}


# --- What is asked


def of(content: str) -> dict[str, str]:
    return {"content_type": "video", "content_id": content}


def view(viewer: int, *contents: str, **options: Any) -> Command:
    """A view by somebody with an address of his own; several at once in one request."""
    options["address"] = f"192.0.2.{viewer}"
    if len(contents) > 1:
        return Command("POST", "/api/views/batch", {"views": [of(each) for each in contents]}, **options)
    return Command("POST", "/api/views", of(contents[0]), **options)


def count(content: str, **options: Any) -> Command:
    return Command("GET", f"/api/views/video/{content}", **options)


def counts(*contents: str, **options: Any) -> Command:
    return Command("POST", "/api/views/counts", {"items": [of(each) for each in contents]}, **options)


def sync(*, force: bool = False, **options: Any) -> Command:
    return Command("POST", SYNC, {"force": force}, **options)


def rows(number: int, *contents: str, of_import: int = 0, **options: Any) -> Command:
    """A chunk of an import: each content has ten times its place as its count."""
    body = {"rows": [of(each) | {"count": 10 * place} for place, each in enumerate(contents, 1)]}
    return Command("PUT", f"{IMPORTS}/{{{of_import}}}/rows/{number}", body, **options)


def new_import(**options: Any) -> Command:
    return Command("POST", IMPORTS, {"name": "from elsewhere"}, **options)


def execute(of_import: int = 0, **options: Any) -> Command:
    return Command("POST", f"{IMPORTS}/{{{of_import}}}/execute", **options)


def adjust(content: str, views: int, **options: Any) -> Command:
    return Command("POST", f"/api/admin/views/video/{content}/adjust", {"views": views, "reason": "a test"}, **options)


def register(content: str, title: str, **options: Any) -> Command:
    body = {"title": title, "owner": "ada"}
    return Command("PUT", f"/api/admin/content/video/{content}", body, **options)


# --- When


def _items(world: World) -> list[dict[str, Any]]:
    return list(world.dynamo.items("ViewsTable"))


def control(world: World) -> dict[str, Any] | None:
    """How far the sync is."""
    return next((item for item in _items(world) if item["id"] == "sync"), None)


def in_epoch(*epochs: int) -> Callable[[World], bool]:
    """Whether the sync is there."""
    return lambda world: _control(world, "epoch") in {str(each) for each in epochs}


def in_phase(*phases: str) -> Callable[[World], bool]:
    return lambda world: _control(world, "phase") in phases


def is_failing_or_tried_again(world: World) -> bool:
    return (_control(world, "epoch"), _control(world, "phase")) in (("1", "paging"), ("2", "retrying"))


def _control(world: World, name: str) -> str | None:
    found = world.dynamo.tables["ViewsTable"].items.get(("sync", "control"))
    return next(iter(found[name].values())) if found else None


def has_opened(epoch: int) -> Callable[[World], bool]:
    """Whether what is counted from now on belongs to a later one, or it never comes."""

    def has(world: World) -> bool:
        present = int(_control(world, "epoch") or 0)
        return present > epoch or (present == epoch and not in_phase("opening")(world)) or quiet(world)

    return has


def is_moving(world: World) -> bool:
    """Whether the next message adds to the totals, or none is left."""
    return in_phase("paging")(world) or quiet(world)


def never(_world: World) -> bool:
    return False


def quiet(world: World) -> bool:
    """Whether nothing is on its way."""
    return world.is_quiet()


def after_midnight(world: World) -> bool:
    return world.is_quiet() and world.now().date() > world.began.date()


def done(world: World) -> bool:
    """Whether no import runs."""
    return not any(each["status"] == "running" for each in imports(world))


def applied(rows_applied: int) -> Callable[[World], bool]:
    """Whether so many rows are, of all imports."""
    return lambda world: sum(each["applied"] for each in imports(world)) >= rows_applied


def in_minutes(minutes: int) -> Callable[[World], bool]:
    return lambda world: world.now() > world.began + timedelta(minutes=minutes)


def is_registry_complete(world: World) -> bool:
    return world.is_quiet() and all("*" in shard.registered for shard in world.cache.everything())


# --- What is there before, and what happens beside


def begun(world: World) -> None:
    """There was a sync: the next opens at once."""
    at = f"{world.now() - timedelta(minutes=1):%Y-%m-%dT%H:%M:%S.000000+0000}"
    texts = {"id": "sync", "part": "control", "phase": "done", "day": "2026-11-20", "opened_at": at, "closed_at": at}
    counts = ("epoch", "step", "pages", "contents", "views", "parked", "refusals", "folded")
    numbers = dict.fromkeys(counts, 0) | {"shards": SHARDS}
    item = {name: {"S": text} for name, text in texts.items()} | {name: {"N": str(n)} for name, n in numbers.items()}
    world.dynamo.call("PutItem", {"TableName": "ViewsTable", "Item": item})
    world.cache.open(0)


def _refusals(value: dict[str, str]) -> Callable[[World], None]:
    def put(world: World) -> None:
        key = {"id": {"S": f"refused#{world.began:%Y-%m-%d}"}, "part": {"S": "12#cooldown+daily_viewed#video:a"}}
        world.dynamo.call("PutItem", {"TableName": "ViewsTable", "Item": key | {"refusals": value}})

    return put


def broken_refusals(world: World) -> None:
    begun(world)
    _refusals({"S": "broken"})(world)


def has_failed(world: World) -> bool:
    return any("failures" in item for item in _items(world)) or quiet(world)


def must_be_folded(views: int) -> Callable[[World], None]:
    """In the last epoch."""

    def check(world: World) -> None:
        if _control(world, "folded") != str(views):
            raise Violation(f"{_control(world, 'folded')} views were folded instead of {views}")

    return check


def scheduled(world: World) -> None:
    """The schedule's message of a second after the beginning."""
    at = world.began + timedelta(seconds=1)
    world.send("ViewsQueue", json.dumps({"scheduled_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}), timedelta(), Counter())


def must_be_in_epoch(epoch: int) -> Callable[[World], None]:
    """Unless a command was late."""

    def check(world: World) -> None:
        if world.now() < world.began + LATE and _control(world, "epoch") != str(epoch):
            raise Violation(f"the sync is in epoch {_control(world, 'epoch')} instead of {epoch}")

    return check


def set_back(world: World) -> None:
    """The shards are in a later epoch than the control item says."""
    begun(world)
    world.cache.open(2)


def only_registered(world: World) -> None:
    world.configure("REGISTERED_ONLY", "true")
    begun(world)


def _daily_views(value: dict[str, str]) -> Callable[[World], None]:
    def put(world: World) -> None:
        key = {"id": {"S": "content#video#a"}, "part": {"S": f"{world.began:%Y-%m-%d}"}}
        world.dynamo.call("PutItem", {"TableName": "ViewsTable", "Item": key | {"views": value}})

    return put


def broken(world: World) -> None:
    """Nothing can be added to a content."""
    begun(world)
    _daily_views({"S": "broken"})(world)


def no_step_left(world: World) -> None:
    """As if so much had gone wrong that the import has used up its steps."""
    items = world.dynamo.tables["ViewsTable"].items
    for key in [key for key, item in items.items() if "steps_done" in item]:
        items[key] = items[key] | {"steps_done": {"N": "10000"}}


def rows_gone(world: World) -> None:
    """Deleted by hand."""
    for item in [each for each in _items(world) if each["part"].startswith("rows#")]:
        key = {name: {"S": item[name]} for name in ("id", "part")}
        world.dynamo.call("DeleteItem", {"TableName": "ViewsTable", "Key": key})


def ids_repeated(world: World) -> None:
    """Chance draws an import's id a second time, and an adjustment's: the first of three that each of them takes.

    The second import tries twice, for its id has entries: it takes an entry for the restore that was none, too.
    """
    drawn = chain((1, 2, 3, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 12), count_from(15))
    world.random = lambda size: next(drawn).to_bytes(size, "big")


def strange_messages(world: World) -> None:
    """Of what there is not, and of steps that nothing has come to."""
    found = imports(world)
    unknown = {"rebuild": "unknown", "shards": [0, 1], "bucket": 0, "after": ""}
    early = {"epoch": 2, "step": 0, "day": f"{world.now():%Y-%m-%d}"}
    steps = ({"epoch": 9, "step": 0}, {"epoch": 0, "step": 50}, {"epoch": 1, "step": 50})
    for body in (*steps, early, {"registered": unknown}):
        world.send("ViewsQueue", json.dumps(body), timedelta(), Counter())
    for name, step in (
        ("imp_01KAJ3W5V0SM0FKVYVXB9EQT6N", 1),
        *((each["id"], int(each["step"]) + 50) for each in found),
    ):
        world.send("ViewsImportsQueue", json.dumps({"campaign_id": name, "step": step}), timedelta(), Counter())


def go_away(world: World) -> None:
    world.cache.go()


def come_back(world: World) -> None:
    """After Redis was left alone for as long as it may be."""
    world.cache.is_away = False
    world.pass_time(world.now() + timedelta(seconds=10))


FLOWS = (
    Flow(
        "the sync of midnight",
        (view(1, "a"), view(1, "a"), view(2, "a", "b"), count("a", when=after_midnight)),
        starts_at=EVENING,
        is_timed=True,
        **_A_DAY,
    ),
    Flow(
        "syncs by hand",
        (
            view(1, "a", "b", "c"),
            sync(),
            view(2, "a", when=has_opened(1)),
            sync(force=True, can_cross=True),
            sync(force=True, can_cross=True, when=quiet),
            sync(when=quiet),
            counts("a", "b", "d", when=quiet),
        ),
        prepare=begun,
        only_while=in_epoch(0, 1),
        is_timed=True,
        silent=(_GAUGES, _SWEEPER, "ViewsQueue"),
        at_rest_within=timedelta(hours=26),
    ),
    Flow(
        "views while Redis is away",
        (
            view(1, "a"),
            act(go_away),
            view(2, "a", "b"),
            view(2, "a"),
            view(3, "a", agent="Googlebot/2.1"),
            count("a"),
            act(come_back),
            sync(),
            view(2, "b", when=quiet),
        ),
        prepare=begun,
        only_while=in_phase("done", "folding"),
        is_timed=True,
        **_A_DAY,
    ),
    Flow(
        "a sync by hand of what came without Redis",
        (act(go_away), view(1, "a"), act(come_back), sync()),
        prepare=begun,
        only_in=("ViewsSyncApiFunction",),
        is_timed=True,
        **_A_DAY,
    ),
    Flow(
        "a content that cannot be added to",
        (view(1, "a", "b"), sync(), act(_daily_views({"N": "0"}), when=quiet), sync()),
        prepare=broken,
        only_while=is_failing_or_tried_again,
        is_timed=True,
        is_restorable=False,  # a restore breaks the content again, after it was repaired by hand
        **_A_DAY,
    ),
    Flow(
        "refusals that cannot be added to at first",
        (view(1, "a"), view(1, "a"), sync(), act(_refusals({"N": "0"}), when=has_failed)),
        prepare=broken_refusals,
        only_while=never,
        **_A_DAY,
    ),
    Flow(
        "views without Redis of a content that cannot be added to",
        (
            act(go_away),
            view(1, "a", "b"),
            act(come_back),
            sync(),
            act(must_be_folded(1), when=quiet),
            act(_daily_views({"N": "0"})),
            sync(),
            act(must_be_folded(1), when=quiet),
        ),
        prepare=broken,
        only_while=never,
        **_A_DAY,
    ),
    Flow(
        "an import",
        (
            new_import(),
            replace(new_import(), id="request-0"),
            execute(wanted=409),
            rows(1, "a", "b"),
            rows(1, "a", "b", "c"),
            rows(3, "d", wanted=409),
            rows(2, "d", "a"),
            execute(),
            rows(2, "d", "a"),
            rows(2, "d", wanted=409),
            execute(when=done, wanted=409),
        ),
        silent=(_GAUGES,),
    ),
    Flow(
        "an import that has no step left",
        (new_import(), rows(1, "a"), act(no_step_left), execute()),
        only_while=never,
    ),
    Flow(
        "an import whose rows are gone",
        (new_import(), rows(1, "a"), act(rows_gone), execute()),
        only_while=never,
    ),
    Flow(
        "an import without the sweeper",
        (new_import(), rows(1, "a", "b", "c", "d"), execute()),
        silent=(_GAUGES, _SWEEPER),
        only_in=("ViewsImportsWorkerFunction",),
    ),
    Flow(
        "two imports of the same content",
        (
            new_import(),
            new_import(),
            rows(1, "a", "b", "d"),
            rows(1, "c", "b", of_import=1),
            execute(),
            execute(1, can_cross=True),
        ),
        silent=(_GAUGES, _SWEEPER),
        only_in=("ViewsImportsWorkerFunction",),
        is_timed=True,
    ),
    Flow(
        "an import and a stop",
        (
            new_import(),
            rows(1, "a", "b", "c"),
            execute(),
            platform("stop", can_cross=True, when=applied(2)),
            execute(can_cross=True),
            platform("resume", can_cross=True, when=in_minutes(2)),
        ),
        silent=(_GAUGES,),
        only_in=("ViewsImportsWorkerFunction",),
        is_timed=True,
    ),
    Flow(
        "adjustments",
        (
            view(1, "a"),
            sync(),
            adjust("a", 5, when=is_moving),
            replace(adjust("a", 5), id="request-2"),
            replace(adjust("a", 6), id="request-2", wanted=409),
            adjust("a", -4, can_cross=True),
            adjust("a", -7, wanted=409),
            count("a"),
        ),
        prepare=begun,
        silent=(_GAUGES,),
        only_in=("ViewsAdjustmentsApiFunction",),
        at_rest_within=timedelta(hours=26),
        is_timed=True,
    ),
    Flow(
        "only registered content",
        (
            register("a", "one", has_key=False),
            register("a", "two"),
            act(World.fire_schedules),
            view(1, "a", "b", when=is_registry_complete),
            register("b", "three", can_cross=True),
            view(2, "a"),
            # Who sees it again: without Redis the first view counts, because the database knows no set.
            view(1, "b"),
            sync(),
        ),
        prepare=only_registered,
        only_while=in_epoch(0),
        is_timed=True,
        **_A_DAY,
    ),
    Flow(
        "a control item out of a backup",
        (view(1, "a"), sync(), sync(when=quiet)),
        prepare=set_back,
        only_while=in_epoch(1),
        is_timed=True,
        **_A_DAY,
    ),
    Flow(
        "a schedule in the middle of a sync, and once more",
        (
            view(1, "a"),
            sync(),
            act(scheduled, when=in_phase("paging")),
            act(must_be_in_epoch(2), when=quiet),
            view(2, "b"),
            act(scheduled),
            act(must_be_in_epoch(2), when=quiet),
            sync(),
        ),
        prepare=begun,
        only_while=never,
        **_A_DAY,
    ),
    Flow(
        "ids drawn twice",
        (new_import(), new_import(), rows(1, "a"), adjust("a", 5), adjust("a", 6)),
        prepare=ids_repeated,
        only_while=never,
    ),
    Flow(
        "strange messages",
        (
            view(1, "a"),
            act(strange_messages),
            sync(),
            act(strange_messages, when=in_phase("paging")),
            new_import(),
            rows(1, "a"),
            act(strange_messages),
            execute(),
            act(strange_messages),
            sync(when=quiet, wanted=200),
            sync(force=True, wanted=202),
        ),
        prepare=begun,
        only_while=never,
        is_timed=True,
        silent=(_GAUGES,),
    ),
    Flow(
        "gauges",
        (view(1, "a"), act(World.fire_schedules), sync()),
        prepare=begun,
        only_in=(_GAUGES,),
        silent=(_SWEEPER,),
        at_rest_within=timedelta(hours=26),
    ),
)


@contextmanager
def made_small() -> Iterator[None]:
    """Fewer rows in a step, contents on a page, tries and partitions of a list, so that flows are short."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(campaign, "SLICE_ROWS", 2))
        stack.enter_context(patch.object(applying, "FAILURES_BEFORE_GIVING_UP", FAILURES))
        stack.enter_context(patch.dict(Sync.__init__.__kwdefaults__, page_contents=2))
        # Who calls without a number of shards means these partitions.
        stack.enter_context(patch.object(keys.shard_of, "__defaults__", (2,)))
        for module, name in ((sync_store, "UNFOLDED_BUCKETS"), (registry, "BUCKETS"), (registered, "BUCKETS")):
            stack.enter_context(patch.object(module, name, 2))
        yield


@contextmanager
def on_its_clock(world: World) -> Iterator[None]:
    """Lets those who leave Redis alone for some seconds wait by the world's clock."""

    def seconds() -> float:
        return world.number * 1e10 + world.now().timestamp()

    with ExitStack() as stack:
        for each in (TrackCounter, fallback.Fallback, Breaker):
            kept: Any = each.__init__
            stack.enter_context(patch.object(kept, "__defaults__", (*kept.__defaults__[:-1], seconds)))
        stack.enter_context(patch.object(Session, "create_client", _each_once()))
        yield


def _each_once() -> Callable[..., Any]:
    """Makes botocore's clients, one for each service: they know nothing of who uses them."""
    make, made = Session.create_client, {}

    def create_client(session: Session, service: str, *arguments: Any, **options: Any) -> Any:
        if service not in made:
            made[service] = make(session, service, *arguments, **options)
        return made[service]

    return create_client


class Views(Context):
    """Views, as the sweep knows them."""

    name = "views"
    packages = ("views", "operations")
    flows = FLOWS
    faults = (*OF_AWS, *OF_REDIS_ALONE)
    modules = MODULES
    needs = ("single_server", "patient")
    out_of_sight = OUT_OF_SIGHT
    unreached = UNREACHED
    never_broken = SHARED

    def __init__(self, servers: Servers, _patient: None = None) -> None:
        self.server = Server(servers, SHARDS)
        self._watch: Watch
        self._world: World

    @contextmanager
    def world(self) -> Iterator[World]:
        """On two shards of a real Redis."""
        with (
            made_small(),
            a_world(self.packages, RedisUrl=self.server.servers.url, ViewShards=str(SHARDS)) as world,
            through(world, self.server, self),
            on_its_clock(world),
        ):
            self.live_in(world)
            yield world

    def live_in(self, world: World) -> None:
        self._world = world

    def restart(self) -> None:
        self._watch.restart()

    def failed(self, running: list[Any], *, is_refused: bool) -> None:
        self._watch.failed(running, is_refused=is_refused)

    def heard(self, running: list[Any], number: int, answer: Any) -> None:
        self._watch.heard(running, number, answer)

    def watch(self) -> Watch:
        self._world.begin_processes()
        self.server.begin()
        self._watch = Watch(self._world, self.server)
        return self._watch

    def base(self, world: World) -> None:
        return None

    def is_settled(self, world: World) -> bool:
        found = control(world)
        return (
            all(shard.is_empty for shard in self.server.everything())
            and not any("unfolded" in item for item in _items(world))
            and (found is None or found["phase"] == "done")
            and done(world)
            and are_all_published(world)
        )

    def check(self, world: World, base: Any) -> None:
        self._watch.look()
        check_tables(world)
        if not self.is_settled(world):
            raise Violation(f"left behind: {self.server.everything()}, {control(world)}, {imports(world)}")
        self._watch.check_days()
        check_queues(world)
        with by_the_operator(world) as verify:
            check_trail(world, verify)
            if world.is_restored:
                check_goes_on(world, verify)
        if self._watch.is_calm:
            self._check_told(world)

    def _check_told(self, world: World) -> None:
        """What epochs say of themselves, where nothing went wrong."""
        epochs = [item for item in _items(world) if item["part"] == "epoch"]
        told = sum(each["views"] for each in epochs), sum(each["refusals"] for each in epochs)
        if told != (self._watch.counted.total(), self._watch.refused.total()):
            raise Violation(f"epochs tell of {told} views and refusals: {self._watch.counted}, {self._watch.refused}")
        is_wanted = world.setting("REGISTERED_ONLY") == "true"
        if not is_wanted and any(shard.registered for shard in self.server.everything()):
            raise Violation("sets of registered content that nobody wants")

    def end(self, world: World) -> tuple[Any, Any, Any]:
        items = _items(world)
        entries = actions_by_entity(world)
        titles = sorted((item["id"], item["title"]) for item in items if item["part"] == "about")
        statuses = [(each["status"], entries[each["id"]]) for each in imports(world)]
        # A restart loses views, and what the rules remember. A request that is sent again on another day counts.
        is_exact = not self._watch.restarts and all(len(days) == 1 for days in self._watch.days.values())
        is_sent_once = max(self._watch.requests.values(), default=1) == 1
        totals = sorted((item["key"], int(item["views"])) for item in world.dynamo.items("TotalsTable"))
        numbers = sum(int(each["views"]) for each in imports(world)), sum(int(each["rows"]) for each in imports(world))
        refused = sorted((item["part"], item["refusals"]) for item in items if item["id"].startswith("refused#"))
        parts = [(each["applied"], each["skipped"]) for each in imports(world)], refused
        return (statuses, titles), (numbers, totals) if is_exact else None, parts if is_exact and is_sent_once else None


def check_goes_on(world: World, verify: Callable[[str], str | None]) -> None:
    """After a restore each content is adjusted and registered again, and then its trail is whole."""
    for entity in actions_by_entity(world):
        kind, _, content = entity.partition(":")
        if kind not in ("adjustments", "content"):
            continue
        name = content.partition(":")[2]
        command = adjust(name, 1) if kind == "adjustments" else register(name, "restored")
        request = Request(command.method, command.path, command.body, f"{entity}-after-a-restore")
        status, answer = world.http(request)
        if status not in (200, 201) or (problem := verify(entity)):
            raise Violation(f"after a restore {request} is answered {status}, {answer}, and the trail is {problem}")


def check_tables(world: World) -> None:
    """What must add up in the tables, whenever no handler runs."""
    items = _items(world)
    parts: Counter[str] = Counter()
    hours: Counter[str] = Counter()
    for item in items:
        if item["id"].startswith("content#") and (item["part"][0] == "2" or item["part"].startswith("adjusted#")):
            parts[item["id"].removeprefix("content#")] += _number(item["views"])
        if item["id"].startswith("refused#"):
            hours[f"{item['id'].partition('#')[2]}#{item['part'].rpartition('#')[0]}"] += _number(item["refusals"])
        if item["id"].startswith("refused_hours#"):
            hours[f"{item['id'].partition('#')[2]}#{item['part']}"] -= int(item["refusals"])
    imported = 0
    for total in world.dynamo.items("TotalsTable"):
        name = total["key"].removeprefix("organic#")
        imported += int(total.get("imported", 0))
        if total["views"] != parts.pop(name, 0) + int(total.get("imported", 0)) or total["views"] < 0:
            raise Violation(f"{name}: {total} is not the sum of its days, imports and adjustments")
    if +parts or any(hours.values()):
        raise Violation(f"without a total: {parts}; without the sum of its hour, or the reverse: {hours}")
    _check_imports(items, imports(world), imported)


def _number(value: Any) -> int:
    return 0 if value == "broken" else int(value)


def _check_imports(items: list[dict[str, Any]], found: list[dict[str, Any]], imported: int) -> None:
    if sum(each["views"] for each in found) != imported:
        raise Violation(f"the totals have {imported} imported views, the imports {found}")
    for each in found:
        chunks = [
            json.loads(item["rows"]) for item in items if item["id"] == each["id"] and item["part"][:5] == "rows#"
        ]
        skipped = [item for item in items if item["id"] == each["id"] and item["part"].startswith("skipped#")]
        all_rows = [row for chunk in chunks for row in chunk]
        found_rows = len(chunks), len(all_rows), len(skipped)
        if each["status"] != "failed" and found_rows != (each["chunks"], each["rows"], each["skipped"]):
            raise Violation(f"{each} has {chunks}, and skipped {skipped}")
        if each["status"] == "completed":
            views = sum(row[2] for row in all_rows) - sum(row["views"] for row in skipped)
            if (each["applied"] + each["skipped"], each["views"]) != (each["rows"], views):
                raise Violation(f"{each} is completed: {all_rows}, {skipped}")
