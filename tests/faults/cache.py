"""Redis in the world: a real server, whose clients' commands go through the world."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

from redis import ConnectionPool, Redis
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from tests.redis_servers import Servers
from views.held import parts_of

REDIS = "Redis"
_BEHIND = "behind-the-scenes"
_SLOW_BY = timedelta(seconds=1)
_SCRIPTS = tuple(sorted(Path("functions/views").rglob("*.lua")))
_send = AbstractConnection.send_packed_command
_connect = AbstractConnection.connect
_read = AbstractConnection.read_response

_EVERYTHING = """
local all = {}
for shard = 0, ARGV[1] - 1 do
  local tag = string.format('{v%02d}:', shard)
  local found = {redis.call('GET', tag .. 'epoch') or '0', redis.call('SMEMBERS', tag .. 'registered')}
  for _, kind in ipairs({'pending', 'syncing', 'parked', 'refused', 'refusing'}) do
    found[#found + 1] = redis.call('HGETALL', tag .. kind)
  end
  all[#all + 1] = found
end
return cjson.encode(all)
"""


type Heard = Callable[[int, Any], None]


class Watch(Protocol):
    """Who hears of what becomes of Redis."""

    def restart(self) -> None:
        """The server is to restart empty."""

    def failed(self, running: list[Any], *, is_refused: bool) -> None:
        """A handler got no answer, or no connection even."""

    def heard(self, running: list[Any], number: int, answer: Any) -> None:
        """The server answered a handler: the `number`th answer to what it sent last."""


class _Wire:
    """Between the clients and the server."""

    def __init__(self, world: Any, server: "Server", watch: Watch) -> None:
        self._world = world
        self.server = server
        self._watch = watch
        self._slow_for: Any = None
        """The invocation for which the server is too slow."""

    def connect(self, connection: Any) -> None:
        if self._is_handlers(connection) and self.server.is_away:
            self.failed(is_refused=True)
            raise RedisConnectionError
        _connect(connection)

    def send(self, connection: Any, packed: Any, check_health: bool = True) -> None:
        if self._is_handlers(connection):
            self._world.redis(Command(self, connection, packed, check_health=check_health))
        else:
            _send(connection, packed, check_health=check_health)

    def read(self, connection: Any, *arguments: Any, **options: Any) -> Any:
        if getattr(connection, "sluice_lost", False):
            connection.sluice_lost = False
            raise RedisTimeoutError
        answer = _read(connection, *arguments, **options)
        self.hear(connection, answer)
        return answer

    def hear(self, connection: Any, answer: Any) -> None:
        if self._is_handlers(connection):
            self._watch.heard(self._world.running, connection.sluice_answers, answer)
            connection.sluice_answers += 1

    def is_slow(self) -> bool:
        return self._slow_for is not None and self._slow_for is self._world.running[-1]

    def put_off(self, packed: Any) -> None:
        """The server gets it and is slow: it does it after a second, or before what somebody else sends."""
        running = list(self._world.running)
        self._slow_for = running[-1]
        self.server.put_off(packed, lambda number, answer: self._watch.heard(running, number, answer))
        self._world.after(_SLOW_BY, self.server.catch_up, "Redis catches up")

    def restart(self) -> None:
        self._watch.restart()

    def failed(self, *, is_refused: bool = False) -> None:
        self._watch.failed(self._world.running, is_refused=is_refused)

    def _is_handlers(self, connection: Any) -> bool:
        return bool(self._world.running) and connection.client_name != _BEHIND


class Command:
    """A command, or a pipeline of them, on its way to the server: call it and it goes."""

    def __init__(self, wire: _Wire, connection: Any, packed: Any, *, check_health: bool) -> None:
        self._wire = wire
        self._connection = connection
        self._packed = packed
        self._check_health = check_health

    def __call__(self) -> None:
        if self._wire.is_slow():
            self.is_late()
        self._wire.server.catch_up()
        self._wire.server.seen = None
        self._connection.sluice_answers = 0
        _send(self._connection, self._packed, check_health=self._check_health)

    def restart(self) -> None:
        self._wire.restart()

    def hang_up(self) -> None:
        """The connection is gone before it is sent."""
        self._wire.failed()
        self._connection.disconnect()

    def is_late(self) -> None:
        """Nobody waits any more when it has its effect; so for all that this invocation sends."""
        self._wire.put_off(self._packed)
        self.hang_up()
        raise RedisTimeoutError

    def answer_lost(self) -> None:
        """It has its effect, and the connection is gone before the answer comes."""
        self._wire.failed()
        self.is_done()
        self._connection.sluice_lost = True

    def is_done(self) -> None:
        """It has its effect, and the connection is gone."""
        self()
        for _ in range(_count(self._packed)):
            with suppress(RedisError):  # such as that the script is not known
                self._wire.hear(self._connection, _read(self._connection))
        self._connection.disconnect()


def _count(packed: Any) -> int:
    """How many commands there are: scripts, or one other."""
    return sum(part.count(b"\r\nEVAL") for part in packed) or 1


@contextmanager
def through(world: Any, server: "Server", watch: Watch) -> Iterator[None]:
    """Let every command that a handler sends be one of the world's call sites."""
    wire = _Wire(world, server, watch)
    world.cache = server
    with (
        patch.object(AbstractConnection, "connect", lambda *call: wire.connect(*call)),
        patch.object(AbstractConnection, "send_packed_command", lambda *call, **options: wire.send(*call, **options)),
        patch.object(AbstractConnection, "read_response", lambda *call, **options: wire.read(*call, **options)),
        patch.object(Redis, "from_url", server.client),
        closing(server),
    ):
        yield


@dataclass
class Shard:
    """What one shard holds."""

    epoch: int
    registered: set[str]
    """Contents; and `*`, when these are all."""
    pending: dict[str, int]
    syncing: dict[str, int]
    parked: dict[str, list[tuple[int, int]]]
    """Epochs and views."""
    refused: dict[str, int]
    refusing: dict[str, int]

    @property
    def is_empty(self) -> bool:
        return not (self.pending or self.syncing or self.parked or self.refused or self.refusing)


@dataclass
class Server:
    """The server behind the clients' backs, by one connection that the world does not see."""

    servers: Servers
    shards: int
    is_away: bool = False
    seen: list[Shard] | None = None
    """What it holds, while nobody sends anything."""
    _late: list[tuple[Any, Heard]] = field(default_factory=list)
    """What it has not done yet."""
    _pools: dict[Any, ConnectionPool] = field(default_factory=dict)
    _has_scripts: bool = False

    def __post_init__(self) -> None:
        self._client = Redis(port=self.servers.ports[0], protocol=2, driver_info=None, client_name=_BEHIND)
        self._everything = self._client.register_script(_EVERYTHING)

    def client(self, url: str, **options: Any) -> Redis:
        """As `Redis.from_url`, on connections that are kept from run to run."""
        pool = self._pools.setdefault(options["socket_timeout"], ConnectionPool.from_url(url, **options))
        return Redis(connection_pool=pool)

    def close(self) -> None:
        """Hang up."""
        self._client.close()
        for pool in self._pools.values():
            pool.disconnect()

    def begin(self) -> None:
        """Empty, and the same for each run: the scripts are there."""
        self.seen = None
        self._late.clear()
        self._client.flushall()
        self.is_away = False
        if not self._has_scripts:
            for path in _SCRIPTS:
                self._client.script_load(path.read_bytes())
            self._has_scripts = True

    def open(self, epoch: int) -> None:
        """Every shard is in that epoch."""
        self._client.mset({f"{{v{shard:02}}}:epoch": epoch for shard in range(self.shards)})

    def restart(self) -> None:
        """As without its data: the scripts are gone, too."""
        self.seen = None
        self._late.clear()
        self._client.flushall()
        self._client.script_flush()
        self._has_scripts = False

    def go(self) -> None:
        """Be away: whoever has a connection loses it."""
        self.catch_up()
        self.is_away = True
        for pool in self._pools.values():
            pool.disconnect()

    def put_off(self, packed: Any, heard: Heard) -> None:
        """Do it later. `heard` is called with the number and the value of each answer that nobody else hears."""
        self._late.append((packed, heard))

    def catch_up(self) -> None:
        """Do what was put off."""
        late, self._late = self._late, []
        for packed, heard in late:
            self.seen = None
            connection = self._client.connection_pool.get_connection()
            _send(connection, packed)
            for number in range(_count(packed)):
                with suppress(RedisError):  # such as that the script is not known
                    heard(number, _read(connection))
            self._client.connection_pool.release(connection)

    def everything(self) -> list[Shard]:
        """What it holds."""
        if self.seen is None:
            self.seen = [_shard(answer) for answer in json.loads(self._everything(args=[self.shards]))]
        return self.seen


def _shard(answer: list[Any]) -> Shard:
    epoch, registered, pending, syncing, parked, refused, refusing = answer
    aside = {content: [(part.epoch, part.views) for part in parts_of(value, 0)] for content, value in _pairs(parked)}
    views = [
        {content: sum(part.views for part in parts_of(value, 0)) for content, value in _pairs(each)}
        for each in (pending, syncing)
    ]
    counts = [{name: int(value) for name, value in _pairs(each)} for each in (refused, refusing)]
    return Shard(int(epoch), set(registered), *views, aside, *counts)


def _pairs(flat: list[str]) -> Iterator[tuple[str, str]]:
    return zip(flat[::2], flat[1::2], strict=True) if flat else iter(())
