"""The world: the real handlers, under a virtual clock, fed by what the template says feeds them.

It is single-threaded and deterministic. What happens at once happens inside a call: see `Nemesis`.
"""

import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import md5
from importlib import import_module
from io import BytesIO
from itertools import count
from typing import Any, Protocol
from unittest.mock import patch

import time_machine
from botocore.client import BaseClient
from botocore.session import Session

from sluice import ids
from sluice.records import RecordProcessor
from tests.account import Account, account, modelled_account
from tests.dynamo.model import Dynamo, Written, refusal
from tests.faults.cache import REDIS
from tests.faults.environment import environment, kept_apart
from tests.faults.wiring import QueueSource, Recurring, StreamSource, Wiring, is_in, is_keyed
from tests.gateway import Context, a_request
from tests.packages import nothing_cached

_MISTAKES = (AttributeError, TypeError, LookupError, NameError)
"""What is raised by mistake alone, whatever went wrong before it."""
START = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html: "approximately 16 times".
MOST_HOPS = 16
_THROUGH = (
    "sluice.dynamodb",
    "sluice.commit",
    "sluice.store",
    "views.shards.store",
    "broadcasts.store",
    "broadcasts.threads",
    "hooks.store",
    "tests.reference.sandbox",
)
REQUESTS = "RequestsTable"
SWEEPER = "OperationsSweeperFunction"
_NEVER_RESTORED = ("AuditTable", "OutboxTable", REQUESTS)
_create_client = Session.create_client
_STREAM_RETRY = timedelta(seconds=1)
# Lambda tries an asynchronous invocation that failed twice more.
_ASYNC_RETRIES = (timedelta(minutes=1), timedelta(minutes=2))

type Chain = Counter[str]
"""How often each function was invoked in one chain of requests: what AWS keeps in its trace header."""


class Crash(BaseException):
    """The process is gone. No handler may catch it."""


@dataclass(frozen=True)
class Site:
    """A place where a handler calls out: the `number`th call of the run, the `call`th of its invocation."""

    number: int
    function: str
    call: int
    operation: str
    has_effect: bool
    depth: int
    line: str
    """Of the source, where the call is made."""

    @property
    def place(self) -> str:
        """Which of the call sites it is: a line that two functions run is two."""
        return f"{self.function} {self.line} {self.operation}"


class Nemesis(Protocol):
    """What goes wrong. It is asked at each call, and makes it or not."""

    def at(self, world: "World", site: Site, effect: Callable[[], Any]) -> Any: ...


class Violation(BaseException):
    """An invariant does not hold. No handler may catch it."""


class Watcher(Protocol):
    """What must hold at every moment. A context has its own."""

    def wrote(self, world: "World", written: list[Written]) -> None: ...
    def published(self, world: "World", entries: list[Any]) -> None: ...
    def asked(self, world: "World", request: "Request") -> None: ...
    def answered(self, world: "World", request: "Request", status: int, body: Any) -> None: ...
    def delivered(self, world: "World") -> None: ...
    def kept(self, world: "World") -> None: ...
    def restored(self, world: "World") -> None: ...


@dataclass(eq=False)
class Message:
    """A message of a queue."""

    id: str
    body: str
    visible_at: datetime
    sent_at: datetime
    chain: Chain
    receives: int = 0


@dataclass(frozen=True)
class OneTime:
    """A one-time schedule into a queue."""

    at: datetime
    queue: str
    body: str


@dataclass(eq=False)
class Shard:
    """What a stream has not delivered yet, and when it tries again."""

    source: StreamSource
    records: list[dict[str, Any]] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    attempts: int = 0
    batch: int = 0
    due_at: datetime = START


@dataclass(frozen=True)
class Request:
    """A request over HTTP, with an id that its repeats share."""

    method: str
    path: str
    body: Any = None
    id: str = "request"
    role: str = "admin"
    subject: str = "ada"
    address: str = "192.0.2.1"
    agent: str = "Mozilla/5.0"
    has_key: bool = True
    """Whether its id is its Idempotency-Key, too."""
    is_repeat: bool = False
    """Whether it comes late, long after its answer: then nothing may come of it, and no watcher hears of it."""


@dataclass
class Invocation:
    """A handler that runs."""

    function: str
    event: dict[str, Any]
    chain: Chain
    calls: int = 0
    is_dead: bool = False
    has_failed: bool = False
    first: int = 0
    """The number of its first call."""


@dataclass(order=True)
class Due:
    """Something that is going to happen."""

    at: datetime
    order: int
    act: Callable[[], None] = field(compare=False)
    what: str = field(compare=False, default="")


class World:
    """Everything between the functions, and what is due in it."""

    def __init__(self, aws: Account, traveller: time_machine.Traveller, packages: Collection[str]) -> None:
        self.aws = aws
        self._traveller = traveller
        ours = {*packages, "sluice"}
        self._is_ours = cache(lambda module: is_in(module, ours))
        self.wiring = Wiring(aws.resources, lambda value: str(aws.resolve(value)), packages)
        self.dynamo = Dynamo(aws.resources, self._wrote)
        self._deployed = {name: {**os.environ, **aws.environment(name)} for name in self.wiring.handlers}
        self._environments = deepcopy(self._deployed)
        self._handlers = {name: _handler(path) for name, path in self.wiring.handlers.items()}
        self.modules = [import_module(path.rpartition(".")[0]) for path in self.wiring.handlers.values()]
        self._queue_of_url = {aws.ref(name): name for name in self.wiring.queues}
        self._queue_of_arn = {aws.arn(name): name for name in self.wiring.queues}
        self._secrets = {aws.ref(name): aws.secret(name) for name in self.wiring.secrets}
        self.number = 0
        """Of the run."""
        self.far = timedelta.max
        """One-time schedules that are further away are not waited for."""
        self.cache: Any = None
        """Its Redis, if it has one."""
        self.forget()

    def forget(self, began: datetime = START) -> None:
        """Begin anew: an empty account, with the same template."""
        self.number += 1
        self.began = began
        self._traveller.move_to(began)
        self.dynamo.forget()
        self._configured()
        self.queues: dict[str, list[Message]] = {name: [] for name in self.wiring.queues}
        self.one_time: dict[str, OneTime] = {}
        self.shards = [Shard(source, due_at=began) for source in self.wiring.stream_sources]
        self.silent: Collection[str] = ()
        """Targets whose recurring schedules do not fire."""
        self.lose = 0
        """How many of the next messages are lost: SQS does not lose any, but people purge queues."""
        self.bus: list[dict[str, Any]] = []
        self.parameters: dict[str, str] = {}
        """What Parameter Store holds."""
        self.objects: dict[str, tuple[str, bytes]] = {}
        """What the buckets hold: the type and the bytes of each object."""
        self.later: list[Due] = []
        self.happened = ""
        """What happened last."""
        self.recurring = {schedule.name: schedule.next_after(began) for schedule in self.wiring.recurring}
        self.watchers: list[Watcher] = []
        self.nemesis: Nemesis | None = None
        self.sites: list[Site] = []
        self._places: set[str] = set()
        self.is_first = False
        """Whether the last call is the first one of the run at its place."""
        self.dropped: list[str] = []
        """The functions whose hop was dropped."""
        self.crashes: list[BaseException] = []
        self.broken: list[BaseException] = []
        self.is_replay = False
        """Whether the last request was answered by what is kept of its key."""
        """Of those, what a function behind the API did not answer for."""
        self.kept: dict[str, dict[Any, Any]] | None = None
        """The tables' items at a moment to which a restore takes them back."""
        self.is_restored = False
        self.random = _pseudo_random()
        self._numbers = count(1)
        self._running: list[Invocation] = []

    # --- Settings

    def _configured(self) -> None:
        """As the template has it."""
        if self._environments != self._deployed:
            self._environments = deepcopy(self._deployed)
            self.begin_processes()

    def configure(self, name: str, value: str) -> None:
        """Deploy the functions with another value of an environment variable."""
        for variables in self._environments.values():
            if name in variables:
                variables[name] = value
        self.begin_processes()

    def setting(self, name: str) -> str:
        """An environment variable: the same for all functions that have it."""
        return next(variables[name] for variables in self._environments.values() if name in variables)

    def begin_processes(self) -> None:
        """What the functions have built once for each process is gone."""
        for module in self.modules:
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()

    # --- Time

    def now(self) -> datetime:
        return datetime.now(UTC)

    def pass_time(self, until: datetime) -> None:
        if until > self.now():
            self._traveller.move_to(until)

    def after(self, delay: timedelta, act: Callable[[], None], what: str = "") -> None:
        self.later.append(Due(self.now() + delay, next(self._numbers), act, what))

    # --- A restore

    def keep(self) -> None:
        """Remember the tables that are restored together, as they are now."""
        self.kept = {
            name: dict(table.items) for name, table in self.dynamo.tables.items() if name not in _NEVER_RESTORED
        }
        for watcher in self.watchers:
            watcher.kept(self)

    def put_back(self) -> None:
        """Take the tables back to what was kept; what was answered to keys is forgotten."""
        for name, items in (self.kept or {}).items():
            self.dynamo.tables[name].items = dict(items)
        self.dynamo.tables[REQUESTS].items.clear()
        self.is_restored = True
        # What is on its way is of a time that was taken back: it needs the sweeper, and the schedules of queues.
        self.silent = {*self.silent} - {SWEEPER, *self.queues}
        for watcher in self.watchers:
            watcher.restored(self)

    # --- What is due

    def agenda(self) -> list[Due]:
        """What is going to happen, in order; recurring schedules last of what is due at once."""
        due = list(self.later)
        for source in self.wiring.queue_sources:
            due += [
                Due(message.visible_at, 10, self._delivery(source, message), f"{source.queue} {message.id}")
                for message in self.queues[source.queue]
            ]
        due += [Due(each.at, 20, self._firing(name, each), f"schedule {name}") for name, each in self.one_time.items()]
        due += [
            Due(max(shard.due_at, self.began), 0, self._streaming(shard), f"stream {shard.source.table}")
            for shard in self.shards
            if shard.records
        ]
        for schedule in self._audible():
            due.append(Due(self.recurring[schedule.name], 1 << 40, self._period(schedule), schedule.name))
        due.sort()
        return due

    def _audible(self) -> list[Recurring]:
        return [schedule for schedule in self.wiring.recurring if schedule.target not in self.silent]

    def step(self) -> None:
        """Let the next thing happen."""
        due = self.agenda()[0]
        self.pass_time(due.at)
        self.happen(due)

    def happen(self, due: Due) -> None:
        if due in self.later:
            self.later.remove(due)
        self.happened = due.what
        due.act()
        if not self._running:
            for watcher in self.watchers:
                watcher.delivered(self)

    def is_quiet(self) -> bool:
        """Whether nothing is on its way: only recurring schedules are left."""
        fed = {source.queue for source in self.wiring.queue_sources}
        return not (
            self.later
            or any(each.at - self.now() <= self.far for each in self.one_time.values())
            or any(self.queues[name] for name in fed)
            or any(shard.records for shard in self.shards)
        )

    def _delivery(self, source: QueueSource, message: Message) -> Callable[[], None]:
        def deliver() -> None:
            waiting = self.queues[source.queue]
            visible = [each for each in waiting if each.visible_at <= self.now() and each is not message]
            self.deliver(source, [message, *visible[: source.batch_size - 1]])

        return deliver

    def deliver(self, source: QueueSource, messages: list[Message]) -> None:
        """Hand messages to the function that the queue feeds, and take away what it acknowledges."""
        rules, waiting = self.wiring.queues[source.queue], self.queues[source.queue]
        handed = []
        for message in messages:
            message.receives += 1
            if rules.max_receives and message.receives > rules.max_receives:
                waiting.remove(message)
                assert rules.dead_letters
                self.queues[rules.dead_letters].append(message)
            else:
                message.visible_at = self.now() + rules.visibility
                handed.append(message)
        if not handed:
            return
        chain: Chain = Counter()
        for message in handed:
            chain |= message.chain
        event = {"Records": [_sqs_record(message, self.aws.arn(source.queue)) for message in handed]}
        answer = self.invoke(source.function, event, chain)
        if answer is None:
            return
        failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]} if source.takes_failures else set()
        for message in handed:
            if message.id not in failed:
                self._acknowledge(message)

    def _firing(self, name: str, schedule: OneTime) -> Callable[[], None]:
        def fire() -> None:
            del self.one_time[name]
            self.send(schedule.queue, schedule.body, timedelta(), Counter())

        return fire

    def send(self, queue: str, body: str, delay: timedelta, chain: Chain) -> Message:
        now = self.now()
        message = Message(f"message-{next(self._numbers)}", body, now + delay, now, chain)
        if self.lose:
            self.lose -= 1
        else:
            self.queues[queue].append(message)
        return message

    def _period(self, schedule: Recurring) -> Callable[[], None]:
        def fire() -> None:
            at = self.recurring[schedule.name]
            self.recurring[schedule.name] = schedule.next_after(at)
            self._fire(schedule, at)

        return fire

    def _fire(self, schedule: Recurring, at: datetime) -> None:
        body = schedule.input.replace("<aws.scheduler.scheduled-time>", f"{at:%Y-%m-%dT%H:%M:%SZ}")
        if schedule.target in self.wiring.queues:
            self.send(schedule.target, body, timedelta(), Counter())
        else:
            self.invoke_later(schedule.target, json.loads(body), _ASYNC_RETRIES)

    def invoke_later(self, function: str, event: dict[str, Any], retries: tuple[timedelta, ...] = ()) -> None:
        """An asynchronous invocation, which is repeated when it fails."""
        if self.invoke(function, event, Counter()) is None and retries:
            self.after(retries[0], lambda: self.invoke_later(function, event, retries[1:]), f"again {function}")

    def _streaming(self, shard: Shard) -> Callable[[], None]:
        return lambda: self.stream(shard)

    def stream(self, shard: Shard) -> None:
        """Hand a batch of a stream's records to its function."""
        source = shard.source
        size = min(shard.batch or source.batch_size, len(shard.records))
        records = shard.records[:size]
        chain: Chain = Counter()
        for each in shard.chains[:size]:
            chain |= each
        answer = self.invoke(source.function, {"Records": records}, chain)
        if answer is not None and not (source.takes_failures and answer["batchItemFailures"]):
            _done(shard, size)
            return
        if answer is not None:
            # Everything before the first failure is done.
            failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            before = next(n for n, each in enumerate(records) if each["dynamodb"]["SequenceNumber"] in failed)
            if before:
                _done(shard, before)
        elif source.bisects and size > 1:
            shard.batch = size // 2
            return
        shard.attempts += 1
        shard.due_at = max(shard.due_at, self.now() + _STREAM_RETRY)
        if shard.attempts > source.attempts:
            if source.on_failure:
                self.send(
                    source.on_failure, json.dumps({"given up": shard.records[0]["eventID"]}), timedelta(), Counter()
                )
            _done(shard, 1)

    # --- Invocations

    def http(self, request: Request) -> tuple[int, Any]:
        """Send a request: the status, and the body if it is JSON. A function that fails is answered for with a 500."""
        watchers = [] if request.is_repeat else self.watchers
        for watcher in watchers:
            watcher.asked(self, request)
        function = self.wiring.function_of(request.method, request.path)
        event = a_request(request.method, request.path, body=request.body, role=request.role, subject=request.subject)
        # A client's repeat is another request to the gateway: it is the key that says what it repeats.
        event["requestContext"]["requestId"] = (
            f"{request.id}/{len(self.sites)}"
            if request.has_key and is_keyed(request.method, request.path)
            else request.id
        )
        event["requestContext"]["http"]["sourceIp"] = request.address
        event["headers"]["user-agent"] = request.agent
        if request.has_key:
            event["headers"]["idempotency-key"] = request.id
        answer = self.invoke(function, event, Counter())
        if answer is None:
            if not isinstance(self.crashes[-1], (Crash, *_MISTAKES)):
                self.broken.append(self.crashes[-1])
            return 500, None
        status, body = answer["statusCode"], json.loads(answer["body"])
        self.is_replay = "Idempotency-Replayed" in answer["headers"]
        if status == 500:
            self.broken.append(AssertionError(body))
        for watcher in watchers:
            watcher.answered(self, request, status, body)
        return status, body

    def invoke(self, function: str, event: dict[str, Any], chain: Chain) -> Any:
        """What the function answers; None when it crashes, or when AWS takes it for an endless loop."""
        if chain[function] >= MOST_HOPS and not self.wiring.may_loop(function):
            self.dropped.append(function)
            return None
        invocation = Invocation(function, event, chain + Counter({function: 1}), first=len(self.sites))
        apart = kept_apart(self.modules) if self._running else nullcontext()
        self._running.append(invocation)
        try:
            with apart, environment(self._environments[function]):
                return self._handlers[function](event, Context())
        except (Crash, Exception) as error:
            self.crashes.append(error)
            self.raised(error)
            invocation.has_failed = True
            return None
        finally:
            self._running.pop()

    def raised(self, error: BaseException) -> None:
        """A function, or a record of a function's, ended in an error."""
        if isinstance(error, _MISTAKES):
            self.broken.append(error)

    @contextmanager
    def environment_of(self, function: str) -> Iterator[None]:
        """Lets a test use what a function is made of."""
        with environment(self._environments[function]):
            yield

    @property
    def running(self) -> list[Invocation]:
        """The invocation that runs, last; before it those that it interrupts."""
        return self._running

    def again(self, invocation: Invocation) -> None:
        """Another copy of what an invocation was given. What it acknowledges is gone from its queue."""
        chain = invocation.chain - Counter({invocation.function: 1})
        answer = self.invoke(invocation.function, json.loads(json.dumps(invocation.event)), chain)
        for message in self._messages_of(invocation):
            failures = answer["batchItemFailures"] if answer is not None else [{"itemIdentifier": message.id}]
            if {"itemIdentifier": message.id} not in failures:
                self._acknowledge(message)

    def put_off(self, invocation: Invocation, delay: timedelta) -> None:
        """Let what an invocation was given come again only after `delay`, if it is not acknowledged."""
        for message in self._messages_of(invocation):
            message.visible_at = self.now() + delay
        for shard in self.shards:
            if invocation.event.get("Records", [None])[0] in shard.records:
                shard.due_at = self.now() + delay

    def hear(self, target: str) -> None:
        """Let a silent target's recurring schedules fire from now on."""
        self.silent = {*self.silent} - {target}
        its = (schedule for schedule in self.wiring.recurring if schedule.target == target)
        self.recurring |= {schedule.name: schedule.next_after(self.now()) for schedule in its}

    def fire_schedules(self) -> None:
        """Let every recurring schedule fire now, whatever its time; it will again at that."""
        for schedule in self._audible():
            self._fire(schedule, self.now())

    def others(self) -> None:
        """Let everything happen that is due now, but for what is being worked on."""
        busy = {id(each) for invocation in self._running for each in self._messages_of(invocation)}
        for source in self.wiring.queue_sources:
            for message in list(self.queues[source.queue]):
                if message.visible_at <= self.now() and id(message) not in busy:
                    self.deliver(source, [message])
        working = {invocation.function for invocation in self._running}
        for shard in self.shards:
            if shard.records and shard.due_at <= self.now() and shard.source.function not in working:
                self.stream(shard)

    def _messages_of(self, invocation: Invocation) -> list[Message]:
        names = {record.get("messageId") for record in invocation.event.get("Records", [])}
        return [message for queue in self.queues.values() for message in queue if message.id in names]

    def _acknowledge(self, message: Message) -> None:
        for queue in self.queues.values():
            if message in queue:
                queue.remove(message)

    # --- Calls of the handlers

    def call(self, client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        if not self._running:  # the test itself looks
            return self.dynamo.call(operation, arguments)
        invocation = self._running[-1]
        if invocation.is_dead:
            raise Crash
        site = self._site(invocation, operation)
        # Before it is asked anything, for what a caller changes afterwards was not sent.
        chain = invocation.chain

        def effect() -> Any:
            return self._effect(client, operation, arguments, chain)

        if self.nemesis is None:
            return effect()
        return self.nemesis.at(self, site, effect)

    def redis(self, command: Callable[[], None]) -> None:
        """A command that a handler sends to Redis."""
        self.outside(REDIS, command)

    def outside(self, operation: str, effect: Callable[[], Any]) -> Any:
        """A call that a handler makes to somebody who is not AWS."""
        invocation = self._running[-1]
        if invocation.is_dead:
            raise Crash
        site = self._site(invocation, operation)
        if self.nemesis is None:
            return effect()
        return self.nemesis.at(self, site, effect)

    def _site(self, invocation: Invocation, operation: str) -> Site:
        number, depth = len(self.sites), len(self._running)
        effect = _has_effect(operation)
        site = Site(number, invocation.function, invocation.calls, operation, effect, depth, self._line())
        self.is_first = site.place not in self._places
        self._places.add(site.place)
        self.sites.append(site)
        invocation.calls += 1
        return site

    def _line(self) -> str:
        """Where the product is, but for the modules and helpers through which it makes every call."""
        frame = sys._getframe(2)
        while (
            (module := frame.f_globals["__name__"]) in _THROUGH
            or frame.f_code.co_name == "_commit"
            or not self._is_ours(module)
        ):
            assert frame.f_back
            frame = frame.f_back
        return f"{module}:{frame.f_lineno}"

    def die(self, invocation: Invocation) -> None:
        invocation.is_dead = True
        raise Crash

    def _effect(self, client: BaseClient, operation: str, arguments: dict[str, Any], chain: Chain) -> Any:
        match operation:
            case "SendMessage":
                delay = timedelta(seconds=arguments.get("DelaySeconds", 0))
                assert timedelta() <= delay <= timedelta(minutes=15)
                message = self.send(self._queue_of_url[arguments["QueueUrl"]], arguments["MessageBody"], delay, chain)
                return {"MessageId": message.id}
            case "CreateSchedule":
                return self._create_schedule(client, arguments)
            case "PutEvents":
                return self._put_events(arguments, chain)
            case "GetSecretValue":
                return {"SecretString": self._secrets[arguments["SecretId"]]}
            case "GetParameter":
                if arguments["Name"] not in self.parameters:
                    missing = refusal(operation, "ParameterNotFound").response
                    raise client.exceptions.ParameterNotFound(missing, operation)
                return {"Parameter": {"Value": self.parameters[arguments["Name"]]}}
            case "GetObject" | "HeadObject" | "CopyObject":
                return self._of_s3(operation, arguments)
            case "PutObject":
                self.objects[arguments["Key"]] = arguments["ContentType"], _bytes(arguments["Body"])
                return {}
        return self.dynamo.call(operation, arguments)

    def _of_s3(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        source = arguments["CopySource"]["Key"] if operation == "CopyObject" else arguments["Key"]
        if source not in self.objects:
            raise refusal(operation, "NoSuchKey")
        kind, found = self.objects[source]
        etag = f'"{md5(found, usedforsecurity=False).hexdigest()}"'
        if operation == "CopyObject":
            if arguments["CopySourceIfMatch"] != etag.strip('"'):
                raise refusal(operation, "PreconditionFailed")
            self.objects[arguments["Key"]] = self.objects[source]
            return {}
        if arguments.get("IfMatch", etag) != etag:
            raise refusal(operation, "PreconditionFailed")
        first, _, last = arguments.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        some = found[int(first) : int(last) + 1 if last else None]
        size = f"bytes {first}-{int(first) + len(some) - 1}/{len(found)}"
        about = {"ContentLength": len(some), "ContentType": kind, "ETag": etag}
        return about | {"ContentRange": size, "Body": BytesIO(some)}

    def _put_events(self, arguments: dict[str, Any], chain: Chain) -> dict[str, Any]:
        self.bus += arguments["Entries"]
        for entry in arguments["Entries"]:
            for rule in self.wiring.bus_rules:
                message = rule.message(entry["DetailType"], entry["Detail"])
                if message is not None:
                    self.send(rule.queue, message, timedelta(), chain)
        for watcher in self.watchers:
            watcher.published(self, arguments["Entries"])
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "event"} for _ in arguments["Entries"]]}

    def _create_schedule(self, client: BaseClient, arguments: dict[str, Any]) -> dict[str, Any]:
        name = f"{arguments['GroupName']}/{arguments['Name']}"
        if name in self.one_time:
            raise client.exceptions.ConflictException(refusal("CreateSchedule", "ConflictException").response, "x")
        assert arguments["ActionAfterCompletion"] == "DELETE"
        at = datetime.strptime(arguments["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)
        target = arguments["Target"]
        self.one_time[name] = OneTime(at, self._queue_of_arn[target["Arn"]], target["Input"])
        return {"ScheduleArn": name}

    def _wrote(self, written: list[Written]) -> None:
        chain = self._running[-1].chain if self._running else Counter()
        for each in written:
            for shard in self.shards:
                if shard.source.table == each.table and shard.source.passes(record := self._record(each)):
                    shard.records.append(record)
                    shard.chains.append(chain)
                    shard.due_at = max(shard.due_at, self.now())
        for watcher in self.watchers:
            try:
                watcher.wrote(self, written)
            except Exception as error:  # a handler would catch it, and be called again
                raise Violation(f"a watcher failed: {error!r}") from error

    def _record(self, written: Written) -> dict[str, Any]:
        number = str(next(self._numbers))
        kind = "REMOVE" if written.after is None else "MODIFY" if written.before is not None else "INSERT"
        return {
            "eventID": number,
            "eventName": kind,
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "Keys": written.key,
                "SequenceNumber": number,
                "StreamViewType": "KEYS_ONLY",
                "ApproximateCreationDateTime": int(self.now().timestamp()),
            },
        }


def _handler(path: str) -> Callable[[dict[str, Any], Any], Any]:
    module, _, name = path.rpartition(".")
    handler: Callable[[dict[str, Any], Any], Any] = getattr(import_module(module), name)
    return handler


def _done(shard: Shard, size: int) -> None:
    del shard.records[:size], shard.chains[:size]
    shard.attempts = shard.batch = 0


def _bytes(body: Any) -> bytes:
    """What is put into a bucket: bytes, or a file."""
    if isinstance(body, bytes):
        return body
    found: bytes = body.read()
    return found


def _has_effect(operation: str) -> bool:
    return not operation.startswith(("Get", "BatchGet", "TransactGet", "Query", "Receive", "LookUp", "Head"))


def _sqs_record(message: Message, arn: str) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": f"receipt of {message.id}",
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.receives), "SentTimestamp": "0"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "us-east-1",
    }


def _pseudo_random() -> Callable[[int], bytes]:
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


@contextmanager
def a_world(packages: Collection[str], template_text: str | None = None, **parameters: str) -> Iterator[World]:
    """A world in which the template is deployed, and the functions of `packages` are fed."""
    import sluice.dynamodb

    with ExitStack() as stack:
        # The world has tables and queues of its own: of the account it takes names, which are the same each time.
        aws = stack.enter_context(account(template_text) if template_text else modelled_account())
        aws.choose(**parameters)
        traveller = stack.enter_context(time_machine.travel(START, tick=False))
        world = World(aws, traveller, packages)
        logged = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, logged)
        stack.enter_context(nothing_cached())
        stack.enter_context(patch.object(BaseClient, "_make_api_call", lambda *call: world.call(*call)))
        stack.enter_context(patch.object(Session, "create_client", _one_client_each()))
        stack.enter_context(patch.object(ids.new_id, "__defaults__", (lambda size: world.random(size),)))
        nonces = count(1)
        stack.enter_context(patch.object(ids.nonce, "__defaults__", (lambda size: next(nonces).to_bytes(size, "big"),)))
        stack.enter_context(patch.object(sluice.dynamodb, "uniform", lambda _low, _high: 0.0))
        stack.enter_context(patch.object(RecordProcessor, "failure_handler", _noting(world)))
        yield world


def _noting(world: World) -> Callable[..., Any]:
    """What is made of a record that failed, with its error noted."""
    put_back = RecordProcessor.failure_handler

    def failed(processor: RecordProcessor, record: Any, exception: Any) -> Any:
        world.raised(exception[1])
        return put_back(processor, record, exception)

    return failed


def _one_client_each() -> Callable[..., Any]:
    """Every call goes to the world, whichever client makes it; and a client takes longer to make than a campaign."""
    clients: dict[str, Any] = {}

    def create_client(session: Session, service: str, *arguments: Any, **options: Any) -> Any:
        if service not in clients:
            clients[service] = _create_client(session, service, *arguments, **options)
        return clients[service]

    return create_client
