"""Locks on files. The system drops a lock when its holder dies, however it dies, so none is ever stale."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(file: Path, *, shared: bool = False, holder: str = "") -> Iterator[None]:
    """Waits for the lock and holds it for the block. `holder` says who may have it, for the person who waits."""
    handle = _open(file)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if holder:
                print(f"Waiting for {holder} ...", file=sys.stderr, flush=True)
            fcntl.flock(handle, kind)
        yield
    finally:
        os.close(handle)


def try_lock(file: Path) -> int | None:
    """The lock as an open file descriptor, to be closed or handed to a child process; None when it is taken."""
    handle = _open(file)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _open(file: Path) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
