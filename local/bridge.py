"""Lets containers on Docker's bridge reach the stack: forwards their connections to ports of 127.0.0.1.

On Linux a container reaches this machine at the bridge's own address, not at 127.0.0.1. The sockets are bound to that
address and to the bridge's device: whoever has a route to that address by another network is refused. Docker Desktop
needs none of this, and has no such device. `make up` starts it, in a process of its own.
"""

import asyncio
import fcntl
import signal
import socket
import struct
import sys
from contextlib import closing, suppress

DEVICE = "docker0"
"""Docker's default bridge, where `sam local` puts its containers."""
READY = "Open to containers"
_GET_ADDRESS = 0x8915  # SIOCGIFADDR of Linux


def address(device: str = DEVICE) -> str | None:
    """The address of a network device of this machine; None where there is no such device."""
    if sys.platform != "linux":
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            answer = fcntl.ioctl(any_socket.fileno(), _GET_ADDRESS, struct.pack("256s", device.encode()))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def listening(device: str, port: int) -> socket.socket:
    """A socket that hears what comes in by the device, and nothing else. Raises OSError."""
    at = address(device)
    if at is None:
        raise OSError(f"There is no network device {device}")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    listener.bind((at, port))
    listener.listen()
    return listener


async def forward(listener: socket.socket, port: int) -> None:
    """Forwards every connection to `port` of 127.0.0.1, until it is cancelled."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            try:
                from_stack, to_stack = await asyncio.open_connection("127.0.0.1", port)
            except OSError:  # the stack does not run: its container sees a connection that ends
                return
            with closing(to_stack):
                await asyncio.gather(_copy(reader, to_stack), _copy(from_stack, writer))

    async with await asyncio.start_server(connected, sock=listener) as server:
        await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):  # a side that hangs up ends the connection, in its own time
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
        writer.write_eof()


async def serve(ports: list[int]) -> None:
    listeners = [listening(DEVICE, port) for port in ports]
    print(READY, flush=True)
    async with asyncio.TaskGroup() as group:
        for listener, port in zip(listeners, ports, strict=True):
            group.create_task(forward(listener, port))


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(serve([int(port) for port in sys.argv[1:]]))


if __name__ == "__main__":
    main()
