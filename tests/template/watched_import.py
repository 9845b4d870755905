"""Imports modules in a process of its own, and tells what that did: `python watched_import.py '{"paths": ..., ...}'`.

Run, not imported: it must not know the modules that it watches.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path


class WatchedEnviron(type(os.environ)):  # type: ignore[misc]
    """Keeps the name of each variable that is looked up, and the file that looked."""

    def __getitem__(self, name):
        reads.append((str(name), _reader()))
        return super().__getitem__(name)

    def __iter__(self):
        reads.append(("*", _reader()))
        return super().__iter__()


def _reader() -> str:
    """The first file on the stack that is no part of Python."""
    frame = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith(("<frozen", PYTHON)) or "site-packages" in path:
            return path
        frame = frame.f_back
    return ""


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    # Not socket.__new__ and socket.bind: urllib3 binds to ::1 to learn whether there is IPv6.
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}:
        calls.append(f"{event} {arguments[1:] if event == 'socket.connect' else arguments}")
    if event == "subprocess.Popen":
        calls.append(f"{event} {arguments[0]}")


PYTHON = str(Path(os.__file__).parent)
reads: list[tuple[str, str]] = []
calls: list[str] = []

if __name__ == "__main__":
    task = json.loads(sys.argv[1])
    sys.path[:0] = task["paths"]
    environ = os.environ
    os.environ = WatchedEnviron(  # noqa: B003 -- the object is exchanged, not the environment
        environ._data,  # type: ignore[attr-defined]
        environ.encodekey,
        environ.decodekey,
        environ.encodevalue,
        environ.decodevalue,
    )
    sys.addaudithook(_hear)
    for module in task["modules"]:
        import_module(module)
    json.dump({"modules": sorted(sys.modules), "reads": reads, "calls": calls}, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # To clear up what was imported takes a third as long as to import it.
