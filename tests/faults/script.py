"""A script: an operator who sends commands, each when its time has come, and repeats it until it is answered."""

from collections.abc import Callable, Sequence
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
    agent: str = "Mozilla/5.0"
    wanted: int = 0
    """The status that it is answered with, if that is no success."""
    code: str = ""
    """And the code."""
    has_key: bool = True
    """Whether it has an Idempotency-Key."""
    role: str = "admin"
    subject: str = "ada"

    def request(self, world: World, ids: Sequence[str], default_id: str) -> Request:
        """What is sent; `default_id`: the request's, if it has none of its own."""
        return Request(
            self.method,
            self.path.format(*ids),
            self.body(world) if callable(self.body) else self.body,
            self.id or default_id,
            address=self.address,
            agent=self.agent,
            has_key=self.has_key,
            role=self.role,
            subject=self.subject,
        )


@dataclass
class Script:
    """Commands in order, and where it is."""

    world: World
    commands: tuple[Command, ...]
    disturbed: Callable[[], None]
    """Called when it does what nobody would."""
    ids: list[str] = field(default_factory=list)
    answers: dict[int, tuple[int, Any]] = field(default_factory=dict)
    """By the commands' places."""
    is_race: bool = False
    """Whether a command may come in the middle of the one before it."""
    put_off: dict[int, timedelta] = field(default_factory=dict)
    """Commands that are sent so much later than their time."""
    late: set[int] = field(default_factory=set)
    crossed: bool = False
    was_refused: bool = False
    """A command came too late, so that those after it have no meaning."""
    _is_hit: bool = False
    _unheard: set[int] = field(default_factory=set)
    """Commands that came in between and were answered by a failure: they are repeated at once."""
    _waits: bool = False
    _is_sending: int | None = None

    @property
    def at(self) -> int:
        """The command that is next."""
        return next(number for number in range(len(self.commands) + 1) if number not in self.answers)

    @property
    def is_done(self) -> bool:
        return self.was_refused or len(self.answers) == len(self.commands)

    def is_ready(self) -> bool:
        if self.is_done or self._waits:
            return False
        return self.at in self._unheard or self.commands[self.at].when(self.world)

    def hit(self) -> None:
        """Something goes wrong, or out of order."""
        self._is_hit = True
        self.disturbed()

    def go_on(self, retry_after: Callable[[Request], timedelta | None]) -> None:
        """Send the next command. `retry_after` says whether to repeat an unanswered one at once (None), or when."""
        number = self.at
        if act := self.commands[number].act:
            self.disturbed()
            self.answers[number] = 200, act(self.world, self.ids)
        elif delay := self.put_off.pop(number, None):
            self._later(number, delay, retry_after, "a late command")
        else:
            self._send(number, retry_after)

    def cross(self) -> bool:
        """Send the next command now if it may come at any time; refused, it comes again at its own. Whether it was."""
        number = self.at if self._is_sending is None else self._is_sending + 1
        if number in self.answers or number >= len(self.commands) or self._waits or self.was_refused:
            return False
        if self._is_sending is not None and not self.is_race:
            return False
        if not self.commands[number].can_cross or not self._is_made(self.commands[number].path):
            return False
        self.crossed = True
        if act := self.commands[number].act:
            self.answers[number] = 200, act(self.world, self.ids)
            return True
        status, body = self._once(number)
        if status < 400:
            self.answers[number] = status, body
        elif status >= 500:
            self._unheard.add(number)
        return status < 400

    def _is_made(self, path: str) -> bool:
        return all(f"{{{number}}}" not in path for number in range(len(self.ids), len(self.commands)))

    def _later(
        self, number: int, delay: timedelta, retry_after: Callable[[Request], timedelta | None], what: str
    ) -> None:
        def wake() -> None:
            self._waits = False
            self._send(number, retry_after)

        self._waits = True
        self.late.add(number)
        self.world.after(delay, wake, what)

    def _send(self, number: int, retry_after: Callable[[Request], timedelta | None]) -> None:
        for _ in range(_AT_ONCE):
            status, body = self._once(number)
            if status < 500:
                break
            if delay := retry_after(self._request(number)):
                self._later(number, delay, retry_after, "a late repeat")
                return
        command = self.commands[number]
        if self.world.is_restored:
            # It may meet what was taken back: a campaign that is not there, or that is in another state.
            assert status < 500, (command, status, body)
        elif command.wanted and not self.crossed and number not in self.late:
            assert (status, command.code or body.get("code")) == (command.wanted, body.get("code")), (
                command,
                status,
                body,
            )
        elif status != command.wanted:
            # Late, or with the rest too early, it may meet a campaign that has ended.
            may_be_late = self.late or self.crossed or (command.can_cross and self._is_hit)
            assert status < 300 or (status == 409 and may_be_late), (command, status, body)
            self.was_refused = status == 409
        if status == 201 and "id" in body:
            self.ids.append(body["id"])
        self.answers[number] = status, body

    def _once(self, number: int) -> tuple[int, Any]:
        before, self._is_sending = self._is_sending, number
        try:
            return self.world.http(self._request(number))
        finally:
            self._is_sending = before

    def _request(self, number: int) -> Request:
        return self.commands[number].request(self.world, self.ids, f"request-{number}")
