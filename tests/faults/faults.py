"""What goes wrong: a fault at one call of a handler, and how what it was working on is delivered again."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from redis import exceptions as redis_exceptions

from tests.dynamo.model import refusal
from tests.faults.cache import REDIS
from tests.faults.world import Invocation, Site, World

# Long enough for the sweeper to have come, and for everything else to have gone on.
LATE = timedelta(minutes=25)


class Fault(StrEnum):
    """What happens at a call. The SDK's own attempts lie below: these are what it gives up with."""

    NONE = "no fault"
    CRASH_BEFORE = "crash before the call"
    CRASH_AFTER = "crash after its effect"
    THROTTLED = "throttled"
    TIMEOUT = "timeout without the effect"
    TIMEOUT_APPLIED = "timeout with the effect applied"
    CONFLICT = "transaction conflict"
    PART = "a part of it is not done"
    SENT_TWICE = "sent twice by the SDK"
    UNHEARD = "its answer lost, and refused when the SDK repeats it"
    LOST = "Redis connection lost"
    EMPTY = "Redis restarted empty"
    SLOW = "Redis did it after the client gave up"


FAULTS = tuple(fault for fault in Fault if fault is not Fault.NONE)
OF_REDIS_ALONE = (Fault.LOST, Fault.EMPTY, Fault.SLOW)
OF_AWS = tuple(fault for fault in FAULTS if fault not in (*OF_REDIS_ALONE, Fault.UNHEARD))


class Delivery(StrEnum):
    """What becomes of the message, record, event or request that the handler was given."""

    AGAIN = "redelivered"
    AT_ONCE = "delivered twice at once"
    LATE = "delivered late and out of order"


class Crossing(StrEnum):
    """What happens in the middle of a call that is otherwise well."""

    COMMAND = "the next command"
    COMMANDS = "the next commands"
    SCHEDULES = "every recurring schedule"
    OTHERS = "everything else that is due"
    REPEATS = "every command before it, once more with its key"


class Restore(StrEnum):
    """What an operator does with the tables, in the middle of a call that is otherwise well."""

    KEPT = "the tables are kept"
    PUT_BACK = "the tables are put back"


_OF_REDIS = frozenset({Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.TIMEOUT, Fault.TIMEOUT_APPLIED, *OF_REDIS_ALONE})
_OF_OTHERS = frozenset({Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.TIMEOUT, Fault.TIMEOUT_APPLIED})
# To somebody outside: the client repeats nothing by itself.
OUTSIDE = frozenset({"Call", "LookUp"})
_TRANSACTION = frozenset({"TransactWriteItems"})
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})


def can_happen(fault: Fault, site: Site) -> bool:
    """Whether a call knows such a fault. A read has no effect, so that half of them are the same for it."""
    if fault is Fault.NONE:
        return True
    if site.operation == REDIS:
        return fault in _OF_REDIS
    if site.operation in OUTSIDE and fault not in _OF_OTHERS:
        return False
    match fault:
        case Fault.LOST | Fault.EMPTY | Fault.SLOW:
            return False
        case Fault.CRASH_AFTER | Fault.TIMEOUT_APPLIED:
            return site.has_effect
        case Fault.UNHEARD:
            return site.operation in _TRANSACTION
        case Fault.CONFLICT:
            return site.operation in _TRANSACTION | _WRITES
        case Fault.PART:
            return site.operation in ("BatchGetItem", "PutEvents")
        case Fault.SENT_TWICE:
            # A transaction carries a token, which makes its copy harmless for ten minutes.
            return site.has_effect and site.operation not in _TRANSACTION
    return True


def is_told(fault: Fault, site: Site) -> bool:
    """Whether the caller hears that his call failed. Of one to Redis he does not: its client tries again."""
    if site.operation == REDIS:
        return False
    if fault is Fault.PART:
        return site.operation == "PutEvents"
    return fault in (Fault.THROTTLED, Fault.TIMEOUT, Fault.TIMEOUT_APPLIED, Fault.CONFLICT)


@dataclass(frozen=True)
class Injection:
    """One thing that goes wrong, at the `at`th call of a run."""

    at: int
    fault: Fault
    how: Delivery | Crossing | Restore

    def __str__(self) -> str:
        return f"call {self.at}: {self.fault}, {self.how}"


class Faults:
    """Injects, and tells `disturbed` each time.

    `cross` lets a script's next command come in, if it can; `repeat` lets those before it come again.
    """

    def __init__(
        self,
        injections: Iterable[Injection],
        disturbed: Callable[[], None],
        cross: Callable[[], bool],
        repeat: Callable[[World], None],
        only_while: Callable[[World], bool] | None = None,
        only_in: tuple[str, ...] = (),
        never_in: Collection[str] = (),
    ) -> None:
        self._injections = {each.at: each for each in injections}
        self._disturbed = disturbed
        self._cross = cross
        self._repeat = repeat
        self._only_while = only_while
        self._only_in = only_in
        self._never_in = never_in
        self.sites: list[Site] = []
        """Where something could go wrong."""
        self.reached: list[Site] = []
        """All calls."""
        self.hit: list[tuple[Injection, Site, Invocation]] = []
        self.late: list[Invocation] = []

    def add(self, injection: Injection) -> None:
        self._injections[injection.at] = injection

    def at(self, world: World, site: Site, effect: Callable[[], Any]) -> Any:
        self._note(world, site)
        injection = self._injections.pop(site.number, None)
        if injection is None or not self._can_hit(injection, site):
            return effect()
        invocation = world.running[-1]
        self.hit.append((injection, site, invocation))
        self._disturbed()
        self._meanwhile(world, injection.how, invocation)
        return _fail_by_kind(world, injection.fault, site.operation, effect)

    def _meanwhile(self, world: World, how: Delivery | Crossing | Restore, invocation: Invocation) -> None:
        match how:
            case Delivery.AT_ONCE:
                world.again(invocation)
            case Delivery.LATE:
                self.late.append(invocation)
                world.put_off(invocation, LATE)
                world.after(LATE, lambda: self._again(world, invocation), "a late copy")
            case Crossing.COMMAND | Crossing.COMMANDS:
                while self._cross() and how is Crossing.COMMANDS:
                    pass
            case Crossing.SCHEDULES:
                world.fire_schedules()
            case Crossing.OTHERS:
                world.others()
            case Crossing.REPEATS:
                self._repeat(world)
            case Restore():
                world.keep() if how is Restore.KEPT else world.put_back()

    def _can_hit(self, injection: Injection, site: Site) -> bool:
        # Where the second of a pair hits depends on the first.
        return can_happen(injection.fault, site) and self._may_break(site.function)

    def _may_break(self, function: str) -> bool:
        return function not in self._never_in and (not self._only_in or function in self._only_in)

    def _note(self, world: World, site: Site) -> None:
        self.reached.append(site)
        if self._may_break(site.function) and (self._only_while is None or self._only_while(world)):
            self.sites.append(site)

    def _again(self, world: World, invocation: Invocation) -> None:
        # A client repeats a request only while it has no answer, which it sees to itself.
        if "rawPath" not in invocation.event:
            self._disturbed()
            world.again(invocation)


def _fail_by_kind(world: World, fault: Fault, operation: str, effect: Callable[[], Any]) -> Any:
    if operation == REDIS:
        return fail_redis(world, fault, effect)
    if operation in OUTSIDE:
        return fail_outside(world, fault, effect)
    return fail(world, fault, operation, effect)


def fail(world: World, fault: Fault, operation: str, effect: Callable[[], Any]) -> Any:
    """Make a call, with a fault."""
    invocation = world.running[-1]
    match fault:
        case Fault.CRASH_BEFORE:
            world.die(invocation)
        case Fault.CRASH_AFTER:
            _regardless(effect)
            world.die(invocation)
        case Fault.TIMEOUT:
            raise ConnectTimeoutError(endpoint_url="aws")
        case Fault.TIMEOUT_APPLIED:
            _regardless(effect)
            raise ReadTimeoutError(endpoint_url="aws")
        case Fault.THROTTLED | Fault.CONFLICT:
            raise _refused(fault, operation)
        case Fault.UNHEARD:
            _regardless(effect)
            raise _canceled("ConditionalCheckFailed")
        case Fault.PART:
            return _part(operation, effect)
        case Fault.SENT_TWICE:
            effect()
    return effect()


def _refused(fault: Fault, operation: str) -> Exception:
    if operation in _TRANSACTION:
        return _canceled("ThrottlingError" if fault is Fault.THROTTLED else "TransactionConflict")
    return refusal(operation, "ThrottlingException" if fault is Fault.THROTTLED else "TransactionConflictException")


def fail_outside(world: World, fault: Fault, effect: Callable[[], Any]) -> Any:
    """Make a call to somebody outside, with a fault."""
    match fault:
        case Fault.CRASH_BEFORE:
            world.die(world.running[-1])
        case Fault.CRASH_AFTER:
            effect()
            world.die(world.running[-1])
        case Fault.TIMEOUT:
            raise TimeoutError
        case Fault.TIMEOUT_APPLIED:
            effect()
            raise TimeoutError
    return effect()


def fail_redis(world: World, fault: Fault, command: Any) -> None:
    """Send a command to Redis, with a fault."""
    invocation = world.running[-1]
    match fault:
        case Fault.CRASH_BEFORE:
            command.hang_up()
            world.die(invocation)
        case Fault.CRASH_AFTER:
            command.is_done()
            world.die(invocation)
        case Fault.TIMEOUT:
            command.hang_up()
            raise redis_exceptions.TimeoutError
        case Fault.LOST:
            command.hang_up()
            raise redis_exceptions.ConnectionError
        case Fault.TIMEOUT_APPLIED:
            command.answer_lost()
            return
        case Fault.SLOW:
            command.is_late()
        case Fault.EMPTY:
            command.restart()
    command()


def _regardless(effect: Callable[[], Any]) -> None:
    """What the caller does not hear of may as well be a refusal."""
    try:
        effect()
    except Exception:
        return


def _canceled(code: str) -> Exception:
    return refusal("TransactWriteItems", "TransactionCanceledException", CancellationReasons=[{"Code": code}])


def _part(operation: str, effect: Callable[[], Any]) -> Any:
    if operation == "PutEvents":
        return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
    answer = effect()
    table, items = next(iter(answer["Responses"].items()))
    if items:
        key_names = _key_names(items[0])
        left = [{name: items[-1][name] for name in key_names}]
        return {"Responses": {table: items[:-1]}, "UnprocessedKeys": {table: {"Keys": left, "ConsistentRead": True}}}
    return answer


def _key_names(item: dict[str, Any]) -> list[str]:
    return [name for name in ("id", "part", "account", "line") if name in item] if "key" not in item else ["key"]
