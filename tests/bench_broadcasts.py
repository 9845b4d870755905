"""`make bench`, broadcasts: what messages, webhooks and rows cost, how fast they are, and how they keep the pace."""

import heapq
import json
import logging
import math
import random
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched, count
from typing import Any

import pytest
import time_machine

from broadcasts import regions
from broadcasts.pacing import MOST_AT_ONCE, Pace, turn
from broadcasts.providers import wire
from broadcasts.providers.answers import Answer
from broadcasts.roll import Entry, Roll
from local import cost
from local.fakes import webhooks
from local.fakes.messages import Call
from tests.account import Account, modelled_account
from tests.bench_calls import Calls, size_of
from tests.bench_tables import a_table, console
from tests.factories import NOON
from tests.integration.broadcasts_imports_world import Importer
from tests.integration.broadcasts_world import OWNER, QUEUE, Broadcaster, people
from tests.integration.harness import Functions, an_event
from tests.packages import nothing_cached
from tests.template_reader import source, translated

TOGETHER = 4 * 45
CSV_ROWS, ROLL_ROWS, LAID = 20_000, 100_000, 2_000
RESOURCES = 440
LATENESS = (0.05, 0.35)
"""Seconds from when a message of SQS is due until its step commits."""
CALL_SECONDS = 0.3
MINUTES = 10
_EVENTS_QUEUE = "BroadcastsEventsQueue"
_CONSUMER = "BroadcastsWebhooksWorkerFunction"
_ADDRESS = "1029384756"
_EVOLUTION = {
    "baseUrl": "https://evolution.example.com",
    "credentials": {"apiKey": "key", "jwtKey": webhooks.JWT_KEY},
}
_META_KEYS = {"accessToken": "token", "appSecret": webhooks.APP_SECRET, "verifyToken": "verify"}


def main() -> None:
    logging.disable(logging.INFO)
    console.print(
        "Through the real handlers, on the model of DynamoDB that the tests use; the providers answer at once"
    )
    bench_messages()
    console.print("\nMessages a second of one worker: the model of DynamoDB takes most of the time at 0 ms")
    bench_speed()
    console.print(f"\nThe pace, in virtual time; a step commits {LATENESS[0]} to {LATENESS[1]} s after it is due")
    bench_pace()
    console.print("\nLists")
    bench_lists()
    bench_resources()


# What is measured


@dataclass
class Meter:
    """AWS calls and units of the functions' own doing. A transaction takes two units for each KB begun, also to check
    an item; what changes of an index takes one for the old entry and one for the new.
    """

    operations: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    """Write units by the kind of the item."""
    read: float = 0

    @property
    def calls(self) -> int:
        return sum(self.operations.values())

    @property
    def units(self) -> int:
        return sum(self.written.values())

    @contextmanager
    def on(self, aws: Account) -> Iterator[None]:
        """Measure what is called meanwhile."""
        dynamo = aws.dynamo
        assert dynamo
        real, calls = dynamo.call, Calls()

        def call(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            actions = _actions(operation, arguments)
            before = [_item(aws, each) for _, each in actions]
            answer = real(operation, arguments)
            for (verb, action), was in zip(actions, before, strict=True):
                self._wrote(aws, verb, action, was, 2 if operation == "TransactWriteItems" else 1)
            self.read += _read_units(operation, arguments, answer)
            return answer

        with pytest.MonkeyPatch.context() as patch, calls.counted():
            patch.setattr(dynamo, "call", call)
            yield
        self.operations += calls.operations

    def _wrote(self, aws: Account, verb: str, action: dict[str, Any], was: dict[str, Any] | None, each: int) -> None:
        is_now = was if verb == "ConditionCheck" else _item(aws, action)
        kind = _kind(action)
        self.written[kind] += each * max(1, -(-max(size_of(was or {}), size_of(is_now or {})) // 1024))
        properties = aws.resources[action["TableName"]]["Properties"]
        for index in properties.get("GlobalSecondaryIndexes", []):
            names = [key["AttributeName"] for key in index["KeySchema"]]
            old, new = (
                [item[name] for name in names] if item and all(name in item for name in names) else None
                for item in (was, is_now)
            )
            if old != new:
                self.written[f"{kind}, index {index['IndexName']}"] += (old is not None) + (new is not None)


def _actions(operation: str, arguments: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    match operation:
        case "TransactWriteItems":
            return [next(iter(action.items())) for action in arguments["TransactItems"]]
        case "PutItem" | "UpdateItem" | "DeleteItem":
            return [(operation.removesuffix("Item"), arguments)]
    return []


def _item(aws: Account, action: dict[str, Any]) -> dict[str, Any] | None:
    assert aws.dynamo
    table = aws.dynamo.tables[action["TableName"]]
    found = table.items.get(table.key.of(action.get("Item") or action["Key"]))
    return dict(found) if found is not None else None


def _kind(action: dict[str, Any]) -> str:
    key = action.get("Item") or action["Key"]
    name, part = key["id"]["S"], key.get("part", {"S": ""})["S"]
    if action["TableName"] in ("AuditTable", "OutboxTable"):
        return action["TableName"].removesuffix("Table").lower()
    if name.startswith("brd_") and "#" not in name:
        return "campaign" if part == "campaign" else "#".join(part.split("#")[: 2 if part.startswith("due#") else 1])
    if name.startswith("brd_"):
        return "row"
    return {"ins": "instance"}.get(name[:3], name.partition("#")[0])


def _read_units(operation: str, arguments: dict[str, Any], answer: dict[str, Any]) -> float:
    """Of 4 KB, half if it need not be consistent; a missing item of a batch takes one as well."""
    match operation:
        case "Query":
            units = max(1, -(-sum(map(size_of, answer["Items"])) // 4096))
            return units if arguments.get("ConsistentRead") else units / 2
        case "GetItem":
            units = max(1, -(-size_of(answer.get("Item", {})) // 4096))
            return units if arguments.get("ConsistentRead") else units / 2
        case "BatchGetItem":
            found = 0.0
            for name, wanted in arguments["RequestItems"].items():
                items = answer["Responses"][name]
                units = sum(max(1, -(-size_of(item) // 4096)) for item in items) + len(wanted["Keys"]) - len(items)
                found += units if wanted.get("ConsistentRead") else units / 2
            return found
        case "TransactGetItems":
            return 2.0 * len(arguments["TransactItems"])
    return 0


# The world


class Metered(Functions):
    """Functions whose own calls are measured, and those of nobody else."""

    meter: Meter | None = None

    def call(self, function: str, event: dict[str, Any]) -> Any:
        if self.meter is None:
            return super().call(function, event)
        with self.meter.on(self._aws):
            return super().call(function, event)


class FakeWire:
    """In place of the wire to providers: it answers each message with an id, after a time."""

    seconds = 0.0
    ids = count(1)
    sent: list[tuple[datetime, str]] = []  # noqa: RUF012 - emptied by each world
    """When, and what was called: the path names the instance."""
    bodies: list[dict[str, Any]] = []  # noqa: RUF012

    def __init__(self, _hosts: Any, clock: Any) -> None:
        self._clock = clock

    def __call__(self, url: str, headers: Any, body: bytes, deadline: float) -> Answer:
        if self.seconds:
            time.sleep(self.seconds)
        self.sent.append((self._clock.now(), url))
        asked = json.loads(body)
        # As long as theirs are.
        number = f"3EB0{next(self.ids):016X}" if "number" in asked else f"wamid.{next(self.ids):052X}"
        self.bodies.append(asked | {"made": number})
        answer = {"key": {"id": number}} if "number" in asked else {"messages": [{"id": number}]}
        return Answer(201 if "number" in asked else 200, json.dumps(answer).encode())


class Clocked(Broadcaster):
    """An owner whose queues are worked off by a clock."""

    def __init__(self, aws: Account, functions: Metered, clock: Any) -> None:
        super().__init__(aws, functions, clock)
        self.metered = functions
        self.due: list[tuple[datetime, int, str]] = []
        """What lies on the queue of steps: when it is due."""
        self._numbers = count()
        self._random = random.Random(16)
        self.steps_run = 0

    @contextmanager
    def measured(self) -> Iterator[Meter]:
        """What the functions do meanwhile."""
        self.metered.meter = meter = Meter()
        yield meter
        self.metered.meter = None

    # The queue of steps is a heap here: at thousands of steps there is no time to look for them.

    def take_over(self) -> None:
        sqs, url = self.aws.sqs, self.aws.ref(QUEUE)
        assert sqs
        real = sqs.call

        def call(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            if operation == "SendMessage" and arguments["QueueUrl"] == url:
                at = self.now + timedelta(seconds=arguments.get("DelaySeconds", 0))
                heapq.heappush(self.due, (at, next(self._numbers), arguments["MessageBody"]))
                return {"MessageId": "m"}
            return real(operation, arguments)

        sqs.call = call  # type: ignore[method-assign]

    @property
    def now(self) -> datetime:
        return datetime.now(NOON.tzinfo)

    def run(self, until: Callable[[], bool], *, late: bool = False) -> None:
        """Run steps at their times, until something is so or none is left."""
        while self.due and not until():
            at, number, body = heapq.heappop(self.due)
            lateness = self._random.uniform(*LATENESS) if late else 0.0
            self.clock.move_to(max(self.now, at + timedelta(seconds=lateness)))
            self.steps_run += 1
            assert self.hand_over("broadcasts/worker-steps", body, f"step-{number}")

    # Numbers and campaigns

    def number(self, provider: str, rate: int) -> str:
        """The id of an instance with this rate."""
        where: dict[str, Any] = {"provider": provider, "address": _ADDRESS, "rateLimit": rate}
        where |= _EVOLUTION if provider == "evolution" else {"credentials": _META_KEYS}
        return self.instance(role=_role(rate), **where)

    def stored(self, instance: str, rows: int, rate: int, first: int = 0) -> str:
        """The id of a campaign that may be started."""
        body = self.body(people(first + rows)[first:], instanceId=instance, rateLimit=rate)
        made = str(self.told("create", body=body, status=201, role=_role(rate))["id"])
        self.run(lambda: not self.due)
        return made

    def sending(self, instance: str, rows: int, rate: int) -> str:
        """The id of a campaign that was started, and has sent nothing."""
        made = self.stored(instance, rows, rate)
        self.start(made)
        return made

    # What comes of messages

    def relay(self) -> None:
        """Put all events on the bus, as the stream of the outbox does."""
        event = an_event("operations/outbox_relay-rows")
        record = event["Records"][0]
        ids = [each["id"] for each in self.aws.items("OutboxTable") if each["status"] == "pending"]
        event["Records"] = [record | {"dynamodb": record["dynamodb"] | {"Keys": {"id": {"S": each}}}} for each in ids]
        self.invoke("operations/outbox_relay-rows", event)

    def hear_of(self, instance: str, provider: str, bodies: Sequence[dict[str, Any]], word: str) -> None:
        """The provider tells this of each message, by a request each."""
        for each in bodies:
            to, callback = str(each.get("number") or each["to"]), each.get("biz_opaque_callback_data", "")
            call = Call(provider, _ADDRESS, to, "", callback, {}, self.now, message_id=each["made"])
            webhook = webhooks.status(call, word, self.now)
            event = an_event(f"broadcasts/webhooks/api-tell{provider}")
            path = f"/webhooks/{provider}/{instance}"
            event |= {"rawPath": path, "body": webhook.body.decode()}
            event["requestContext"]["http"]["path"] = path
            event["headers"] |= {name.lower(): value for name, value in webhook.headers.items()}
            assert self.functions.call("BroadcastsWebhooksApiFunction", event)["statusCode"] == 200

    def apply(self, together: int) -> None:
        """Work off what was heard, so many messages of the queue in a batch."""
        event = an_event("broadcasts/webhooks/worker-events")
        record = event["Records"][0]
        for bodies in batched(self.take(_EVENTS_QUEUE, ahead=timedelta(0)), together, strict=False):
            event["Records"] = [record | {"messageId": f"m{next(self._numbers)}", "body": each} for each in bodies]
            assert self.functions.call(_CONSUMER, event) == {"batchItemFailures": []}


def _role(rate: int) -> str:
    """Whose rate it is: an owner has 60 a minute."""
    return "operator" if rate > 60 else "user"


@contextmanager
def a_world(seconds: float = 0.0) -> Iterator[Clocked]:
    with (
        modelled_account() as aws,
        nothing_cached(),
        time_machine.travel(NOON, tick=False) as clock,
        pytest.MonkeyPatch.context() as patch,
    ):
        assert aws.sqs
        patch.setattr(aws.sqs, "call", aws.sqs.call)
        aws.choose(MaxRatePerMinute="4800")
        patch.setattr(wire, "Wire", FakeWire)
        patch.setattr(FakeWire, "seconds", seconds)
        FakeWire.sent.clear()
        FakeWire.bodies.clear()
        world = Clocked(aws, Metered(aws), clock)
        world.take_over()
        yield world


# Messages and webhooks


@dataclass(frozen=True)
class Measured:
    """What a message came to, in AWS calls and units: of the worker, of the relay, of three webhooks."""

    worker: Meter
    relay: Meter
    webhooks: Meter
    messages: int
    steps: int

    @property
    def units(self) -> int:
        """Write units of all."""
        return self.worker.units + self.relay.units + self.webhooks.units

    @property
    def reads(self) -> float:
        """Read units of all."""
        return self.worker.read + self.relay.read + self.webhooks.read

    def each(self, quantity: float) -> float:
        """Of a message."""
        return quantity / self.messages


def measured(provider: str, rate: int, skip: int, messages: int, together: int) -> Measured:
    """So many messages of a running campaign, after the first ones."""
    with a_world() as world:
        instance = world.number(provider, rate)
        world.sending(instance, skip + 2 * messages, rate)
        world.run(lambda: len(FakeWire.sent) >= skip)
        world.relay()
        steps, sent = world.steps_run, len(FakeWire.sent)
        with world.measured() as worker:
            world.run(lambda: len(FakeWire.sent) >= sent + messages)
        number, bodies = len(FakeWire.sent) - sent, FakeWire.bodies[sent:]
        with world.measured() as relay:
            world.relay()
        with world.measured() as heard:
            for word in ("sent", "delivered", "read"):
                world.hear_of(instance, provider, bodies, word)
                world.apply(together)
        return Measured(worker, relay, heard, number, world.steps_run - steps)


def one_by_one(messages: int = 30) -> Measured:
    """A message a second, at Evolution; each webhook is applied alone."""
    return measured("evolution", 60, 3, messages, 1)


def in_batches(messages: int = TOGETHER) -> Measured:
    """45 messages at once, at the Cloud API; ten webhooks are applied together."""
    return measured("meta", 4800, 90, messages, 10)


def bench_messages() -> None:
    one, many = one_by_one(), in_batches()
    table = a_table("a message", "1/s, Evolution", "budget", "45 at once, Cloud API", "budget")

    def row(name: str, quantity: Callable[[Measured], float], *budgets: float | None) -> None:
        cells = [name]
        for found, budget in zip((one, many), budgets, strict=True):
            figure = found.each(quantity(found))
            cells += [f"{figure:.2f}", "" if budget is None else f"{budget:g}{_verdict(figure, budget)}"]
        table.add_row(*cells)

    row("AWS calls of the worker", lambda each: each.worker.calls, 8, 0.4)
    row("write units, worker and relay", lambda each: each.worker.units + each.relay.units, 32, 7.2)
    row("write units, sent, delivered and read", lambda each: each.webhooks.units, 8, 4.4)
    row("**write units**", lambda each: each.units, 40, 11.6)
    row("read units, worker, relay and webhooks", lambda each: each.reads, 15, 4.4)
    row("AWS calls of three webhooks", lambda each: each.webhooks.calls, None, None)
    template = source()
    bills = cost.messages(template), cost.messages_together(template)
    figures = [f"{bill.usd / 1000:.4f}" for bill in bills]
    verdicts = [
        f"{budget}{_verdict(bill.usd / 1000, budget)}" for bill, budget in zip(bills, (0.041, 0.014), strict=True)
    ]
    table.add_row("**USD per 1,000 messages**", figures[0], verdicts[0], figures[1], verdicts[1])
    console.print(table)
    kinds = a_table("write units of the worker, by item", "1/s", "45 at once")
    for kind in dict.fromkeys([*one.worker.written, *many.worker.written]):
        kinds.add_row(kind, f"{one.each(one.worker.written[kind]):.2f}", f"{many.each(many.worker.written[kind]):.2f}")
    console.print(kinds)


def _verdict(figure: float, budget: float) -> str:
    return "" if figure <= budget * 1.005 else " **missed**"


# Speed


def bench_speed() -> None:
    table = a_table("the provider answers in", "messages a second", "of CPU time")
    for seconds in (0.0, CALL_SECONDS):
        with a_world(seconds) as world:
            world.sending(world.number("meta", 4800), 3 * TOGETHER, 4800)
            world.run(lambda: len(FakeWire.sent) >= 45)
            sent, began, used = len(FakeWire.sent), time.perf_counter(), time.process_time()
            most = sent + TOGETHER
            world.run(lambda: len(FakeWire.sent) >= most)  # noqa: B023 - it is called at once
            took, used = time.perf_counter() - began, time.process_time() - used
            messages = len(FakeWire.sent) - sent
        table.add_row(f"{1000 * seconds:.0f} ms", f"{messages / took:.0f}", f"{messages / used:.0f}")
    console.print(table)


# The pace


@dataclass(frozen=True)
class Kept:
    """Times of calls on a number, in seconds, and what was promised."""

    rate: int
    width: int
    slack: float
    seconds: float
    times: Sequence[float]

    @property
    def share(self) -> float:
        """Of the rate."""
        return sum(each < self.seconds for each in self.times) / (self.seconds * self.rate / 60)

    @property
    def most_over(self) -> float:
        """Messages above `(W + slack) / T + k`, in the worst of all windows W; not above 0 if the promise is kept."""
        interval = 60 / self.rate
        worst, least = float("-inf"), float("inf")
        for number, at in enumerate(sorted(self.times)):
            least = min(least, number - at / interval)
            worst = max(worst, number + 1 - at / interval - least)
        return worst - self.slack / interval - self.width

    def cells(self) -> list[str]:
        share, over = self.share, self.most_over
        return [
            f"{100 * share:.1f} %{'' if share >= 0.98 else ' **missed**'}",
            "never" if over <= 1e-6 else f"by {over:.0f} messages **missed**",
        ]


def through_the_handler(rate: int, number_rate: int, campaigns: int, seconds: float) -> Kept:
    """Campaigns on one number, whose steps run at their times."""
    with a_world() as world:
        instance = world.number("meta", number_rate)
        rows = int(seconds * rate / 60) + 100
        made = [world.stored(instance, rows, rate, first=each * rows) for each in range(campaigns)]
        began = world.now
        for each in made:
            world.start(each)
        end = began + timedelta(seconds=seconds)
        world.run(lambda: world.now >= end, late=True)
        times = [(at - began).total_seconds() for at, _ in FakeWire.sent]
    pace = Pace(number_rate, rate)
    return Kept(min(campaigns * rate, number_rate), pace.width, pace.slack.total_seconds(), seconds, times)


def by_the_rules(rate: int, seconds: float) -> Kept:
    """One campaign by `pacing.turn` alone: its steps at the same times, without anything around them."""
    pace, chance = Pace(rate, rate), random.Random(16)
    now = due = NOON
    slot, tat, times = None, None, []
    while (now - NOON).total_seconds() < seconds:
        now = max(now, due + timedelta(seconds=chance.uniform(*LATENESS)))
        found = turn(pace, slot, tat, now, MOST_AT_ONCE)
        slot, tat = found.slot, found.tat
        times += [(now - NOON).total_seconds()] * found.count
        due = now + timedelta(seconds=max(0, math.ceil((slot.at - now).total_seconds())))
    return Kept(rate, pace.width, pace.slack.total_seconds(), seconds, times)


def as_the_source(rate: int, number_rate: int, campaigns: int, seconds: float) -> Kept:
    """An in-process timer for each campaign: send one row, wait for the answer, sleep for the interval."""
    each = [number * (CALL_SECONDS + 60 / rate) for number in range(int(seconds * rate / 60) + 1)]
    times = [at for at in each if at < seconds] * campaigns
    pace = Pace(number_rate, rate)
    return Kept(min(campaigns * rate, number_rate), pace.width, pace.slack.total_seconds(), seconds, times)


def bench_pace() -> None:
    table = a_table(
        "ten minutes of", "of the rate (98 %)", "above (W + slack) / T + k", "an in-process timer", "above the same"
    )
    minutes = 60.0 * MINUTES
    table.add_row(
        "1 a minute", *through_the_handler(1, 60, 1, minutes).cells(), *as_the_source(1, 60, 1, minutes).cells()
    )
    table.add_row(
        "60 a minute", *through_the_handler(60, 60, 1, minutes).cells(), *as_the_source(60, 60, 1, minutes).cells()
    )
    table.add_row(
        "two of 60 a minute on a number of 60",
        *through_the_handler(60, 60, 2, minutes).cells(),
        *as_the_source(60, 60, 2, minutes).cells(),
    )
    table.add_row(
        "80 a second, by its rules alone",
        *by_the_rules(4800, minutes).cells(),
        *as_the_source(4800, 4800, 1, minutes).cells(),
    )
    table.add_row("80 a second, for one minute", *through_the_handler(4800, 4800, 1, 60).cells(), "", "")
    console.print(table)


# Lists


def bench_lists() -> None:
    table = a_table("figure", "measured", "budget")
    table.add_row(
        f"rows a second that a check reads, of {CSV_ROWS:,}", f"{_checked(CSV_ROWS):,.0f}", "1,111: a million in 900 s"
    )
    remembered = _remembered(ROLL_ROWS)
    table.add_row(
        f"bytes that a check keeps of a row, of {ROLL_ROWS:,}", f"{remembered:.0f}", f"100{_verdict(remembered, 100)}"
    )
    with a_world() as world:
        instance = world.number("meta", 4800)
        began = time.perf_counter()
        body = world.body(people(LAID), instanceId=instance, rateLimit=4800)
        made = world.told("create", body=body, status=201, role="operator")["id"]
        created = time.perf_counter() - began
        began = time.perf_counter()
        with world.measured() as meter:
            world.run(lambda: not world.due)
        laid = time.perf_counter() - began
        assert world.aws.dynamo
        items = [
            size_of(each)
            for each in world.aws.dynamo.tables["MessagesTable"].items.values()
            if each["id"]["S"].startswith("brd_")
        ]
        table.add_row(f"rows a second that a request takes, of {LAID:,}", f"{LAID / created:,.0f}", "")
        table.add_row("rows a second that are laid down", f"{LAID / laid:,.0f}", "")
        table.add_row("write units a row, laid down", f"{meter.units / LAID:.2f}", "2")
        table.add_row("bytes of a row's item", f"{sum(items) / len(items):.0f}", "500")
        world.start(made)
        world.run(lambda: len(FakeWire.sent) >= TOGETHER)
        world.hear_of(instance, "meta", FakeWire.bodies, "delivered")
        world.apply(1)
        with world.measured() as meter:
            world.progress(made)
        table.add_row("read units of progress", f"{meter.read:g}", f"1{_verdict(meter.read, 1)}")
    console.print(table)


def _checked(rows: int) -> float:
    """Rows a second of the check of a file."""
    lines = "".join(f"55119{80_000_000 + number:08d},Person {number}\n" for number in range(rows))
    with modelled_account() as aws, nothing_cached(), time_machine.travel(NOON, tick=False) as clock:
        importer = Importer(aws, Functions(aws), clock)
        aws.choose(MaxRecipients=str(rows))
        made = importer.uploaded("phone,name\n" + lines)
        began = time.perf_counter()
        assert importer.check(made)
        took = time.perf_counter() - began
        assert importer.find(made).importing.tally.accepted == rows
    return rows / took


def _remembered(rows: int) -> float:
    """Bytes a row of what stays while a list is read, at its peak; the rest of a check is a stream."""
    roll = Roll(OWNER, b"key", None, "UTC", regions)
    roll.take(Entry(1, "551170000000", {}))
    tracemalloc.start()
    for number in range(rows):
        assert roll.take(Entry(number, f"55119{number:08d}", {}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / rows


def bench_resources() -> None:
    resources = translated()["Resources"]
    number = len(resources)
    table = a_table("the translated template", "resources", "budget", "limit of AWS")
    table.add_row("all contexts", str(number), f"{RESOURCES}{_verdict(number, RESOURCES)}", "500")
    console.print(table)


if __name__ == "__main__":
    main()
