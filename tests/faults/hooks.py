"""Webhooks in the world: their flows, and what must hold of them at the end."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from hooks import api, fanning, worker
from hooks.backoff import delay_after
from hooks.fanning import delivery_id
from sluice import ids
from sluice.clock import rfc3339
from tests.faults.begun import Begun, come_to_rest, give, made
from tests.faults.chain import SHARED, act, actions_by_entity, are_all_published, by_the_operator, platform
from tests.faults.hooks_outside import BUSY, GONE, MOVED, WRONG, Receivers, sender
from tests.faults.hooks_watch import (
    CHAIN,
    EVENTS,
    HOOKS,
    QUEUE,
    TABLE,
    WORKER,
    Watch,
    check_rest,
    counted,
    deliveries,
    endpoints,
)
from tests.faults.script import Command
from tests.faults.sweep import Context, Flow, Violation
from tests.faults.world import START, SWEEPER, Request, World, a_world

MODULES = (
    "hooks.store",
    "hooks.commands",
    "hooks.batches",
    "hooks.campaign",
    "hooks.endpoint",
    "hooks.fanning",
    "hooks.messages",
    "hooks.types",
    "hooks.backoff",
    "sluice.outward",
)
"""Where the mutation check looks for conditions, fences and guards."""
_HOOKS, _DELIVERING = "tests/integration/test_hooks.py", "tests/integration/test_hooks_delivering.py"
_HEALTH, _PURE = "tests/integration/test_hooks_health.py", "tests/unit/test_hooks.py"
OUT_OF_SIGHT = {
    **dict.fromkeys(
        [
            "hooks.store.Store.note_success: if endpoint.failing_since is None and noted and "
            "(now - noted < _SUCCESSES_NOTED)",
            "hooks.store.Store.note_success: clause now - noted < _SUCCESSES_NOTED of an if",
            "hooks.store.Store.note_failure: condition as_read of update_if",
            "hooks.batches._note: if recorded.status is DeliveryStatus.DELIVERED",
        ],
        f"What is noted of an endpoint's health only delays: {_HEALTH}.",
    ),
    "hooks.store.Store.note_success: condition EndpointItem.id.exists() of update_if": (
        f"No restore comes between an attempt's record and its note: {_HEALTH}."
    ),
    "hooks.store.Store.save_endpoint: condition EndpointItem.id.does_not_exist() of save": (
        f"No id is drawn twice: {_HOOKS}."
    ),
    **dict.fromkeys(
        [
            "hooks.store._because: return if endpoint.disabled_reason, always",
            "hooks.store._because: return if endpoint.disabled_reason, never",
        ],
        f"What an event says besides, for receivers: {_HOOKS}.",
    ),
    **dict.fromkeys(
        [
            "hooks.commands.Hooks.secret: return if master is None, always",
            "hooks.commands.Hooks.secret: return if master is None, never",
        ],
        f"A repeat derives the secret again, and is not compared in it: {_HOOKS}.",
    ),
    "hooks.commands.Hooks._find: return if is_id(PREFIX, hook_id), always": f"No id is something else's: {_HOOKS}.",
    "hooks.commands.Hooks.create: if created is None and keyed is None": (
        f"A client without a key repeats a create itself: {_HOOKS} loses the answer of one."
    ),
    "hooks.batches.Sending.__call__: way not isinstance(committed, Delivery) of an if": (
        "Nothing comes to it: the chain commits nothing but deliveries."
    ),
    "hooks.batches.Sending._attempt: return if came, always": (
        f"The masters that sign are kept from the claim on, and a receiver never raises: {_HEALTH}."
    ),
    **dict.fromkeys(
        [
            "hooks.batches._disable: if present is None or not present.is_enabled or (not still(present))",
            "hooks.batches._disable: way not present.is_enabled of an if",
            "hooks.batches._disable: way not still(present) of an if",
            "hooks.fanning.FanOut._deliver: if found is None or found.status is HookStatus.DELETED",
            "hooks.fanning.FanOut._deliver: way found.status is HookStatus.DELETED of an if",
        ],
        f"No command comes in the middle of a 410, and a message that failed for a delete is done when it comes again: "
        f"{_DELIVERING}.",
    ),
    **dict.fromkeys(
        [
            "hooks.campaign.replay: if delivery.status is DeliveryStatus.SENDING or delivery.replayed_by == replay_id",
            "hooks.campaign.replay: way delivery.status is DeliveryStatus.SENDING of an if",
            "hooks.campaign.replay: way delivery.replayed_by == replay_id of an if",
            "hooks.campaign.replay: if delivery.status is DeliveryStatus.WAITING",
            "hooks.campaign.replay: if delivery.status is DeliveryStatus.DROPPED",
            "hooks.campaign.replay: clause delivery.status is DeliveryStatus.DELIVERED of an if",
            "hooks.campaign.replay: if delivery.wake_at is None or delivery.wake_at <= now",
            "hooks.campaign.replay: way delivery.wake_at <= now of an if",
        ],
        f"What is replayed is delivered or held here, and comes to the same end a second time: {_PURE}.",
    ),
    **dict.fromkeys(
        [
            "hooks.backoff.delay_after: return if retry_after, never",
            "hooks.endpoint.Endpoint.waits_until: return if self.next_probe_at and now < self.next_probe_at, never",
            "hooks.endpoint.changed: return if after.url == endpoint.url, always",
            "hooks.endpoint.changed: return if after.url == endpoint.url, never",
            "hooks.endpoint.failed: if endpoint.waits_until(now)",
        ],
        f"What is asked too soon or too late is delivered as well: {_PURE}.",
    ),
    "hooks.batches._next: return if until, never": f"As well, with more attempts: {_DELIVERING}.",
    "sluice.outward.perform: if now + timedelta(seconds=patience.call_seconds) > call.deadline": (
        f"What is too late is not sent all the same, and counts as an attempt: {_DELIVERING}."
    ),
}
"""What no run can notice."""
UNREACHED = {
    "hooks.commands.Deliveries.page": f"No list is asked for: {_DELIVERING}.",
    "sluice.outward.seen": "A delivery is made again, and never looked up: tests/unit/test_outward.py.",
    "sluice.outward.resolved": "The same.",
}
"""Functions that no flow reaches."""

API, FANOUT = "HooksApiFunction", "HooksFanoutFunction"
BEFORE = START - timedelta(hours=1)
"""When what a flow begins with was made."""
URLS = tuple(f"https://receiver{number}.example/hooks" for number in range(4))
RECEIVERS = Receivers()
_NAME = "BoostCompleted"
_EVENTS = tuple(
    ids.new_id("evt", START, lambda size, number=number: number.to_bytes(size, "big")) for number in range(20)
)  # type: ignore[misc]


# --- What a flow begins with

_kept: dict[str, tuple[Begun, list[dict[str, Any]]]] = {}
"""Made once for each process, by the product as it is; and what was published."""


def create(number: int = 0, *events: str, **options: Any) -> Command:
    """Create the endpoint of a receiver."""
    return Command("POST", HOOKS, {"url": URLS[number], "events": list(events)}, **options)


_TWO = (create(0, "boost.*"), create(1, "boost.completed", "hook.test"))


def begun(*commands: Command, outside: Callable[[], None] = lambda: None) -> Callable[[World], None]:
    """Prepares what `commands` make: by default two endpoints. Then `outside` is changed."""
    commands = commands or _TWO

    def prepare(world: World) -> None:
        name = repr(commands)
        if name not in _kept:
            published: list[dict[str, Any]] = []
            _kept[name] = made(world, BEFORE, lambda world: _begin(world, commands, published)), published
        RECEIVERS.became(Receivers())
        # Processes keep masters: each run begins with new ones, so that its calls have the same numbers.
        world.begin_processes()
        found, published = _kept[name]
        found.put(world)
        world.bus = list(published)
        outside()

    return prepare


def _begin(world: World, commands: tuple[Command, ...], published: list[dict[str, Any]]) -> None:
    RECEIVERS.became(Receivers())
    for number, each in enumerate(commands):
        give(world, each, number)
        come_to_rest(world)
    published += world.bus


def begun_with_none(world: World) -> None:
    """Prepares nothing."""
    RECEIVERS.became(Receivers())
    world.begin_processes()


def nearly_full(world: World) -> None:
    """Prepares a count of endpoints with room for one."""
    begun_with_none(world)
    key = {"id": {"S": "hooks"}, "part": {"S": "count"}, "kind": {"S": "count"}}
    world.dynamo.call("PutItem", {"TableName": TABLE, "Item": key | {"endpoints": {"N": "49"}}})


def answers(**said: tuple[str, ...]) -> Callable[[], None]:
    """How receivers answer their next requests: `_0=(WRONG, WRONG)`."""
    return lambda: [RECEIVERS.answers[URLS[int(name[1:])]].extend(each) for name, each in said.items()] and None


def always(**said: str) -> Callable[[], None]:
    """How receivers answer all requests."""
    return lambda: RECEIVERS.always.update({URLS[int(name[1:])]: each for name, each in said.items()})


# --- What is done


def happens(number: int = 0, copies: int = 1, **options: Any) -> Command:
    """An event comes to the fan-out; `copies`: so often."""

    def put(world: World) -> None:
        detail = {"id": _EVENTS[number], "at": rfc3339(START), "data": {"campaign_id": "bst_1", "number": number}}
        body = json.dumps({"source": "sluice", "detail-type": _NAME, "detail": detail})
        for each in world.watchers:
            if isinstance(each, Watch):
                each.happens(world, _EVENTS[number], _NAME)
        for _ in range(copies):
            world.send(EVENTS, body, timedelta(), Counter())

    return act(put, **options)


def hook(verb: str, number: int = 0, body: Any = None, **options: Any) -> Command:
    """A command to an endpoint that a flow begins with."""
    return Command("POST", f"{HOOKS}/{_IDS[number]}/{verb}", body, **options)


def change(number: int = 0, **options: Any) -> Command:
    body = options.pop("body", {"status": "disabled"})
    return Command("PATCH", f"{HOOKS}/{_IDS[number]}", body, **options)


def delete(number: int = 0, **options: Any) -> Command:
    return Command("DELETE", f"{HOOKS}/{_IDS[number]}", **options)


def replay(event: int = 0, number: int = 0, **options: Any) -> Command:
    """Send a delivery again."""
    body = {"again": options.pop("again", True)}
    path = f"{HOOKS}/{_IDS[number]}/deliveries/{delivery_id(_IDS[number], _EVENTS[event], START)}/replay"
    return Command("POST", path, body, **options)


def replay_all(status: str, number: int = 0, **options: Any) -> Command:
    """Send again everything in a status."""

    def body(world: World) -> dict[str, str]:
        begin, end = START - timedelta(hours=2), world.now() + timedelta(hours=1)
        return {"from": begin.isoformat(), "to": end.isoformat(), "status": status}

    return Command("POST", f"{HOOKS}/{_IDS[number]}/replay", body, **options)


def no_step_left(world: World) -> None:
    """As if a delivery had waited for others so often that it has used up its steps."""
    for key, item in world.dynamo.tables[TABLE].items.items():
        if str(key[0]).startswith("dlv_") and key[1] == "campaign":
            world.dynamo.tables[TABLE].items[key] = item | {"steps_done": {"N": "2000"}}


def is_slow(world: World) -> None:
    """A worker is so slow that it should be dead, and everything else goes on meanwhile."""
    until = world.now() + timedelta(seconds=40)
    world.pass_time(until)
    world.recurring = {each.name: each.next_after(until) for each in world.wiring.recurring}
    world.others()


def are_well(_world: World) -> None:
    """Receivers answer well from now on."""
    RECEIVERS.answers.clear()


def _id(number: int) -> str:
    return ids.new_id("hok", BEFORE, lambda size: number.to_bytes(size, "big"))


_IDS = (_id(1), _id(4))
"""The endpoints that flows begin with."""


# --- When


def are(status: str, many: int = 1) -> Callable[[World], bool]:
    """Whether so many deliveries are in a status."""
    return lambda world: sum(each["status"] == status for each in deliveries(world)) >= many


def is_hook(status: str, number: int = 0) -> Callable[[World], bool]:
    """Whether an endpoint is in a status."""
    return lambda world: endpoints(world)[number]["hook_status"] == status


def attempted(many: int) -> Callable[[World], bool]:
    """Whether a delivery was attempted so often."""
    return lambda world: max((int(each["attempts"]) for each in deliveries(world)), default=0) >= many


def after(**time: float) -> Callable[[World], bool]:
    return lambda world: world.now() >= world.began + timedelta(**time)


def either(*each: Callable[[World], bool]) -> Callable[[World], bool]:
    return lambda world: any(holds(world) for holds in each)


def once(world: World) -> bool:
    """Whether a call is the first of a run at its place."""
    return world.is_first


def is_decisive(world: World) -> bool:
    """Whether a worker reads its fence, signs, or sends."""
    site = world.sites[-1]
    return site.function == WORKER and (site.operation == "Call" or _is_fence(site))


def _is_fence(site: Any) -> bool:
    return bool(site.operation == "BatchGetItem" and site.line.startswith("hooks.batches:"))


def no_attempt_is_under_way(world: World) -> bool:
    """While one is, the sweeper may be needed: a copy acknowledges the message, and its twin dies after its record."""
    return not are("sending")(world)


def never(_world: World) -> bool:
    return False


_FLOWS: tuple[Flow, ...] = (
    Flow("an event to two endpoints", (happens(),)),
    Flow(
        "created",
        (
            create(0, "boost.*"),
            create(0, "boost.*", id="request-0"),
            create(1),
            Command("POST", HOOKS, {"url": "http://receiver.example"}, wanted=400),
            happens(),
        ),
        prepare=begun_with_none,
        only_in=(API,),
    ),
    Flow(
        "created without a key",
        (create(0, "boost.*", has_key=False), happens()),
        prepare=begun_with_none,
        only_while=never,
    ),
    Flow(
        "room for one",
        (create(0), create(1, wanted=409, can_cross=True)),
        prepare=nearly_full,
        is_race=True,
        only_in=(API,),
    ),
    Flow("tried again", (happens(),), prepare=begun(outside=answers(_0=(WRONG, MOVED), _1=(BUSY,))), only_in=(WORKER,)),
    Flow(
        "failed after ten attempts",
        (happens(),),
        prepare=begun(outside=always(_0=WRONG)),
        silent=(SWEEPER,),
        is_swept_at_last=True,
        only_in=(WORKER,),
        only_while=attempted(9),
        at_rest_within=timedelta(hours=36),
        is_restorable=False,  # a restore needs the sweeper, which comes some thousand times in these days
    ),
    Flow(
        "an event that comes twice",
        (happens(copies=2), happens(copies=2, when=either(are("delivered", 2), after(minutes=30)))),
        only_in=(FANOUT,),
    ),
    Flow(
        "disabled meanwhile",
        (
            happens(),
            change(when=attempted(1), can_cross=True),
            happens(1, when=are("held")),
            act(are_well, when=are("held", 2)),
            hook("enable"),
            replay_all("held"),
        ),
        prepare=begun(outside=answers(_0=(WRONG,) * 4)),
        only_while=either(once, is_decisive),
    ),
    Flow(
        "deleted meanwhile",
        (happens(), delete(when=attempted(1), can_cross=True), delete(wanted=404)),
        prepare=begun(outside=answers(_0=(WRONG,) * 4)),
    ),
    Flow(
        "stop and resume",
        (
            happens(),
            platform("stop", can_cross=True),
            platform("resume", when=after(minutes=3)),
        ),
        prepare=begun(_TWO[0], create(1)),
        only_while=either(once, is_decisive),
    ),
    Flow(
        "stopped between claim and fence",
        (happens(), platform("stop", can_cross=True, when=are("delivered", 2)), platform("resume")),
        only_in=(WORKER,),
        only_while=is_decisive,
    ),
    Flow(
        "rotated meanwhile",
        (happens(), hook("rotate", body={"overlap_hours": 1}, when=attempted(1), can_cross=True)),
        prepare=begun(outside=answers(_0=(WRONG,) * 4)),
        silent=(SWEEPER,),
        is_swept_at_last=True,
        only_in=(API, WORKER),
        only_while=either(once, is_decisive),
    ),
    Flow(
        "replayed",
        (
            happens(),
            replay(again=False, when=are("delivered", 2), wanted=409),
            replay(can_cross=True),
            replay(can_cross=True),
        ),
        only_in=(API, WORKER),
    ),
    Flow(
        "a range is replayed",
        (happens(), happens(1), happens(2), replay_all("delivered", when=are("delivered", 6))),
        only_in=(API, FANOUT),
    ),
    Flow("tested", (hook("test", number=1),)),
    Flow(
        "gone",
        (happens(), happens(1, when=is_hook("disabled"))),
        prepare=begun(outside=always(_0=GONE)),
        only_in=(WORKER, FANOUT),
    ),
    Flow(
        "others wait for a probe",
        (happens(), happens(1, when=attempted(2)), happens(2)),
        prepare=begun(_TWO[0], outside=answers(_0=(WRONG,) * 3)),
        only_in=(WORKER,),
        only_while=either(once, is_decisive),
    ),
    Flow(
        "failing for five days",
        (happens(), happens(1, when=after(hours=60)), happens(2, when=is_hook("disabled"))),
        prepare=begun(_TWO[0], outside=always(_0=WRONG)),
        silent=(SWEEPER,),
        is_swept_at_last=True,
        only_in=(WORKER,),
        only_while=after(hours=100),
        at_rest_within=timedelta(hours=36),
        is_restorable=False,  # the same
    ),
    Flow(
        "enabled while an event comes",
        (
            change(),
            happens(),
            hook("enable", when=are("held"), can_cross=True),
            change(can_cross=True),
        ),
        is_race=True,
        only_in=(FANOUT, API),
    ),
    Flow(
        "deleted while an event comes",
        (change(), happens(), delete(when=are("held"), can_cross=True)),
        is_race=True,
        only_in=(FANOUT,),
    ),
    Flow(
        "commands at once",
        (
            change(can_cross=True),
            hook("enable", can_cross=True),
            hook("rotate", can_cross=True),
            change(body={"events": ["boost.created"]}, can_cross=True),
            happens(),
        ),
        is_race=True,
        only_in=(API,),
    ),
    Flow(
        "refused",
        (
            happens(),
            change(when=are("delivered", 2)),
            change(),
            hook("test", wanted=409),
            replay(wanted=409),
            replay_all("delivered", wanted=409),
            hook("enable"),
            hook("enable"),
            change(body={"url": URLS[2]}),
            change(body={"url": URLS[2]}),
            replay(),
        ),
        only_in=(API,),
    ),
    Flow(
        "commands without a key",
        (
            happens(),
            change(has_key=False, when=are("delivered", 2)),
            hook("enable", has_key=False),
            hook("enable", has_key=False),
            hook("rotate", has_key=False),
            delete(has_key=False),
        ),
        only_in=(API,),
    ),
    Flow(
        "no step is left",
        (happens(), act(no_step_left, when=attempted(1))),
        prepare=begun(_TWO[0], outside=answers(_0=(WRONG,))),
        only_while=never,
    ),
    Flow("strange messages", (happens(), act(CHAIN.send_strange, when=attempted(1))), only_while=never),
    Flow(
        "a slow worker",
        (happens(), act(is_slow, when=are("delivered"), can_cross=True)),
        prepare=begun(_TWO[0]),
        only_in=(WORKER,),
        only_while=lambda world: world.now() == world.began,
    ),
    Flow(
        "without the sweeper",
        (happens(),),
        silent=(SWEEPER,),
        only_in=(WORKER,),
        only_while=no_attempt_is_under_way,
    ),
)
FLOWS = tuple(replace(each, prepare=begun()) if each.prepare is Flow.prepare else each for each in _FLOWS)


class HooksInTheWorld(Context):
    """Webhooks, as the sweep knows them."""

    name = "hooks"
    packages = ("hooks", "operations")
    flows = FLOWS
    modules = MODULES
    never_broken = SHARED
    out_of_sight = OUT_OF_SIGHT
    unreached = UNREACHED
    told_anew = ("held", "secret")
    one_in = 3
    pairs_of_a_flow = 3
    is_mutated_in_short = False

    def __init__(self) -> None:
        self._watch = Watch(RECEIVERS)

    @contextmanager
    def world(self) -> Iterator[World]:
        with ExitStack() as stack:
            world = stack.enter_context(a_world(self.packages))

            def posted(*request: Any) -> None:
                self._watch.posted(world, *request)

            def call(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
                if operation == "BatchGetItem" and world.running and world.running[-1].function == WORKER:
                    self._watch.read(world, arguments)
                return answer(operation, arguments)

            def send(queue: str, body: str, *rest: Any) -> Any:
                if queue == QUEUE:
                    self._watch.sent(world, body)
                return put(queue, body, *rest)

            answer, put, make = world.dynamo.call, world.send, sender(world, RECEIVERS, posted)
            for place, name, value in (
                (world.dynamo, "call", call),
                (world, "send", send),
                (worker, "Wire", make),
                (api, "Wire", make),
                (fanning, "_AT_ONCE", 2),
                # Waits without a part by chance.
                (delay_after, "__defaults__", (None, lambda: 0.0)),
            ):
                stack.enter_context(patch.object(place, name, value))
            world.begin_processes()
            yield world

    def watch(self) -> Watch:
        self._watch = Watch(RECEIVERS)
        return self._watch

    def is_settled(self, world: World) -> bool:
        return CHAIN.is_settled(world) and are_all_published(world)

    def base(self, world: World) -> int:
        return counted(world)

    def check(self, world: World, base: Any) -> None:
        check_rest(world, RECEIVERS, self._watch, base)
        if world.is_restored:
            _check_goes_on(world)

    def end(self, world: World) -> tuple[Any, Any, Any]:
        entries = actions_by_entity(world)
        hooks = [
            (each["hook_status"], each.get("disabled_reason"), int(each["generation"]), entries[each["id"]])
            for each in endpoints(world)
        ]
        numbers = {each["id"]: number for number, each in enumerate(endpoints(world))}
        sent = sorted(
            (numbers[each["hook_id"]], each["body"], each["status"], "replayed_by" in each)
            for each in deliveries(world)
            if each["status"] != "dropped"  # one that comes after the delete is not made at all
        )
        return (hooks, _without_times(sent)), None, None


def _without_times(sent: list[Any]) -> list[Any]:
    def plain(body: str) -> Any:
        told = json.loads(body)
        return told["type"], told["data"].get("number")

    return sorted((number, plain(body), *rest) for number, body, *rest in sent)


def _check_goes_on(world: World) -> None:
    """Nothing is stuck: a last command to each endpoint is obeyed, and its trail is whole."""
    with by_the_operator(world) as verify:
        for each in endpoints(world):
            if each["hook_status"] == "deleted":
                continue
            request = Request("POST", f"{HOOKS}/{each['id']}/rotate", {"overlap_hours": 1}, f"last-{each['id']}")
            status, answer = world.http(request)
            if status != 200:
                raise Violation(f"after a restore, a rotate is answered with {status}: {answer}")
            if problem := verify(each["id"]):
                raise Violation(f"the audit trail of {each['id']} after a restore and a command: {problem}")
        if problem := verify("platform"):
            raise Violation(f"the platform's audit trail after a restore: {problem}")
