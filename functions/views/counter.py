"""Tracks views in Redis: one script, one round trip. Imports redis and nothing else that is heavy.

It speaks to a node's connection itself. The client's own retries would count a view twice, and its exceptions do not
tell a command that was never sent from one whose answer was lost.
"""

import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from hashlib import blake2b, sha1
from math import ceil
from pathlib import Path
from struct import Struct
from typing import Any, Protocol
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
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)

from sluice.errors import Misconfigured, Unavailable
from views import keys
from views.rules import COUNTED, Calendar, Decision, Rules

TIMEOUT_SECONDS = 0.1
LEFT_ALONE_SECONDS = 5.0
_ANSWERED_NO = (ResponseError, AuthenticationError, AuthorizationError, BusyLoadingError)
"""Errors that the server answers instead of running the command."""
_WRITES_NOTHING = re.compile(r"\b(OOM|READONLY|MISCONF|NOREPLICAS)\b")
"""What a server says that takes no writes at the time; a script is told at its first."""


_NUMBERS = Struct(">QQQIBHIIQ")
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


class Script:
    """A script, sent by its digest; in whole where a server does not have it yet."""

    def __init__(self, name: str) -> None:
        self._text = Path(__file__).with_name(name).read_bytes()

    @cached_property
    def _sha(self) -> str:
        return sha1(self._text, usedforsecurity=False).hexdigest()

    def run(self, pool: Pool, key_names: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
        """The script's answer. Raises NotTracked or OutcomeUnknown; `_ANSWERED_NO` as the server gave it."""
        rest = (len(key_names), *key_names, *arguments)
        try:
            return _exchange(pool, "EVALSHA", self._sha, *rest)
        except NoScriptError:
            return _exchange(pool, "EVAL", self._text, *rest)


def _exchange(pool: Pool, *command: str | bytes | int) -> Any:
    try:
        connection: Connection = pool.get_connection()
    except (RedisError, OSError) as error:
        raise NotTracked(f"no connection to Redis ({type(error).__name__})") from error
    try:
        connection.send_packed_command([_packed(command)])
        return connection.read_response()
    except _ANSWERED_NO:
        raise
    except (RedisError, OSError) as error:
        # Come back when Redis is asked again: it knows whether this one counted.
        raise OutcomeUnknown(f"no answer from Redis ({type(error).__name__})", ceil(LEFT_ALONE_SECONDS)) from error
    finally:
        pool.release(connection)


def _packed(command: Sequence[str | bytes | int]) -> bytes:
    """A command as the protocol has it, in a fifth of the time that the client takes."""
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"*%d\r\n%b" % (len(parts), b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]))


class Counter:
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
        self._seconds = seconds
        self._calendar = Calendar(zone)
        self._script = Script("track.lua")
        self._nodes: Nodes | None = None
        self._left_alone_until = 0.0
        self._limits = (
            *(
                rules.cooldown_seconds * 1000,
                int(rules.once_per_day),
                rules.max_per_session if rules.session_seconds else 0,
            ),
            *(rules.session_seconds * 1000, rules.max_per_day, rules.memory_seconds * 1000),
        )

    def track(
        self, viewer: str, content_type: str, content_id: str, now: datetime, reasons: Sequence[str] = ()
    ) -> Decision:
        """Count a view, or say why not, in one round trip. With `reasons` (a bot) it is refused for these alone.

        Raises NotTracked (or its child LeftAlone) when it was certainly not counted, OutcomeUnknown when that cannot be
        known.
        """
        self._check_that_it_may_be_asked()
        shard = keys.shard_of(viewer, self._shards)
        content = keys.content_field(content_type, content_id)
        moment = self._calendar.moment(now)
        names = (keys.viewer_state(viewer, self._shards), keys.pending(shard), keys.refused(shard))
        arguments = (
            *(blake2b(content.encode(), digest_size=8).digest(), content),
            _NUMBERS.pack(moment.now, moment.day_start, moment.day_end, *self._limits),
            *(moment.hour, ",".join(reasons)),
        )
        wait, *refusing = self._run(names, arguments)
        if not refusing:
            return COUNTED
        named = tuple(reason.decode() for reason in refusing)
        return Decision(named) if reasons else Decision.after(named, wait)

    def _check_that_it_may_be_asked(self) -> None:
        left = self._left_alone_until - self._seconds()
        if left > 0:
            raise LeftAlone("Redis failed a moment ago and is left alone", ceil(left))

    def _run(self, names: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
        try:
            return self._answer(names, arguments)
        except (AskError, TryAgainError) as error:
            raise NotTracked("the shard is moving to another node") from error
        except _ANSWERED_NO as error:
            if "user_script" in str(error) and not _WRITES_NOTHING.search(str(error)):
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

    def _answer(self, names: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
        if self._nodes is None:
            self._nodes = self._connect()
        try:
            return self._script.run(self._nodes.pool(names[0]), names, arguments)
        except MovedError:
            self._nodes.learn()
            return self._script.run(self._nodes.pool(names[0]), names, arguments)

    def _leave_alone(self) -> None:
        self._left_alone_until = self._seconds() + LEFT_ALONE_SECONDS
        if self._nodes is not None:
            self._nodes.close()
            self._nodes = None
