"""How long tests wait: for a machine that has much else to do. A deadline is for what hangs, never for what is slow."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

PATIENCE = 900.0
"""Seconds for what other processes do, such as a campaign of the deployed stack."""


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Fails after `seconds`, and says what was waited for. For set-up, which pytest's own timeout leaves alone."""

    def fail(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"after {seconds:.0f} s still waiting for {what}")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
