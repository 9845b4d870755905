"""Runs the installed `sluice` as a process: with pipes, or with a pseudo-terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SLUICE = str(Path(sys.executable).with_name("sluice"))
_SECONDS = 300


@dataclass(frozen=True)
class Ended:
    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def told(self) -> str:
        return self.err.decode()


@dataclass(frozen=True)
class Shell:
    """Where commands run: an environment of their own, and a home."""

    home: Path
    environment: dict[str, str]

    def run(self, *words: str, stdin: bytes = b"", **more: str) -> Ended:
        """In pipes."""
        ended = subprocess.run(
            [SLUICE, *words],
            input=stdin,
            capture_output=True,
            env=self.environment | more,
            cwd=self.home,
            timeout=_SECONDS,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [SLUICE, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            cwd=self.home,
        )

    def interrupted(self, *words: str, when: Callable[[], bool]) -> Ended:
        """Ctrl-C as soon as `when` says so."""
        process = self.start(*words)
        until = time.monotonic() + _SECONDS
        while not when() and time.monotonic() < until and process.poll() is None:
            select.select([], [], [], 0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=_SECONDS)
        return Ended(process.returncode, out, err)

    def in_terminal(self, *words: str, typed: bytes = b"", prompt: bytes = b"", **more: str) -> Ended:
        """With a terminal for stdin and stdout, and one for stderr, so that they can be told apart.

        `prompt`: type only when that is asked, as what was typed before a hidden answer is thrown away.
        """
        screens = [pty.openpty(), pty.openpty()]
        for _, inside in screens:
            settings = termios.tcgetattr(inside)
            settings[1] &= ~termios.OPOST  # the bytes as they were written
            settings[3] &= ~termios.ECHO
            termios.tcsetattr(inside, termios.TCSANOW, settings)
        (out, out_inside), (err, err_inside) = screens
        process = subprocess.Popen(
            [SLUICE, *words],
            stdin=out_inside,
            stdout=out_inside,
            stderr=err_inside,
            env=self.environment | more,
            cwd=self.home,
            start_new_session=True,
        )
        os.close(out_inside)
        os.close(err_inside)
        read: dict[int, bytes] = {out: b"", err: b""}
        waiting = set(read)
        until = time.monotonic() + _SECONDS
        while waiting and time.monotonic() < until:
            if typed and prompt in read[err]:
                os.write(out, typed)
                typed = b""
            for each in select.select(list(waiting), [], [], 0.5)[0]:
                try:
                    piece = os.read(each, 65536)
                except OSError:  # how Linux says that the last writer has gone
                    piece = b""
                read[each] += piece
                if not piece:
                    waiting.discard(each)
        try:
            code = process.wait(timeout=1 if waiting else _SECONDS)
        finally:
            process.kill()
            process.wait()
        for each in read:
            os.close(each)
        return Ended(code, read[out], read[err])
