"""Runs calls in threads, and leaves none behind: Lambda would freeze it, and thaw it hours later (amendment 8)."""

import os
from collections.abc import Callable, Sequence
from threading import Thread
from time import monotonic
from typing import Protocol

LONGEST_SECONDS = 30.0
"""A call ends within 10 s, or its adapter is broken; a name server that does not answer has no timeout."""


class Run(Protocol):
    """Runs calls, and returns their results in their order; all have ended when it returns."""

    def __call__[T](self, calls: Sequence[Callable[[], T]]) -> list[T]: ...


def run[T](calls: Sequence[Callable[[], T]], longest: float = LONGEST_SECONDS) -> list[T]:
    """The results of the calls, which run at once.

    When a call does not end, the process does: its rows stay claimed, and their deadline judges them.
    """
    results: dict[int, T] = {}
    failures: list[BaseException] = []

    def ran(number: int, call: Callable[[], T]) -> None:
        try:
            results[number] = call()
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=ran, args=each, daemon=True) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    until = monotonic() + longest
    for thread in threads:
        thread.join(max(0.0, until - monotonic()))
    if any(thread.is_alive() for thread in threads):
        os._exit(1)
    if failures:
        raise failures[0]
    return [results[number] for number in range(len(calls))]


def run_in_order[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results of the calls, one after the other: for tests with one thread."""
    return [call() for call in calls]
