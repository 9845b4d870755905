"""Tracks views in Redis: one script, one round trip. Imports redis and nothing else that is heavy.

It speaks to a node's connection itself. The client's own retries would count a view twice, and its exceptions do not
tell a command that was never sent from one whose answer was lost.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from hashlib import sha1
from math import ceil
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    MovedError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)

from sluice.errors import Misconfigured, Unavailable
from views import keys
from views.beside import ALONE, Beside
from views.breaker import OPEN_SECONDS, Breaker
from views.rules import COUNTED, Calendar, Decision, Rules

TIMEOUT_SECONDS = 0.1
_ANSWERED_NO = (ResponseError, AuthenticationError, AuthorizationError, BusyLoadingError)
"""Errors that the server answers instead of running the command."""
_TAKES_NO_WRITES = (OutOfMemoryError, ReadOnlyError)
_TAKES_NO_WRITES_CODE = re.compile(r"(^|: -)(OOM|READONLY|MISCONF|NOREPLICAS) ")
"""What a server answers to a script's first write while it takes none: a code that the client knows becomes a type and
is cut off. The client does not know the last two, and Redis 6.2 puts each of them inside a sentence of its own.
"""


_NUMBERS = Struct(">QQQIBHIIQIIBBBIBB")
"""As `track.lua` reads them."""


class NotTracked(Unavailable):
    """Raised when the view was certainly not counted: it may be counted elsewhere."""


class LeftAlone(NotTracked):
    """Raised while Redis is left alone because it failed a moment ago: nothing was tried."""


class OutcomeUnknown(Unavailable):
    """Raised when the command went out and no answer came: the view may or may not have been counted."""


class Connection(Protocol):
    """What is used of a client's connection. One that got no answer closes, so that no later command is given it."""

    def send_packed_command(self, command: list[bytes]) -> None: ...
    def read_response(self) -> Any: ...


class Pool(Protocol):
    """One node's connections. `get_connection` connects, or notices that the server hung up and connects again."""

    def get_connection(self) -> Any: ...
    def release(self, connection: Any) -> None: ...


class Nodes(Protocol):
    """A server, or the nodes of a cluster."""

    def pool(self, key: str) -> Pool:
        """The connections to the primary that holds `key`."""

    def learn(self) -> None:
        """Ask again which node holds what."""

    def close(self) -> None: ...


_CLIENT: dict[str, Any] = {
    "socket_timeout": TIMEOUT_SECONDS,
    "socket_connect_timeout": TIMEOUT_SECONDS,
    "protocol": 2,  # with 3 each connection begins with a HELLO
    "driver_info": None,  # else each begins with CLIENT SETINFO, twice
}


class Single:
    """One server."""

    def __init__(self, url: str) -> None:
        self._client = Redis.from_url(url, **_CLIENT)

    def pool(self, key: str) -> Pool:  # noqa: ARG002 - it holds every key
        return self._client.connection_pool

    def learn(self) -> None:
        """There is nothing to learn."""

    def close(self) -> None:
        self._client.close()


class Cluster:
    """A cluster, found through any of its nodes."""

    def __init__(self, url: str) -> None:
        self._client = RedisCluster.from_url(url, **_CLIENT)

    def pool(self, key: str) -> Pool:
        node = self._client.get_node_from_key(key)  # type: ignore[no-untyped-call]
        return self._client.get_redis_connection(node).connection_pool

    def learn(self) -> None:
        self._client.nodes_manager.initialize()

    def close(self) -> None:
        self._client.close()


_MODES: dict[str, Callable[[str], Nodes]] = {"single": Single, "cluster": Cluster}


def nodes(url: str, mode: str) -> Nodes:
    """The server at `url` (`redis://` or `rediss://`), alone or as a node of a cluster: `mode` is single or cluster.

    A cluster is asked for its nodes at once, a single server not before its first command.
    Raises Misconfigured for another mode.
    """
    if mode not in _MODES:
        raise Misconfigured(f"REDIS_MODE must be one of {', '.join(_MODES)}")
    return _MODES[mode](url)


class Call(NamedTuple):
    """What a script is called with."""

    keys: tuple[str, ...]
    arguments: tuple[str | bytes | int, ...]


class Script:
    """A script, sent by its digest; in whole where a server does not have it yet."""

    def __init__(self, name: str) -> None:
        self._text = Path(__file__).with_name(name).read_bytes()

    @cached_property
    def _sha(self) -> str:
        return sha1(self._text, usedforsecurity=False).hexdigest()

    def run(self, pool: Pool, calls: Mapping[int, Call], answers: dict[int, Any]) -> dict[int, Exception]:
        """Run all in one round trip, and put what they answer into `answers`: those that raise NotTracked or
        OutcomeUnknown leave there what came before. Errors that the server answered instead are returned.
        """
        errors = _exchange(
            pool, {number: ("EVALSHA", self._sha, *_flat(call)) for number, call in calls.items()}, answers
        )
        lost = [number for number, error in errors.items() if isinstance(error, NoScriptError)]
        if lost:
            again = {number: ("EVALSHA", self._sha, *_flat(calls[number])) for number in lost}
            again[lost[0]] = ("EVAL", self._text, *_flat(calls[lost[0]]))
            others = {number: error for number, error in errors.items() if number not in again}
            return others | _exchange(pool, again, answers)
        return errors


def _flat(call: Call) -> tuple[str | bytes | int, ...]:
    return (len(call.keys), *call.keys, *call.arguments)


def _exchange(
    pool: Pool, commands: Mapping[int, Sequence[str | bytes | int]], answers: dict[int, Any]
) -> dict[int, Exception]:
    """Send all commands at once, then read an answer to each: into `answers`, or returned when it is an error."""
    try:
        connection: Connection = pool.get_connection()
    except (RedisError, OSError) as error:
        raise NotTracked(f"no connection to Redis ({type(error).__name__})") from error
    errors: dict[int, Exception] = {}
    try:
        connection.send_packed_command([b"".join([_packed(command) for command in commands.values()])])
        for number in commands:
            try:
                answers[number] = connection.read_response()
            except ResponseError as error:
                errors[number] = error
    except _ANSWERED_NO as error:
        # The client closes the connection at these. A server that says one to a command says it to the next.
        errors |= {number: error for number in commands if number not in answers and number not in errors}
    except (RedisError, OSError) as error:
        # Come back when Redis is asked again: it knows whether this one counted.
        raise OutcomeUnknown(f"no answer from Redis ({type(error).__name__})", ceil(OPEN_SECONDS)) from error
    finally:
        pool.release(connection)
    return errors


def _packed(command: Sequence[str | bytes | int]) -> bytes:
    """A command as the protocol has it, in a fifth of the time that the client takes."""
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"*%d\r\n%b" % (len(parts), b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]))


class ViewCounter:
    """Counts views by the rules. `connect` is called when it is needed: at first, and after each failure.

    `seconds` is a clock that never goes back; after a failure Redis is left alone for 5 s of it.
    """

    def __init__(
        self,
        connect: Callable[[], Nodes],
        rules: Rules,
        zone: ZoneInfo,
        shards: int = keys.DEFAULT_SHARDS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._shards = shards
        self._breaker = Breaker(seconds)
        self._calendar = Calendar(zone)
        self._script = Script("track.lua")
        self._nodes: Nodes | None = None
        self._limits = (
            *(
                rules.cooldown_seconds * 1000,
                int(rules.once_per_day),
                rules.max_per_session if rules.session_seconds else 0,
            ),
            *(rules.session_seconds * 1000, rules.max_per_day, rules.memory_seconds * 1000),
            *(rules.max_contents, rules.max_unknown_contents),
        )
        self._registered_only = rules.registered_only
        self._network_limit = rules.network_limit

    def track_many(
        self,
        viewer: str,
        contents: Sequence[tuple[str, str]],
        now: datetime,
        reasons: Sequence[str] = (),
        beside: Beside = ALONE,
    ) -> list[Decision]:
        """Count a viewer's views one after another, or say why not, in one round trip. With `reasons` (a bot) they are
        refused for these alone.

        `viewer` is a viewer's key, and `beside` is what the rules ask besides its state.
        Raises NotTracked (or its child LeftAlone) when none was counted, OutcomeUnknown when some may have been and
        others not.
        """
        return self._decide(viewer, contents, now, reasons, beside, dry=False)

    def explain(
        self,
        viewer: str,
        content_type: str,
        content_id: str,
        now: datetime,
        reasons: Sequence[str] = (),
        beside: Beside = ALONE,
    ) -> Decision:
        """What `track_many` would answer for one view. It counts neither the view nor a refusal. Raises NotTracked."""
        return self._decide(viewer, [(content_type, content_id)], now, reasons, beside, dry=True)[0]

    def _decide(
        self,
        viewer: str,
        contents: Sequence[tuple[str, str]],
        now: datetime,
        reasons: Sequence[str],
        beside: Beside,
        *,
        dry: bool,
    ) -> list[Decision]:
        self._check_that_it_may_be_asked()
        shard = keys.shard_of(viewer, self._shards)
        state, *others = keys.viewer_states(viewer, self._shards, beside.names)
        names = (
            *(state, keys.pending(shard), keys.refused(shard), keys.stats(shard), keys.registered(shard), *others),
            *((keys.network(shard, beside.network),) if beside.network else ()),
        )
        moment = self._calendar.moment(now)
        asked = (dry, self._registered_only, viewer.startswith("anon:"))
        besides = (self._network_limit if beside.network else 0, len(others), bool(beside.today))
        numbers = _NUMBERS.pack(moment.now, moment.day_start, moment.day_end, *self._limits, *asked, *besides)
        rest = (numbers, moment.hour, "+".join(reasons), moment.day)
        fields = [keys.content_field(*content) for content in contents]
        calls = [Call(names, (keys.digest(field), field, *rest)) for field in fields]
        return [_decision(answer) for answer in self._run(calls)]

    def _check_that_it_may_be_asked(self) -> None:
        if seconds := self._breaker.open_seconds:
            raise LeftAlone("Redis failed a moment ago and is left alone", seconds)

    def _run(self, calls: Sequence[Call]) -> list[Any]:
        answers: dict[int, Any] = {}
        try:
            self._answer(dict(enumerate(calls)), answers)
        except NotTracked as error:
            if answers:
                raise OutcomeUnknown(f"some were answered, and then: {error}", ceil(OPEN_SECONDS)) from error
            raise
        return [answers[number] for number in range(len(calls))]

    def _answer(self, calls: Mapping[int, Call], answers: dict[int, Any]) -> None:
        try:
            for error in self._ask(calls, answers).values():
                raise error
        except (AskError, TryAgainError) as error:
            raise NotTracked("the shard is moving to another node") from error
        except _ANSWERED_NO as error:
            if "WRONGTYPE" in str(error):
                # It is read before the first write, so nothing was counted. The next sync moves the key aside.
                raise NotTracked("a key of the shard is of another type") from error
            if "user_script" in str(error) and not _takes_no_writes(error):
                raise  # the script is wrong: that is not for a fallback to hide
            self._leave_alone()
            raise NotTracked(f"Redis refuses commands ({type(error).__name__})") from error
        except (NotTracked, OutcomeUnknown):
            self._leave_alone()
            raise
        except (RedisError, RedisClusterException, OSError) as error:
            # Only finding the nodes raises these.
            self._leave_alone()
            raise NotTracked(f"no node of the cluster answers ({type(error).__name__})") from error

    def _ask(self, calls: Mapping[int, Call], answers: dict[int, Any]) -> dict[int, Exception]:
        """The errors that are left after the shard's present node was asked."""
        if self._nodes is None:
            self._nodes = self._connect()
        key = calls[0].keys[0]
        errors = self._script.run(self._nodes.pool(key), calls, answers)
        moved = {number: calls[number] for number, error in errors.items() if isinstance(error, MovedError)}
        if moved:
            self._nodes.learn()
            others = {number: error for number, error in errors.items() if number not in moved}
            return others | self._script.run(self._nodes.pool(key), moved, answers)
        return errors

    def _leave_alone(self) -> None:
        self._breaker.trip()
        if self._nodes is not None:
            self._nodes.close()
            self._nodes = None


def _takes_no_writes(error: Exception) -> bool:
    return isinstance(error, _TAKES_NO_WRITES) or _TAKES_NO_WRITES_CODE.search(str(error)) is not None


def _decision(answer: Any) -> Decision:
    if answer == 0:
        return COUNTED
    wait, rules = answer
    reasons = tuple(rules.decode().split("+"))
    return Decision.after(reasons, wait) if wait else Decision(reasons)
