"""Promotions in the world: their flows, and what must hold of them at the end."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar
from unittest.mock import patch

from local.fakes.network import Fault, Operation
from promotions import bootstrap, closing, outside, quota
from promotions.items import ConnectionItem, LinkedItem, PromotionsItem
from promotions.ports import Kind, Metrics
from sluice import ids
from sluice.dynamodb import bind
from sluice.outward import Patience
from tests.faults.begun import Begun, come_to_rest, give, made
from tests.faults.books import deposit, items
from tests.faults.chain import SHARED, act, actions_by_entity, platform
from tests.faults.promotions_outside import PAGE, Escrow, Outside, Wrong, factory
from tests.faults.promotions_watch import (
    TABLE,
    TRACKER,
    Books,
    Watch,
    call_of,
    check_rest,
    error_of,
    is_settled,
    promotions,
)
from tests.faults.script import Command
from tests.faults.sweep import Context, Flow
from tests.faults.world import START, World, a_world

MODULES = (
    "promotions.store",
    "promotions.campaign",
    "promotions.promotion",
    "promotions.settling",
    "promotions.publishing",
    "promotions.closing",
    "promotions.outside",
    "promotions.participants",
    "promotions.rewards",
    "promotions.engagement",
    "promotions.quota",
    "promotions.networks.metered",
    "promotions.tracking.rows",
    "promotions.tracking.tracker",
    "sluice.outward",
)
"""Where the mutation check looks for conditions, fences and guards."""
_CLOSE, _HTTP = "tests/integration/test_promotions_close.py", "tests/integration/test_promotions_api.py"
_RESTORE = "tests/integration/test_promotions_restore.py"
UNREACHED = {
    "promotions.campaign.put_back": f"A restore comes to it: {_RESTORE}.",
    "promotions.campaign._doubted": "The same.",
    "promotions.engagement.read_now": f"The sandbox's posts are not set: {_HTTP}.",
    "promotions.engagement.tracked": f"Nobody asks for the metrics: {_HTTP}.",
    "promotions.participants.all_of": f"No promotion is verified: {_CLOSE}.",
    "promotions.quota.block": "No network says that: tests/integration/test_promotions_tracking.py.",
    "promotions.store.listed_by": f"No list is asked for: {_HTTP}.",
}
"""Functions that no flow reaches."""
OUT_OF_SIGHT = {
    **dict.fromkeys(
        [
            "promotions.campaign.require_draft: way promotion.error of an if",
            "promotions.campaign.abandon: way promotion.status is not PromotionStatus.PENDING of an if",
            "promotions.campaign._stage: if promotion.stage is None",
            "promotions.settling.pay: if promotion.split is None",
            "promotions.engagement.known: return if item, always",
            "promotions.publishing.Calls.__call__: way not isinstance(committed, Promotion) of an if",
            "promotions.store.PromotionStore._trace: clause trace of an if",
        ],
        "Nothing comes to it: a draft and a running promotion have no error, and what has an event has an action.",
    ),
    "promotions.campaign.intend: clause before is None or before.begun_at <= to of an if": (
        f"A restored promotion looks for its post again and again, and gives up: {_RESTORE}."
    ),
    "promotions.store._list_halted: clause not was_halted of an if": "It would write the same row again.",
    "promotions.settling.expire: clause calls of an if": (
        f"The escrow of the world is called a last time, the ledger is not: {_CLOSE}."
    ),
}
"""What no run can notice."""

CAMPAIGNS = "/v2/campaigns"
BEFORE = START - timedelta(hours=1)
"""When what a flow begins with was made."""
CAMPAIGN = ids.new_id("prm", BEFORE, lambda size: (1).to_bytes(size, "big"))
"""The promotion that a flow begins with."""
PICTURE = ids.new_id("med", BEFORE, lambda size: (2).to_bytes(size, "big"))
A_DAY = 1440
TERMS = {
    "title": "Winter",
    "type": "rewarded",
    "network": "sandbox",
    "texts": ["Look at this #ad", "All of it is here"],
    "budget": 1000,
    "currency": "USD",
    "duration_minutes": 30 * A_DAY,
    "claim_window_hours": 720,
}
REASON = {"reason": "a test"}
FAR = timedelta(days=7)
"""The end of a promotion and of its claims are not waited for, where a flow sets no nearer one."""
API, WORKER = "PromotionsApiFunction", "PromotionsWorkerFunction"
OUTSIDE = Outside()


# --- What a flow begins with

_kept: dict[str, tuple[Begun, Outside]] = {}
"""Made once for each process, by the product as it is."""


def begun(
    *commands: Command, outside: Callable[[], None] = lambda: None, links: Mapping[str, str] | None = None, **terms: Any
) -> Callable[[World], None]:
    """Prepares a draft, then come `commands`; `links`: the users of accounts. Then `outside` is changed."""

    def prepare(world: World) -> None:
        name = repr((commands, links, terms))
        if name not in _kept:
            OUTSIDE.became(Outside())
            found = made(world, BEFORE, lambda world: _begin(world, commands, links or {}, terms))
            _kept[name] = found, OUTSIDE.copy()
        tables, theirs = _kept[name]
        _connected(world)
        tables.put(world)
        OUTSIDE.became(theirs)
        outside()

    return prepare


def connected(world: World) -> None:
    """The owner has money, and has connected the network."""
    _connected(world)
    deposit(world, "ada", 5000)
    bind(PromotionsItem, world.aws.ref(TABLE))
    account = {"network": "sandbox", "host": "sandbox", "account_id": "1001", "handle": "ada"}
    ConnectionItem(*ConnectionItem.key("ada", "sandbox"), **account, connected_at=BEFORE).save()


def _connected(world: World) -> None:
    name = f"{world.setting('CONNECTIONS_PATH')}/{sha256(b'ada').hexdigest()[:32]}/sandbox"
    world.parameters[name] = '{"host": "sandbox", "account_id": "1001", "secret": "token"}'


def _begin(world: World, commands: tuple[Command, ...], links: Mapping[str, str], terms: dict[str, Any]) -> None:
    connected(world)
    for handle, user in links.items():
        link(world, handle, user)
    give(world, create(**terms), 0)
    for number, each in enumerate(commands, 1):
        give(world, each, number)
        come_to_rest(world)


def link(world: World, handle: str, user: str) -> None:
    """A user has proven an account."""
    account = f"sandbox#{OUTSIDE.network.account(handle).id}"
    bind(PromotionsItem, world.aws.ref(TABLE))
    LinkedItem(f"link#{account}", "link", user=user, link_id="lnk").save()
    PromotionsItem(f"user#{user}", f"link#{account}").save()


# --- What is done


def create(**terms: Any) -> Command:
    return Command("POST", CAMPAIGNS, TERMS | terms)


def command(verb: str, body: Any = None, of: str = CAMPAIGN, **options: Any) -> Command:
    return Command("POST", f"{CAMPAIGNS}/{of}/{verb}", body, **options)


def publish(**options: Any) -> Command:
    return command("publish", **options)


def cancel(**options: Any) -> Command:
    return command("cancel", **options)


def resolve(outcome: str, result: str | None = None, **options: Any) -> Command:
    """An operator says what became of the present call."""

    def body(world: World) -> dict[str, Any]:
        call = next(map(call_of, promotions(world)))
        said = {"attempt_id": call.get("attempt_id", "none"), "outcome": outcome} | REASON
        return said | ({"result": result} if result else {})

    return command("resolve", body, **options)


def delete(**options: Any) -> Command:
    return Command("DELETE", f"{CAMPAIGNS}/{CAMPAIGN}", **options)


def edit(**options: Any) -> Command:
    return Command("PATCH", f"{CAMPAIGNS}/{CAMPAIGN}", {"budget": 900}, **options)


def claim(user: str, **options: Any) -> Command:
    return command("claims", role="user", subject=user, has_key=False, **options)


def engage(likes: Iterable[str], reposts: Iterable[str] = (), **options: Any) -> Command:
    """Accounts like the first post, and repost both."""

    def do(_world: World) -> None:
        first, second = OUTSIDE.network.posts[-2:]
        OUTSIDE.network.engage(first.id, {Kind.LIKE: likes, Kind.REPOST: reposts})
        OUTSIDE.network.engage(second.id, {Kind.REPOST: reposts})

    return act(do, **options)


def count_likes(number: int) -> Command:
    """The network counts so many likes."""
    return act(lambda _world: OUTSIDE.network.engage(OUTSIDE.network.posts[-2].id, {}, Metrics(likes=number)))


def goes_wrong(
    post: Iterable[Fault | None] = (),
    escrow: Iterable[Wrong | None] = (),
    look: int = 0,
    **others: Iterable[Fault | None],
) -> Callable[[], None]:
    """What the network and the escrow do with the next requests."""

    def script() -> None:
        OUTSIDE.network.script(Operation.POST, *post)
        for name, faults in others.items():
            OUTSIDE.network.script(Operation(name), *faults)
        OUTSIDE.wrong.extend(escrow)
        OUTSIDE.cannot_tell = look

    return script


def refuses_duplicates() -> None:
    OUTSIDE.network._refuses_duplicates = True


def with_budget(**most: int) -> Callable[[], None]:
    """The network takes so many requests a minute."""
    return lambda: OUTSIDE.limit(**most)


def no_step_left(world: World) -> None:
    """As if so much had gone wrong that the promotion has used up its steps."""
    world.dynamo.call(
        "UpdateItem",
        {
            "TableName": TABLE,
            "Key": {"id": {"S": CAMPAIGN}, "part": {"S": "campaign"}},
            "UpdateExpression": "SET steps_done = max_steps",
        },
    )


def with_picture(prepare: Callable[[World], None]) -> Callable[[World], None]:
    """Prepares it, and a picture is uploaded for its first post."""

    def prepared(world: World) -> None:
        prepare(world)
        world.objects[f"pending/{CAMPAIGN}/{PICTURE}"] = "image/gif", b"GIF89a of a cat in winter"

    return prepared


def swap(world: World) -> None:
    """The picture is uploaded again, by the form that is still good."""
    world.objects[f"pending/{CAMPAIGN}/{PICTURE}"] = "image/gif", b"GIF89a of something else"


def track(world: World) -> None:
    """The schedule of the tracker fires."""
    world.invoke_later(TRACKER, {})


def track_soon(world: World) -> None:
    """The schedule of the tracker fires next, so that a command may come in the middle of it."""
    world.after(timedelta(), lambda: track(world), "the tracker")


def window_ends(world: World) -> None:
    """The time for claims is over, while somebody claims."""
    until = datetime.fromisoformat(promotions(world)[0]["claim_until"])
    world.pass_time(until)
    world.recurring = {each.name: each.next_after(until) for each in world.wiring.recurring}
    for name, each in list(world.one_time.items()):
        del world.one_time[name]
        world.send(each.queue, each.body, timedelta(), Counter())
    world.others()


# --- When


def at(stage: str) -> Callable[[World], bool]:
    """Whether a promotion is at a stage."""
    return lambda world: any(each.get("stage") == stage for each in promotions(world))


def stands(status: str, rounds: int = 1) -> Callable[[World], bool]:
    """Whether a promotion is in a status."""
    return lambda world: any(each["status"] == status and each["round"] >= rounds for each in promotions(world))


def has_halted(world: World) -> bool:
    return any(map(error_of, promotions(world)))


def is_unknown(world: World) -> bool:
    return any(call_of(each).get("state") == "unknown" for each in promotions(world))


def is_waiting(world: World) -> bool:
    return any(call_of(each).get("state") == "waiting" for each in promotions(world))


def in_minutes(minutes: int) -> Callable[[World], bool]:
    return lambda world: world.now() > world.began + timedelta(minutes=minutes)


def once(world: World) -> bool:
    """Whether a call is the first of a run at its place."""
    return world.is_first


def writes(world: World) -> bool:
    return world.sites[-1].has_effect


def is_decisive(world: World) -> bool:
    """Whether a call commits, or reaches somebody outside: what others did since it read comes in before it."""
    return world.sites[-1].operation in ("TransactWriteItems", "Call")


def made_by(*modules: str) -> Callable[[World], bool]:
    """Whether a call is the first of a run at its place, which is in one of these modules."""
    return lambda world: once(world) and any(f" {each}:" in world.sites[-1].place for each in modules)


def either(*each: Callable[[World], bool]) -> Callable[[World], bool]:
    return lambda world: any(holds(world) for holds in each)


def is_lost(world: World) -> bool:
    """Whether it is about a call of which nobody knows what came."""
    return once(world) and (is_unknown(world) or world.sites[-1].operation in ("Call", "LookUp"))


def never(_world: World) -> bool:
    return False


ENGAGED = engage(["bob", "nina", "nina2", "omar"], ["omar", "pia"])
LINKS = {"nina": "nina", "nina2": "nina", "omar": "omar"}
PUBLISHED = (publish(),)
OPEN = (publish(), engage(["nina", "nina2"], ["omar"]), command("close"), act(lambda world: link_all(world)))


def link_all(world: World) -> None:
    """Everybody proves their accounts after the close."""
    for handle, user in LINKS.items():
        link(world, handle, user)


_FLOWS: tuple[Flow, ...] = (
    Flow(
        "golden",
        (
            create(duration_minutes=30, claim_window_hours=0),
            publish(of="{0}"),
            engage(["nina", "bob"], ["nina"], when=at("running")),
        ),
        prepare=lambda world: (OUTSIDE.became(Outside()), connected(world)),  # type: ignore[arg-type,return-value]
        is_timed=True,
        # What commits or reaches somebody outside is broken in the flows below.
        only_while=lambda world: once(world) and not is_decisive(world),
    ),
    Flow(
        "answers that are lost",
        PUBLISHED,
        prepare=begun(outside=goes_wrong([Fault.LATER, Fault.HIDDEN], [Wrong.LOST])),
        only_in=(WORKER,),
        only_while=is_lost,
    ),
    Flow(
        "answers that cannot be read",
        PUBLISHED,
        prepare=begun(outside=goes_wrong([Fault.LIMITED, Fault.UNREADABLE, Fault.HANG], [Wrong.NEVER])),
        only_in=(WORKER,),
        only_while=never,
    ),
    Flow(
        "the contract is refused",
        PUBLISHED,
        prepare=begun(outside=goes_wrong(escrow=[Wrong.REFUSED])),
        only_while=never,
        is_restored_anywhere=True,
    ),
    Flow(
        "the first post is refused",
        PUBLISHED,
        prepare=begun(outside=goes_wrong([Fault.REFUSED])),
        only_while=never,
    ),
    Flow(
        "cancel",
        (publish(), cancel(when=at("running"), wanted=409, can_cross=True)),
        prepare=begun(),
        is_race=True,
        only_in=(WORKER,),
        only_while=is_decisive,
    ),
    Flow(
        "cancel while an answer is lost",
        (publish(), cancel(when=is_unknown), cancel(), cancel(wanted=409, when=stands("CampaignDraft"))),
        prepare=begun(outside=goes_wrong([Fault.LATER])),
        only_in=(API,),
        only_while=made_by("sluice.requests", "sluice.commands"),
    ),
    Flow(
        "cancel at the second post, and publish again",
        (publish(), cancel(when=is_waiting), publish(when=stands("CampaignDraft"))),
        prepare=begun(outside=lambda: (refuses_duplicates(), goes_wrong([None, Fault.LIMITED])())),  # type: ignore[arg-type,return-value]
        only_in=(WORKER,),
        only_while=lambda world: (
            once(world) and any(at(each)(world) for each in ("undo_contract", "undo_first", "release"))
        ),
    ),
    Flow(
        "an undo whose answers are lost",
        (publish(), cancel(when=at("second_post"))),
        prepare=begun(
            outside=goes_wrong([None, Fault.LATER], [None, Wrong.LOST], delete=[Fault.UNREADABLE, Fault.HANG])
        ),
        only_while=never,
        is_restored_anywhere=True,
    ),
    Flow(
        "a token is refused at the second post",
        # A refusal of which nobody heard is looked up, and then there is nothing to resume.
        (publish(), command("resume", when=either(has_halted, at("running")), can_cross=True)),
        prepare=begun(outside=goes_wrong([None, Fault.EXPIRED])),
        is_race=True,
        only_in=(WORKER, API),
        only_while=either(lambda world: is_decisive(world) and has_halted(world), made_by("promotions.connections")),
    ),
    Flow(
        "the second post is refused, and cancelled",
        (publish(), cancel(when=has_halted)),
        prepare=begun(outside=goes_wrong([None, Fault.REFUSED])),
        only_while=never,
    ),
    Flow(
        "abandoned",
        (publish(), command("abandon", REASON, when=has_halted)),
        prepare=begun(outside=goes_wrong([None, Fault.REFUSED])),
        only_in=(API,),
        only_while=never,
    ),
    Flow(
        "a call that is stuck, and was made",
        (
            publish(),
            command("resume", when=has_halted),
            resolve("sent", "7", when=in_minutes(30)),
        ),
        prepare=begun(outside=goes_wrong([Fault.UNREADABLE], find_own=[Fault.HANG] * 6)),
        only_while=never,
        is_restored_anywhere=True,
    ),
    Flow(
        "a call that is stuck, and was not made",
        (publish(), resolve("not_sent", when=has_halted)),
        prepare=begun(outside=goes_wrong([Fault.HANG], find_own=[Fault.HANG] * 3)),
        only_in=(API,),
        only_while=never,
    ),
    Flow(
        "cancel while a call is stuck",
        (publish(), cancel(when=has_halted), command("resume")),
        prepare=begun(outside=goes_wrong([Fault.UNREADABLE], find_own=[Fault.HANG] * 3)),
        only_while=never,
    ),
    Flow(
        "a call that may still be made",
        (publish(), resolve("not_sent", when=is_unknown, wanted=409, code="call_not_settled")),
        prepare=begun(outside=goes_wrong([Fault.HANG])),
        only_while=never,
    ),
    Flow(
        "a call that is known to wait",
        (publish(), resolve("not_sent", when=is_waiting, wanted=409, code="nothing_to_resolve")),
        prepare=begun(outside=goes_wrong([Fault.LIMITED])),
        only_while=never,
    ),
    Flow(
        "cancel while a refusal is undone",
        (publish(), cancel(when=at("undo_first"))),
        prepare=begun(outside=goes_wrong(escrow=[Wrong.REFUSED])),
        only_while=never,
    ),
    Flow(
        "no step is left",
        (
            publish(),
            act(no_step_left, when=at("contract")),
            command("resume", when=has_halted),
            act(no_step_left, when=at("running")),
        ),
        prepare=begun(duration_minutes=30),
        only_while=never,
    ),
    Flow(
        "a picture",
        (publish(), act(swap)),
        prepare=with_picture(begun(media=[PICTURE])),
        only_while=made_by("promotions.media"),
    ),
    Flow(
        "delete against publish",
        (publish(can_cross=True), edit(can_cross=True, wanted=409), delete(can_cross=True, wanted=409)),
        prepare=begun(),
        is_race=True,
        only_in=(API,),
        only_while=is_decisive,
    ),
    Flow(
        "two publish at once",
        (publish(can_cross=True), publish(subject="ada", can_cross=True, wanted=409)),
        prepare=begun(),
        is_race=True,
        only_in=(API,),
        only_while=is_decisive,
    ),
    Flow(
        "stop and resume",
        (
            publish(),
            platform("stop", when=at("contract"), can_cross=True),
            platform("resume", when=in_minutes(2), can_cross=True),
        ),
        prepare=begun(),
        only_in=(WORKER,),
        only_while=lambda world: is_decisive(world) and at("contract")(world),
    ),
    Flow(
        "stopped while it closes",
        (
            command("close", can_cross=True),
            platform("stop", when=at("rewards"), can_cross=True),
            platform("resume", when=in_minutes(2), can_cross=True),
        ),
        prepare=begun(publish(), ENGAGED, links=LINKS),
        only_in=(WORKER,),
        only_while=never,
    ),
    Flow(
        "rewards over three pages",
        (command("close"),),
        prepare=begun(publish(), ENGAGED, links=LINKS, max_per_participant=150),
        only_in=(WORKER,),
        only_while=either(
            lambda world: is_decisive(world) and any(at(each)(world) for each in ("engagers", "rewards")),
            made_by("promotions.participants"),
        ),
    ),
    Flow(
        "rewards by weight",
        (command("close"), claim("nina", when=at("finalise"), wanted=409, code="claims_not_open")),
        prepare=begun(publish(), ENGAGED, links=LINKS, share="weighted"),
        only_while=never,
    ),
    Flow(
        "no engagers",
        (
            command("close"),
            command("close"),
            command("abandon", REASON, wanted=409, code="campaign_cannot_be_abandoned"),
        ),
        prepare=begun(*PUBLISHED),
        only_in=(API,),
        only_while=never,
    ),
    Flow(
        "what cannot be read at the close",
        (command("close"), command("resume", when=has_halted)),
        prepare=begun(
            publish(),
            ENGAGED,
            links=LINKS,
            outside=goes_wrong(
                metrics=[Fault.UNAVAILABLE, Fault.LIMITED],
                engaged=[None, Fault.LIMITED, Fault.EXPIRED],
                escrow=[Wrong.LOST],
            ),
        ),
        only_while=never,
        is_restored_anywhere=True,
    ),
    Flow(
        "the network is away while it closes",
        (count_likes(1), act(track), count_likes(2), command("close")),
        prepare=begun(*PUBLISHED, outside=goes_wrong(metrics=[None, *[Fault.UNAVAILABLE] * 20])),
        only_while=never,
    ),
    Flow(
        "closing is abandoned",
        (command("close"), command("abandon", REASON, when=has_halted)),
        prepare=begun(publish(), ENGAGED, links=LINKS, outside=goes_wrong(escrow=[Wrong.REFUSED])),
        only_in=(API,),
        only_while=lambda world: world.sites[-1].operation == "CreateSchedule",
    ),
    Flow(
        "close by hand and by a trigger",
        (command("close", can_cross=True), act(track, can_cross=True)),
        prepare=begun(publish(), count_likes(100), auto_close=[{"metric": "likes", "at_least": 100}]),
        is_race=True,
        only_in=(API, TRACKER),
        only_while=is_decisive,
    ),
    Flow(
        "tracking",
        (count_likes(1), act(track), count_likes(2), act(track, when=in_minutes(6))),
        prepare=begun(*PUBLISHED),
        only_in=(TRACKER,),
        only_while=once,
    ),
    Flow(
        "tracking against the close",
        (count_likes(1), act(track_soon), command("close", when=in_minutes(1), can_cross=True)),
        prepare=begun(*PUBLISHED),
        is_race=True,
        only_in=(TRACKER,),
        only_while=either(writes, made_by("promotions.tracking.rows")),
    ),
    Flow(
        "claims at once",
        (claim("nina", can_cross=True), claim("nina", can_cross=True), claim("omar", can_cross=True)),
        prepare=begun(*OPEN),
        is_race=True,
        only_in=(API,),
        only_while=either(once, is_decisive),
    ),
    Flow(
        "claims against the end of their time",
        (claim("nina"), claim("omar", can_cross=True), act(window_ends, can_cross=True)),
        prepare=begun(*OPEN),
        is_race=True,
        only_in=(API, WORKER),
        only_while=is_decisive,
    ),
    Flow(
        "claims when it is too late",
        (claim("nina"), act(window_ends), claim("omar", when=at("settled"), wanted=409, code="claim_window_over")),
        prepare=begun(*OPEN),
        only_while=never,
        is_restored_anywhere=True,
    ),
    Flow(
        "all is claimed",
        (claim("nina"), claim("omar"), act(window_ends)),
        prepare=begun(publish(), engage(["nina"], ["omar"]), *OPEN[2:]),
        only_while=never,
    ),
    Flow(
        "the owner claims",
        (claim("ada"),),
        prepare=begun(publish(), engage(["pia"]), command("close"), act(lambda world: link(world, "pia", "ada"))),
        only_while=never,
    ),
    Flow(
        "claims while the platform is stopped",
        (platform("stop"), claim("nina", wanted=409, code="platform_stopped"), platform("resume")),
        prepare=begun(*OPEN),
        only_while=never,
    ),
    Flow(
        "a budget of requests",
        (publish(), command("close", when=at("running"))),
        prepare=begun(outside=with_budget(posts=1, metrics=1, engagers=2)),
        only_in=(WORKER,),
        only_while=lambda world: made_by("promotions.quota")(world) and not writes(world),
    ),
    Flow(
        "refused",
        (
            cancel(wanted=409),
            command("close", wanted=409),
            command("resume", wanted=409),
            command("abandon", REASON, wanted=409),
            resolve("not_sent", wanted=409),
            claim("nina", wanted=404),
            publish(),
            publish(wanted=409),
            edit(wanted=409),
            delete(wanted=409),
            command("close", wanted=409, code="cancel_instead"),
        ),
        prepare=begun(outside=goes_wrong([None, Fault.REFUSED])),
        only_while=never,
    ),
)
FLOWS = tuple(replace(each, only_while=each.only_while or once, silent=(*each.silent, TRACKER)) for each in _FLOWS)
"""A run takes 60 ms, and many of its calls are made at one place: the first one is broken."""


class _Limits(dict[str, Any]):
    """The request budgets that the network outside has."""

    def __getitem__(self, _network: str) -> Any:
        return OUTSIDE.limits


class PromotionsInTheWorld(Context):
    """Promotions, as the sweep knows them."""

    name = "promotions"
    packages = ("promotions", "operations")
    flows = FLOWS
    modules = MODULES
    unreached = UNREACHED
    out_of_sight = OUT_OF_SIGHT
    never_broken = SHARED
    made_good: ClassVar[Mapping[str, str]] = {TRACKER: "What could not be read is due again, in the next minute."}
    pairs_of_a_flow = 6
    is_mutated_in_short = False

    def __init__(self) -> None:
        self._watch = Watch(OUTSIDE)
        self._world: World

    @contextmanager
    def world(self) -> Iterator[World]:
        with ExitStack() as stack:
            world = stack.enter_context(a_world(self.packages))
            world.far = FAR

            def arrives(ref: str) -> None:
                self._watch.arrives(world, ref)

            for place, name, value in (
                (bootstrap, "NetworkFactory", factory(world, OUTSIDE, arrives)),
                (bootstrap, "LedgerEscrow", partial(Escrow, world, OUTSIDE, arrives)),
                (quota, "LIMITS", _Limits()),
                (closing, "PAGE", PAGE),
                (closing, "MOST_REQUESTS", 2),
                (outside, "Patience", partial(Patience, looks=3)),
            ):
                stack.enter_context(patch.object(place, name, value))
            self._world = world
            world.begin_processes()
            yield world

    def watch(self) -> Watch:
        self._watch = Watch(OUTSIDE)
        return self._watch

    def is_settled(self, world: World) -> bool:
        return is_settled(world)

    def check(self, world: World, base: Any) -> None:
        check_rest(world, OUTSIDE, self._watch)

    def end(self, world: World) -> tuple[Any, Any, Any]:
        books, entries = Books(world), actions_by_entity(world)
        # A post that is tried again is begun again.
        said = {name: [each for each in actions if each != "PROMOTION_POSTING"] for name, actions in entries.items()}
        statuses = [
            (each["status"], each.get("stage"), each["round"], error_of(each).get("reason"), said[each["id"]])
            for each in books.promotions
        ]
        shares = sorted(
            (each["handle"], each["state"], int(each["amount"]), each.get("user")) for each in books.participants
        )
        balances = sorted((account.split("#")[0], each) for account, each in books.amounts.items())
        posts = [post.media for post in OUTSIDE.network.live()]
        engagement = [each.get("metrics") for each in items(world, TABLE, part="engagement")]
        return statuses, (shares, balances), (posts, engagement)
