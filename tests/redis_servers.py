"""A Redis server and a cluster of three primaries, real and on loopback, each with ports and a directory of its own."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from local.errors import LocalError
from local.processes import wait_until
from local.redis_server import answers_ping, program
from tests.deadlines import PATIENCE
from views.shards import store
from views.track import counter
from views.track.counter import Nodes, nodes

SLOTS = 16_384
BUS_OFFSET = 10_000


@dataclass(frozen=True)
class Servers:
    """Running servers: one, or the primaries of a cluster."""

    mode: str
    ports: tuple[int, ...]
    processes: tuple[subprocess.Popen[bytes], ...] = ()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.ports[0]}"

    def nodes(self) -> Nodes:
        """As the functions reach them."""
        return nodes(self.url, self.mode)

    def clients(self) -> list[Redis]:
        """A plain client of each server."""
        return [_client(port) for port in self.ports]

    def client_of(self, key: str) -> Redis:
        """A plain client of the server that holds `key`."""
        if len(self.ports) == 1:
            return _client(self.ports[0])
        with _client(self.ports[0]) as any_of_them:
            slot = int(any_of_them.execute_command("CLUSTER", "KEYSLOT", key))
        return _client(self.ports[slot * len(self.ports) // SLOTS])

    def flush(self) -> None:
        """Forget all data, scripts and statistics."""
        for client in self.clients():
            with client:
                client.flushall()
                client.script_flush()
                client.config_resetstat()

    def everything(self) -> dict[bytes, Any]:
        """Every key with its value."""
        found: dict[bytes, Any] = {}
        for client in self.clients():
            with client:
                read = {b"hash": client.hgetall, b"set": client.smembers, b"string": client.get}
                for key in client.scan_iter():
                    found[key] = read[client.type(key)](key)
        return found

    def commands(self) -> dict[str, int]:
        """How often each command was called since the last flush, over all servers; those of a script included."""
        counts: dict[str, int] = {}
        for client in self.clients():
            with client:
                for name, stats in client.info("commandstats").items():
                    command = name.removeprefix("cmdstat_")
                    counts[command] = counts.get(command, 0) + stats["calls"]
        return counts

    @contextmanager
    def watched(self) -> Iterator[list[str]]:
        """What clients send meanwhile, in the order of each server; what scripts call is left out."""
        found: list[str] = []
        with ExitStack() as stack:
            watching = []
            for port in self.ports:
                client, other = stack.enter_context(_client(port)), stack.enter_context(_client(port))
                other.ping()
                watching.append((stack.enter_context(client.monitor()), other))
            yield found
            for monitor, other in watching:
                other.echo("end")
                while not (command := monitor.next_command())["command"].startswith("ECHO"):
                    if command["client_type"] != "lua":
                        found.append(command["command"])


def _client(port: int) -> Redis:
    return Redis(port=port, socket_timeout=60)


def free_ports(count: int, *, with_bus: bool = False) -> list[int]:
    """Ports that nobody listens on, held until all are found so that no two are the same."""
    with ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            port = _bound(held, 0)
            if port is not None and (not with_bus or (port < 50_000 and _bound(held, port + BUS_OFFSET) is not None)):
                found.append(port)
            elif with_bus:
                # The kernel's own choice is often too high to leave room for the bus.
                port = _bound(held, 20_000 + os.urandom(2)[0] * 64 + os.urandom(1)[0] % 64)
                if port is not None and _bound(held, port + BUS_OFFSET) is not None:
                    found.append(port)
        return found


@contextmanager
def unreachable() -> Iterator[int]:
    """A port where nobody is refused and nobody gets through: a queue that is full drops who comes."""
    with ExitStack() as held:
        server = held.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        while True:
            try:
                held.enter_context(socket.create_connection(server.getsockname(), timeout=0.3))
            except TimeoutError:
                break
        yield server.getsockname()[1]


def _bound(held: ExitStack, port: int) -> int | None:
    bound = held.enter_context(socket.socket())
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        return None
    return int(bound.getsockname()[1])


@contextmanager
def started(ports: list[int], *options: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Servers that keep nothing, up; ended by their process ids."""
    with tempfile.TemporaryDirectory(prefix="sluice-redis-") as directory, ExitStack() as running:
        processes = []
        for port in ports:
            place = Path(directory, str(port))
            place.mkdir()
            command = [
                *(program(), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(place)),
                *("--save", "", "--appendonly", "no", "--daemonize", "no", *options),
            ]
            with (place / "log").open("wb") as log:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
            running.callback(_end, process)
            processes.append(process)
        for port, process in zip(ports, processes, strict=True):
            if not wait_until(lambda p=port, q=process: q.poll() is not None or answers_ping(p), PATIENCE, every=0.02):
                raise LocalError(f"no Redis at {port}")
            if process.poll() is not None:
                raise LocalError(Path(directory, str(port), "log").read_text())
        yield processes


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=60)


@contextmanager
def single() -> Iterator[Servers]:
    """One server."""
    ports = free_ports(1)
    with started(ports) as processes:
        yield Servers("single", tuple(ports), tuple(processes))


@contextmanager
def cluster(primaries: int = 3) -> Iterator[Servers]:
    """A cluster without replicas: each primary has an equal and contiguous part of the slots, in the ports' order."""
    ports = free_ports(primaries, with_bus=True)
    options = ("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "60000")
    with started(ports, *options) as processes:
        found = Servers("cluster", tuple(ports), tuple(processes))
        clients = found.clients()
        edges = [-(-SLOTS * number // primaries) for number in range(primaries + 1)]
        for number, client in enumerate(clients):
            # An epoch each: else they collide at first, and settle that only after a while.
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER", "ADDSLOTS", *range(edges[number], edges[number + 1]))
        for client in clients:
            for port in ports:
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", port)
        if not wait_until(lambda: all(_agrees(client, primaries) for client in clients), PATIENCE, every=0.05):
            raise LocalError(f"the cluster did not form within {PATIENCE:.0f} s")
        for client in clients:
            client.close()
        yield found


def _agrees(client: Redis, primaries: int) -> bool:
    with suppress(RedisError):
        state = bytes(client.execute_command("CLUSTER", "INFO"))
        slots = client.execute_command("CLUSTER", "SLOTS")
        return b"cluster_state:ok" in state and len(slots) == primaries
    return False


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives Redis more than a tenth of a second: this machine may have other things to do."""
    for name in ("socket_timeout", "socket_connect_timeout"):
        monkeypatch.setitem(counter._CLIENT, name, 60)
    client = store.client
    monkeypatch.setattr(store, "client", lambda url, mode, _seconds: client(url, mode, 60))


@pytest.fixture(scope="session")
def single_server() -> Iterator[Servers]:
    """One server for all tests of a process."""
    with single() as servers:
        yield servers


@pytest.fixture(scope="session")
def cluster_servers() -> Iterator[Servers]:
    """One cluster for all tests of a process."""
    with cluster() as servers:
        yield servers


@pytest.fixture(params=["single", "cluster"])
def servers(request: pytest.FixtureRequest) -> Servers:
    """Each test on one server and on a cluster, empty."""
    found: Servers = request.getfixturevalue("single_server" if request.param == "single" else "cluster_servers")
    found.flush()
    return found
