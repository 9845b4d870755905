"""The party outside, as a sandbox: it remembers its calls, and can be asked for them."""

from collections.abc import Callable
from typing import Any

from sluice.errors import Unavailable

CALL, LOOK_UP = "Call", "LookUp"


class UnknownOutcome(Exception):
    """Nobody knows whether the call arrived."""


class Party:
    """Takes calls. `wire` carries them, and may lose them or their answers by a TimeoutError."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.wire: Callable[[str, Callable[[], Any]], Any] = lambda _operation, effect: effect()

    def call(self, name: str) -> None:
        """Make a call, once. Raises UnknownOutcome."""
        try:
            self.wire(CALL, lambda: self.calls.append(name))
        except TimeoutError as error:
            raise UnknownOutcome from error

    def has(self, name: str) -> bool:
        """Whether a call arrived. Raises Unavailable."""
        try:
            return bool(self.wire(LOOK_UP, lambda: name in self.calls))
        except TimeoutError as error:
            raise Unavailable("The party outside does not answer") from error


PARTY = Party()
