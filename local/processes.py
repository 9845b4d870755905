"""Server processes that outlive the command that started them, and are found and stopped by their lock.

A server inherits an open, locked file: as long as the lock is held it runs, and its id in that file is its own. A
reboot or a SIGKILL drops the lock, so there is no stale pid file, and no stranger's process is ever signalled.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.errors import LocalError
from local.files import try_lock

LOG_TAIL_LINES = 25
_children: dict[int, subprocess.Popen[bytes]] = {}
"""What this process started itself and so must collect when it ends."""


def wait_until(is_so: Callable[[], bool], seconds: float, *, every: float = 0.05) -> bool:
    """Whether `is_so` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


@dataclass(frozen=True)
class Server:
    """One server: `name` for people, and a directory for its pid file and its log."""

    name: str
    directory: Path

    @property
    def log(self) -> Path:
        return self.directory / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.directory / f"{self.name}.pid"

    def is_running(self) -> bool:
        if not self._pid_file.exists():
            return False
        handle = try_lock(self._pid_file)
        if handle is None:
            return True
        os.close(handle)
        return False

    def start(
        self, command: list[str], environment: dict[str, str], is_ready: Callable[[], bool], seconds: float = 300
    ) -> None:
        """Returns when it is ready. Raises `LocalError`, with the log's end, when it ends or is not ready in time."""
        handle = try_lock(self._pid_file)
        if handle is None:
            raise LocalError(f"{self.name} already runs in {self.directory}: stop it first (`make down`).")
        try:
            with self.log.open("wb") as log:
                process = subprocess.Popen(
                    command,
                    cwd=self.directory,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[handle],
                    start_new_session=True,
                )
            _children[process.pid] = process
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(process.pid).encode(), 0)
        finally:
            os.close(handle)
        ready = wait_until(lambda: process.poll() is not None or is_ready(), seconds)
        if process.poll() is not None:
            del _children[process.pid]
            raise LocalError(f"{self.name} ended with status {process.returncode} while starting.\n{self._tail()}")
        if not ready:
            self.stop()
            raise LocalError(f"{self.name} was not ready within {seconds:.0f} s.\n{self._tail()}")

    def stop(self, seconds: float = 120) -> None:
        """Ends it with SIGTERM, so that it saves its state; with SIGKILL when it has not ended in time."""
        if not self.is_running():
            self._collect()
            return
        self._signal(os.kill, signal.SIGTERM)
        if not wait_until(lambda: not self.is_running(), seconds):
            self.kill()
            raise LocalError(f"{self.name} did not end within {seconds:.0f} s and was killed.\n{self._tail()}")
        self._collect()

    def kill(self) -> None:
        """Ends it at once, and every process that it started: nothing is saved."""
        if self.is_running():
            self._signal(os.killpg, signal.SIGKILL)
            if not wait_until(lambda: not self.is_running(), 30):
                raise LocalError(f"{self.name} (process {self._pid_file.read_text()}) does not end. See {self.log}.")
        self._collect()

    def _collect(self) -> None:
        """The exit status of what this process started and what has ended: else it stays as a zombie."""
        child = _children.pop(int(self._pid_file.read_text() or 0), None) if self._pid_file.exists() else None
        if child is not None:
            child.wait(timeout=60)

    def _signal(self, send: Callable[[int, int], None], number: signal.Signals) -> None:
        try:
            send(int(self._pid_file.read_text()), number)
        except (ProcessLookupError, ValueError):
            return  # It ended between the two looks, or has not been started yet: its lock is about to go.

    def _tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in lines[-LOG_TAIL_LINES:])])
