"""Boosts in the world: its flows, what must hold of it at every moment, and at the end."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.dynamo.expressions import plain
from tests.dynamo.model import Written
from tests.faults.chain import (
    SHARED,
    Chain,
    ChainWatch,
    OutboxWatch,
    act,
    actions_by_entity,
    are_all_published,
    by_the_operator,
    check_goes_on,
    check_queues,
    check_trail,
    platform,
)
from tests.faults.script import Command
from tests.faults.sweep import Context, Flow, Violation
from tests.faults.world import START, Request, World

MODULES = ("boosts.store", "boosts.batches", "boosts.campaign", "boosts.commands")
"""Where the mutation check looks for conditions, fences and guards."""
UNREACHED = {
    "boosts.store.listed_by": "No list is asked for: tests/integration/test_boosts_api.py.",
    "boosts.commands.Commands.simulate_rest": "Nothing is simulated: tests/integration/test_boosts_complete.py.",
}
"""Functions that no flow reaches."""
CAMPAIGNS = "/api/admin/fake-views"
CHAIN = Chain("BoostsTable", "BoostsQueue", "bst", live=("running", "scheduled", "reverting"))
type Base = dict[str, dict[str, int]]
_DECEMBER = datetime(2026, 12, 1, 0, 1, tzinfo=UTC)


# --- What the world holds


def rows(world: World, kind: str) -> list[dict[str, Any]]:
    """The boosts table's items of a kind, in the order of their keys."""
    return sorted(world.dynamo.items("BoostsTable", kind=kind), key=lambda item: (item["id"], item["part"]))


def campaigns(world: World) -> list[dict[str, Any]]:
    return CHAIN.campaigns(world)


def counters_of(world: World) -> Base:
    """The months' use: allotted, executed, and each day's."""
    keys = ("id", "part", "kind")
    return {each["id"]: {name: each[name] for name in each if name not in keys} for each in rows(world, "usage")}


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


def all_cancelled(world: World, _ids: list[str]) -> None:
    for number, each in enumerate(campaigns(world)):
        request = Request("POST", f"{CAMPAIGNS}/{each['id']}/cancel", None, f"cancel-{number}")
        while each["status"] in CHAIN.live and world.http(request)[0] >= 500:
            pass


def no_step_left(world: World, _ids: list[str]) -> None:
    """As if so much had gone wrong that the campaign has used up its steps."""
    for key, item in world.dynamo.tables["BoostsTable"].items.items():
        if item["kind"] == {"S": "campaign"}:
            world.dynamo.tables["BoostsTable"].items[key] = item | {"steps_done": {"N": "10000"}}


def monthly_cap(views: int) -> Any:
    """The stack is deployed with another cap."""

    def act(world: World, _ids: list[str]) -> None:
        world.configure("GLOBAL_MONTHLY_CAP", str(views))

    return act


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
            platform("resume", can_cross=True, when=lambda world: world.now() > world.began + timedelta(minutes=2)),
        ),
        starts_at=START + timedelta(minutes=3),  # so that the sweeper comes while it is stopped
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
        is_restorable=False,  # a restore needs the sweeper, which comes some thousand times until the next year
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
    Flow("strange messages", (create(), act(CHAIN.send_strange), command("cancel")), only_while=lambda _world: False),
    Flow(
        "without the sweeper",
        (
            create(total=1500, days=2),
            command("execute"),
            command("revert", when=in_status("completed")),
        ),
        silent=("OperationsSweeperFunction",),
        only_in=("BoostsWorkerFunction",),
    ),
    Flow(
        "a lower cap",
        (create(total=500), Command("", "", act=monthly_cap(400)), command("execute", wanted=409), command("cancel")),
    ),
    Flow(
        "a full day",
        (create(total=500), command("execute")),
        prepare=left(day=0),
        silent=("OperationsSweeperFunction",),
        only_in=("BoostsWorkerFunction",),
    ),
    Flow(
        "no step is left",
        (create(), Command("", "", act=no_step_left), command("execute")),
    ),
    Flow(
        "a day without any",
        (create(total=1, days=2), command("execute")),
        silent=("OperationsSweeperFunction",),
        only_in=("BoostsWorkerFunction",),
    ),
)

# --- What must hold


class Watch(ChainWatch):
    """What must hold of boosts at every moment of a run."""

    def __init__(self) -> None:
        super().__init__(CHAIN, _batches)
        self.outbox = OutboxWatch()

    def wrote(self, world: World, written: list[Written]) -> None:
        self.outbox.wrote(world, written)
        for each in written:
            if each.after and each.table == "BoostsTable" and plain(each.after["kind"]) == "usage":
                _check_caps(world, each.after)
        super().wrote(world, written)

    def published(self, world: World, entries: list[Any]) -> None:
        self.outbox.published(world, entries)


def _batches(written: list[Written]) -> set[str]:
    return {
        plain(each.key["id"])
        for each in written
        if each.table == "BoostsTable" and each.after and plain(each.after["kind"]) == "batch"
    }


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
        month, day = f"usage#{row['committed_at'][:7]}", row["committed_at"][8:10]
        counters = {"executed": row["views"], "allotted": row["views"], f"d{day}": row["views"]}
        counters = counters if row["views"] > 0 else {f"r{day}": -row["views"]}
        expected.setdefault(month, Counter()).update(counters)
    for campaign in all_campaigns:
        for month, views in json.loads(campaign["promised"]).items():
            expected.setdefault(f"usage#{month}", Counter()).update({"allotted": views})
    found = {month: Counter(counters) for month, counters in counters_of(world).items()}
    if {month: +each for month, each in found.items() if +each} != {m: +each for m, each in expected.items() if +each}:
        raise Violation(f"batch rows and promises do not sum to the counters: {found} instead of {expected}")


class Boosts(Context):
    """Boosts, as the sweep knows it."""

    name = "boosts"
    packages = ("boosts", "operations")
    flows = FLOWS
    modules = MODULES
    unreached = UNREACHED
    never_broken = SHARED

    def __init__(self) -> None:
        self._watch = Watch()

    def watch(self) -> Watch:
        self._watch = Watch()
        return self._watch

    def is_settled(self, world: World) -> bool:
        return CHAIN.is_settled(world) and are_all_published(world)

    def check(self, world: World, base: Any) -> None:
        CHAIN.check_rest(world)
        check_queues(world)
        check_numbers(world, base)
        with by_the_operator(world) as verify:
            check_trail(world, verify, self._watch.outbox.deleted)
        _check_shown(world)
        if world.is_restored:
            check_goes_on(world, CHAIN, CAMPAIGNS)

    def base(self, world: World) -> Base:
        return counters_of(world)

    def end(self, world: World) -> tuple[Any, Any, Any]:
        entries = actions_by_entity(world)
        statuses = [(each["status"], entries[each["id"]]) for each in campaigns(world)], entries.get("platform")
        totals = sorted((item["key"].split("#"), int(item["views"])) for item in world.dynamo.items("TotalsTable"))
        videos, days = ([each for each in totals if len(each[0]) == length] for length in (3, 4))
        counts = [(int(each["executed_count"]), int(each["reverted_count"])) for each in campaigns(world)], videos
        months = [(each["id"], int(each["allotted"]), int(each.get("executed", 0))) for each in rows(world, "usage")]
        parts = [(each["promised"], sorted(_views_of(world, each["id"]))) for each in campaigns(world)], months, days
        return statuses, counts, parts


def _views_of(world: World, campaign_id: str) -> Iterator[int]:
    return (int(row["views"]) for row in rows(world, "batch") if row["id"] == campaign_id)
