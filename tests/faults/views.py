"""Views in the world: tracking, the sync and the counts on a real Redis; its flows, and what must hold of it."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import views.counts
import views.sync
import views.sync_worker
import views.track
from tests.faults.cache import Server
from tests.faults.dynamo import Written
from tests.faults.expressions import plain
from tests.faults.faults import FAULTS
from tests.faults.script import Command
from tests.faults.sweep import Context, Flow, Violation
from tests.faults.world import Request, World
from tests.redis_servers import Servers

SYNC = "/api/admin/views/sync"
_EVENING = datetime(2026, 11, 20, 23, 57, tzinfo=UTC)


def view(viewer: int, content: str) -> Command:
    """A view of a content, by somebody with an address of his own."""
    return Command("POST", "/api/views", {"content_type": "video", "content_id": content}, address=f"192.0.2.{viewer}")


def at_midnight(world: World) -> bool:
    return world.now().date() > world.began.date()


def synced(epoch: int) -> Any:
    """Whether an epoch is closed."""
    return lambda world: any(item["id"] == f"sync:{epoch}" and "closed_at" in item for item in _items(world))


def _items(world: World) -> list[dict[str, Any]]:
    return list(world.dynamo.items("ViewsTable"))


def away(claim: bool) -> Command:
    """Redis goes, or comes back."""

    def act(_world: World, _ids: list[str]) -> None:
        _redis.is_away = claim
        _processes_begin_anew()

    return Command("", "", act=act)


def _processes_begin_anew() -> None:
    for cached in (views.track.tracker, views.sync.sync, views.sync_worker.sync, views.counts.display):
        cached.cache_clear()


class _Redis:
    is_away = False


_redis = _Redis()
_VIEWS = (view(1, "a"), view(2, "a"), view(1, "b"))
FLOWS = (
    Flow("the sync of midnight", _VIEWS, starts_at=_EVENING, is_timed=True),
    Flow(
        "a sync by hand", (*_VIEWS, Command("POST", SYNC, {"force": False}), view(3, "a"), view(3, "b")), is_timed=True
    ),
    Flow(
        "views while Redis is away", (view(1, "a"), away(True), view(2, "a"), view(2, "b"), away(False)), is_timed=True
    ),
)
MODULES = ("views.epochs", "views.applying", "views.sync_store", "views.fallback", "sluice.totals")


class Watch:
    """What is known of the views: who was told that his counts, and what Redis lost."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.counted: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.folds: Counter[Any] = Counter()
        self.restarts = 0

    def restart(self) -> None:
        """Redis comes back empty. What it held of a content may be in the totals already, if an epoch has it."""
        self.restarts += 1
        self.lost.update(self._server.held())
        self._server.empty()

    def disturbed(self) -> None: ...

    def asked(self, world: World, request: Request) -> None:
        if request.path == "/api/views":
            self.sent[_content(request)] += 1
            self.requests[request.id] += 1

    def answered(self, world: World, request: Request, status: int, body: Any) -> None:
        if request.path == "/api/views" and status == 200 and body["counted"]:
            self.counted[_content(request)] += 1

    def wrote(self, world: World, written: list[Written]) -> None:
        for each in written:
            if each.before and "unfolded" in each.before and each.after and "unfolded" not in each.after:
                self.folds[plain(each.after["id"]), plain(each.after["part"])] += 1

    def published(self, world: World, entries: list[Any]) -> None: ...

    def delivered(self, world: World) -> None: ...


def _content(request: Request) -> str:
    return f"{request.body['content_type']}:{request.body['content_id']}"


class Views(Context):
    """Views, as the sweep knows them."""

    name = "views"
    packages = ("views",)
    flows = FLOWS
    faults = FAULTS
    modules = MODULES

    def __init__(self, servers: Servers) -> None:
        self._server = Server(servers)
        self._watch = Watch(self._server)

    def restart(self) -> None:
        self._watch.restart()

    def is_away(self) -> bool:
        return _redis.is_away

    def watch(self) -> Watch:
        """Begins anew: what a process remembers of Redis is gone, and so is all that Redis holds."""
        _processes_begin_anew()
        _redis.is_away = False
        self._server.empty()
        self._watch = Watch(self._server)
        return self._watch

    def base(self, world: World) -> None:
        return None

    def is_settled(self, world: World) -> bool:
        waiting = any("unfolded" in item for item in _items(world))
        control = next((item for item in _items(world) if item["id"] == "sync"), None)
        return not self._server.held() and not waiting and control is not None and control["phase"] == "done"

    def check(self, world: World, base: Any) -> None:
        watch = self._watch
        totals = {item["key"]: int(item["views"]) for item in world.dynamo.items("TotalsTable")}
        days: Counter[str] = Counter()
        for item in _items(world):
            if item["id"].startswith("content#"):
                days[item["id"].removeprefix("content#")] += int(item["views"])
        if {f"organic#{name}": views for name, views in days.items()} != totals:
            raise Violation(f"daily rows do not sum to the totals: {days} {totals}")
        if self._server.held():
            raise Violation(f"left behind: Redis holds {self._server.held()}")
        for name, rules in world.wiring.queues.items():
            if rules.dead_letters and world.queues[rules.dead_letters]:
                raise Violation(f"dead letters of {name}: {world.queues[rules.dead_letters]}")
        for content in watch.sent:
            views = totals.get(f"organic#{content.replace(':', '#')}", 0)
            if not watch.counted[content] - watch.lost[content] <= views <= watch.sent[content]:
                raise Violation(f"{content} has {views} views: {watch.counted} were counted, {watch.lost} lost")
        if any(times > 1 for times in watch.folds.values()):
            raise Violation(f"a row was folded twice: {watch.folds}")

    def end(self, world: World) -> tuple[Any, Any, Any]:
        totals = sorted((item["key"], int(item["views"])) for item in world.dynamo.items("TotalsTable"))
        rows = sum(item["id"].startswith("viewer#") for item in _items(world))
        # What Redis loses is lost, and on the day that it fails both it and the database may count a viewer once.
        is_exact = not self._watch.restarts and max(self._watch.requests.values()) == 1
        return (), (rows, totals) if is_exact else None, None
