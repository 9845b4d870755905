"""The way from Docker's bridge to the stack: connections are forwarded, and come in by that device alone."""

import asyncio
import socket
import sys

import pytest

from local import bridge
from tests.deadlines import PATIENCE
from tests.redis_servers import free_ports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Docker Desktop needs no bridge")


def test_a_device_has_an_address_or_is_not_there() -> None:
    assert bridge.address("lo") == "127.0.0.1"
    assert bridge.address("no-such-device") is None
    with pytest.raises(OSError, match="no network device no-such-device"):
        bridge.listening("no-such-device", 0)


def test_a_socket_hears_its_device_alone() -> None:
    """Bound to the bridge's address only, it would answer whoever has a route to that address."""
    with bridge.listening("lo", 0) as listener:
        device = listener.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)

        assert device.rstrip(b"\0") == b"lo"
        assert listener.getsockname()[0] == "127.0.0.1"


async def asked(listener: socket.socket, port: int, question: bytes) -> bytes:
    """What comes back through a bridge to `port`."""
    forwarding = asyncio.create_task(bridge.forward(listener, port))
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(question)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    forwarding.cancel()
    await asyncio.wait([forwarding], timeout=PATIENCE)
    return answer


def test_what_is_sent_comes_to_the_port_and_the_answer_comes_back() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"answer to " + await reader.read())  # the whole, up to where the caller ends it
        writer.close()

    async def run() -> bytes:
        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            return await asked(bridge.listening("lo", 0), server.sockets[0].getsockname()[1], b"x" * 300_000)

    assert asyncio.run(run()) == b"answer to " + b"x" * 300_000


def test_a_connection_ends_when_nothing_listens_behind() -> None:
    (port,) = free_ports(1)

    assert asyncio.run(asked(bridge.listening("lo", 0), port, b"PING")) == b""
