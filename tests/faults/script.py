"""A script: an operator who sends commands, each when its time has come, and repeats it until it is answered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.faults.world import Request, World

_AT_ONCE = 20


@dataclass(frozen=True)
class Command:
    """A request, sent when `when` holds. `{0}` in its path is the id of the first thing that the script made."""

    method: str
    path: str
    body: Callable[[World], Any] | Any = None
    when: Callable[[World], bool] = lambda _world: True
    can_cross: bool = False
    """Whether it may as well come at any other time."""
    act: Callable[[World, list[str]], None] | None = None
    """What is done instead of a request; it is given the ids."""
    id: str = ""
    """The request's, where it is not one of its own."""
    address: str = "192.0.2.1"
    wanted: int = 0
    """The status that it is answered with, if that is no success."""


@dataclass
class Script:
    """Commands in order, and where it is."""

    world: World
    commands: tuple[Command, ...]
    disturbed: Callable[[], None]
    """Called when it does what nobody would."""
    ids: list[str] = field(default_factory=list)
    answers: list[tuple[int, Any]] = field(default_factory=list)
    put_off: dict[int, timedelta] = field(default_factory=dict)
    """Commands that are sent so much later than their time."""
    late: set[int] = field(default_factory=set)
    crossed: bool = False
    was_refused: bool = False
    """A command came too late, so that those after it have no meaning."""
    _waits: bool = False
    _is_sending: bool = False

    @property
    def at(self) -> int:
        """The command that is next."""
        return len(self.answers)

    @property
    def is_done(self) -> bool:
        return self.was_refused or self.at == len(self.commands)

    def is_ready(self) -> bool:
        return not self.is_done and not self._waits and self.commands[self.at].when(self.world)

    def go_on(self, retry_after: Callable[[Request], timedelta | None]) -> None:
        """Send the next command. `retry_after` says whether to repeat an unanswered one at once (None), or when."""
        if act := self.commands[self.at].act:
            self.disturbed()
            self.answers.append((200, act(self.world, self.ids)))
            return
        if delay := self.put_off.pop(self.at, None):
            self._waits = True
            self.late.add(self.at)
            self.world.after(delay, lambda: self._wake(retry_after), "a late command")
            return
        self._send(retry_after)

    def cross(self) -> bool:
        """Send the next command now if it may come at any time; refused, it comes again at its own. Whether it was."""
        if self.is_done or self._is_sending or self._waits or not self.commands[self.at].can_cross:
            return False
        self.crossed = True
        status, body = self._once()
        if status < 400:
            self.answers.append((status, body))
        return status < 400

    def _wake(self, retry_after: Callable[[Request], timedelta | None]) -> None:
        self._waits = False
        self._send(retry_after)

    def _send(self, retry_after: Callable[[Request], timedelta | None]) -> None:
        for _ in range(_AT_ONCE):
            status, body = self._once()
            if status < 500:
                break
            if delay := retry_after(self._request()):
                self._waits = True
                self.late.add(self.at)
                self.world.after(delay, lambda: self._wake(retry_after), "a late repeat")
                return
        command = self.commands[self.at]
        if command.wanted:
            assert status == command.wanted, (command, status, body)
        else:
            # Late, it may meet a campaign that has ended.
            assert status < 300 or (status == 409 and (self.late or self.crossed)), (command, status, body)
            self.was_refused = status == 409
        if status == 201 and "id" in body:
            self.ids.append(body["id"])
        self.answers.append((status, body))

    def _once(self) -> tuple[int, Any]:
        self._is_sending = True
        try:
            return self.world.http(self._request())
        finally:
            self._is_sending = False

    def _request(self) -> Request:
        command = self.commands[self.at]
        body = command.body(self.world) if callable(command.body) else command.body
        return Request(
            command.method,
            command.path.format(*self.ids),
            body,
            command.id or f"request-{self.at}",
            address=command.address,
        )
