"""Broadcasts in one process: the real chain on the model of DynamoDB, a clock by hand, providers that follow a script.

After each delivery the world checks what must always hold: the counters are the sum of the rows, and no recipient was
accepted twice but by somebody's word. Faults are injected at numbered calls: of the database, of a provider, of a wake.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import EndpointConnectionError

from broadcasts import bootstrap, campaign, threads
from broadcasts.broadcasting import BroadcastBatches
from broadcasts.calls import Begun, Calls
from broadcasts.campaign import Broadcast, Change, Terms, Text
from broadcasts.contacts import ContactStore
from broadcasts.frozen import Texts
from broadcasts.instance import Instance, ProviderName
from broadcasts.items import InstanceItem, OwnerItem
from broadcasts.lanes import Lane
from broadcasts.laying import Laying
from broadcasts.looks import Looks
from broadcasts.owners import Owner
from broadcasts.ports import PATIENT, Accepted, Message, Outcome, Patience
from broadcasts.row import Counts, Row, RowKey, Work, counts
from broadcasts.store import BroadcastStore, Progress
from sluice import platform
from sluice.commit import CommitSettings, database
from sluice.errors import Unavailable
from sluice.ids import new_id
from sluice.outward import Absent, CannotTell, Found, Seen, Unknown
from sluice.platform import PlatformStatus
from sluice.steps import Step, StepChain
from tests.account import Account
from tests.dynamo.model import refusal
from tests.factories import NOON, FixedClock

VISIBILITY = timedelta(seconds=360)
_SWEPT_AFTER = timedelta(minutes=5)
_RECEIVES = 5
_OBJECT = 20
ADA = "ada"
INSTANCE = "ins_1"


class Crash(BaseException):
    """The worker is gone."""


class Lost(Exception):
    """A transaction is committed, and its answer says that a condition failed, as when the SDK repeats it."""


@dataclass(frozen=True)
class Vanished:
    """A script: the request is lost, and nobody knows."""


@dataclass(frozen=True)
class AnswerLost:
    """A script: the message is accepted, and its answer is lost."""


type Scripted = Outcome | Vanished | AnswerLost | Callable[[], Outcome]


@dataclass
class ScriptedProvider:
    """A `Provider` that does what was scripted for a phone, call by call, and then accepts."""

    world: "World"
    patience: Patience = PATIENT
    can_be_asked: bool = True
    absence_is_proof: bool = True
    scripts: dict[str, list[Scripted]] = field(default_factory=lambda: defaultdict(list))
    accepted: dict[str, str] = field(default_factory=dict)
    """By attempt: the id."""
    sent: list[tuple[datetime, str]] = field(default_factory=list)
    """Calls that began: when, and to which phone."""
    messages: list[Message] = field(default_factory=list)

    def send(self, message: Message, attempt: str, deadline: float) -> Outcome:
        return self.world.at("send", lambda: self._send(message, attempt))

    def _send(self, message: Message, attempt: str) -> Outcome:
        self.sent.append((self.world.now, message.to))
        self.messages.append(message)
        script = self.scripts[message.to].pop(0) if self.scripts[message.to] else None
        match script:
            case None:
                return self._accept(message, attempt)
            case Accepted(message_id):
                return self._accept(message, attempt, message_id)
            case Vanished():
                return Unknown("No answer in time")
            case AnswerLost():
                self._accept(message, attempt)
                return Unknown("The answer was lost")
            case _:
                return script() if callable(script) else script

    def _accept(self, message: Message, attempt: str, message_id: str | None = None) -> Accepted:
        self.accepted[attempt] = message_id or f"wamid.{attempt}"
        self.world.accepted[message.to] += 1
        self.world.accepted_rows[message.callback.rpartition("/")[0]] += 1
        return Accepted(self.accepted[attempt])

    def find(
        self,
        message: Message,
        attempt: str,
        since: datetime,
        until: datetime,
        is_taken: Callable[[str], bool],
    ) -> Seen:
        def look() -> Seen:
            if not self.can_be_asked:
                return CannotTell("no way to look")
            return Found(self.accepted[attempt]) if attempt in self.accepted else Absent()

        return self.world.at("find", look)

    def parse_events(self, body: bytes, headers: Mapping[str, str], now: datetime) -> list[Any]:
        raise NotImplementedError


@dataclass
class Queued:
    """A message of the queue."""

    id: str
    campaign_id: str
    step: int
    visible_at: datetime
    receives: int = 0


class World:
    """One account. `may_twice`: rows that somebody has agreed may be sent twice."""

    def __init__(self, aws: Account) -> None:
        self.aws = aws
        assert aws.dynamo
        self.dynamo = aws.dynamo
        self.clock = FixedClock(NOON)
        self.store: BroadcastStore = bootstrap.store(
            bootstrap.StoreSettings(
                audit_table="AuditTable",
                outbox_table="OutboxTable",
                broadcasts_table="BroadcastsTable",
                messages_table="MessagesTable",
            )
        )
        self.queue: list[Queued] = []
        self.accepted: Counter[str] = Counter()
        """By phone: how often a provider accepted a message to it; and beside it, by row."""
        self.accepted_rows: Counter[str] = Counter()
        self.may_twice: set[str] = set()
        self.lists: dict[str, list[Row]] = {}
        self.providers: dict[str, ScriptedProvider] = {}
        self.site = 0
        self.places: list[str] = []
        self.faults: dict[int, str] = {}
        """What happens at a numbered call: before, after, lost, unreachable."""
        self.before: dict[int, Callable[[], None]] = {}
        """What somebody else does just before a numbered call."""
        self.is_ready = True
        """Whether the secrets of instances can be read."""
        self.steps = 0
        self.deliveries: list[datetime] = []
        self._inside = False
        self._ids = 0
        self.texts = Texts(self.store)
        begun: dict[str, Begun] = {}
        laying = Laying(self.store, self._object, _OBJECT)
        batches = BroadcastBatches(
            self.store,
            self.texts,
            laying,
            lambda found: self.provider(found.id).patience,
            lambda _: "BR",
            self.ready,
            begun,
        )
        looks = Looks(self.store, self.texts, self.clock)
        calls = Calls(
            self.store,
            lambda found: self.provider(found.id),
            self.texts,
            ContactStore(database(CommitSettings("AuditTable", "OutboxTable"))),
            lambda owner, media_id, seconds: f"https://files.example/{owner}/{media_id}?for={seconds}",
            looks,
            threads.run_in_order,
            self.clock,
            jitter=lambda: 1.0,
            begun=begun,
        )
        self.chain: StepChain[Broadcast] = StepChain(batches, self.wake, self.clock, calls)  # type: ignore[arg-type]

    @property
    def now(self) -> datetime:
        return self.clock.time

    def provider(self, instance_id: str = INSTANCE) -> ScriptedProvider:
        return self.providers.setdefault(instance_id, ScriptedProvider(self))

    def ready(self, instance: Instance) -> None:
        """As the reading of secrets. Raises Unavailable."""
        if not self.is_ready:
            raise Unavailable(f"The secrets of {instance.id} cannot be read")

    def _object(self, found: Broadcast, number: int) -> list[Row]:
        return self.lists[found.source or ""][number * _OBJECT : (number + 1) * _OBJECT]

    # What is there

    def an_instance(self, instance_id: str = INSTANCE, **changes: Any) -> Instance:
        values: dict[str, Any] = {"owner": ADA, "name": "Shop", "provider": ProviderName.META, "address": instance_id}
        values |= {"created_at": NOON, "updated_at": NOON}
        made = Instance(id=instance_id, **values | changes)
        InstanceItem.of(made).save()
        return made

    def an_owner(self, **changes: Any) -> None:
        made = Owner(owner=ADA, **changes)
        OwnerItem(*OwnerItem.key(ADA), **{name: value for name, value in vars(made).items() if name != "owner"}).save()

    def a_broadcast(
        self,
        rows: int = 3,
        *,
        text: Text | None = None,
        zones: tuple[tuple[str, ...], ...] = (("UTC",),),
        first: int = 0,
        variables: Mapping[str, str] | None = None,
        **terms: Any,
    ) -> str:
        """A draft with `rows` recipients, who are spread over the lanes; their phones count from `first`."""
        if not self.store.instance(terms.get("instance_id", INSTANCE)):
            self.an_instance(terms.get("instance_id", INSTANCE))
        values = {"name": "Winter", "instance_id": INSTANCE, "rate_limit": 60} | terms
        brd = new_id(campaign.PREFIX, self.now)
        words = text or Text(1, "Hello {{name|you}}")
        assert self.commit(campaign.create(brd, ADA, Terms(**values), words, "USD", self.now))
        self.give(brd, rows, zones=zones, first=first, variables=variables)
        return brd

    def give(
        self,
        brd: str,
        rows: int,
        *,
        zones: tuple[tuple[str, ...], ...] = (("UTC",),),
        first: int = 0,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Accept a list for a campaign in place of the one before."""
        present = self.get(brd)
        source = f"lists/{brd}/{len(self.lists)}"
        numbers: Counter[int] = Counter()
        made = []
        for line in range(rows):
            lane = line % len(zones)
            key = RowKey(present.generation + 1, lane, numbers[lane])
            numbers[lane] += 1
            phone = phone_of(first + line)
            made.append(
                Row(
                    campaign_id=brd,
                    key=key,
                    phone=phone,
                    contact=f"c{phone}",
                    line=line + 1,
                    variables=dict(variables or {"name": f"N{line}"}),
                )
            )
        self.lists[source] = made
        lanes = [Lane(number, each, numbers[number]) for number, each in enumerate(zones)]
        after = campaign.listed(present.commanded(self.now), source, lanes, self.now)
        self.command(brd, lambda found: Change(found, after, campaign.Action.EDITED))

    def get(self, brd: str) -> Broadcast:
        found = self.store.get(brd)
        assert found
        return found

    def progress(self, brd: str) -> Progress:
        found = self.store.progress(brd)
        assert found
        return found

    def counts(self, brd: str) -> Counts:
        return self.progress(brd).counts

    def rows(self, brd: str) -> list[Row]:
        """The rows of the present list that are laid down."""
        present = self.get(brd)
        lanes = present.lanes
        keys = [RowKey(present.generation, lane.number, number) for lane in lanes for number in range(lane.rows)]
        found = self.store.rows(brd, keys)
        return [found[key] for key in keys if key in found]

    def row(self, brd: str, number: int = 0, lane: int = 0) -> Row:
        found = self.store.row(brd, RowKey(self.get(brd).generation, lane, number))
        assert found
        return found

    def items(self, table: str, begin: str) -> list[dict[str, Any]]:
        return [each for each in self.dynamo.items(table) if str(each["id"]).startswith(begin)]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [each for each in self.dynamo.items("OutboxTable") if name in str(each)]

    # What people do

    def commit(self, change: Change) -> Broadcast | None:
        return self.store.commit(change, ADA, self.now)

    def command(self, brd: str, asked: Callable[[Broadcast], Change]) -> Broadcast:
        """Commit a command, and wake the chain as the API does."""
        inside, self._inside = self._inside, False
        try:
            for _ in range(5):
                if after := self.commit(asked(self.get(brd))):
                    if after.is_live:
                        self.wake(brd, after.step, after.wake_at or self.now)
                    return after
        finally:
            self._inside = inside
        raise AssertionError("Others kept committing first")

    def start(self, brd: str) -> Broadcast:
        return self.command(brd, lambda found: campaign.start(found, self.now))

    def resume(self, brd: str) -> Broadcast:
        return self.command(brd, lambda found: campaign.start(found, self.now, resumes=True))

    def pause(self, brd: str) -> Broadcast:
        return self.command(brd, lambda found: campaign.pause(found, self.now))

    def cancel(self, brd: str) -> Broadcast:
        return self.command(brd, lambda found: campaign.cancel(found, self.now))

    def retry(self, brd: str, *, include_unknown: bool = False, include_final: bool = False) -> Broadcast:
        if include_unknown:
            self.may_twice |= {f"{brd}/{each.key}" for each in self.rows(brd) if each.work is Work.CLOSED}
        return self.command(
            brd,
            lambda found: campaign.retry(
                found, self.counts(brd), self.now, include_unknown=include_unknown, include_final=include_final
            ),
        )

    def delete(self, brd: str) -> Broadcast:
        return self.command(brd, lambda found: campaign.delete(found, self.now))

    def set_platform(self, status: PlatformStatus) -> None:
        items = platform.items_in("BroadcastsTable")
        items(
            status=status, reason="test", actor=ADA, changed_at=self.now, request="r", audit_number=1, audit_hash="h"
        ).save()

    # What the machine does

    def wake(self, campaign_id: str, step: int, at: datetime) -> None:
        def put() -> None:
            self._ids += 1
            seconds = max(0, -(-(at - self.now) // timedelta(seconds=1)))
            due_at = self.now + timedelta(seconds=seconds)
            self.queue.append(Queued(f"m{self._ids}", campaign_id, step, due_at))

        self.at("wake", put)

    def at(self, place: str, effect: Callable[[], Any]) -> Any:
        """A call of the worker: a fault may be scripted for it."""
        if not self._inside:
            return effect()
        self.site += 1
        self.places.append(place)
        if self.site in self.before:
            self._inside = False
            self.before.pop(self.site)()
            self._inside = True
        match self.faults.pop(self.site, None):
            case "before":
                raise Crash
            case "after":
                effect()
                raise Crash
            case "lost" if place == "TransactWriteItems":
                effect()
                raise Lost
            case "unreachable":
                effect()
                if place in ("send", "find"):
                    raise Crash
                if place == "wake":
                    raise Unavailable("The next step could not be sent")
                raise EndpointConnectionError(endpoint_url="https://dynamodb")
        return effect()

    def deliver(self) -> bool:
        """Deliver the next message; False when there is none."""
        if not self.queue:
            return False
        message = min(self.queue, key=lambda each: (each.visible_at, each.id))
        self.clock.time = max(self.now, message.visible_at)
        message.receives += 1
        self.deliveries.append(self.now)
        self._inside = True
        try:
            self.chain.run(Step(message.campaign_id, message.step), message.id)
        except (Crash, Unavailable):
            message.visible_at = self.now + VISIBILITY
            if message.receives >= _RECEIVES:
                self.queue.remove(message)
        else:
            self.queue.remove(message)
        finally:
            self._inside = False
        self.check(message.campaign_id)
        return True

    def run(self, until: datetime | None = None, most: int = 2000) -> None:
        """Deliver what is due until then, or until nothing is left; the sweeper wakes what was forgotten."""
        for _ in range(most):
            if until and (not self.queue or min(each.visible_at for each in self.queue) > until):
                self.clock.time = max(self.now, until)
                return
            if not self.queue and not self._sweep():
                return
            if self.queue:
                self.deliver()
        raise AssertionError(f"It does not end: {self.deliveries[-10:]}")

    def run_for(self, **duration: float) -> None:
        self.run(self.now + timedelta(**duration))

    def _sweep(self) -> bool:
        for brd in {str(each["id"]) for each in self.items("BroadcastsTable", "brd_") if each["part"] == "campaign"}:
            found = self.get(brd)
            if found.is_live and found.wake_at:
                self.clock.time = max(self.now, found.wake_at + _SWEPT_AFTER)
                self.wake(brd, found.step, self.now)
                return True
        return False

    def check(self, brd: str) -> None:
        """What always holds."""
        found = self.store.progress(brd)
        assert found
        if found.campaign.status in campaign.GONE:
            return
        rows = self.rows(brd)
        laid = sum((counts(each) for each in rows), Counts())
        there = Counts(pending=found.campaign.accepted - len(rows))
        assert found.counts == laid + there, f"{found.counts}\n{laid + there}"
        for name, number in self.accepted_rows.items():
            assert number == 1 or (number == 2 and name in self.may_twice), f"{name} was accepted {number} times"
        for each in rows:
            if each.attempt in self.provider(found.campaign.instance_id).accepted:
                assert each.work is not Work.FAILED or each.evidence, f"{each} was accepted"

    def check_at_rest(self, brd: str) -> None:
        """What holds when a campaign has come to rest."""
        self.check(brd)
        total = self.counts(brd)
        found = self.get(brd)
        assert not found.is_live
        assert total.in_flight == 0
        if found.status is campaign.BroadcastStatus.COMPLETED:
            assert total.open == 0
            assert not self.progress(brd).due


def phone_of(number: int) -> str:
    return f"55119{number:08d}"


@contextmanager
def a_world(aws: Account) -> Iterator[World]:
    """A world whose every call of the database may fail."""
    world = World(aws)
    real = world.dynamo.call

    def call(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            found: dict[str, Any] = world.at(operation, lambda: real(operation, arguments))
        except Lost:
            reasons = [{"Code": "ConditionalCheckFailed"} for _ in arguments["TransactItems"]]
            raise refusal(operation, "TransactionCanceledException", CancellationReasons=reasons) from None
        return found

    world.dynamo.call = call  # type: ignore[method-assign]
    try:
        yield world
    finally:
        world.dynamo.call = real  # type: ignore[method-assign]
