"""`watch`: looks again and again, and shows a bar on a terminal, lines in a pipe, and JSON lines on demand."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import click

from sluice_cli import output
from sluice_cli.client import Answer, Json
from sluice_cli.errors import CliError, Interrupted
from sluice_cli.session import Session


@dataclass(frozen=True)
class Look:
    """What one look found; `total` is None where nobody knows it.

    `good` is None while it goes on; then whether it ended as wished.
    """

    state: str
    done: int
    total: int | None
    good: bool | None = None
    more: str = ""
    pause_seconds: float = 0.5
    written: Callable[[int], str] = "{:,}".format

    def line(self) -> str:
        text = f"{self.state}  {self.amount()}"
        return f"{text}  {self.more}" if self.more else text

    def amount(self) -> str:
        if self.total is None:
            return self.written(self.done)
        percent = output.bar(self.done, self.total, ended=self.good is True)
        return f"{self.written(self.done)} of {self.written(self.total)}  {percent}"


def money_of(found: Json) -> Callable[[int], str]:
    """How an amount of a thing that has a currency is written."""
    return lambda amount: output.money(amount, found["currency"], found["exponent"])


@dataclass(frozen=True)
class Still:
    """How long what is watched may stand still, and what is said then."""

    seconds: float
    advice: str


def follow(
    session: Session,
    read: Callable[[], Answer],
    look: Callable[[Answer], Look],
    *,
    again: str,
    every: float | None,
    still: Still | None = None,
    state: str = "still running",
) -> None:
    """Follow to the end. Ends the command with 1 when it ended otherwise than wished.

    Raises Interrupted, which says that it is in `state`; and CliError when it stands still for too long.
    """
    try:
        last, _ = _follow(session, read, look, every, still)
    except KeyboardInterrupt as error:
        raise Interrupted(again, state) from error
    if not last.good:
        click.get_current_context().exit(1)


def wait(
    session: Session, read: Callable[[], Answer], look: Callable[[Answer], Look], *, again: str, every: float | None
) -> Answer:
    """The last answer, once it ends; meanwhile a bar on a terminal, and nothing else. Raises Interrupted."""
    try:
        return _follow(session, read, look, every, has_lines=False)[1]
    except KeyboardInterrupt as error:
        raise Interrupted(again) from error


def _follow(
    session: Session,
    read: Callable[[], Answer],
    look: Callable[[Answer], Look],
    every: float | None,
    still: Still | None = None,
    *,
    has_lines: bool = True,
) -> tuple[Look, Answer]:
    told = b""
    before, moved_at = b"", time.monotonic()
    with _bar(session) as show:
        while True:
            answer = read()
            found = look(answer)
            line = _one_line(answer) if session.json else output.visible(found.line()).encode()
            if show is not None and found.good is None:
                show(found)
            elif line != told:
                if show is None and has_lines:
                    session.raw(line)
                told = line
            if found.good is not None:
                break
            if answer.body != before:
                before, moved_at = answer.body, time.monotonic()
            if still and time.monotonic() - moved_at > still.seconds:
                raise CliError(f"It stands still: {output.visible(found.line())}", still.advice)
            time.sleep(every if every is not None else found.pause_seconds)
    if show is not None and has_lines:
        session.raw(line)
    return found, answer


def _one_line(answer: Answer) -> bytes:
    return answer.body if b"\n" not in answer.body else json.dumps(answer.json).encode()


def _bar(session: Session) -> AbstractContextManager[Callable[[Look], None] | None]:
    return _Bar() if session.has_bars else nullcontext(None)


class _Bar:
    """A bar on stderr that goes when it ends; the last line, which is the same in a pipe, stays."""

    def __enter__(self) -> Callable[[Look], None]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[told]}", markup=False),
        )
        self._progress = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("", total=1, told="")
        self._progress.start()
        return self._show

    def _show(self, look: Look) -> None:
        total = None if look.total is None else max(look.total, 1)
        shown = look.done if total is None else min(look.done, total - 1)
        told = f"{look.amount()}  {look.more}"
        self._progress.update(
            self._task, description=output.visible(look.state), completed=shown, total=total, told=output.visible(told)
        )
        self._progress.refresh()

    def __exit__(self, *_: Any) -> None:
        self._progress.stop()
