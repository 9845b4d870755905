"""What must hold of the views at every moment of a run, and what is known of them from outside."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sluice.totals import Totals
from tests.dynamo.expressions import Item, plain
from tests.dynamo.model import Written
from tests.faults.cache import Server, Shard
from tests.faults.chain import Chain, ChainWatch, is_bridge
from tests.faults.faults import Faults
from tests.faults.sweep import Violation
from tests.faults.world import Invocation, Request, World
from views.counts.reading import Reader
from views.held import Part, Seen

TRACK, SYNC, WORKER = "ViewsTrackApiFunction", "ViewsSyncApiFunction", "ViewsSyncWorkerFunction"
IMPORTS = Chain("ViewsTable", "ViewsImportsQueue", "imp", live=("running",))
LEFT_ALONE = timedelta(seconds=5)
FAILURES = 2
"""After so many a content is moved aside, in a world that is made small."""
_CONTENT = "/api/admin/content/"
_READS = ("/api/views/video/", "/api/views/counts")


type View = tuple[str, str, str]
"""The viewer's address, the content and the day."""


@dataclass
class Asked:
    """A request for counts that is not answered yet: between which numbers each content's views were meanwhile."""

    least: Counter[str]
    most: Counter[str]


@dataclass(frozen=True)
class Kept:
    """What was in the tables that a restore takes back to."""

    moved: Counter[str] = field(default_factory=Counter)
    brought: Counter[str] = field(default_factory=Counter)
    folded: Counter[View] = field(default_factory=Counter)


class Watch:
    """Knows from outside how many views each content has: who was counted, what Redis lost, what was brought."""

    def __init__(self, world: World, server: Server) -> None:
        self._world = world
        self._server = server
        self.has_failed = False
        """Whether Redis ever gave no answer."""
        self.is_calm = True
        """Whether nothing went wrong."""
        self._refused_at: datetime | None = None
        self._imports = ChainWatch(IMPORTS, _batches)
        self.may_stand_still = False
        """Until the next schedule: messages were lost, or died."""
        self.restarts = 0
        self.counted: Counter[str] = Counter()
        """By Redis, of each content."""
        self.lost: Counter[str] = Counter()
        self.doubtful: Counter[str] = Counter()
        """Lost by Redis while a worker was at it: they may be in the database yet."""
        self.brought: Counter[str] = Counter()
        """By folds, imports and adjustments."""
        self.refused: Counter[str] = Counter()
        """By the rules that refused together and content; so are the next two."""
        self.refusals_lost: Counter[str] = Counter()
        self.refusals_doubtful: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        """How often each request to track was sent."""
        self.days: defaultdict[str, set[Any]] = defaultdict(set)
        """And on which days."""
        self.clean_commits: Counter[str] = Counter()
        self.registered: set[str] = set()
        """Of which the caller was told."""
        self._asked: set[str] = set()
        self._accepted: Counter[tuple[str, str]] = Counter()
        """Of each request and content, by Redis or the database."""
        self._views: Counter[View] = Counter()
        """Counted by Redis."""
        self._rows: dict[tuple[str, str], View] = {}
        """Taken by the database, by their keys."""
        self._folded: Counter[View] = Counter()
        """Of these, what the sync has added."""
        self._reading: list[tuple[str, Asked]] = []
        self._moved: Counter[str] = Counter()
        """Of each content, the views that epochs brought to the database."""
        self._kept = Kept()

    # --- What it hears

    def disturbed(self) -> None:
        self.is_calm = False
        self.clean_commits.clear()
        self._imports.disturbed()

    def restart(self) -> None:
        """Redis comes back empty: what is not in the database by then never will be, unless a worker has read it."""
        self.restarts += 1
        views, refusals = self._unmoved(self._server.everything())
        is_at_it = any(each.function == WORKER for each in self._world.running[:-1])
        (self.doubtful if is_at_it else self.lost).update(views)
        (self.refusals_doubtful if is_at_it else self.refusals_lost).update(refusals)
        self._server.restart()
        self._changed()

    def failed(self, running: list[Invocation], *, is_refused: bool) -> None:
        """Redis did not answer a handler. Who tracks leaves it alone for a while."""
        self.has_failed = True
        if is_refused and running[-1].function == TRACK:
            if self._refused_at and self._world.now() < self._refused_at + LEFT_ALONE:
                raise Violation("Redis was asked again a moment after it had refused a connection")
            self._refused_at = self._world.now()

    def heard(self, running: list[Invocation], number: int, answer: Any) -> None:
        """What the script of tracking answered to the `number`th view of a request."""
        if running[-1].function != TRACK or not (answer == 0 or isinstance(answer, list)):
            return
        request_id, address, contents = _tracked(running[-1])
        content = contents[number]
        if answer == 0:
            self.counted[content] += 1
            self._accepted[request_id, content] += 1
            view = address, content, str(self._world.now().date())
            self._views[view] += 1
            if self._views[view] + self._folded[view] > 1 + self.restarts:
                raise Violation(f"{address} was counted twice for {content} on one day")
            self._changed()
        else:
            self.refused[f"{answer[1].decode()}|{content}"] += 1

    def asked(self, world: World, request: Request) -> None:
        if request.id not in self._asked and not world.running:
            self._asked.add(request.id)
            self._check_that_it_goes_on()
        self._imports.asked(world, request)
        if request.path.startswith(_READS):
            self._reading.append((request.id, Asked(*self._truth())))
        elif request.path.startswith("/api/views"):
            self.requests[request.id] += 1
            self.days[request.id].add(world.now().date())
        elif request.path.endswith(("/execute", "/sync")):
            self.clean_commits.clear()  # it sends a step again
            self._imports.clean_commits.clear()

    def answered(self, world: World, request: Request, status: int, body: Any) -> None:
        if status == 500 or (status == 200 and body.get("degraded") and not self.has_failed):
            raise Violation(f"{request} was answered {body}")
        self._imports.answered(world, request, status, body)
        if request.path in ("/api/views", "/api/views/batch") and status == 200:
            self._told(request, body.get("views", [body]))
        if request.path.startswith(_CONTENT) and status == 200:
            self.registered.add(request.path.removeprefix(_CONTENT).replace("/", ":"))
            if world.is_restored:  # perhaps in the middle of this request
                self.registered &= _registered(world)
        if request.path.startswith(_READS):
            asked = next(asked for name, asked in reversed(self._reading) if name == request.id)
            self._reading = [each for each in self._reading if each[1] is not asked]
            if status == 200:
                for item in body.get("items", [body]):
                    self._shown(f"{item['content_type']}:{item['content_id']}", item, asked)

    def wrote(self, world: World, written: list[Written]) -> None:
        moved: dict[str, Counter[str]] = defaultdict(Counter)
        refusals: Counter[str] = Counter()
        apart: Counter[str] = Counter()
        for each in written:
            kind = _kind(each)
            self._follow(kind, each)
            if kind in ("day", "days"):
                apart[plain(each.key["part"])] += _difference(each, "views") * (1 if kind == "day" else -1)
            if kind in ("adjusted", "days"):
                sign = 1 if kind == "adjusted" else -1
                apart["adjusted"] += _difference(each, "views" if kind == "adjusted" else "adjusted") * sign
            if kind in ("total", "day", "adjusted"):
                moved[_content(each)].update(_moved(kind, each))
            if kind == "away" and each.before:
                moved[_content(each)].update(self._moved_away(each, each.before))
            if kind in ("refused", "refused_hours"):
                refusals[_hour(each)] += _difference(each, "refusals") * (1 if kind == "refused" else -1)
        for content, by in moved.items():
            brought = _brought(by)
            self.brought[content] += brought
            self._moved[content] += by["total"] - brought
        if any(apart.values()):
            raise Violation(f"the days of contents and those of the platform moved apart: {apart}")
        if any(refusals.values()):
            raise Violation(f"rows of refusals and the sum of their hour moved apart: {refusals}")
        _check_trail(written)
        self._imports.wrote(world, written)
        self._changed()

    def _follow(self, kind: str, each: Written) -> None:
        if kind == "away":
            self._away(each)
        if kind == "sync" and each.before:
            self._sync(each, each.before)
        if kind.startswith("sync:") and _value(each.after, "is_parked") and _value(each.after, "failures") < FAILURES:
            raise Violation("a content was moved aside before it had failed often enough")

    def published(self, world: World, entries: list[Any]) -> None: ...

    def kept(self, world: World) -> None:
        self._kept = Kept(Counter(self._moved), Counter(self.brought), Counter(self._folded))

    def restored(self, world: World) -> None:
        """The tables are taken back, and Redis is not: a restore loses what a sync moved meanwhile, and no more."""
        self._imports.restored(world)
        self.may_stand_still = True
        self.clean_commits.clear()
        self.brought, self._folded = Counter(self._kept.brought), Counter(self._kept.folded)
        shards = self._server.everything()
        views, refusals = self._unmoved(shards)
        synced, moved = self._totals(), self._moved - self._kept.moved
        self._moved = Counter(self._kept.moved)
        for content in {*self.counted, *self.brought, *synced}:
            lost = self.counted[content] + self.brought[content] - self.lost[content] - synced[content] - views[content]
            if not 0 <= lost <= moved[content]:
                raise Violation(f"a restore took {lost} views of {content}, and {moved[content]} were moved meanwhile")
            self.lost[content] += lost
        refusals.update(self._rows_of_refusals())
        self.refusals_lost = self.refused - refusals
        if any(each.function == WORKER for each in world.running):  # it may drop what it has applied
            self.doubtful.update(sum((_left(shard, world) for shard in shards), Counter()) & moved)
            self.refusals_doubtful.update(_refusals_left(shards, world))
        self.registered &= _registered(world)
        self._changed()

    def delivered(self, world: World) -> None:
        self.look()
        self._check_that_it_goes_on()
        self._imports.delivered(world)
        if isinstance(world.nemesis, Faults) and not world.nemesis.hit and not self.has_failed:
            fed = [message for source in world.wiring.queue_sources for message in world.queues[source.queue]]
            if failed := [message.body for message in fed if message.receives]:
                raise Violation(f"nothing went wrong, and these failed: {failed}")
        # After a restore a message of the lost time may be a copy: it names a step that the sync comes to again.
        if self.clean_commits["sync"] >= 2 and not world.is_restored and live_messages(world) > 1:
            raise Violation("the sync has several live messages, two clean commits after the last fault")

    # --- What it says

    def look(self) -> None:
        """At this moment every view is in the database or in Redis, and a reader is shown all of them."""
        least, most = self._truth()
        shards = self._server.everything()
        unmoved, held = self._unmoved(shards)
        synced = self._totals()
        contents = sorted({*most, *synced})
        shown = self._reader(shards).read([_pair(content) for content in contents])
        for content in contents:
            count = shown[_pair(content)]
            if (count.synced, count.pending) != (synced[content], unmoved[content]):
                raise Violation(f"{content} is shown as {count}: there are {synced[content]} + {unmoved[content]}")
            if not least[content] <= count.synced + count.pending <= most[content]:
                raise Violation(f"{content} has {count}, and should have {least[content]} to {most[content]}")
        if any("*" in shard.registered and not self.registered <= shard.registered for shard in shards):
            raise Violation(f"{self.registered} are registered, and {shards} does not know all of them")
        held.update(self._rows_of_refusals())
        for name in {*held, *self.refused}:
            refused = self.refused[name] - self.refusals_lost[name]
            if not refused - self.refusals_doubtful[name] <= held[name] <= refused:
                raise Violation(f"{name}: {held[name]} refusals in rows and in Redis, and there were {refused}")

    def _unmoved(self, shards: list[Shard]) -> tuple[Counter[str], Counter[str]]:
        """Views of each content, and refusals, that Redis holds and the database does not have."""
        views: Counter[str] = Counter()
        refusals: Counter[str] = Counter()
        for shard in shards:
            views.update(shard.pending)
            views.update(_left(shard, self._world))
            for name, count in shard.refused.items():
                refusals[name.rpartition("|")[0]] += count
        refusals.update(_refusals_left(shards, self._world))
        return views, refusals

    def _reader(self, shards: list[Shard]) -> Reader:
        """The product's reader, on what there is at this moment."""

        def read(contents: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Totals]:
            items = self._world.dynamo.tables["TotalsTable"].items
            found = {each: items.get((f"organic#{each[0]}#{each[1]}",)) for each in contents}
            return {
                each: Totals(int(_value(item, "views") or 0), 0, int(_value(item, "last_epoch") or 0))
                for each, item in found.items()
            }

        return Reader(_Held(shards), read, shard_count=len(shards))

    def _check_that_it_goes_on(self) -> None:
        control = self._world.dynamo.tables["ViewsTable"].items.get(("sync", "control"))
        is_running = _value(control, "phase") not in (None, "done")
        if is_running and self._world.is_quiet() and not self.may_stand_still:
            raise Violation("the sync stands still: nothing brings its next step")

    def _truth(self) -> tuple[Counter[str], Counter[str]]:
        """Between which numbers each content's organic views are."""
        most = Counter(self.counted)
        most.update(self.brought)
        most.subtract(self.lost)
        least = Counter(most)
        least.subtract(self.doubtful)
        return least, most

    def _changed(self) -> None:
        if self._reading:
            least, most = self._truth()
            for _, asked in self._reading:
                for content in {*least, *most}:
                    asked.least[content] = min(asked.least[content], least[content])
                    asked.most[content] = max(asked.most[content], most[content])

    def _shown(self, content: str, item: dict[str, Any], asked: Asked) -> None:
        least = 0 if item.get("degraded") else asked.least[content]
        if not least <= item["view_count"] <= asked.most[content]:
            raise Violation(f"shown: {item}; meanwhile there were {asked.least[content]} to {asked.most[content]}")

    def _told(self, request: Request, told: list[dict[str, Any]]) -> None:
        views = request.body.get("views", [request.body])
        yes = Counter(_viewed(view) for view, each in zip(views, told, strict=True) if each["counted"])
        for each in (each for each in told if not each["counted"]):
            if bool({"cooldown", "daily_viewed"} & {*each["reasons"]}) != ("retry_after_seconds" in each):
                raise Violation(f"{request.body} was told {each}")
        if any(self._accepted[request.id, content] < views for content, views in yes.items()):
            raise Violation(f"{request.body} was told {told}, and not counted")

    def _away(self, each: Written) -> None:
        """A view that was taken without Redis comes, or is folded."""
        assert each.after
        if each.before is None:
            request_id, address, _ = _tracked(self._world.running[-1])
            self._accepted[request_id, _content(each)] += 1
            self._rows[_key(each)] = address, _content(each), _key(each)[1].partition("#")[0]

    def _moved_away(self, each: Written, before: Item) -> dict[str, int]:
        """What a row brings that is folded: nothing when Redis counted that view too, unless it may have forgotten."""
        if "unfolded" not in before:
            raise Violation(f"{plain(each.key['id'])} was folded twice")
        view = self._rows[_key(each)]
        if self._views[view]:
            return {"doubtful": int(self.restarts > 0)}
        self._folded[view] += 1
        return {"folded": 1}

    def check_days(self) -> None:
        """At rest each view is in the row of its day, unless Redis forgot some, or a restore took its row back."""
        days: Counter[tuple[str, str]] = Counter()
        for (_, content, day), views in (self._views + self._folded).items():
            days[content, day] += views
        for item in self._world.dynamo.tables["ViewsTable"].items.values():
            day = plain(item["part"])
            if plain(item["id"]).startswith("content#") and day[0] == "2":
                days[_name(item["id"]), day] -= int(plain(item["views"]))
        is_wrong = min(days.values(), default=0) < 0 if self._world.is_restored else any(days.values())
        if is_wrong and not self.restarts:
            raise Violation(f"views and their days differ by {days}")
        self._check_days_of_the_platform()

    def _check_days_of_the_platform(self) -> None:
        """They are the sums of the contents' days, whatever happened: one table has both."""
        left: Counter[tuple[str, str]] = Counter()
        for item in _items_of(self._world, "content#"):
            if plain(item["part"])[0] == "2":
                left["views", plain(item["part"])] += int(plain(item["views"]))
            elif plain(item["part"]).startswith("adjusted#"):
                left["adjusted", plain(item["at"])[:10]] += int(plain(item["views"]))
        for item in _items_of(self._world, "days"):
            for name in ("views", "adjusted"):
                left[name, plain(item["part"])] -= int(_value(item, name) or 0)
        if any(left.values()):
            raise Violation(f"the days of contents and those of the platform differ by {left}")

    def _sync(self, each: Written, before: Item) -> None:
        """A step of the sync, or its next epoch."""
        assert each.after
        if _value(before, "epoch") != _value(each.after, "epoch"):
            self._opened(before)
            return
        if (steps := plain(each.after["step"]) - plain(before["step"])) != 1:
            raise Violation(f"the sync went on by {steps} steps")
        self.clean_commits["sync"] += 1

    def _opened(self, before: Item) -> None:
        """An epoch was opened after the one before."""
        closed_at = _value(before, "closed_at")
        longest = max(self._world.wiring.timeout(function) for function in (SYNC, WORKER))
        if not closed_at or datetime.fromisoformat(closed_at) + longest >= self._world.now():
            raise Violation("an epoch was opened while a worker of the last could be asleep")

    def _totals(self) -> Counter[str]:
        items = self._world.dynamo.tables["TotalsTable"].items.values()
        return Counter({_name(item["key"]): int(plain(item["views"])) for item in items})

    def _rows_of_refusals(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for item in _items_of(self._world, "refused#"):
            _, rules, content = item["part"]["S"].split("#")
            found[f"{rules}|{content}"] += int(plain(item["refusals"])) if "N" in item["refusals"] else 0
        return found


class _Held:
    """The shards as the reader asks them, at one moment."""

    def __init__(self, shards: list[Shard]) -> None:
        self._shards = shards

    def read(self, shards: Sequence[int], contents: Sequence[str]) -> list[list[Seen]]:
        return [[_seen(self._shards[number], content) for content in contents] for number in shards]


def _seen(shard: Shard, content: str) -> Seen:
    parts = [Part(epoch, views, "") for epoch, views in shard.parked.get(content, ())]
    if content in shard.syncing:
        parts.append(Part(shard.epoch, shard.syncing[content]))
    return Seen(shard.epoch, shard.pending.get(content, 0), tuple(parts))


# --- What is in the tables


def _items_of(world: World, start: str) -> list[Item]:
    """The items of the views' table whose ids start so."""
    items = world.dynamo.tables["ViewsTable"].items.values()
    return [item for item in items if plain(item["id"]).startswith(start)]


def _registered(world: World) -> set[str]:
    return {str(plain(item["part"])) for item in _items_of(world, "registered#")}


def imports(world: World) -> list[dict[str, Any]]:
    return IMPORTS.campaigns(world)


def live_messages(world: World) -> int:
    """How many messages could commit the next step of the sync."""
    found = world.dynamo.tables["ViewsTable"].items.get(("sync", "control"))
    if found is None:
        return 0
    wanted = {"epoch": _value(found, "epoch"), "step": _value(found, "step")}
    on_their_way = [message.body for message in world.queues["ViewsQueue"]]
    on_their_way += [schedule.body for schedule in world.one_time.values()]
    return sum(json.loads(body) == wanted for body in on_their_way)


def _left(shard: Shard, world: World) -> Counter[str]:
    """Of what an epoch took, and what was moved aside: that which the database does not have."""
    left: Counter[str] = Counter()
    for content, views in shard.syncing.items():
        if _last_epoch(world, content) < shard.epoch:
            left[content] += views
    for content, parts in shard.parked.items():
        left[content] += sum(views for epoch, views in parts if _last_epoch(world, content) < epoch)
    return left


def _refusals_left(shards: list[Shard], world: World) -> Counter[str]:
    """Of the refusals that an epoch took: those that the database does not have."""
    left: Counter[str] = Counter()
    for shard in shards:
        for name, count in shard.refusing.items():
            if _refusals_epoch(world, name) < shard.epoch:
                left[name.rpartition("|")[0]] += count
    return left


def _last_epoch(world: World, content: str) -> int:
    item = world.dynamo.tables["TotalsTable"].items.get((f"organic#{content.replace(':', '#', 1)}",), {})
    return int(_value(item, "last_epoch") or 0)


def _refusals_epoch(world: World, name: str) -> int:
    rules, content, moment = name.split("|")
    day, _, hour = moment.partition("T")
    item = world.dynamo.tables["ViewsTable"].items.get((f"refused#{day}", f"{hour}#{rules}#{content}"), {})
    return int(_value(item, "last_epoch") or 0)


# --- What was written


def _kind(each: Written) -> str:
    if each.table == "TotalsTable":
        return "total"
    if each.table != "ViewsTable":
        return ""
    name, part = plain(each.key["id"]), plain(each.key["part"])
    if name.startswith("content#"):
        return "adjusted" if part.startswith("adjusted#") else "day" if part[0] == "2" else ""
    if name.startswith("viewer#"):
        return "away"
    if name.startswith("imp_") and part == "campaign":
        return "import"
    return str(name.partition("#")[0])  # a control item is of the kind `sync`


def _batches(written: list[Written]) -> set[str]:
    """The imports of which rows were applied."""
    return {
        str(plain(each.key["id"]))
        for each in written
        if IMPORTS.is_campaign(each) and each.before and each.before.get("applied") != (each.after or {}).get("applied")
    }


def _check_trail(written: Iterable[Written]) -> None:
    """Each transition leaves an audit entry and an event, and nothing else does."""
    changes = entries = events = 0
    for each in written:
        entries += each.table == "AuditTable" and not is_bridge(plain((each.after or {})["action"]))
        events += each.table == "OutboxTable" and each.before is None
        kind = _kind(each)
        if kind == "import":
            changes += _value(each.before, "status") != _value(each.after, "status")
        changes += kind == "adjusted"
        if each.table == "ViewsTable" and plain(each.key["part"]) == "about":
            changes += _value(each.before, "title") != _value(each.after, "title")
        if each.table == "BoostsTable" and plain(each.key["id"]) == "platform":
            changes += 1
        if each.table == "AuditTable" and plain(each.after["action"]) == "VIEWS_ADJUSTED":  # type: ignore[index]
            told = json.loads(plain(each.after["after"]))["organic"]  # type: ignore[index]
            if [told] != [_value(total.after, "views") for total in written if _kind(total) == "total"]:
                raise Violation(f"an adjustment was said to come to {told}, and did not")
    if (entries, events) != (changes, changes):
        raise Violation(f"{changes} transitions left {entries} audit entries and {events} events")


def _value(item: Item | None, name: str) -> Any:
    return plain(item[name]) if item and name in item else None


def _difference(each: Written, name: str) -> int:
    before, after = _value(each.before, name), _value(each.after, name)
    return int(after or 0) - (int(before) if before and before != "broken" else 0)


def _moved(kind: str, each: Written) -> dict[str, int]:
    """By how much a write moved a content's organic views, and in which part of them."""
    if kind == "total":
        is_of_epoch = _value(each.before, "last_epoch") != _value(each.after, "last_epoch")
        parts = {"total": _difference(each, "views"), "imported": _difference(each, "imported")}
        return parts | {"epoch": int(is_of_epoch)}
    return {kind: _difference(each, "views")}


def _brought(by: Counter[str]) -> int:
    """Of what moved a content's total, that which did not come from Redis."""
    if by["total"] != by["day"] + by["adjusted"] + by["imported"]:
        raise Violation(f"a total and its parts moved apart: {by}")
    brought = by["folded"] + by["adjusted"] + by["imported"]
    if by["epoch"]:
        return brought
    if not brought <= by["total"] <= brought + by["doubtful"]:
        raise Violation(f"a total moved by what nobody brought: {by}")
    return by["total"]


def _key(each: Written) -> tuple[str, str]:
    return plain(each.key["id"]), plain(each.key["part"])


def _content(each: Written) -> str:
    """The content that a write is about."""
    if each.after and "content" in each.after:
        return str(plain(each.after["content"]))
    return _name(each.key.get("key") or each.key["id"])


def _name(value: Item) -> str:
    """`video:a`, of `organic#video#a` or `content#video#a`."""
    return str(plain(value)).partition("#")[2].replace("#", ":", 1)


def _hour(each: Written) -> str:
    """`2026-11-20#08#cooldown+daily_viewed`."""
    day, part = plain(each.key["id"]).split("#")[1], plain(each.key["part"]).split("#")
    return "#".join((day, *part[:2]))


def _tracked(invocation: Invocation) -> tuple[str, str, list[str]]:
    """A request to track: its id, its viewer's address, and its contents."""
    context = invocation.event["requestContext"]
    body = json.loads(invocation.event["body"])
    return context["requestId"], context["http"]["sourceIp"], [_viewed(each) for each in body.get("views", [body])]


def _pair(content: str) -> tuple[str, str]:
    kind, _, name = content.partition(":")
    return kind, name


def _viewed(view: dict[str, str]) -> str:
    return f"{view['content_type']}:{view['content_id']}"
