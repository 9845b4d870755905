"""Boosts in the world: its flows, what must hold of it at every moment, and at the end."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from typing import Any

import operations.audit
from tests.dynamo.expressions import plain
from tests.dynamo.model import Written
from tests.faults.faults import OF_AWS
from tests.faults.script import Command
from tests.faults.sweep import Context, Flow, Violation
from tests.faults.world import START, Request, World

MODULES = (
    "sluice.steps",
    "sluice.wake",
    "sluice.outbox",
    "sluice.audit",
    "sluice.platform",
    "sluice.requests",
    "boosts.store",
    "boosts.batches",
    "boosts.campaign",
    "boosts.commands",
    "operations.overdue",
    "operations.switch",
)
"""Where the mutation check looks for conditions, fences and guards."""
CAMPAIGNS = "/api/admin/fake-views"
LIVE = ("running", "scheduled", "reverting")
_EVENT_OF_ACTION = {
    "CREATED": "BoostCreated",
    "STARTED": "BoostStarted",
    "PAUSED": "BoostPaused",
    "RESUMED": "BoostResumed",
    "CANCELLED": "BoostCancelled",
    "COMPLETED": "BoostCompleted",
    "FAILED": "BoostFailed",
    "REVERT_STARTED": "BoostRevertStarted",
    "REVERTED": "BoostReverted",
    "PLATFORM_STOPPED": "PlatformStopped",
    "PLATFORM_RESUMED": "PlatformResumed",
    "VIEWS_IMPORT_CREATED": "ViewsImportCreated",
    "VIEWS_IMPORT_STARTED": "ViewsImportStarted",
    "VIEWS_IMPORT_COMPLETED": "ViewsImportCompleted",
    "VIEWS_ADJUSTED": "ViewsAdjusted",
    "CONTENT_REGISTERED": "ContentRegistered",
    "CONTENT_CHANGED": "ContentChanged",
}
type Base = dict[str, dict[str, int]]
_ON_ITS_WAY = timedelta(seconds=10)
_DECEMBER = datetime(2026, 12, 1, 0, 1, tzinfo=UTC)
_FENCES = {"pause": "paused", "cancel": "cancelled"}


# --- What the world holds


def rows(world: World, kind: str) -> list[dict[str, Any]]:
    """The boosts table's items of a kind, in the order of their keys."""
    return sorted(world.dynamo.items("BoostsTable", kind=kind), key=lambda item: (item["id"], item["part"]))


def campaigns(world: World) -> list[dict[str, Any]]:
    return rows(world, "campaign")


def counters_of(world: World) -> Base:
    """The months' use: allotted, executed, and each day's."""
    keys = ("id", "part", "kind")
    return {each["id"]: {name: each[name] for name in each if name not in keys} for each in rows(world, "usage")}


def are_all_published(world: World) -> bool:
    return all(event["status"] == "processed" for event in world.dynamo.items("OutboxTable"))


def executed(views: int) -> Any:
    """Whether so many views are executed, over all campaigns."""
    return lambda world: sum(each["executed_count"] for each in campaigns(world)) >= views


def in_status(status: str) -> Any:
    """Whether every campaign is in a status."""
    return lambda world: all(each["status"] == status for each in campaigns(world))


# --- Flows


def create(
    *, total: int = 2500, days: int = 1, limit: int = 5000, starts_in: timedelta | None = None, **more: Any
) -> Command:
    def body(world: World) -> dict[str, Any]:
        terms = {"video_id": "abc", "total_count": total, "duration_days": days, "pattern": "steady"}
        scheduled = {"scheduled_for": (world.now() + starts_in).isoformat()} if starts_in else {}
        return terms | {"daily_limit": limit} | scheduled | more

    return Command("POST", CAMPAIGNS, body)


def command(verb: str, number: int = 0, **options: Any) -> Command:
    body = {"reason": "a test"} if verb == "revert" else None
    return Command("POST", f"{CAMPAIGNS}/{{{number}}}/{verb}", body, **options)


def platform(verb: str, **options: Any) -> Command:
    return Command("POST", f"/api/admin/{verb}", {"reason": "a test"}, **options)


def left(*, month: int | None = None, day: int | None = None, next_month: int | None = None) -> Any:
    """Prepares a month and a day, and the month after it, of which others have left so much."""

    def prepare(world: World) -> None:
        today, cap = world.now(), int(world.setting("GLOBAL_MONTHLY_CAP"))
        of_day = 0 if day is None else int(world.setting("MAX_PER_DAY")) - day
        of_month = of_day if month is None else cap - month
        put(world, today, {"allotted": of_month, "executed": of_month, f"d{today.day:02d}": of_day})
        if next_month is not None:
            later = cap - next_month
            put(world, today.replace(day=1) + timedelta(days=31), {"allotted": later, "executed": later})

    def put(world: World, moment: datetime, counters: dict[str, int]) -> None:
        key = {"id": {"S": f"usage#{moment:%Y-%m}"}, "part": {"S": "usage"}, "kind": {"S": "usage"}}
        item = key | {name: {"N": str(value)} for name, value in counters.items()}
        world.dynamo.call("PutItem", {"TableName": "BoostsTable", "Item": item})

    return prepare


def ids_repeated(world: World) -> None:
    """Chance draws an event's id a second time, then a campaign's."""
    drawn = chain((1, 2, 3, 4, 5, 3, 1, 8, 9), count(10))
    world.random = lambda size: next(drawn).to_bytes(size, "big")


def lost(messages: int) -> Any:
    """The first ones."""

    def prepare(world: World) -> None:
        world.lose = messages

    return prepare


def purged(world: World, _ids: list[str]) -> None:
    world.queues["BoostsQueue"].clear()


def strange_messages(world: World, ids: list[str]) -> None:
    """Of a campaign that there is not, of a step that the campaign has not come to, and of one that is not due."""
    step = int(campaigns(world)[0]["step"])
    for campaign_id, number in (("bst_01KAJ3W5V0SM0FKVYVXB9EQT6N", 1), (ids[0], step + 50), (ids[0], step)):
        body = json.dumps({"campaign_id": campaign_id, "step": number})
        world.send("BoostsQueue", body, timedelta(), Counter())


def records_expired(world: World, _ids: list[str]) -> None:
    """The stream kept them for too long."""
    for shard in world.shards:
        shard.records.clear()
        shard.chains.clear()


def all_cancelled(world: World, _ids: list[str]) -> None:
    for number, each in enumerate(campaigns(world)):
        request = Request("POST", f"{CAMPAIGNS}/{each['id']}/cancel", None, f"cancel-{number}")
        while each["status"] in LIVE and world.http(request)[0] >= 500:
            pass


def no_step_left(world: World, _ids: list[str]) -> None:
    """As if so much had gone wrong that the campaign has used up its steps."""
    for key, item in world.dynamo.tables["BoostsTable"].items.items():
        if item["kind"] == {"S": "campaign"}:
            world.dynamo.tables["BoostsTable"].items[key] = item | {"steps_done": {"N": "10000"}}


def rows_deleted(world: World, _ids: list[str]) -> None:
    """By hand, from the outbox."""
    for event in list(world.dynamo.items("OutboxTable")):
        world.dynamo.call("DeleteItem", {"TableName": "OutboxTable", "Key": {"id": {"S": event["id"]}}})


def monthly_cap(views: int) -> Any:
    """The stack is deployed with another cap."""

    def act(world: World, _ids: list[str]) -> None:
        world.configure("GLOBAL_MONTHLY_CAP", str(views))

    return act


def a_day_passes(world: World, _ids: list[str]) -> None:
    while not world.is_quiet():
        world.step()
    world.pass_time(world.now() + timedelta(hours=25))


_API = ("BoostsApiFunction",)
FLOWS = (
    Flow("complete", (create(video_ids=["abc", "def"], video_id=None), command("execute"))),
    Flow(
        "pause and resume",
        (
            create(),
            command("execute"),
            command("pause", when=executed(1000), can_cross=True),
            command("execute", when=in_status("paused"), can_cross=True),
        ),
    ),
    Flow("cancel", (create(), command("execute"), command("cancel", when=executed(1000), can_cross=True))),
    Flow(
        "cancel when paused",
        (create(), command("execute"), command("pause", when=executed(1000)), command("cancel", can_cross=True)),
    ),
    Flow(
        "revert",
        (create(total=1500), command("execute"), command("revert", when=in_status("completed"))),
    ),
    Flow("scheduled", (create(total=1500, starts_in=timedelta(minutes=16)),)),
    Flow(
        "scheduled without room",
        (create(total=1500, starts_in=timedelta(minutes=5)),),
        prepare=left(month=1000),
    ),
    Flow("scheduled, cancelled", (create(starts_in=timedelta(minutes=16)), command("cancel", can_cross=True))),
    Flow(
        "stop and resume",
        (
            create(),
            command("execute"),
            platform("stop", when=executed(1000), can_cross=True),
            platform("resume", can_cross=True, when=lambda world: world.now() > START + timedelta(minutes=6)),
        ),
    ),
    Flow(
        "two campaigns at a full day",
        (create(total=1500), create(total=1500), command("execute"), command("execute", 1)),
        prepare=left(day=1700),
        starts_at=datetime(2026, 11, 20, 23, 56, tzinfo=UTC),
        is_timed=True,
    ),
    Flow(
        "over the end of a month",
        (create(total=2500, days=2), command("execute")),
        starts_at=datetime(2026, 11, 29, 23, 56, tzinfo=UTC),
        is_timed=True,
        prepare=left(day=800),
    ),
    Flow(
        "refused before it runs and when it has ended",
        (
            create(total=500),
            replace(create(total=600), id="request-0", wanted=409),
            command("pause", wanted=409),
            command("revert", wanted=409),
            command("execute"),
            command("execute", wanted=409),
            command("pause", wanted=409, when=in_status("completed")),
            command("cancel", wanted=409),
            command("execute", wanted=409),
            command("revert"),
            command("revert", wanted=409, when=in_status("reverted")),
        ),
        only_in=_API,
    ),
    Flow(
        "refused while it is paused",
        (
            create(total=1500),
            command("execute"),
            command("pause", when=executed(1000)),
            command("pause", wanted=409),
            command("revert", wanted=409),
            command("execute"),
        ),
        only_in=_API,
    ),
    Flow(
        "refused for want of room",
        (
            create(total=500),
            command("execute"),
            create(total=2000),
            command("execute", 1, wanted=409),
            command("cancel", 1),
            command("revert", 1, wanted=409),
        ),
        prepare=left(month=2000),
        only_in=_API,
    ),
    Flow(
        "room for one",
        (create(total=500), create(total=500), command("execute"), command("execute", 1, wanted=409, can_cross=True)),
        prepare=left(month=700),
        is_race=True,
        only_in=_API,
    ),
    Flow(
        "room for one in the next month",
        (
            create(total=500),
            create(total=500),
            command("execute"),
            command("execute", 1),
            Command("", "", act=all_cancelled, when=lambda world: world.now() >= _DECEMBER),
        ),
        starts_at=datetime(2026, 11, 30, 23, 59, tzinfo=UTC),
        prepare=left(day=0, next_month=700),
        is_race=True,
        silent=("OperationsSweeperFunction",),
        only_in=("BoostsWorkerFunction",),
    ),
    Flow(
        "commands at once",
        (
            create(total=1500),
            command("execute", can_cross=True),
            command("pause", can_cross=True),
            command("execute", can_cross=True),
            command("cancel", can_cross=True),
        ),
        is_race=True,
        only_in=_API,
    ),
    Flow(
        "refused by the platform",
        (
            platform("resume", wanted=409, code="platform_not_stopped"),
            platform("stop"),
            platform("stop", wanted=409, code="platform_already_stopped"),
            platform("resume"),
        ),
    ),
    Flow(
        "strange messages",
        (
            create(),
            Command("", "", act=strange_messages),
            command("execute"),
            Command("", "", act=strange_messages, when=executed(1000)),
        ),
        only_in=("BoostsWorkerFunction",),
    ),
    Flow(
        "without the sweeper",
        (
            create(total=1500, days=2),
            command("execute"),
            command("revert", when=in_status("completed")),
        ),
        silent=("OperationsSweeperFunction",),
        only_in=("BoostsWorkerFunction", "OperationsOutboxRelayFunction"),
    ),
    Flow(
        "the same key a day later",
        (create(), Command("", "", act=a_day_passes), replace(create(), id="request-0")),
        silent=("OperationsSweeperFunction",),
    ),
    Flow("rows deleted before they are published", (create(), Command("", "", act=rows_deleted))),
    Flow("rows deleted by hand", (create(), Command("", "", act=rows_deleted, when=are_all_published, can_cross=True))),
    Flow("records that expire", (create(), Command("", "", act=records_expired))),
    Flow(
        "a lower cap",
        (create(total=500), Command("", "", act=monthly_cap(400)), command("execute", wanted=409), command("cancel")),
    ),
    Flow("ids drawn twice", (create(), create(), create()), prepare=ids_repeated),
    Flow(
        "a full day",
        (create(total=500), command("execute")),
        prepare=left(day=0),
        silent=("OperationsSweeperFunction",),
        only_in=("BoostsWorkerFunction",),
    ),
    Flow(
        "messages lost before a pause and after it",
        (
            create(total=500),
            command("execute"),
            command("pause", when=lambda world: world.now() > START + timedelta(minutes=11)),
            command("execute"),
        ),
        prepare=lost(4),
        only_in=("OperationsSweeperFunction",),
    ),
    Flow(
        "no step is left",
        (create(), Command("", "", act=no_step_left), command("execute")),
    ),
    Flow(
        "a day without any",
        (create(total=1, days=2), command("execute")),
        silent=("OperationsSweeperFunction",),
        only_in=("BoostsWorkerFunction", "OperationsOutboxRelayFunction"),
    ),
    Flow(
        "without a key",
        (replace(create(total=500), has_key=False), command("execute")),
        only_in=("BoostsWorkerFunction", "OperationsOutboxRelayFunction"),
    ),
    Flow("first message lost", (create(total=1500), command("execute")), prepare=lost(1)),
    Flow(
        "first message lost, then paused",
        (
            create(total=1500),
            command("execute"),
            command("pause", when=executed(1000), can_cross=True),
            command("execute", when=in_status("paused"), can_cross=True),
        ),
        prepare=lost(1),
        only_in=("OperationsSweeperFunction",),
    ),
    Flow(
        "messages lost again and again",
        (create(total=1500), command("execute"), Command("", "", act=purged, when=executed(1000))),
        prepare=lost(3),
        only_in=("OperationsSweeperFunction",),
    ),
)


# --- What must hold


class Watch:
    """What must hold of boosts at every moment of a run."""

    def __init__(self) -> None:
        self.fenced: set[str] = set()
        self.is_stopped = False
        self.stopped_at = 0
        """The number of the first call after that."""
        self.is_disturbed = False
        self.woken: set[str] = set()
        """Campaigns that the sweeper woke since their last commit or command."""
        self.clean_commits: Counter[str] = Counter()
        self.processed: dict[str, datetime] = {}
        self.deleted: list[str] = []
        """The names of events whose rows were deleted by hand."""

    def disturbed(self) -> None:
        self.clean_commits.clear()
        self.is_disturbed = True

    def asked(self, world: World, request: Request) -> None:
        verb = request.path.rpartition("/")[2]
        if verb in ("execute", "revert"):
            self.fenced.discard(request.path.split("/")[-2])
        if verb == "resume":
            self.is_stopped = False

    def answered(self, world: World, request: Request, status: int, body: Any) -> None:
        verb = request.path.rpartition("/")[2]
        if status == 200 and verb in _FENCES and body["status"] == _FENCES[verb]:
            self.fenced.add(body["id"])
        if status == 200 and verb == "stop" and request.method == "POST":
            self.is_stopped = True
            self.stopped_at = len(world.sites)

    def wrote(self, world: World, written: list[Written]) -> None:
        self.deleted += [plain((each.before or {})["name"]) for each in written if each.after is None]
        written = [each for each in written if each.after]
        kinds = [(each, plain(each.after["kind"]) if each.after and "kind" in each.after else "") for each in written]
        for each, kind in kinds:
            assert each.after is not None
            if kind == "batch":
                self._batch(plain(each.after["id"]))
            elif kind == "usage":
                _check_caps(world, each.after)
            elif each.table == "OutboxTable" and plain(each.after["status"]) == "processed":
                self.processed.setdefault(plain(each.after["id"]), world.now())
            elif kind == "campaign":
                self._campaign(world, each, written)

    def published(self, world: World, entries: list[Any]) -> None:
        for entry in entries:
            since = self.processed.get(json.loads(entry["Detail"])["id"])
            if since and since < world.now():
                raise Violation("an event was published again after it had been marked as published")

    def _batch(self, campaign_id: str) -> None:
        if campaign_id in self.fenced:
            raise Violation("a batch was committed after a pause or a cancel was answered")
        if self.is_stopped:
            raise Violation("a batch was committed after a stop was answered")

    def _campaign(self, world: World, each: Written, written: list[Written]) -> None:
        assert each.after
        campaign_id = plain(each.after["id"])
        if any(_is_batch(other) and plain(other.key["id"]) == campaign_id for other in written):
            assert each.before
            if datetime.fromisoformat(plain(each.before["wake_at"])) > world.now():
                raise Violation("a batch was committed before it was due")
        before = plain(each.before["status"]) if each.before else None
        entries = sum(other.table == "AuditTable" and plain(other.key["entity"]) == campaign_id for other in written)
        events = sum(other.table == "OutboxTable" for other in written)
        moved = int(before != plain(each.after["status"]))
        if (entries, events) != (moved, moved):
            raise Violation(f"a transition left {entries} audit entries and {events} events")
        if each.before and plain(each.before["sweeps"]) < plain(each.after["sweeps"]):
            self.clean_commits[campaign_id] = 0
            self._claim(world, each.before)
        if each.before is None:
            return
        steps = plain(each.after["step"]) - plain(each.before["step"])
        if steps < 0 or (steps == 0 and each.before["updated_at"] != each.after["updated_at"]):
            raise Violation("a commit or a command did not move the step on")
        if steps == 0 and each.before["sweeps"] == each.after["sweeps"]:
            raise Violation("two sweepers claimed the same campaign at once")
        if steps:
            self.woken.discard(campaign_id)
            if plain(each.after["sweeps"]) and plain(each.after["status"]) in LIVE:
                raise Violation("a campaign moved on, and the sweeper's patience with it did not begin anew")
        self.clean_commits[campaign_id] += int(steps > 0)

    def _claim(self, world: World, campaign: dict[str, Any]) -> None:
        values = {name: plain(value) for name, value in campaign.items()}
        self.woken.add(values["id"])
        if values["status"] not in LIVE or _late_by(world, values) <= timedelta():
            raise Violation("the sweeper woke a campaign that was not overdue")
        if values["sweeps"] and datetime.fromisoformat(values["sweep_at"]) > world.now():
            raise Violation("the sweeper woke a campaign again too soon")
        if self.is_stopped and world.running[-1].first >= self.stopped_at:
            raise Violation("the sweeper woke a campaign while the platform was stopped")

    def _check_swept(self, world: World) -> None:
        if any(item["status"] == "stopped" for item in rows(world, "platform")):
            return
        for campaign in campaigns(world):
            is_woken = campaign["id"] in self.woken
            if campaign["status"] in LIVE and not is_woken and _late_by(world, campaign) > _ON_ITS_WAY:
                raise Violation("the sweeper left a campaign asleep that was overdue")

    def delivered(self, world: World) -> None:
        swept = (schedule.name for schedule in world.wiring.recurring if schedule.target == "OperationsSweeperFunction")
        if world.happened in swept and not self.is_disturbed:
            self._check_swept(world)
        self.is_disturbed = False
        for campaign in campaigns(world) if self.clean_commits else ():
            if self.clean_commits[campaign["id"]] >= 2 and len(live_messages(world, campaign)) > 1:
                raise Violation(f"{campaign['id']} has several live messages, two clean commits after the last fault")


def _late_by(world: World, campaign: dict[str, Any]) -> timedelta:
    return world.now() - datetime.fromisoformat(campaign["wake_at"])


def _is_batch(written: Written) -> bool:
    return written.table == "BoostsTable" and plain((written.after or {})["kind"]) == "batch"


def live_messages(world: World, campaign: dict[str, Any]) -> list[str]:
    """The messages that could commit a campaign's next step."""
    on_their_way = [message.body for message in world.queues["BoostsQueue"]]
    on_their_way += [schedule.body for schedule in world.one_time.values()]
    return [body for body in on_their_way if _means(body, campaign)]


def _means(body: str, campaign: dict[str, Any]) -> bool:
    try:
        return bool(json.loads(body) == {"campaign_id": campaign["id"], "step": int(campaign["step"])})
    except ValueError:
        return False


def _check_caps(world: World, usage: dict[str, Any]) -> None:
    of_day, of_month = int(world.setting("MAX_PER_DAY")), int(world.setting("GLOBAL_MONTHLY_CAP"))
    counters = {name: plain(value) for name, value in usage.items() if "N" in value}
    over = [name for name, views in counters.items() if views > (of_day if name[0] == "d" else of_month)]
    under = [name for name, views in counters.items() if views < 0]
    if over or under:
        raise Violation(f"a cap is exceeded: {counters}")


def check_numbers(world: World, base: Base) -> None:
    """What must add up whenever no handler runs. `base`: what others had used before."""
    all_campaigns, batches = campaigns(world), rows(world, "batch")
    standing: Counter[str] = Counter()
    for campaign in all_campaigns:
        own = [row for row in batches if row["id"] == campaign["id"]]
        count = campaign["executed_count"] - campaign["reverted_count"]
        if sum(row["views"] for row in own) != count:
            raise Violation("batch rows do not sum to the campaign's count")
        if sum(row["views"] for row in own if row["views"] > 0) != campaign["executed_count"]:
            raise Violation("batch rows do not sum to the executed views")
        if not 0 <= count <= campaign["executed_count"] <= campaign["total_count"]:
            raise Violation("executed + remaining is not the total")
        if campaign["status"] == "completed" and campaign["executed_count"] != campaign["total_count"]:
            raise Violation("completed, and not all is executed")
        if campaign["status"] == "reverted" and count:
            raise Violation("reverted, and not all is taken back")
        _check_days(campaign, own)
        for row in own:
            for video, views in json.loads(row["views_by_video"]).items():
                counter = f"boosted#video#{video}"
                standing.update({counter: views, f"{counter}#{row['committed_at'][:10]}": views})
    totals = {item["key"]: int(item["views"]) for item in world.dynamo.items("TotalsTable")}
    if totals != standing:
        raise Violation(f"batch rows do not sum to the videos' counters and their days: {totals} {standing}")
    _check_usage(world, base, all_campaigns, batches)


def _check_days(campaign: dict[str, Any], own: list[dict[str, Any]]) -> None:
    days: Counter[str] = Counter()
    for row in own:
        days[row["committed_at"][:10]] += max(0, row["views"])
    if any(views > campaign["daily_limit"] for views in days.values()):
        raise Violation(f"more on a day than the campaign's own {campaign['daily_limit']}: {days}")


def _check_rest(world: World) -> None:
    for campaign in campaigns(world):
        if campaign["status"] in LIVE:
            raise Violation(f"left behind: {campaign['id']} is {campaign['status']}")
    for name, messages in world.queues.items():
        if messages:
            raise Violation(f"left in {name}: {messages}")


def _check_shown(world: World) -> None:
    """What the API answers is what the batch rows say."""
    world.nemesis = None
    batches = rows(world, "batch")
    for campaign in campaigns(world):
        status, shown = world.http(Request("GET", f"{CAMPAIGNS}/{campaign['id']}", id="a look"))
        views = [int(row["views"]) for row in batches if row["id"] == campaign["id"]]
        executed = sum(each for each in views if each > 0)
        expected = {
            "executed_count": executed,
            "remaining_count": int(campaign["total_count"]) - executed,
            "reverted_count": executed - sum(views),
            "status": campaign["status"],
        }
        if status != 200 or {name: shown[name] for name in expected} != expected:
            raise Violation(f"shown: {status} {shown}, instead of {expected}")


def _check_usage(world: World, base: Base, all_campaigns: list[Any], batches: list[Any]) -> None:
    expected: dict[str, Counter[str]] = {month: Counter(counters) for month, counters in base.items()}
    for row in batches:
        if row["views"] > 0:
            month, day = f"usage#{row['committed_at'][:7]}", f"d{row['committed_at'][8:10]}"
            expected.setdefault(month, Counter()).update(
                {"executed": row["views"], "allotted": row["views"], day: row["views"]}
            )
    for campaign in all_campaigns:
        for month, views in json.loads(campaign["promised"]).items():
            expected.setdefault(f"usage#{month}", Counter()).update({"allotted": views})
    found = {month: Counter(counters) for month, counters in counters_of(world).items()}
    if {month: +each for month, each in found.items() if +each} != {m: +each for m, each in expected.items() if +each}:
        raise Violation(f"batch rows and promises do not sum to the counters: {found} instead of {expected}")


def check_trail(world: World, deleted: list[str]) -> None:
    """Every chain is whole by the operator's own verification, and each entry has its one event, published."""
    with world.environment_of("OperationsAuditFunction"):
        trail = operations.audit.trail()
        entities = sorted({item["entity"] for item in world.dynamo.items("AuditTable")})
        for entity in entities:
            _, problem = trail.verify(entity)
            if problem:
                raise Violation(f"the audit trail of {entity}: {problem}")
    actions = [item["action"].removeprefix("FAKE_VIEWS_CAMPAIGN_") for item in world.dynamo.items("AuditTable")]
    events = list(world.dynamo.items("OutboxTable"))
    names = [event.get("name") for event in events]
    if Counter(_EVENT_OF_ACTION[action] for action in actions) != Counter([*names, *deleted]):
        raise Violation("audit entries and events do not match")
    if any(event["status"] != "processed" for event in events):
        raise Violation("an event was not marked as published")
    if not deleted and {json.loads(entry["Detail"])["id"] for entry in world.bus} != {event["id"] for event in events}:
        raise Violation("what was published is not what is in the outbox")


class Boosts(Context):
    """Boosts, as the sweep knows it."""

    name = "boosts"
    packages = ("boosts", "operations")
    flows = FLOWS
    faults = OF_AWS
    modules = MODULES

    def __init__(self) -> None:
        self._watch = Watch()

    def watch(self) -> Watch:
        self._watch = Watch()
        return self._watch

    def is_settled(self, world: World) -> bool:
        return not any(each["status"] in LIVE for each in campaigns(world)) and are_all_published(world)

    def check(self, world: World, base: Any) -> None:
        _check_rest(world)
        check_numbers(world, base)
        check_trail(world, self._watch.deleted)
        _check_shown(world)

    def base(self, world: World) -> Base:
        return counters_of(world)

    def end(self, world: World) -> tuple[Any, Any, Any]:
        entries: dict[str, list[str]] = {}
        for item in sorted(world.dynamo.items("AuditTable"), key=lambda item: (item["entity"], item["number"])):
            entries.setdefault(item["entity"], []).append(item["action"])
        statuses = [(each["status"], entries[each["id"]]) for each in campaigns(world)], entries.get("platform")
        totals = sorted((item["key"].split("#"), int(item["views"])) for item in world.dynamo.items("TotalsTable"))
        videos, days = ([each for each in totals if len(each[0]) == length] for length in (3, 4))
        counts = [(int(each["executed_count"]), int(each["reverted_count"])) for each in campaigns(world)], videos
        months = [(each["id"], int(each["allotted"]), int(each.get("executed", 0))) for each in rows(world, "usage")]
        parts = [(each["promised"], sorted(_views_of(world, each["id"]))) for each in campaigns(world)], months, days
        return statuses, counts, parts


def _views_of(world: World, campaign_id: str) -> Iterator[int]:
    return (int(row["views"]) for row in rows(world, "batch") if row["id"] == campaign_id)
