"""When a delivery is tried again: ten attempts over some 75 hours."""

from collections.abc import Callable
from datetime import timedelta
from random import random

DELAYS = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The wait before each attempt; the first is made at once."""
ATTEMPTS = len(DELAYS)
LONGEST = timedelta(hours=24)
_JITTER = 0.2


def delay_after(attempt: int, retry_after: timedelta | None = None, chance: Callable[[], float] = random) -> timedelta:
    """The wait after the failed attempt `attempt`, from 1 to 9, with 0 to 20 % jitter.

    `retry_after`: what the receiver asked for; it makes the wait longer, to 24 hours at most, and never shorter.
    """
    planned = DELAYS[attempt] * (1 + _JITTER * chance())
    return max(planned, min(retry_after, LONGEST)) if retry_after else planned
