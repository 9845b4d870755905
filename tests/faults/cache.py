"""Redis in the world: a real server, whose clients' commands go through the world."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from tests.redis_servers import Servers

REDIS = "Redis"
_send = AbstractConnection.send_packed_command
_connect = AbstractConnection.connect
_read = AbstractConnection.read_response


class Command:
    """A command, or a pipeline of them, on its way to the server: call it and it goes."""

    def __init__(self, connection: Any, packed: Any, restart: Callable[[], None], check_health: bool) -> None:
        self._connection = connection
        self._packed = packed
        self._check_health = check_health
        self.restart = restart

    def __call__(self) -> None:
        _send(self._connection, self._packed, check_health=self._check_health)

    def hang_up(self) -> None:
        """The connection is gone before it is sent."""
        self._connection.disconnect()

    def answer_lost(self) -> None:
        """It has its effect, and the connection is gone before the answer comes."""
        self.is_done()
        self._connection.sluice_lost = True

    def is_done(self) -> None:
        """It has its effect, and the connection is gone."""
        self()
        with suppress(RedisError):  # such as that the script is not known
            _read(self._connection)
        self._connection.disconnect()


@contextmanager
def through(world: Any, restart: Callable[[], None], is_away: Callable[[], bool]) -> Iterator[None]:
    """Let every command that a handler sends be one of the world's call sites. `restart` empties the server."""

    def send(connection: Any, command: Any, check_health: bool = True) -> None:
        if world.running:
            world.redis(Command(connection, command, restart, check_health))
        else:
            _send(connection, command, check_health=check_health)

    def read(connection: Any, *arguments: Any, **options: Any) -> Any:
        if getattr(connection, "sluice_lost", False):
            connection.sluice_lost = False
            raise RedisTimeoutError
        return _read(connection, *arguments, **options)

    def connect(connection: Any) -> None:
        if world.running and is_away():
            raise RedisConnectionError
        _connect(connection)

    with (
        patch.object(AbstractConnection, "connect", connect),
        patch.object(AbstractConnection, "send_packed_command", send),
        patch.object(AbstractConnection, "read_response", read),
    ):
        yield


class Server:
    """The server behind the clients' backs, by one connection that the world does not see."""

    def __init__(self, servers: Servers) -> None:
        self._client = servers.clients()[0]

    def empty(self) -> None:
        """As after a restart without its data: the scripts are gone, too."""
        self._client.flushall()
        self._client.script_flush()

    def held(self) -> dict[str, int]:
        """The views of each content that it holds: pending, taken by an epoch, or moved aside."""
        found: Counter[str] = Counter()
        for name in self._client.scan_iter():
            kind = name.decode().rpartition(":")[2]
            if kind in ("pending", "syncing", "parked"):
                for content, value in self._client.hgetall(name).items():
                    parts = value.decode().split(";") if kind == "parked" else [value.decode()]
                    found[content.decode()] += sum(
                        int(part.split(":")[-1 if kind != "parked" else 2]) for part in parts if part
                    )
        return dict(found)
