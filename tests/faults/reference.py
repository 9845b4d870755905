"""The reference chain in the world: what can happen to any chain, and to one that acts outside. It stands for all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, count
from typing import Any
from unittest.mock import patch

from tests.dynamo.expressions import plain
from tests.dynamo.model import Written
from tests.faults.chain import (
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
from tests.faults.faults import OF_AWS, Fault
from tests.faults.repeats import Repeats
from tests.faults.script import Command
from tests.faults.sweep import Context, Flow, Violation
from tests.faults.world import START, SWEEPER, Request, World, a_world
from tests.reference.api import CAMPAIGNS
from tests.reference.sandbox import CALL, PARTY
from tests.template_reader import source_text

MODULES = (
    "sluice.steps",
    "sluice.wake",
    "sluice.outbox",
    "sluice.audit",
    "sluice.platform",
    "sluice.requests",
    "sluice.commit",
    "sluice.store",
    "sluice.campaign",
    "sluice.commands",
    "operations.overdue",
    "operations.switch",
    "tests.reference.campaign",
)
"""Where the mutation check looks for conditions, fences and guards."""
UNREACHED = {
    "sluice.audit.find_problem": "The verification, which the sweep asks at rest: tests/unit/test_audit_chain.py.",
    "sluice.audit._span": "How the verification says it.",
    "sluice.outbox.oldest_pending": "The checkup is not asked for: tests/integration/test_health.py.",
    "sluice.store.Listing._key": "No list is asked for; so for the next two: tests/integration/test_boosts_api.py.",
    "sluice.store.Listing._place": "",
    "sluice.store.ChainStore.page": "",
}
"""Functions that no flow reaches."""
OUT_OF_SIGHT = {
    "sluice.wake.schedule_name: if _SCHEDULE_NAME.fullmatch(name)": "Every id here is a name: tests/unit/test_wake.py.",
    **dict.fromkeys(
        (
            "sluice.audit._fault: if entry.hash != entry.digest()",
            "sluice.audit._fault: if entry.number != last.number + 1",
            "sluice.audit._fault: if entry.previous_hash != last.hash",
            "sluice.audit._fault: return if last.number, always",
            "sluice.audit._fault: return if last.number, never",
            "sluice.audit._follow_one_another: if item.unreadable or _fault(last, item.entry())",
            "sluice.audit._follow_one_another: way _fault(last, item.entry()) of an if",
            "sluice.audit._follow_one_another: way item.unreadable of an if",
            "sluice.audit._is_readable: if attribute is None",
        ),
        "Nobody forges entries, or edits them: tests/integration/test_bridge.py does, and test_audit.py.",
    ),
    "sluice.requests.KeyedRequest.of: if not idempotency_key": (
        "No flow creates twice without a key: tests/integration/test_boosts_api.py does, in its lists."
    ),
    "sluice.commands.ChainCommands.create_by: if created is None and keyed is None": (
        "The same; and tests/integration/test_boosts_api.py loses the answer of a create without a key."
    ),
    **dict.fromkeys(
        (
            "sluice.commands.ChainCommands.refuse_while_stopped: if change.is_batch and self._chained.is_stopped()",
            "sluice.commands.ChainCommands.refuse_while_stopped: clause self._chained.is_stopped() of an if",
        ),
        "No command of the reference releases anything: tests/integration/test_sponsorships.py.",
    ),
    "sluice.outbox.Relay.publish: condition EventItem.status == PENDING of update_if": (
        "No row is unreadable: tests/integration/test_outbox_relay.py."
    ),
    "sluice.steps.StepChain._most_behind: return if self.act is None, never": (
        "The reference acts: tests/unit/test_steps.py has a chain that does not."
    ),
    "sluice.store.ChainStore.commit: if not self.fits(change)": (
        "The reference has no bounds of its own: tests/integration/test_boosts_store.py, and the boosts' `a lower cap`."
    ),
}
"""What the sweep cannot notice, for want of it in the reference."""
CHAIN = Chain("BoostsTable", "BoostsQueue", "bst", live=("running",))
_API, _WORKER = "BoostsApiFunction", "BoostsWorkerFunction"


def in_place_of_the_boosts() -> str:
    """The template in which the reference chain has the boosts' table, queue and functions."""
    text = source_text()
    for module in ("api", "worker"):
        assert f"Handler: boosts.{module}.handler" in text
        text = text.replace(f"Handler: boosts.{module}.handler", f"Handler: tests.reference.{module}.handler")
    return text


# --- What is asked, and when


def create(total: int = 2, pace_seconds: int = 1, begin_by: datetime | None = None, **options: Any) -> Command:
    late = {"begin_by": begin_by.isoformat()} if begin_by else {}
    return Command("POST", CAMPAIGNS, {"total": total, "pace_seconds": pace_seconds} | late, **options)


def command(verb: str, number: int = 0, **options: Any) -> Command:
    return Command("POST", f"{CAMPAIGNS}/{{{number}}}/{verb}", **options)


def counted(number: int) -> Callable[[World], bool]:
    """Whether so many calls are counted, over all campaigns."""
    return lambda world: sum(each["counted"] for each in CHAIN.campaigns(world)) >= number


def in_status(status: str) -> Callable[[World], bool]:
    """Whether every campaign is in a status."""
    return lambda world: all(each["status"] == status for each in CHAIN.campaigns(world))


def a_call_was_made(world: World) -> bool:
    """And it is neither recorded nor judged."""
    return any(each.get("call") in PARTY.calls for each in CHAIN.campaigns(world))


def no_call_is_under_way(world: World) -> bool:
    """While one is, the sweeper may be needed: a copy acknowledges the message, and its twin dies after its record."""
    return not any("call" in each for each in CHAIN.campaigns(world))


def in_minutes(minutes: int) -> Callable[[World], bool]:
    return lambda world: world.now() > world.began + timedelta(minutes=minutes)


def never(_world: World) -> bool:
    return False


# --- What happens beside


def ids_repeated(world: World) -> None:
    """Chance draws an event's id a second time, then a campaign's."""
    drawn = chain((1, 2, 3, 4, 5, 3, 1, 8, 9), count(10))
    world.random = lambda size: next(drawn).to_bytes(size, "big")


def lost(messages: int) -> Callable[[World], None]:
    """The first ones."""

    def prepare(world: World) -> None:
        world.lose = messages

    return prepare


def purged(world: World) -> None:
    world.queues["BoostsQueue"].clear()


def copied(world: World) -> None:
    """With the same id, as SQS makes copies."""
    waiting = world.queues["BoostsQueue"]
    waiting += [replace(each) for each in waiting]


def records_expired(world: World) -> None:
    """The stream kept them for too long."""
    for shard in world.shards:
        shard.records.clear()
        shard.chains.clear()


def no_step_left(world: World) -> None:
    """As if so much had gone wrong that the campaign has used up its steps."""
    items = world.dynamo.tables["BoostsTable"].items
    for key, item in items.items():
        items[key] = item | {"steps_done": {"N": "10000"}}


def rows_deleted(world: World) -> None:
    """By hand, from the outbox."""
    for event in list(world.dynamo.items("OutboxTable")):
        world.dynamo.call("DeleteItem", {"TableName": "OutboxTable", "Key": {"id": {"S": event["id"]}}})


def a_day_passes(world: World) -> None:
    while not world.is_quiet():
        world.step()
    world.pass_time(world.now() + timedelta(hours=25))


def gone(world: World) -> None:
    """All tables are restored to a time before everything, but for that of the requests."""
    for table in ("BoostsTable", "AuditTable", "OutboxTable"):
        world.dynamo.tables[table].items.clear()
    world.bus.clear()
    _forget_answers(world)


def begun_again(world: World) -> None:
    """The campaign's table is restored to a time before it was executed; of its audit log nothing is lost."""
    items = world.dynamo.tables["BoostsTable"].items
    for key, item in items.items():
        items[key] = item | {"step": {"N": "0"}, "status": {"S": "pending"}}
    _forget_answers(world)


def _forget_answers(world: World) -> None:
    for watcher in world.watchers:
        if isinstance(watcher, Repeats):
            watcher.restored(world)


def was_rolled_back(world: World) -> bool:
    """Whether an answer is kept that is of a time after what is in the table."""
    steps = {each["id"]: each["step"] for each in CHAIN.campaigns(world)}
    return any(steps.get(row["entity"], -1) < row["version"] for row in world.dynamo.items("RequestsTable"))


def two_minutes_pass(world: World) -> None:
    """A worker is slow: the step that judges its call comes first."""
    world.pass_time(world.now() + timedelta(minutes=2))
    world.others()


def two_hours_pass(world: World) -> None:
    while not world.is_quiet():
        world.step()
    world.pass_time(START + timedelta(hours=2))


FLOWS = (
    Flow("complete", (create(), command("execute"))),
    Flow(
        "pause and resume",
        (
            create(),
            command("execute"),
            command("pause", when=counted(1), can_cross=True),
            command("execute", when=in_status("paused"), can_cross=True),
        ),
        only_in=(_API, _WORKER),
    ),
    Flow(
        "cancel",
        (
            create(),
            command("execute"),
            command("cancel", when=counted(1), can_cross=True),
            command("cancel"),
            command("pause", wanted=409),
        ),
        only_in=(_API, _WORKER),
    ),
    Flow(
        "stop and resume",
        (
            create(),
            command("execute"),
            platform("stop", when=counted(1), can_cross=True),
            platform("resume", can_cross=True, when=in_minutes(2)),
        ),
        starts_at=START + timedelta(minutes=3),  # so that the sweeper comes while it is stopped
        only_in=(_WORKER, "OperationsStopFunction", SWEEPER),
    ),
    Flow(
        "refused",
        (
            create(1),
            replace(create(2), id="request-0", wanted=409),
            command("pause", wanted=409),
            command("execute"),
            command("execute", wanted=409),
            command("pause"),
            command("pause", wanted=409),
            command("execute"),
            command("pause", wanted=409, when=in_status("completed")),
            command("cancel", wanted=409),
            command("execute", wanted=409),
        ),
        only_in=(_API,),
    ),
    Flow(
        "commands at once",
        (
            create(),
            command("execute", can_cross=True),
            command("pause", can_cross=True),
            command("execute", can_cross=True),
            command("cancel", can_cross=True),
        ),
        is_race=True,
        only_in=(_API,),
    ),
    Flow(
        "refused by the platform",
        (
            platform("resume", wanted=409, code="platform_not_stopped"),
            platform("stop"),
            platform("stop", wanted=409, code="platform_already_stopped"),
            platform("resume"),
        ),
        only_in=("OperationsStopFunction",),
    ),
    Flow(
        "the platform without a key",
        (
            platform("stop", has_key=False),
            platform("stop", has_key=False, wanted=409, code="platform_already_stopped"),
            platform("resume", has_key=False),
        ),
        only_in=("OperationsStopFunction",),
    ),
    Flow(
        "strange messages",
        (create(), act(CHAIN.send_strange), command("execute"), act(CHAIN.send_strange, when=counted(1))),
        only_while=never,
    ),
    Flow(
        "a record that comes late",
        (create(), command("execute"), act(two_minutes_pass, when=in_status("completed"), can_cross=True)),
        only_in=(_WORKER,),
        only_while=a_call_was_made,
    ),
    Flow(
        "a copy of each message",
        (create(), command("execute"), act(copied), act(copied, when=counted(1)), act(copied, when=counted(2))),
        only_while=never,
    ),
    Flow(
        "without the sweeper",
        (create(2, pace_seconds=2_000), command("execute")),
        silent=(SWEEPER,),
        only_in=(_WORKER,),
        only_while=no_call_is_under_way,
    ),
    Flow(
        "the same key a day later",
        (create(), act(a_day_passes), replace(create(), id="request-0")),
        silent=(SWEEPER,),
    ),
    Flow(
        "the same key when it is too late",
        (
            create(begin_by=START + timedelta(hours=1)),
            act(two_hours_pass),
            create(begin_by=START + timedelta(hours=1), wanted=400),
            replace(create(begin_by=START + timedelta(hours=1), wanted=400), has_key=False),
            create(begin_by=START + timedelta(hours=1), id="request-0"),
            act(a_day_passes),
            create(begin_by=START + timedelta(hours=1), id="request-0", wanted=400),
        ),
        silent=(SWEEPER,),
        only_while=never,
    ),
    Flow("without a key", (replace(create(1), has_key=False), command("execute")), only_while=never),
    Flow(
        "commands without a key",
        (
            create(),
            command("execute", has_key=False),
            command("execute", has_key=False, wanted=409),
            command("pause", when=counted(1), has_key=False, can_cross=True),
            command("execute", when=in_status("paused"), has_key=False, can_cross=True),
            command("cancel", has_key=False),
            command("cancel", has_key=False),
        ),
        only_in=(_API,),
    ),
    Flow(
        "rolled back",
        (
            create(1),
            act(gone),
            replace(create(1), id="request-0"),
            command("execute", number=1, id="execute"),
            command("pause", number=1),
            act(begun_again),
            command("execute", number=1, id="execute", can_cross=True),
        ),
        only_in=(_API,),
        only_while=was_rolled_back,
    ),
    Flow("ids drawn twice", (create(), create(), create()), prepare=ids_repeated, only_in=(_API,)),
    Flow("rows deleted before they are published", (create(), act(rows_deleted))),
    Flow("rows deleted by hand", (create(), act(rows_deleted, when=are_all_published, can_cross=True))),
    Flow("records that expire", (create(), act(records_expired))),
    Flow("no step is left", (create(), act(no_step_left), command("execute")), only_in=(_WORKER,)),
    Flow("first message lost", (create(1), command("execute")), prepare=lost(1), only_in=(SWEEPER,)),
    Flow(
        "first message lost, then paused",
        (
            create(2),
            command("execute"),
            command("pause", when=counted(1), can_cross=True),
            command("execute", when=in_status("paused"), can_cross=True),
        ),
        prepare=lost(1),
        only_in=(SWEEPER,),
    ),
    Flow(
        "messages lost before a pause and after it",
        (create(1), command("execute"), command("pause", when=in_minutes(11)), command("execute")),
        prepare=lost(4),
        only_while=never,
    ),
    Flow(
        "messages lost again and again",
        (create(2), command("execute"), act(purged, when=counted(1))),
        prepare=lost(3),
        only_in=(SWEEPER,),
    ),
)


# --- What must hold


class Watch(ChainWatch):
    """What must hold of the reference chain at every moment of a run."""

    def __init__(self) -> None:
        super().__init__(CHAIN, _calls)
        self.outbox = OutboxWatch()

    def wrote(self, world: World, written: list[Written]) -> None:
        self.outbox.wrote(world, written)
        super().wrote(world, written)

    def published(self, world: World, entries: list[Any]) -> None:
        self.outbox.published(world, entries)


def _calls(written: list[Written]) -> set[str]:
    """The campaigns that a write lets make a call."""
    return {
        plain(each.key["id"])
        for each in written
        if CHAIN.is_campaign(each) and each.after and "call" in each.after and "call" not in (each.before or {})
    }


def check_calls(world: World) -> None:
    """Whenever no handler runs: nothing was called for twice, and what is counted was called for.

    A restore takes back what was stored of a call, and not the call: it is made again.
    """
    for campaign in CHAIN.campaigns(world) if not world.is_restored else ():
        made = [name.split("/")[1] for name in PARTY.calls if name.startswith(f"{campaign['id']}/")]
        if made != [str(number) for number in range(1, len(made) + 1)]:
            raise Violation(f"the calls of {campaign['id']} are not one for each number: {PARTY.calls}")
        unknown = len(made) - int(campaign["counted"])
        if unknown not in ((0, 1) if "call" in campaign else (0,)):
            raise Violation(f"{campaign['counted']} calls of {campaign['id']} are counted, and {len(made)} were made")
        if campaign["status"] == "completed" and len(made) != campaign["total"]:
            raise Violation(f"{campaign['id']} is completed with {len(made)} calls")


def _check_shown(world: World) -> None:
    world.nemesis = None
    for campaign in CHAIN.campaigns(world):
        status, shown = world.http(Request("GET", f"{CAMPAIGNS}/{campaign['id']}", id="a look"))
        if status != 200 or (shown["status"], shown["counted"]) != (campaign["status"], campaign["counted"]):
            raise Violation(f"shown: {status} {shown}, instead of {campaign}")


class Reference(Context):
    """The reference chain, as the sweep knows it."""

    name = "reference"
    packages = ("tests.reference", "operations")
    flows = FLOWS
    faults = (*OF_AWS, Fault.UNHEARD)
    modules = MODULES
    out_of_sight = OUT_OF_SIGHT
    unreached = UNREACHED

    def __init__(self) -> None:
        self._watch = Watch()

    @contextmanager
    def world(self) -> Iterator[World]:
        """In the place of the boosts."""
        with a_world(self.packages, in_place_of_the_boosts()) as world:

            def wire(operation: str, effect: Callable[[], Any]) -> Any:
                return world.outside(operation, lambda: self._arrives(world, operation, effect))

            with patch.object(PARTY, "wire", wire):
                world.begin_processes()
                yield world
            world.begin_processes()

    def _arrives(self, world: World, operation: str, effect: Callable[[], Any]) -> Any:
        answer = effect()
        if operation == CALL:
            intents = {each["call"] for each in CHAIN.campaigns(world) if "call" in each}
            if PARTY.calls[-1] not in intents and not world.is_restored:
                raise Violation(f"{PARTY.calls[-1]} was made, and its intent was not stored")
        return answer

    def watch(self) -> Watch:
        PARTY.calls.clear()
        self._watch = Watch()
        return self._watch

    def is_settled(self, world: World) -> bool:
        return CHAIN.is_settled(world) and are_all_published(world)

    def check(self, world: World, base: Any) -> None:
        CHAIN.check_rest(world)
        check_queues(world)
        check_calls(world)
        with by_the_operator(world) as verify:
            check_trail(world, verify, self._watch.outbox.deleted)
        _check_shown(world)
        if world.is_restored:
            check_goes_on(world, CHAIN, CAMPAIGNS)

    def end(self, world: World) -> tuple[Any, Any, Any]:
        entries = actions_by_entity(world)
        statuses = [(each["status"], entries[each["id"]]) for each in CHAIN.campaigns(world)], entries.get("platform")
        return statuses, [int(each["counted"]) for each in CHAIN.campaigns(world)], len(PARTY.calls)
