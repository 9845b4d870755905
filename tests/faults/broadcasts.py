"""Broadcasts in the world: their flows, and what must hold of them at the end."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from broadcasts import bootstrap
from broadcasts.calls import Calls
from broadcasts.gate import Cap
from broadcasts.instance import Instance, ProviderName
from broadcasts.items import BroadcastsItem, InstanceItem, OwnerItem
from broadcasts.threads import run_in_order
from broadcasts.webhooks import bootstrap as webhooks
from broadcasts.webhooks.applying import Applier
from sluice import ids
from sluice.dynamodb import bind
from tests.faults.begun import Begun, come_to_rest, give, made
from tests.faults.books import items
from tests.faults.broadcasts_outside import Outside, Tells, Wrong, factory, writes
from tests.faults.broadcasts_watch import (
    GONE,
    MESSAGES,
    QUEUE,
    TABLE,
    Base,
    Watch,
    campaigns,
    check_rest,
    is_settled,
    rows_of,
    status_of,
)
from tests.faults.chain import SHARED, act, actions_by_entity, platform
from tests.faults.script import Command
from tests.faults.sweep import Context, Flow
from tests.faults.world import START, SWEEPER, World, a_world

MODULES = ("broadcasts.store", "broadcasts.webhooks.store")
"""Where the mutation check looks for conditions, fences and guards."""
OUT_OF_SIGHT = {
    "broadcasts.store.BroadcastStore.also: condition_check()": (
        "What is deleted beside a create, an edit or a start: tests/integration/test_broadcasts_api.py."
    ),
    "broadcasts.store.BroadcastStore.prove: condition InstanceItem.id.exists() of update_if": (
        "No instance is ever removed: tests/integration/test_broadcasts_sending.py."
    ),
    "broadcasts.store.BroadcastStore.record: if not any((record.moved, record.put, record.dropped, "
    "record.met, record.instance, record....": (
        "A claim of more calls than one group has, which others recorded: tests/integration/test_broadcasts_sending.py."
    ),
    "broadcasts.store._write_rows: if before is None": (
        "Nobody lays rows down by a record: tests/integration/test_broadcasts_sending.py."
    ),
    "broadcasts.webhooks.store.heard_from: condition last.does_not_exist() | (last < at) of update_if": (
        "Only a simulation reads when a person wrote last: tests/unit/test_broadcasts_webhooks.py."
    ),
}
"""What no run can notice."""
UNREACHED = {
    "broadcasts.store.listed_by": "No list is asked for: tests/integration/test_broadcasts_api.py.",
}
"""Functions with guards that no flow runs."""

CAMPAIGNS = "/api/campaigns"
BEFORE = START - timedelta(hours=1)
"""When what a flow begins with was made."""
INSTANCE = ids.new_id("ins", BEFORE, lambda size: (200).to_bytes(size, "big"))
OTHER = ids.new_id("ins", BEFORE, lambda size: (201).to_bytes(size, "big"))
"""Another number of the owner's."""
OUTSIDE = Outside()
API, LISTS = "BroadcastsApiFunction", "BroadcastsListsApiFunction"
CHECKS = "BroadcastsImportsWorkerFunction"
WORKER, CONSUMER = "BroadcastsWorkerFunction", "BroadcastsWebhooksWorkerFunction"
PRICE = 1_000_000
_STEPS_OF_A_LIST = 8
"""At most: to remove the one before it, to lay it down and to come to rest."""
_NAME = "sluice/instances"


def phone(number: int) -> str:
    """The phone of a recipient, by the number in the list."""
    return f"5511987650{number:03d}"


def terms(rows: int, first: int = 0, **others: Any) -> dict[str, Any]:
    """The body of a campaign to so many recipients."""
    recipients = [{"phone": phone(first + number), "variables": {"name": "Nina"}} for number in range(rows)]
    body = {"name": "Winter", "instanceId": INSTANCE, "message": "Hello {{name}}", "rateLimit": 10}
    return body | {"recipients": recipients} | others


# --- What a flow begins with

_kept: dict[str, Begun] = {}
"""Made once for each process, by the product as it is."""


def begun(
    *commands: Command,
    outside: Callable[[], None] = lambda: None,
    instance: Mapping[str, Any] | None = None,
    owner: Mapping[str, Any] | None = None,
) -> Callable[[World], None]:
    """Prepares what `commands` make, with an instance and an owner's limits. Then `outside` is changed."""

    def prepare(world: World) -> None:
        name = repr((commands, instance, owner))
        if name not in _kept:
            OUTSIDE.became(Outside())
            _kept[name] = made(world, BEFORE, lambda world: _begin(world, commands, instance or {}, owner or {}))
        OUTSIDE.became(Outside())
        _connected(world)
        # Processes keep secrets and texts: each run begins with new ones, so that its calls have the same numbers.
        world.begin_processes()
        _kept[name].put(world)
        outside()

    return prepare


def _connected(world: World) -> None:
    for each in (INSTANCE, OTHER):
        world.parameters[f"{world.setting('INSTANCES_PATH')}/{each}/1"] = '{"api_key": "key"}'


def _begin(world: World, commands: tuple[Command, ...], instance: Mapping[str, Any], owner: Mapping[str, Any]) -> None:
    _connected(world)
    bind(BroadcastsItem, world.aws.ref(TABLE))
    given: dict[str, Any] = {
        "provider": ProviderName.SANDBOX,
        "rate_limit": 60,
        "price_per_message": PRICE,
        "credentials": 1,
        **instance,
    }
    for each in (INSTANCE, OTHER):
        InstanceItem.of(
            Instance(id=each, owner="ada", name="Shop", address=each, created_at=BEFORE, updated_at=BEFORE, **given)
        ).save()
    if owner:
        defaults = {"time_zone": "UTC", "requires_consent": False, "opt_out_words": ()}
        OwnerItem(*OwnerItem.key("ada"), **defaults | owner, audit_number=0, audit_hash="").save()
    for number, each in enumerate(commands):
        if each.path.startswith(f"{CAMPAIGNS}/"):
            come_to_rest(world)
        give(world, each, number)
    come_to_rest(world)


# --- What is done


def create(rows: int = 2, first: int = 0, **others: Any) -> Command:
    return Command("POST", CAMPAIGNS, terms(rows, first, **others))


def do(action: str, of: int = 0, flags: Mapping[str, bool] | None = None, **options: Any) -> Command:
    """An action on the campaign that was made as `of`th."""
    return Command("POST", f"{CAMPAIGNS}/{_id(of)}/actions", {"action": action, **(flags or {})}, **options)


def edit(body: Mapping[str, Any], **options: Any) -> Command:
    return Command("PUT", f"{CAMPAIGNS}/{_id(0)}", dict(body), **options)


def delete(**options: Any) -> Command:
    return Command("DELETE", f"{CAMPAIGNS}/{_id(0)}", **options)


def upload(rows: int, first: int) -> Command:
    """The owner uploads a file of recipients, by the form of each import; one row is no recipient."""

    def put(world: World) -> None:
        lines = ["phone,name", *(f"{phone(first + number)},Nina" for number in range(rows)), "nobody,Nina"]
        found = [each["part"].removeprefix("import#") for each in items(world, TABLE, id=_id(0))]
        for upload in (each for each in found if each.startswith("imp_")):
            world.objects[f"imports/{_id(0)}/{upload}/file.csv"] = "text/csv", "\n".join(lines).encode()

    return act(put)


def suppress(number: int, **options: Any) -> Command:
    """The owner is asked not to write to a person."""
    return Command("POST", "/api/suppressions", {"phone": phone(number), "reason": "asked"}, **options)


def opts_out(number: int, text: str = "SAIR", **options: Any) -> Command:
    """A person writes that they want no messages, or want them again."""
    return act(lambda world: writes(world, INSTANCE, phone(number), text), **options)


def is_slow_for(seconds: int) -> Callable[[World], None]:
    """A worker is so slow, and everything else goes on meanwhile."""

    def do(world: World) -> None:
        until = world.now() + timedelta(seconds=seconds)
        world.pass_time(until)
        world.recurring = {each.name: each.next_after(until) for each in world.wiring.recurring}
        world.others()

    return do


def comes_too_early(world: World) -> None:
    """A message of the next step, long before it is due."""
    for each in campaigns(world):
        body = json.dumps({"campaign_id": each["id"], "step": int(each["step"])})
        world.send(QUEUE, body, timedelta(), Counter())
    world.others()


def is_replaced(world: World) -> None:
    """The list is replaced, by one that is laid down at once, and then again."""
    world.http(edit(terms(1, first=8)).request(world, (), "replacement-0"))
    for _ in range(_STEPS_OF_A_LIST):
        world.others()
    world.http(edit(terms(1, first=9)).request(world, (), "replacement-1"))


def names_nobody(world: World) -> None:
    """A message of a campaign that is not there."""
    nobody = ids.new_id("brd", BEFORE, lambda size: (202).to_bytes(size, "big"))
    world.send(QUEUE, json.dumps({"campaign_id": nobody, "step": 1}), timedelta(), Counter())


def no_step_left(world: World) -> None:
    """As if so much had gone wrong that the campaign has used up its claims."""
    world.dynamo.call(
        "UpdateItem",
        {
            "TableName": TABLE,
            "Key": {"id": {"S": _id(0)}, "part": {"S": "campaign"}},
            "UpdateExpression": "SET claims_done = max_steps",
        },
    )


def hours_pass(world: World) -> None:
    """Something is to be waited for, a little more than seven hours from now."""
    world.after(timedelta(hours=7, minutes=1), lambda: None, "hours have passed")


def outage(world: World) -> None:
    """For seven hours no step comes, and nobody sends one."""
    world.queues[QUEUE].clear()
    world.one_time.clear()
    silent, world.silent = world.silent, (SWEEPER,)

    def over() -> None:
        world.silent = silent

    world.after(timedelta(hours=7), over, "the outage is over")


def _id(number: int) -> str:
    """The id of a campaign that was begun with: of the `number`th."""
    return _IDS[number]


_IDS = tuple(ids.new_id("brd", BEFORE, lambda size, number=number: number.to_bytes(size, "big")) for number in (1, 5))  # type: ignore[misc]


# --- When


def stands(status: str, of: int = 0) -> Callable[[World], bool]:
    """Whether a campaign is in a status."""
    return lambda world: len(found := campaigns(world)) > of and found[of]["status"] == status


def rows_are(status: str, many: int = 1, of: int = 0) -> Callable[[World], bool]:
    """Whether so many rows of a campaign are in a status."""

    def holds(world: World) -> bool:
        rows = rows_of(world, campaigns(world)[of]).values()
        return sum(status_of(each) == status for each in rows) >= many

    return holds


def waits_for(what: str, of: int = 0) -> Callable[[World], bool]:
    return lambda world: campaigns(world)[of].get("waiting_for") == what


def are_suppressed(*numbers: int) -> Callable[[World], bool]:
    """Whether these people want no messages, and no others."""
    wanted = [phone(each) for each in numbers]
    return lambda world: suppressed(world) == wanted


def suppressed(world: World) -> list[str]:
    """The phones of those who want no messages."""
    return sorted(each["phone"] for each in items(world, MESSAGES) if each["id"].startswith("suppressed#"))


def or_over(holds: Callable[[World], bool]) -> Callable[[World], bool]:
    """Whether it holds, or nothing is left to wait for: what goes wrong may pass it by."""
    return lambda world: holds(world) or is_settled(world)


def is_put_off(of: int = 0) -> Callable[[World], bool]:
    """Whether a campaign waits with a row that is due again."""

    def holds(world: World) -> bool:
        return any(each["part"].startswith("due#retry#") for each in items(world, TABLE, id=_id(of)))

    return holds


def has_list(generation: int) -> Callable[[World], bool]:
    """Whether a campaign's list is the `generation`th, and laid down."""
    return lambda world: int(campaigns(world)[0]["generation"]) == generation and stands("DRAFT")(world)


def in_minutes(minutes: float) -> Callable[[World], bool]:
    return lambda world: world.now() > world.began + timedelta(minutes=minutes)


def once(world: World) -> bool:
    """Whether a call is the first of a run at its place."""
    return world.is_first


def is_decisive(world: World) -> bool:
    """Whether a call commits, or reaches somebody outside: what others did since it read comes in before it."""
    return world.sites[-1].operation in ("TransactWriteItems", "Call")


def made_by(*modules: str) -> Callable[[World], bool]:
    """Whether a call is the first of a run at its place, which is in one of these modules."""
    return lambda world: once(world) and any(f" {each}:" in world.sites[-1].place for each in modules)


def either(*each: Callable[[World], bool]) -> Callable[[World], bool]:
    return lambda world: any(holds(world) for holds in each)


def is_fence(world: World) -> bool:
    """Whether a worker reads, before it calls, whether it still may."""
    site = world.sites[-1]
    return site.operation == "BatchGetItem" and site.line.startswith("broadcasts.calls:")


def made_in(function: str) -> Callable[[World], bool]:
    """Whether a call is the first of a run at its place, and made by this function."""
    return lambda world: once(world) and world.sites[-1].function == function


def is_answer(world: World) -> bool:
    """Whether an outcome is recorded: what is told meanwhile comes before it."""
    site = world.sites[-1]
    return site.operation == "TransactWriteItems" and site.line.startswith(("broadcasts.calls:", "broadcasts.looks:"))


def never(_world: World) -> bool:
    return False


def goes_wrong(*wrong: Wrong | None, of: int = 0) -> Callable[[], None]:
    """How the calls to a recipient go wrong, in their order."""
    return lambda: OUTSIDE.goes_wrong(phone(of), *wrong)


def tells(**said: Tells) -> Callable[[], None]:
    """What is told of messages: `_0=Tells.FIRST`."""
    return lambda: OUTSIDE.tells.update({phone(int(name[1:])): each for name, each in said.items()})


def all_of(*changes: Callable[[], None]) -> Callable[[], None]:
    def change() -> None:
        for each in changes:
            each()

    return change


SENT = (do("start"),)

_FLOWS: tuple[Flow, ...] = (
    Flow(
        "golden",
        (create(3), Command("POST", f"{CAMPAIGNS}/{{0}}/actions", {"action": "start"})),
        prepare=begun(),
    ),
    Flow(
        "another list",
        (
            edit(terms(2, first=5)),
            do("start", when=stands("DRAFT")),
            edit({"name": "Spring"}, wanted=409, code="not_editable"),
            do("start", wanted=409, code="not_startable"),
        ),
        prepare=begun(create(1)),
        only_in=(API, WORKER),
        only_while=lambda world: once(world) and not stands("RUNNING")(world) and not stands("COMPLETED")(world),
    ),
    Flow(
        "edit against the laying",
        (edit(terms(2, first=5), can_cross=True), edit(terms(1, first=8), can_cross=True), do("start")),
        prepare=begun(create(1)),
        is_race=True,
        only_in=(API, WORKER),
        only_while=lambda world: is_decisive(world) and not stands("RUNNING")(world),
    ),
    Flow(
        "a list that is replaced while its rows are laid down",
        (edit(terms(2, first=5)), act(is_replaced, when=or_over(has_list(2)), can_cross=True)),
        prepare=begun(create(1)),
        is_race=True,
        only_in=(WORKER,),
        only_while=made_by("broadcasts.laying"),
    ),
    Flow(
        "a list from a file",
        (
            Command("POST", f"{CAMPAIGNS}/{_id(0)}/recipients/import", {}, has_key=False),
            upload(2, first=5),
            Command("POST", f"{CAMPAIGNS}/{_id(0)}/imports/{{0}}/start"),
            do("start", when=has_list(2)),
        ),
        prepare=begun(create(1)),
        only_in=(API, CHECKS, WORKER),
        only_while=lambda world: once(world) and not stands("RUNNING")(world) and not stands("COMPLETED")(world),
    ),
    Flow(
        "scheduled",
        (create(2, scheduledFor="2026-11-20T12:30:00Z"),),
        prepare=begun(),
        is_timed=True,
        only_in=(WORKER,),
        only_while=lambda world: once(world) and stands("SCHEDULED")(world),
    ),
    Flow(
        "scheduled, and started before",
        (do("start"), do("cancel", when=or_over(rows_are("SENT")), can_cross=True)),
        prepare=begun(create(3, scheduledFor="2026-11-20T14:00:00Z"), outside=tells(_0=Tells.NOTHING)),
        is_race=True,
        only_in=(API, WORKER),
        only_while=lambda world: is_decisive(world) and not stands("COMPLETED")(world),
    ),
    Flow(
        "pause and resume",
        (
            do("start"),
            do("pause", when=or_over(rows_are("SENT")), can_cross=True),
            do("resume", when=or_over(stands("PAUSED"))),
        ),
        prepare=begun(create(3), outside=tells(_0=Tells.NOTHING)),
        is_race=True,
        only_in=(WORKER,),
        only_while=either(is_decisive, is_fence),
    ),
    Flow(
        "pause while a retry is due",
        (
            do("start"),
            do("pause", when=or_over(is_put_off()), can_cross=True),
            do("resume", when=or_over(stands("PAUSED")), can_cross=True),
        ),
        prepare=begun(create(2, rateLimit=60), outside=goes_wrong(Wrong.THROTTLED, of=1)),
        is_race=True,
        only_in=(WORKER,),
        only_while=either(is_decisive, is_fence),
    ),
    Flow(
        "cancel in flight",
        (do("start"), do("cancel", when=or_over(rows_are("UNKNOWN")), can_cross=True)),
        prepare=begun(create(2), outside=goes_wrong(Wrong.LATER)),
        is_race=True,
        only_in=(API, WORKER),
        only_while=either(is_decisive, is_fence),
    ),
    Flow(
        "answers that are lost",
        SENT,
        prepare=begun(create(3), outside=all_of(goes_wrong(Wrong.LATER), goes_wrong(Wrong.NEVER, Wrong.LOST, of=1))),
        only_in=(WORKER,),
        only_while=made_by("broadcasts.calls", "broadcasts.looks", "broadcasts.broadcasting"),
    ),
    Flow(
        "retry",
        (do("start"), do("retry", when=stands("COMPLETED"), can_cross=True)),
        prepare=begun(
            create(3, maxRetries=0),
            outside=all_of(goes_wrong(Wrong.PASSES), tells(_1=Tells.PASSES), goes_wrong(Wrong.FINAL, of=2)),
        ),
        only_in=(API, WORKER),
        only_while=lambda world: is_decisive(world) and int(campaigns(world)[0]["pass_number"]) > 1,
    ),
    Flow(
        "retry those of whom nobody knows",
        (
            do("start"),
            do("retry", wanted=409, code="nothing_to_retry", when=stands("COMPLETED")),
            do("retry", flags={"include_unknown": True}),
        ),
        prepare=begun(
            create(2),
            instance={"provider": ProviderName.META},
            outside=all_of(goes_wrong(Wrong.HIDDEN), tells(_0=Tells.NOTHING)),
        ),
        only_in=(API,),
    ),
    Flow(
        "retry those who were refused for good",
        (do("start"), do("retry", flags={"include_final": True}, when=stands("COMPLETED"))),
        prepare=begun(create(1), outside=goes_wrong(Wrong.FINAL)),
        only_while=never,
    ),
    Flow(
        "refused for now",
        SENT,
        prepare=begun(create(2, maxRetries=1), outside=goes_wrong(*[Wrong.PASSES] * 2)),
        is_race=True,
        only_in=(WORKER,),
        only_while=made_by("broadcasts.calls"),
    ),
    Flow(
        "the template is refused",
        (do("start"), do("resume", when=or_over(stands("PAUSED")), can_cross=True)),
        prepare=begun(create(2), outside=goes_wrong(Wrong.CAMPAIGN)),
        is_race=True,
        only_in=(WORKER,),
        only_while=lambda world: made_by("broadcasts.calls")(world),
    ),
    Flow(
        "the token is refused",
        SENT,
        prepare=begun(create(2), outside=goes_wrong(Wrong.INSTANCE, Wrong.INSTANCE)),
        only_while=never,
    ),
    Flow(
        "throttled",
        SENT,
        prepare=begun(create(2), outside=goes_wrong(Wrong.THROTTLED, Wrong.BARE, Wrong.BARE)),
        only_in=(WORKER,),
        only_while=lambda world: is_decisive(world) and rows_are("PENDING", 2)(world),
    ),
    Flow(
        "the day's quota is used up",
        SENT,
        prepare=begun(create(3), owner={"daily_limit": 2}),
        starts_at=START.replace(hour=23, minute=50),
        is_race=True,
        only_in=(WORKER,),
        only_while=lambda world: once(world) and rows_are("PENDING")(world),
    ),
    Flow(
        "the day's quota is used up by two numbers",
        (do("start", can_cross=True), do("start", of=1, can_cross=True)),
        prepare=begun(create(1), create(1, first=2, instanceId=OTHER), owner={"daily_limit": 1}),
        starts_at=START.replace(hour=23, minute=50),
        is_race=True,
        only_in=(WORKER,),
        only_while=is_decisive,
    ),
    Flow(
        "two numbers tell that the day's quota is used up",
        (do("start", can_cross=True), do("start", of=1, can_cross=True)),
        prepare=begun(create(1), create(1, first=2, instanceId=OTHER), owner={"daily_limit": 2}),
        is_race=True,
        only_in=(WORKER,),
        only_while=is_decisive,
    ),
    Flow(
        "the number's quota is used up",
        (do("start"), do("cancel", when=waits_for("quota"))),
        prepare=begun(create(2), instance={"daily_limit": 1}),
        only_while=never,
    ),
    Flow(
        "the budget is used up",
        (do("start"),),
        prepare=begun(create(3, budget=2 * PRICE), outside=goes_wrong(Wrong.FINAL)),
        is_race=True,
        only_in=(WORKER,),
        only_while=is_decisive,
    ),
    Flow(
        "windows",
        SENT,
        # It is 9:00 in Sao Paulo.
        prepare=begun(create(2, windows=[{"from": "09:30", "to": "18:00"}])),
        is_timed=True,
        only_in=(WORKER,),
        only_while=lambda world: once(world) and rows_are("PENDING", 2)(world),
    ),
    Flow(
        "two campaigns on one number",
        (do("start", can_cross=True), do("start", of=1, can_cross=True)),
        prepare=begun(create(2, rateLimit=10), create(2, first=2, rateLimit=10), instance={"rate_limit": 10}),
        is_race=True,
        only_in=(WORKER,),
        only_while=is_decisive,
    ),
    Flow(
        "an opt-out between",
        # The first one is claimed while it comes between; the other is never.
        (
            do("start"),
            suppress(0, when=or_over(rows_are("DELIVERED")), can_cross=True),
            suppress(1, can_cross=True),
        ),
        prepare=begun(create(2)),
        is_race=True,
        only_in=(WORKER, LISTS),
        only_while=either(is_decisive, made_in(LISTS)),
    ),
    Flow(
        "a person writes",
        (
            opts_out(1),
            opts_out(0),
            opts_out(0, "VOLTAR", when=lambda world: are_suppressed(0, 1)(world) and in_minutes(1)(world)),
            do("start", when=are_suppressed(1)),
        ),
        prepare=begun(create(2)),
        only_in=(CONSUMER,),
    ),
    Flow(
        "an opt-out by the provider",
        (do("start"), do("start", of=1, when=lambda world: stands("COMPLETED")(world) and are_suppressed(0)(world))),
        prepare=begun(create(2), create(1), outside=tells(_0=Tells.STOPS)),
        only_in=(CONSUMER,),
    ),
    Flow(
        "stop and resume",
        (
            do("start"),
            platform("stop", when=or_over(rows_are("UNKNOWN")), can_cross=True),
            platform("resume", when=in_minutes(20), can_cross=True),
        ),
        prepare=begun(create(3), outside=goes_wrong(Wrong.LATER)),
        is_race=True,
        only_in=(WORKER,),
        only_while=either(is_decisive, is_fence),
    ),
    Flow(
        "stopped for hours",
        (
            act(hours_pass),
            do("start"),
            platform("stop", when=or_over(rows_are("DELIVERED"))),
            platform("resume", when=in_minutes(7 * 60)),
        ),
        prepare=begun(create(3)),
        silent=(SWEEPER,),
        only_while=never,
    ),
    Flow(
        "delete",
        (delete(can_cross=True),),
        prepare=begun(create(2), do("start")),
        only_in=(API, WORKER),
    ),
    Flow(
        "start against delete",
        (delete(can_cross=True), do("start", can_cross=True, wanted=404)),
        prepare=begun(create(2)),
        is_race=True,
        only_in=(API,),
        only_while=is_decisive,
    ),
    Flow(
        "webhooks that name the row",
        SENT,
        prepare=begun(
            create(4, rateLimit=60), outside=tells(_0=Tells.FIRST, _1=Tells.TWICE, _2=Tells.BACKWARDS, _3=Tells.FAILS)
        ),
        only_in=(CONSUMER, WORKER),
        only_while=either(made_in(CONSUMER), is_answer, made_by("broadcasts.calls")),
    ),
    Flow(
        "webhooks that name the message",
        SENT,
        prepare=begun(
            create(4, rateLimit=60),
            instance={"provider": ProviderName.EVOLUTION},
            outside=tells(_0=Tells.FIRST, _1=Tells.TWICE, _2=Tells.BACKWARDS, _3=Tells.BESIDE),
        ),
        only_in=(CONSUMER, WORKER),
        only_while=either(made_in(CONSUMER), is_answer, made_by("broadcasts.calls")),
    ),
    Flow(
        "a look that finds a message by its text",
        SENT,
        prepare=begun(
            create(3),
            instance={"provider": ProviderName.EVOLUTION},
            outside=all_of(goes_wrong(Wrong.LOST, of=1), goes_wrong(Wrong.NEVER, of=2)),
        ),
        only_in=(WORKER,),
        only_while=made_by("broadcasts.looks"),
    ),
    Flow(
        "failed, and delivered all the same",
        SENT,
        prepare=begun(create(2), outside=tells(_0=Tells.ARRIVES, _1=Tells.BLOCKS)),
        only_in=(CONSUMER,),
    ),
    Flow(
        "a slow worker",
        (do("start"), act(is_slow_for(50), can_cross=True)),
        prepare=begun(create(2)),
        is_race=True,
        only_in=(WORKER,),
        only_while=lambda world: either(is_fence, is_answer)(world) or made_by("sluice.wake")(world),
    ),
    Flow(
        "a message that comes too early",
        (do("start"), act(comes_too_early, when=or_over(rows_are("DELIVERED")), can_cross=True)),
        prepare=begun(create(2)),
        is_race=True,
        only_in=(WORKER,),
        only_while=is_decisive,
    ),
    Flow("a message of no campaign", (act(names_nobody),), prepare=begun(create(1)), only_while=never),
    Flow(
        "no step is left",
        (
            do("start"),
            act(no_step_left, when=or_over(rows_are("DELIVERED"))),
            do("resume", when=stands("PAUSED")),
        ),
        prepare=begun(create(2)),
        only_while=never,
    ),
    Flow(
        "an outage",
        (
            do("start"),
            act(outage, when=or_over(rows_are("DELIVERED"))),
            do("resume", when=stands("PAUSED")),
        ),
        prepare=begun(create(2)),
        only_while=never,
    ),
    Flow(
        "an outage before the start",
        (act(outage), do("start", when=stands("PAUSED"))),
        prepare=begun(create(2, scheduledFor="2026-11-20T12:30:00Z")),
        only_while=never,
    ),
    Flow(
        "nobody has consented, or had enough",
        (
            do("start"),
            do("start", of=1, when=stands("COMPLETED")),
            do("cancel", of=1, when=is_put_off(1)),
        ),
        prepare=begun(
            create(2),
            create(1),
            Command("POST", "/api/consents", {"phones": [phone(0)], "source": "a form"}),
            owner={"requires_consent": True, "cap": Cap(1, 12)},
        ),
        only_while=never,
    ),
    Flow(
        "refused",
        (
            do("pause", wanted=409, code="not_pausable"),
            do("retry", wanted=409, code="not_retryable"),
            do("resume", wanted=409),
            do("start"),
            delete(wanted=409, code="not_deletable"),
        ),
        prepare=begun(create(1)),
        only_while=never,
    ),
)
FLOWS = tuple(replace(each, only_while=each.only_while or once, is_restorable=False) for each in _FLOWS)
"""A run takes 60 ms, and many of its calls are made at one place: the first one is broken."""


class BroadcastsInTheWorld(Context):
    """Broadcasts, as the sweep knows them."""

    name = "broadcasts"
    packages = ("broadcasts", "operations")
    flows = FLOWS
    modules = MODULES
    never_broken = SHARED
    is_restorable = False
    one_in = 3
    pairs_of_a_flow = 2
    is_mutated_in_short = False
    out_of_sight = OUT_OF_SIGHT
    unreached = UNREACHED

    def __init__(self) -> None:
        self._watch = Watch(OUTSIDE)

    @contextmanager
    def world(self) -> Iterator[World]:
        with ExitStack() as stack:
            world = stack.enter_context(a_world(self.packages))

            def called(*call: Any) -> None:
                self._watch.called(world, *call)

            for place, name, value in (
                (bootstrap, "ProviderFactory", factory(world, OUTSIDE, called)),
                # A retry comes at once, and the next try too.
                (bootstrap, "Calls", partial(Calls, jitter=lambda: 0.0)),
                (bootstrap.chain, "__defaults__", (run_in_order,)),
                (webhooks, "Applier", partial(Applier, wait=lambda _seconds: None)),
            ):
                stack.enter_context(patch.object(place, name, value))
            world.begin_processes()
            yield world

    def watch(self) -> Watch:
        self._watch = Watch(OUTSIDE)
        return self._watch

    def is_settled(self, world: World) -> bool:
        return is_settled(world)

    def base(self, world: World) -> Base:
        return Base.of(world)

    def check(self, world: World, base: Any) -> None:
        check_rest(world, OUTSIDE, self._watch, base)

    def end(self, world: World) -> tuple[Any, Any, Any]:
        entries = actions_by_entity(world)
        statuses, rows = [], []
        for each in campaigns(world):
            why = each.get("pause_reason"), each.get("failure_reason")
            statuses.append((each["status"], why, entries[each["id"]]))
            if each["status"] not in GONE:
                rows.append(sorted((key, status_of(row)) for key, row in rows_of(world, each).items()))
        accepted = [sorted(OUTSIDE.accepted(each["id"]).items()) for each in campaigns(world)]
        used = sorted(int(each.get("used", 0)) for each in items(world, TABLE, part="quota"))
        return statuses, (rows, suppressed(world)), (accepted, used)
