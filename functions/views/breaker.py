"""A circuit breaker: after a failure Redis is left alone for a while, so that no caller waits for another one."""

import time
from collections.abc import Callable
from math import ceil

OPEN_SECONDS = 5.0


class Breaker:
    """Closed until it is tripped, then open for 5 s. `seconds` is a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._open_until = float("-inf")

    @property
    def open_seconds(self) -> int:
        """How long it stays open, rounded up; 0 when it is closed."""
        return ceil(max(0.0, self._open_until - self._seconds()))

    def trip(self) -> None:
        """Open it."""
        self._open_until = self._seconds() + OPEN_SECONDS
