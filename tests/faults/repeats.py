"""Late repeats: clients send a command once more with its key, long after they were answered and others commanded."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.dynamo.model import Written
from tests.faults.wiring import is_keyed
from tests.faults.world import Request, Violation, World

# An hour less than the product keeps it: a command may have committed before it was answered.
_KEPT = timedelta(hours=23)


class Repeats:
    """Hears what was answered, as a watcher, and plays it again: each command must be answered the same."""

    def __init__(self, told_anew: Collection[str] = ()) -> None:
        """`told_anew`: the fields of answers that are read again each time."""
        self._told_anew = told_anew
        self._answered: dict[str, tuple[datetime, Request, tuple[int, Any]]] = {}

    def play(self, world: World) -> None:
        """Every command again that was obeyed, as long as its answer is kept. Raises Violation for another answer."""
        for at, request, answer in list(self._answered.values()):
            if world.now() < at + _KEPT:
                again = world.http(replace(request, is_repeat=True))
                # Something may go wrong with the repeat, too.
                if again[0] < 500 and (self._kept(*again) != self._kept(*answer) or not world.is_replay):
                    raise Violation(f"{request} was answered {answer}, and its repeat {again}")

    def _kept(self, status: int, body: Any) -> tuple[int, Any]:
        """What is stored of an answer."""
        is_whole = not self._told_anew or not isinstance(body, dict)
        return status, body if is_whole else {name: body[name] for name in body if name not in self._told_anew}

    def answered(self, world: World, request: Request, status: int, body: Any) -> None:
        # In the middle of a request the tables may be put back: it is answered, and its answer is gone.
        if world.is_restored:
            return
        if status < 300 and request.has_key and is_keyed(request.method, request.path):
            found = self._answered.get(request.id)
            if not found or found[2] != (status, body):
                self._answered[request.id] = (world.now(), request, (status, body))

    def restored(self, world: World) -> None:
        """What was commanded is rolled back: its keys are carried out again, and no repeat is answered as before."""
        self._answered.clear()

    def kept(self, world: World) -> None: ...

    def asked(self, world: World, request: Request) -> None: ...

    def wrote(self, world: World, written: list[Written]) -> None: ...

    def published(self, world: World, entries: list[Any]) -> None: ...

    def delivered(self, world: World) -> None: ...
