"""The demo's parts that run beside the boosts: each in a thread, and what it shows comes when it has ended."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any

from local.errors import LocalError
from local.sponsors import DONE_WITHIN_SECONDS


class LaterScreen:
    """A screen that shows on another one what it was given, when it is asked to."""

    def __init__(self, screen: Any) -> None:
        self._screen = screen
        self._given: list[Callable[[], None]] = []

    def tell(self, label: str, text: str, note: str = "") -> None:
        self._given.append(partial(self._screen.tell, label, text, note))

    def check(self, claim: str, numbers: str, *, holds: bool) -> None:
        self._given.append(partial(self._screen.check, claim, numbers, holds=holds))

    def show(self) -> None:
        for each in self._given:
            each()


class PartBeside(ABC):
    """Runs in a thread beside whatever else the demo does, and shows its lines when it ends."""

    name: str

    def __init__(self, screen: Any) -> None:
        self._screen = LaterScreen(screen)
        self._failures: list[Exception] = []
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Waits until it is done, and shows what happened."""
        self._thread.join(2 * DONE_WITHIN_SECONDS)
        if self._thread.is_alive():
            raise LocalError(f"The {self.name} are not done after {2 * DONE_WITHIN_SECONDS} s")
        if self._failures:
            raise self._failures[0]
        self._screen.show()

    @abstractmethod
    def play(self) -> None:
        """What happens in it."""

    def _run(self) -> None:
        try:
            self.play()
        except Exception as error:
            self._failures.append(error)


def plain(cents: int) -> str:
    """`3,300.00`."""
    return f"{cents / 100:,.2f}"


def usd(cents: int) -> str:
    """`3,300.00 USD`."""
    return f"{plain(cents)} USD"
