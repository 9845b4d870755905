"""Sponsorships in the world: their flows, and what must hold of them at the end."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar
from unittest.mock import patch
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError

from sluice import ids
from sluice.clock import rfc3339
from sponsorships import closing, commands, impressions, rows
from sponsorships.impressions import ImpressionKeys
from sponsorships.recording import recorder
from tests.account import secret_of
from tests.faults.begun import Begun, come_to_rest, give, made
from tests.faults.books import LEDGER, deposit
from tests.faults.chain import SHARED, act, actions_by_entity
from tests.faults.script import Command
from tests.faults.sponsorships_watch import Books, Watch, check_rest, is_settled, items
from tests.faults.sweep import Context, Flow
from tests.faults.world import START, SWEEPER, World, a_world

MODULES = (
    "sponsorships.store",
    "sponsorships.gkeys",
    "sponsorships.participation",
    "sponsorships.campaign",
    "sponsorships.edits",
    "sponsorships.adjustments",
    "sponsorships.detection",
    "sponsorships.recording.table",
    "sponsorships.settlement",
    "sponsorships.closing",
    "sluice.journal",
    "sluice.ledger",
    "sluice.paying",
)
"""Where the mutation check looks for conditions, fences and guards."""
_MONITORING = "tests/integration/test_sponsorships_monitoring.py"
_RECORDING = "tests/integration/test_sponsorships_recording.py"
_API = "tests/integration/test_sponsorships.py"
_LEDGER = "tests/integration/test_ledger.py"
_PURE = "tests/unit/test_participation.py and test_sponsorship.py"
UNREACHED = {
    "sponsorships.store.listed_by": "No list is asked for: tests/e2e.",
    "sluice.journal.transfer": f"The context makes entries itself: {_LEDGER}.",
}
"""Functions that no flow reaches."""
_AS_READ = "sponsorships.store.ParticipationStore.as_read"
_COPIES_DIFFER = "any((getattr(change.after, name) != getattr(before, name) for name in names))"
_CONFLICTS = "if {code for code, _ in reasons} & {'TransactionConflict', *_THROTTLED, 'ProvisionedThroug..."
_NULLS = "if any((getattr(item, name) is None for name, each in attributes.items() if not each.null))"
_STOOD_STILL = "lines == {each.account: each.lines for each in before.values()}"
OUT_OF_SIGHT = {
    **dict.fromkeys(
        [
            f"{_AS_READ}: if before and change.action is Action.TALLY_CORRECTED",
            f"{_AS_READ}: clause before of an if",
            f"{_AS_READ}: clause change.action is Action.TALLY_CORRECTED of an if",
            f"{_AS_READ}: clause before of an if (2)",
            "sponsorships.store.ParticipationStore._trace: clause trace of an if",
            "sponsorships.store.ParticipationStore._trace: clause change.check of an if",
            "sponsorships.store.ParticipationStore._trace: clause change.action is Action.EDITED of an if",
            "sponsorships.store.RunStore.also: condition as_read of update",
            "sponsorships.store._is: return if value, always",
            "sponsorships.store._is: return if value, never",
            "sponsorships.detection.Detection.put_right: if after",
            "sponsorships.detection.Detection.put_right: if again is None",
            "sponsorships.detection.Detection._look_for_gap: if standing.last_at is None",
        ],
        f"No hand edits a tally or a document twice, and a detector or a run too many does no harm: {_MONITORING}.",
    ),
    **dict.fromkeys(
        [
            f"sponsorships.recording.table.{each}"
            for each in (
                "DynamoTable.standing: if keys[0] not in found or keys[1] not in found",
                "DynamoTable.standing: way keys[0] not in found of an if",
                "DynamoTable.standing: way keys[1] not in found of an if",
                "DynamoTable.totals: if own not in found",
                "DynamoTable.click: condition 'attribute_exists(id) AND attribute_not_exists(closed)' of _update",
                "DynamoTable.mark: condition ' AND '.join(['#status = :active', *as_read]) of _update",
                "DynamoTable.mark: condition 'attribute_not_exists(id)' of a call",
                "DynamoTable._once: if _code(error) == 'ConditionalCheckFailedException'",
                "_outcome: if code in _UNHEARD",
                "_outcome: if code in _THROTTLED",
                "_outcome: if code != 'TransactionCanceledException'",
                f"_outcome: {_CONFLICTS}",
                "_as_read: return if name in item, always",
                "_as_read: return if name in item, never",
            )
        ],
        f"A mark too many is harmless; the rest: {_RECORDING}.",
    ),
    f"{_AS_READ}: clause {_COPIES_DIFFER} of an if": "Then every change has the condition, which is stricter.",
    **dict.fromkeys(
        [
            "sponsorships.participation.reject: if participation.rejection_by is None or participation.status not in "
            "(ParticipationStatus....",
            "sponsorships.participation.reject: way participation.status not in (ParticipationStatus.HELD, "
            "ParticipationStatus.REVIEW) of an if",
        ],
        f"The command proposes what nobody proposed, and asks the ledger whether it has ended: {_PURE}.",
    ),
    "sponsorships.detection.Detection.put_right: if offer is None": (
        f"No run takes the entry of a join away from an edit: {_MONITORING}."
    ),
    "sponsorships.closing.CampaignBatches._page: way live of an if": (
        "A page of the sweep has one participation, so its last page is empty."
    ),
    **dict.fromkeys(
        [
            "sluice.paying.PayingStore._require_behind: clause found of an if",
            "sluice.paying.PayingStore._require_behind: clause _place(present) == _place(change.before) of an if",
            "sluice.paying._place: return if campaign, never",
        ],
        f"A race that is refused by 409 looks as if its command came too late: {_API}.",
    ),
    **dict.fromkeys(
        [
            "sponsorships.store.CampaignStore.noted: return if change.keys, always",
            "sponsorships.store.CampaignStore.noted: return if change.keys, never",
        ],
        f"What the audit entry shows besides: {_API}.",
    ),
    **dict.fromkeys(
        [
            "sponsorships.gkeys.reserve: clause PoolItem.loaded >= number",
            "sponsorships.gkeys._is_promised_to: clause KeyItem.streamer == streamer",
            "sponsorships.gkeys._is_promised_to: clause KeyItem.state == RESERVED",
        ],
        "A pool never shrinks, and a key's number is one participation's: only a hand can change that.",
    ),
    **dict.fromkeys(
        [
            "sponsorships.participation.decide: clause amount of an if",
            "sponsorships.participation._unlocked: return if participation.key_number is None, never",
            "sponsorships.participation._returned: return if participation.key_number is None, never",
            "sponsorships.campaign.start: if campaign.ends_at <= now",
            "sponsorships.campaign.close: clause not gave_up of an if",
        ],
        f"No flow comes to it, or the store looks at the same: {_PURE}.",
    ),
    **dict.fromkeys(
        [
            f"sluice.{each}"
            for each in (
                "journal.entry: if any((type(leg.amount) is not int for leg in legs))",
                "journal.entry: if not 1 < len(netted) <= MOST_LEGS or not all((leg.amount for leg in netted))",
                "journal.entry: way not 1 < len(netted) <= MOST_LEGS of an if",
                "journal.entry: way not all((leg.amount for leg in netted)) of an if",
                "journal.entry: if (off := sum((leg.amount for leg in netted)))",
                "journal.entry: if len(json.dumps(noted, ensure_ascii=False).encode()) > MOST_MEMO_BYTES",
                "ledger.budget_of: if found.funded != found.remaining + found.reserved + found.paid + found.refunded",
                "journal._then: if currency != entry.currency",
                "ledger._as_read: clause as_read",
                "journal._then: clause leg.is_bounded of an if",
                "journal._named_currency: return if kind in ('wallet', 'outside') and rest, always",
                "journal._named_currency: return if kind in ('wallet', 'outside') and rest, never",
                "ledger._as_read: return if leg.is_bounded, always",
                "ledger._as_read: return if leg.is_bounded, never",
                "ledger._as_read: clause BalanceItem.amount >= -leg.amount",
                f"ledger._readable: {_NULLS}",
                f"ledger.conservation: if before is not None and {_STOOD_STILL}",
                f"ledger.conservation: clause {_STOOD_STILL} of an if",
                "ledger._difference: if number < balance.lines",
                "ledger._difference: if balance.amount != total",
                "ledger._difference: if (found := balance.totals.get(kind, 0)) != totals[kind]",
                "ledger._difference: if line.number != number",
                "ledger._difference: if (problem := _fault(balance, line, entries.get(line.entry), total))",
                "ledger._fault: if of is None",
                "ledger._fault: if of.amount_in(balance.account) != line.amount",
                "ledger._fault: if of.currency != balance.currency",
                "ledger._fault: if of.kind != line.kind",
                "ledger._fault: if of.hash != of.digest()",
                "ledger._fault: if line.after != total",
                "ledger._behind: way not newest of an if",
                "ledger._behind: if not balance.lines",
                "ledger._all_accounts: if after is None",
            )
        ],
        f"It refuses a defect, or what a hand did: {_LEDGER}.",
    ),
    "sponsorships.store._join: clause CampaignItem.ends_at > now": "The clock stands still while a call is under way.",
}
"""What no run can notice."""

TABLE = "SponsorshipsTable"
CAMPAIGNS = "/api/v1/campaigns"
BEFORE = START - timedelta(hours=1)
"""When what a flow begins with was made."""
CAMPAIGN = ids.new_id("spn", BEFORE, lambda size: (1).to_bytes(size, "big"))
"""The campaign that a flow begins with."""
KEYS = ImpressionKeys("k1", {"k1": secret_of("ImpressionSecret")})
TERMS = {"name": "Winter", "target_impressions": 3, "rate": "1.65", "currency": "USD", "budget": 1000}
"""A streamer earns 495 at 3 impressions: the budget is for two."""
REASON = {"reason": "a test"}
CAP, ELSEWHERE = 600, 200
"""What a streamer may earn a day, and what nina earns in another campaign: both together are too much."""
GROW_AFTER = recorder.GROW_AFTER
EVENING = START.replace(hour=23, minute=55)
SOME_DAYS = timedelta(days=30)
FAR = timedelta(days=7)
"""The end of a campaign, and when it forgets its viewers, are not waited for."""
API, RECORDING = ("SponsorshipsApiFunction",), ("SponsorshipsRecordingApiFunction",)
WORKER, CHECKS = ("SponsorshipsWorkerFunction",), ("SponsorshipsMonitoringWorkerFunction",)
MONITORING = ("SponsorshipsMonitoringApiFunction",)
STREAM, SCHEDULE = "SponsorshipsMonitoringStreamFunction", "SponsorshipsMonitoringScheduleFunction"


# --- What a flow begins with


_kept: dict[str, Begun] = {}
"""Made once for each process, by the product as it is."""


def funded(world: World) -> None:
    """The advertiser has money."""
    if "funded" not in _kept:
        deposit(world, "ada", 5000)
        _kept["funded"] = Begun({LEDGER: dict(world.dynamo.tables[LEDGER].items)}, {})
    world.dynamo.tables[LEDGER].items = dict(_kept["funded"].tables[LEDGER])


def begun(
    *commands: Command, streamers: tuple[str, ...] = ("nina",), seen: int = 2, **terms: Any
) -> Callable[[World], None]:
    """Prepares a campaign that runs, with streamers of whom each was seen by so many; then come `commands`."""

    def prepare(world: World) -> None:
        name = repr((commands, streamers, seen, terms))
        if name not in _kept:
            _kept[name] = made(world, BEFORE, lambda world: _begin(world, commands, streamers, seen, terms))
        _kept[name].put(world)

    return prepare


def _begin(
    world: World, commands: tuple[Command, ...], streamers: tuple[str, ...], seen: int, terms: dict[str, Any]
) -> None:
    funded(world)
    secrets = [f"KEY-{number + 1}" for number in range(max(1, len(streamers)))]
    keys = [load(*secrets)] if terms.get("gkeys") else []
    joins = [join(each) for each in streamers]
    first = [create(**terms), *keys, start(), *joins]
    for number, command in enumerate(first):
        give(world, command, number)
    for streamer in streamers:
        see(world, streamer, seen)
    come_to_rest(world)
    for number, command in enumerate(commands, len(first)):
        give(world, command, number)
        come_to_rest(world)


def capped(prepare: Callable[[World], None]) -> Callable[[World], None]:
    """Prepares it, on a platform where a streamer may earn no more than CAP a day."""

    def prepared(world: World) -> None:
        prepare(world)
        world.configure("MAX_DAILY_EARNINGS", str(CAP))

    return prepared


def contended(prepare: Callable[[World], None]) -> Callable[[World], None]:
    """Prepares it, with so many who record at once that each call spreads the impressions over more tallies."""

    def prepared(world: World) -> None:
        prepare(world)
        recorder.GROW_AFTER = 0

    return prepared


# --- What is done


def _path(*parts: str, of: str = CAMPAIGN) -> str:
    return "/".join((CAMPAIGNS, of, *parts))


def create(**terms: Any) -> Command:
    def body(_world: World) -> dict[str, Any]:
        ends_at = rfc3339(START + terms.get("ends_in", SOME_DAYS))
        own = {name: each for name, each in terms.items() if name != "ends_in"}
        return TERMS | {"milestones": [1], "ends_at": ends_at, "token_seconds": 3600} | own

    return Command("POST", CAMPAIGNS, body)


def load(*keys: str, of: str = CAMPAIGN, **options: Any) -> Command:
    return Command("POST", _path("gkeys", of=of), {"keys": list(keys)}, **options)


def start(of: str = CAMPAIGN) -> Command:
    return Command("POST", _path("start", of=of))


def command(verb: str, of: str = CAMPAIGN, **options: Any) -> Command:
    return Command("POST", _path(verb, of=of), **options)


def close(**options: Any) -> Command:
    return command("close", **options)


def join(streamer: str = "nina", of: str = CAMPAIGN, **options: Any) -> Command:
    return Command("POST", _path("join", of=of), {}, role="user", subject=streamer, **options)


def leave(streamer: str = "nina", **options: Any) -> Command:
    return Command("POST", _path("leave"), role="user", subject=streamer, **options)


def of_nina(verb: str, body: Any = None, **options: Any) -> Command:
    """A command about her participation."""
    return Command("POST", _path("participations", "nina", *verb.split("/")), body, **options)


def record(*viewers: str, streamer: str = "nina", of: str = CAMPAIGN, **options: Any) -> Command:
    """A page sends the tokens of its viewers."""

    def body(world: World) -> dict[str, Any]:
        tokens = [token(world, streamer, each) for each in viewers]
        return {"tokens": tokens} if len(tokens) > 1 else {"token": tokens[0]}

    verb = ("impressions", "batch") if len(viewers) > 1 else ("impressions",)
    return Command("POST", _path(*verb, of=of), body, has_key=False, **options)


def token(world: World, streamer: str, viewer: str) -> str:
    """The same one each time: a client sends again what it sent. A restore may have taken its campaign back."""
    campaign = next((each["id"] for each in items(world, TABLE, kind="campaign")), CAMPAIGN)
    minted_at = world.began - timedelta(seconds=10)
    named = f"{int(viewer[1:]) % 2}{impressions.registered('salt', f'{streamer} {viewer}')[1:]}"
    return impressions.mint(
        KEYS, f"{campaign}:{streamer}", named, minted_at, random=lambda size: viewer.encode().rjust(size)[-size:]
    )


def see(world: World, streamer: str, viewers: int | Iterable[str]) -> None:
    """Record as recording does; and die before the totals are read."""
    names = [f"v{number}" for number in range(viewers)] if isinstance(viewers, int) else list(viewers)
    now, zone, period = world.now(), ZoneInfo("UTC"), impressions.ViewerPeriod.CAMPAIGN
    for name in names:
        opened = impressions.opened(token(world, streamer, name), KEYS)
        proved = impressions.verify(opened, now, min_seconds=0, token_seconds=3600, period=period, zone=zone)
        row = {name: {"S": value} for name, value in vars(impressions.row(KEYS, proved, rfc3339(now))).items()}
        tally = {
            "TableName": TABLE,
            "Key": {"id": {"S": impressions.tally_id(opened.participation, 0)}, "part": {"S": "tally"}},
            "UpdateExpression": "ADD impressions :one SET last_at = :at",
            "ConditionExpression": "attribute_not_exists(closed)",
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":at": {"S": rfc3339(now)}},
        }
        put = {
            "TableName": TABLE,
            "Item": row | {"k": {"N": "0"}},
            "ConditionExpression": "attribute_not_exists(id)",
        }
        world.dynamo.call("TransactWriteItems", {"TransactItems": [{"Put": put}, {"Update": tally}]})


def click(viewer: str, **options: Any) -> Command:
    """A viewer clicks the advertisement that was just seen."""

    def body(world: World) -> dict[str, Any]:
        opened = impressions.opened(token(world, "nina", viewer), KEYS)
        clicked = impressions.Click(opened.participation, opened.viewer, opened.nonce, 0)
        return {"token": impressions.mint_click(KEYS, clicked, rfc3339(world.began))}

    return Command("POST", _path("clicks"), body, has_key=False, **options)


def void(*viewers: str) -> Callable[[World], Any]:
    """The body of a void."""
    return lambda world: (
        {"viewers": [impressions.opened(token(world, "nina", each), KEYS).viewer for each in viewers]} | REASON
    )


def hand(values: Mapping[str, int], **options: Any) -> Command:
    """A person edits nina's document in the console."""

    def edit(world: World) -> None:
        world.dynamo.call(
            "UpdateItem",
            {
                "TableName": TABLE,
                "Key": {"id": {"S": f"{CAMPAIGN}:nina"}, "part": {"S": "campaign"}},
                "UpdateExpression": f"SET {', '.join(f'{name} = :{name}' for name in values)}",
                "ExpressionAttributeValues": {f":{name}": {"N": str(value)} for name, value in values.items()},
            },
        )

    return act(edit, **options)


def hand_on_tally(more: int) -> Command:
    """A person edits the number of nina's tally in the console."""

    def edit(world: World) -> None:
        world.dynamo.call(
            "UpdateItem",
            {
                "TableName": TABLE,
                "Key": {"id": {"S": impressions.tally_id(f"{CAMPAIGN}:nina", 0)}, "part": {"S": "tally"}},
                "UpdateExpression": "ADD impressions :more",
                "ExpressionAttributeValues": {":more": {"N": str(more)}},
            },
        )

    return act(edit)


def earns_elsewhere(**options: Any) -> Command:
    """Another campaign pays nina, if she may still earn so much today."""

    def earn(world: World) -> None:
        update = {
            "TableName": TABLE,
            "Key": {"id": {"S": "earned#USD#nina"}, "part": {"S": f"{world.now():%Y-%m-%d}"}},
            "UpdateExpression": "ADD amount :amount",
            "ConditionExpression": "attribute_not_exists(amount) OR amount <= :left",
            "ExpressionAttributeValues": {":amount": {"N": str(ELSEWHERE)}, ":left": {"N": str(CAP - ELSEWHERE)}},
        }
        with suppress(ClientError):
            world.dynamo.call("UpdateItem", update)

    return act(earn, **options)


def no_step_left(world: World) -> None:
    """As if so much had gone wrong that nina's participation has used up its steps."""
    world.dynamo.call(
        "UpdateItem",
        {
            "TableName": TABLE,
            "Key": {"id": {"S": f"{CAMPAIGN}:nina"}, "part": {"S": "campaign"}},
            "UpdateExpression": "SET steps_done = max_steps",
        },
    )


def strange(world: World) -> None:
    """Somebody asks for a look and for a check of a participation that there is not."""
    for more in ("", ', "thresholds": [3], "total": 3'):
        body = f'{{"campaign_id": "{CAMPAIGN}", "streamer": "nobody", "source": "stream"{more}}}'
        world.send("SponsorshipsChecksQueue", body, timedelta(), Counter())


def full_check(**options: Any) -> Command:
    """A deep run over all participations, and the ledger."""
    return Command("POST", f"{CAMPAIGNS}/monitoring/full-check", {"deep": True}, **options)


def delete_a_row(world: World) -> None:
    """A person deletes one of nina's rows in the console."""
    row = next(each for each in items(world, TABLE) if each["id"].startswith("imp#"))
    key = {"id": {"S": row["id"]}, "part": {"S": row["part"]}}
    world.dynamo.call("DeleteItem", {"TableName": TABLE, "Key": key})


def forget_participation(world: World) -> None:
    """The table goes back to before nina joined; the ledger does not."""
    items = world.dynamo.tables[TABLE].items
    _lost.update({key: items.pop(key) for key in list(items) if "nina" in str(key)})


def remember_participation(world: World) -> None:
    """An operator restores it to the moment of the ledger."""
    world.dynamo.tables[TABLE].items.update(_lost)
    _lost.clear()


_lost: dict[Any, Any] = {}
"""What a restore of one table took away."""


def at_once(first: Command) -> Command:
    """A command and all its steps, which may come in the middle of another command."""

    def run(world: World) -> None:
        world.http(first.request(world, (), "at-once"))
        for _ in range(4):
            world.others()

    return act(run, can_cross=True)


def ask(*sources: str) -> Command:
    """The stream, or somebody else, asks for a look at nina's participation."""

    def send(world: World) -> None:
        for source in sources:
            body = f'{{"campaign_id": "{CAMPAIGN}", "streamer": "nina", "source": "{source}"'
            body += ', "thresholds": [3], "total": 3}' if source != "stream" else "}"
            world.send("SponsorshipsChecksQueue", body, timedelta(), Counter())

    return act(send)


# --- When


def stands(status: str, streamer: str = "nina") -> Callable[[World], bool]:
    """Whether a streamer's participation is in a status."""
    return lambda world: any(
        each["status"] == status for each in items(world, TABLE, kind="participation", streamer=streamer)
    )


def has_adjustment(world: World) -> bool:
    return any(each["part"].startswith("adjustment#") for each in items(world, TABLE))


def is_closed(world: World) -> bool:
    return bool(items(world, TABLE, kind="campaign", status="closed"))


def once(world: World) -> bool:
    """Whether a call is the first of a run at its place."""
    return world.is_first


def is_of_monitoring(world: World) -> bool:
    """Whether a call is made for the run, and not for a participation that it finds."""
    return world.sites[-1].function not in WORKER or "chk_" in str(world.running[-1].event)


def is_of(world: World, *modules: str) -> bool:
    """Whether one of these modules makes a call."""
    return world.sites[-1].line.startswith(modules)


def is_of_a_second_run(world: World) -> bool:
    """Whether the schedule looks at the run before."""
    site = world.sites[-1]
    return site.function == SCHEDULE and site.operation == "BatchGetItem"


def writes(world: World) -> bool:
    """Whether a call writes: what others did since it read comes in before it."""
    return world.sites[-1].has_effect


def never(_world: World) -> bool:
    return False


_DEEP = ("sponsorships.checks", "sponsorships.rows", "sponsorships.settlement", "sponsorships.monitor")
"""Where a deep run is, that is nowhere else."""
_FLOWS: tuple[Flow, ...] = (
    Flow(
        "golden",
        (
            create(gkeys="required"),
            load("KEY-1", "KEY-2", of="{0}"),
            start(of="{0}"),
            join(of="{0}"),
            act(lambda world: see(world, "nina", 1)),
            record("v1", of="{0}"),
            record("v2", of="{0}"),
        ),
        prepare=funded,
    ),
    Flow(
        "a batch jumps the milestones",
        (record("v0", "v1", "v2", "v3"), click("v0"), click("v0", wanted=200)),
        prepare=begun(seen=0, milestones=[1, 2]),
        only_in=RECORDING,
    ),
    Flow(
        "two checks at once",
        (ask("stream", "stream"),),
        prepare=begun(seen=3),
        only_in=CHECKS,
    ),
    Flow(
        "an edit claims everything",
        (
            hand({"impressions": 3}),
            of_nina("adjustments/0/approve", when=has_adjustment),
            of_nina("adjustments/0/approve", wanted=409, code="own_proposal"),
            of_nina("adjustments/0/approve", subject="bob"),
            of_nina("adjustments/0/approve", subject="cyd", wanted=409, code="already_decided"),
        ),
        prepare=begun(),
        only_in=(*CHECKS, *MONITORING),
    ),
    Flow(
        "leave in the last second",
        (record("v2", can_cross=True), leave(can_cross=True)),
        prepare=begun(),
        is_race=True,
        only_in=(*RECORDING, *WORKER),
    ),
    Flow(
        "a budget for two and a key for one",
        (
            join(),
            join(),
            join("omar", wanted=409, code="keys_exhausted"),
            load("KEY-2", "KEY-3"),
            join("omar"),
            join("pia", wanted=409, code="budget_exhausted"),
        ),
        prepare=begun(streamers=(), gkeys="required"),
        only_in=API,
    ),
    Flow(
        "three join at once",
        (join(can_cross=True), join("omar", can_cross=True), join("pia", can_cross=True, wanted=409)),
        prepare=begun(load("KEY-2", "KEY-3"), streamers=(), gkeys="required"),
        is_race=True,
        only_in=API,
    ),
    Flow(
        "an impression while it settles",
        (record("v1"), leave(), record("v2", when=stands("expired"), can_cross=True)),
        prepare=begun(seen=1),
        is_race=True,
        only_in=(*WORKER, *RECORDING),
    ),
    Flow(
        "a budget for one",
        (join(can_cross=True), join("omar", can_cross=True, wanted=409)),
        prepare=begun(streamers=(), budget=500),
        is_race=True,
        only_in=API,
    ),
    Flow(
        "keys loaded at once",
        (load("KEY-1", "KEY-2", can_cross=True), load("KEY-2", "KEY-3", subject="bob", can_cross=True)),
        prepare=begun(streamers=(), gkeys="required"),
        is_race=True,
        only_in=API,
    ),
    Flow(
        "join against pause",
        (join(can_cross=True), command("pause", can_cross=True)),
        prepare=begun(streamers=()),
        is_race=True,
        only_in=API,
    ),
    Flow(
        "join against close",
        (join(can_cross=True), close(can_cross=True), act(World.others, can_cross=True)),
        prepare=begun(streamers=()),
        is_race=True,
        only_in=API,
    ),
    Flow(
        "two leave at once",
        (leave(), leave("omar"), leave(wanted=409, code="participation_cannot_be_left")),
        prepare=begun(streamers=("nina", "omar"), gkeys="required"),
        only_in=WORKER,
        only_while=writes,
    ),
    Flow(
        "refunds at once",
        (
            of_nina("refunds/1/approve", subject="bob", can_cross=True),
            of_nina("refunds/1/approve", subject="cyd", can_cross=True, wanted=409),
        ),
        prepare=begun(record("v2"), of_nina("refunds", {"amount": 100} | REASON)),
        is_race=True,
        only_in=API,
    ),
    Flow(
        "close",
        (close(),),
        prepare=begun(record("v2"), streamers=("nina", "omar")),
        only_in=(*WORKER, *API),
    ),
    Flow(
        "void against check",
        (
            ask("stream"),
            of_nina("void", void("v0"), when=stands("completed"), wanted=409, code="too_late", can_cross=True),
        ),
        prepare=begun(seen=3),
        is_race=True,
        only_in=CHECKS,
    ),
    Flow("void", (of_nina("void", void("v0", "v1")), record("v3", "v4")), prepare=begun(seen=3), only_in=API),
    Flow(
        "hold, then reject",
        (
            ask("stream"),
            of_nina("reject", REASON, when=stands("held")),
            of_nina("reject", REASON, wanted=409, code="own_proposal"),
            of_nina("reject", REASON, subject="bob"),
            of_nina("reject", REASON, subject="cyd", wanted=409, code="participation_cannot_be_rejected"),
        ),
        prepare=begun(seen=3, hold_hours=1, gkeys="required"),
        silent=(SCHEDULE,),
        only_in=API,
    ),
    Flow(
        "hold, then pay",
        (ask("stream"),),
        prepare=begun(seen=3, hold_hours=1),
        silent=(SCHEDULE,),
        only_in=WORKER,
        only_while=lambda world: once(world) and stands("held")(world),
    ),
    Flow(
        "refund",
        (
            of_nina("refunds", {"amount": 100} | REASON),
            of_nina("refunds", {"amount": 496} | REASON, wanted=409, code="amount_too_high"),
            of_nina("refunds", REASON),
            of_nina("refunds/1/approve", wanted=409, code="own_proposal"),
            of_nina("refunds/1/approve", subject="bob"),
            of_nina("refunds/1/approve", subject="cyd", wanted=409, code="already_decided"),
            of_nina("refunds/2/approve", subject="bob", wanted=409, code="amount_too_high"),
            of_nina("refunds", REASON),
            of_nina("refunds/3/approve", subject="bob"),
            of_nina("refunds", REASON, wanted=409, code="nothing_paid"),
        ),
        prepare=begun(record("v2")),
        only_in=API,
    ),
    Flow(
        "a hand deletes a row while it settles",
        (
            ask("stream"),
            act(delete_a_row, when=stands("settling")),
            of_nina("adjustments", {"impressions": 1} | REASON, when=stands("review")),
            of_nina("adjustments/2/approve", subject="bob"),
            of_nina("settle"),
        ),
        prepare=begun(seen=3, gkeys="required"),
        only_in=MONITORING,
    ),
    Flow(
        "the sweep alone",
        (),
        prepare=begun(seen=3),
        only_in=(SCHEDULE, STREAM, *WORKER, *CHECKS),
        only_while=lambda world: once(world) and is_of_monitoring(world),
    ),
    Flow(
        "the campaign ends",
        (),
        prepare=begun(ends_in=timedelta(minutes=20), at_end="pro_rata", gkeys="required"),
        only_in=(*WORKER, SCHEDULE),
        only_while=lambda world: once(world) and (stands("settling")(world) or is_of_a_second_run(world)),
        is_timed=True,
    ),
    Flow(
        "refused",
        (
            command("start", wanted=409, code="campaign_cannot_be_started"),
            command("resume", wanted=409),
            command("pause"),
            command("pause", wanted=409),
            join("omar", wanted=409, code="campaign_not_running"),
            command("resume"),
            command("cancel", wanted=409),
            of_nina("reject", REASON, wanted=409),
            of_nina("settle", wanted=409),
            create(gkeys="required"),
            command("pause", of="{0}", wanted=409),
            command("close", of="{0}", wanted=409),
            command("cancel", of="{0}"),
            load("KEY-1", of="{0}", wanted=409, code="campaign_cannot_be_given_keys"),
        ),
        prepare=begun(),
        only_while=never,
    ),
    Flow(
        "proposals",
        (
            of_nina("adjustments", {"impressions": 1} | REASON),
            of_nina("adjustments/0/approve", wanted=409, code="own_proposal"),
            of_nina("adjustments/0/reject", REASON, subject="bob"),
            of_nina("adjustments/0/approve", subject="bob", wanted=409, code="already_decided"),
            of_nina("adjustments", {"impressions": 1} | REASON),
            record("v2"),
            of_nina("adjustments/2/approve", subject="bob", when=stands("completed"), wanted=409, code="too_late"),
            of_nina("adjustments/2/reject", REASON, subject="bob"),
        ),
        prepare=begun(),
        only_in=MONITORING,
    ),
    Flow(
        "the daily cap",
        (earns_elsewhere(), ask("stream"), earns_elsewhere(when=stands("completed"), can_cross=True)),
        prepare=capped(begun(seen=3)),
        starts_at=EVENING,
        is_race=True,
        silent=(SCHEDULE,),
        only_in=WORKER,
        only_while=lambda world: once(world) and (writes(world) or is_of(world, "sluice.ledger", "sponsorships.store")),
    ),
    Flow(
        "a hand edits a tally",
        (hand_on_tally(1), ask("sweep"), record("v2", when=World.is_quiet), full_check(can_cross=True)),
        prepare=begun(seen=1),
        is_race=True,
        silent=(SCHEDULE,),
        only_in=(*WORKER, *MONITORING),
        only_while=lambda world: (
            once(world) and (world.sites[-1].function in MONITORING or is_of(world, "sluice.ledger"))
        ),
    ),
    Flow(
        "a deep run beside a completion",
        (hand_on_tally(-1), full_check(), record("v2", can_cross=True)),
        prepare=begun(),
        is_race=True,
        silent=(SCHEDULE,),
        only_in=WORKER,
        only_while=lambda world: once(world) and is_of_monitoring(world) and is_of(world, *_DEEP),
    ),
    Flow(
        "tallies grow while it settles",
        (record("v2"), record("v3", can_cross=True), record("v4", when=stands("completed"), can_cross=True)),
        prepare=contended(begun()),
        is_race=True,
        only_in=(*RECORDING, *CHECKS, *WORKER),
        only_while=lambda world: once(world) and writes(world),
    ),
    Flow(
        "a claim back while it closes",
        (close(), of_nina("refunds/1/approve", subject="bob", when=is_closed, can_cross=True)),
        prepare=begun(record("v2"), of_nina("refunds", {"amount": 100} | REASON)),
        is_race=True,
        silent=(SCHEDULE,),
        only_in=WORKER,
        only_while=lambda world: is_of(world, "sluice.ledger"),
    ),
    Flow(
        "a click while it is voided",
        (of_nina("void", void("v0")), click("v0", can_cross=True)),
        prepare=begun(),
        is_race=True,
        only_in=API,
    ),
    Flow(
        "two edits at once",
        (hand({"impressions": 3}), hand({"impressions": 9}, when=has_adjustment, can_cross=True)),
        prepare=begun(),
        is_race=True,
        silent=(SCHEDULE,),
        only_in=CHECKS,
    ),
    Flow(
        "two proposals at once",
        (
            of_nina("refunds", {"amount": 100} | REASON, can_cross=True),
            of_nina("refunds", {"amount": 200} | REASON, subject="bob", can_cross=True),
        ),
        prepare=begun(record("v2")),
        is_race=True,
        only_in=API,
    ),
    Flow(
        "a check that died",
        (act(strange), ask("api")),
        prepare=begun(seen=3),
        silent=(SWEEPER, SCHEDULE),
        only_in=CHECKS,
        only_while=lambda world: world.sites[-1].operation == "TransactWriteItems",
    ),
    Flow(
        "no step is left",
        (ask("stream"), act(no_step_left, when=stands("settling")), of_nina("settle", when=stands("review"))),
        prepare=begun(seen=3),
        silent=(SCHEDULE,),
        only_while=never,
    ),
    Flow(
        "leave while its tallies grow",
        (record("v1"), leave(can_cross=True)),
        prepare=contended(begun(seen=1)),
        is_race=True,
        silent=(SCHEDULE,),
        only_in=RECORDING,
        only_while=lambda world: world.sites[-1].operation == "UpdateItem",
    ),
    Flow(
        "a hand edits what settles",
        (ask("stream"), hand({"impressions": 9}, when=stands("completed"), can_cross=True)),
        prepare=begun(seen=3),
        is_race=True,
        silent=(SCHEDULE,),
        only_in=WORKER,
        only_while=lambda world: once(world) and world.sites[-1].operation == "BatchGetItem",
    ),
    Flow(
        "a claim back against a close",
        (
            of_nina("refunds/1/approve", subject="bob", can_cross=True),
            at_once(close()),
        ),
        prepare=begun(record("v2"), of_nina("refunds", {"amount": 100} | REASON), budget=495),
        is_race=True,
        silent=(SCHEDULE,),
        only_in=API,
    ),
    Flow(
        "leave while it is voided",
        (of_nina("void", void("v0")), at_once(leave())),
        prepare=begun(),
        is_race=True,
        silent=(SCHEDULE,),
        only_in=API,
    ),
    Flow(
        "one table is restored alone",
        (act(forget_participation), join(wanted=409, code="ledger_is_ahead"), act(remember_participation)),
        prepare=begun(seen=0),
        silent=(SCHEDULE,),
        only_in=API,
        only_while=lambda world: once(world) and world.sites[-1].operation in ("Query", "TransactGetItems"),
    ),
)
_RESTORED = ("golden", "close", "hold, then pay", "refund")
"""The flows whose tables are put back."""
FLOWS = tuple(
    replace(
        each,
        only_while=each.only_while or (writes if each.is_race else once),
        is_restorable=each.name in _RESTORED,
    )
    for each in _FLOWS
)
"""A run takes 60 ms, and many of its calls are made at one place: the first one is broken, and in races every write."""


class Sponsorships(Context):
    """Sponsorships, as the sweep knows them."""

    name = "sponsorships"
    packages = ("sponsorships", "operations")
    flows = FLOWS
    modules = MODULES
    unreached = UNREACHED
    out_of_sight = OUT_OF_SIGHT
    never_broken = SHARED
    made_good: ClassVar[Mapping[str, str]] = {
        SCHEDULE: "A conflict is tried again; the sweeper wakes what was not woken."
    }
    is_mutated_in_short = False

    def __init__(self) -> None:
        self._watch = Watch()
        self._world: World

    @contextmanager
    def world(self) -> Iterator[World]:
        with ExitStack() as stack:
            world = stack.enter_context(a_world(self.packages))
            world.far = FAR
            kept: Any = recorder.Recorder.__init__
            defaults = (lambda _seconds: None, *kept.__defaults__[1:])
            stack.enter_context(patch.object(kept, "__defaults__", defaults))
            salts = count(1)
            stack.enter_context(patch.object(commands, "token_hex", lambda size: f"{next(salts):0{2 * size}x}"))
            stack.enter_context(patch.object(rows, "SLOTS", "01"))
            stack.enter_context(patch.object(recorder, "GROW_AFTER", GROW_AFTER))
            stack.enter_context(patch.object(recorder, "_a_tally", lambda standing, **_: standing.shards - 1))
            stack.enter_context(patch.object(closing, "PAGE", 1))
            self._world = world
            yield world

    def watch(self) -> Watch:
        self._world.begin_processes()  # what recording keeps of participations, and all of the secret
        recorder.GROW_AFTER = GROW_AFTER
        self._watch = Watch()
        return self._watch

    def is_settled(self, world: World) -> bool:
        return is_settled(world)

    def check(self, world: World, base: Any) -> None:
        check_rest(world, self._watch)

    def end(self, world: World) -> tuple[Any, Any, Any]:
        books, entries = Books(world), actions_by_entity(world)
        found = [*items(world, TABLE, kind="campaign"), *items(world, TABLE, kind="participation")]
        statuses = [(each["status"], each.get("why"), entries[each["id"]]) for each in found]
        keys = sorted((each["part"], each["state"], each.get("streamer")) for each in books.keys)
        numbers = [(each["id"].partition(":")[2], books.valid[each["id"]], each.get("paid")) for each in found]
        balances = sorted((account.split("#")[0], each) for account, each in books.amounts.items())
        adjusted = sorted(
            (each["part"], each["state"], each.get("delta"))
            for each in items(world, TABLE)
            if each["part"].startswith(("adjustment#", "refund#"))
        )
        clicks = sorted(int(each.get("clicks", 0)) for each in books.tallies)
        return (statuses, keys), (numbers, balances), (adjusted, clicks)
