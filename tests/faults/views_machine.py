"""A state machine over every command and every fault of the views, driven by Hypothesis."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.faults.faults import FAULTS, Crossing, Delivery, Fault, Faults, Injection
from tests.faults.machine import as_assertions, by_function, mishaps
from tests.faults.script import Command
from tests.faults.sweep import Violation, check_requests
from tests.faults.views import (
    EVENING,
    Views,
    adjust,
    begun,
    check_tables,
    counts,
    execute,
    new_import,
    platform,
    register,
    rows,
    sync,
    view,
)
from tests.faults.world import Message, Request, Site, World

_MOST_IMPORTS = 2
_REPEATS = 30
_WITHIN = timedelta(hours=26)
_QUEUES = st.sampled_from(("ViewsQueue", "ViewsQueue", "ViewsImportsQueue"))
_CONTENTS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
_COMMANDS = st.one_of(
    st.builds(lambda viewer, contents: view(viewer, *contents), st.integers(1, 3), _CONTENTS),
    st.builds(sync, force=st.booleans()),
    st.just(counts("a", "b", "c")),
    st.builds(adjust, st.sampled_from("ab"), st.sampled_from((1, 5, -2))),
    st.just(new_import()),
    st.builds(
        lambda number, contents, of: rows(number, *contents, of_import=of),
        *(st.integers(1, 2), _CONTENTS, st.integers(0, _MOST_IMPORTS - 1)),
    ),
    st.builds(execute, st.integers(0, _MOST_IMPORTS - 1)),
    st.builds(platform, st.sampled_from(("stop", "resume"))),
    st.builds(register, st.sampled_from("ab"), st.sampled_from(("one", "two"))),
)
_MISHAPS = mishaps(FAULTS, 3)


class ViewsMachine(RuleBasedStateMachine):
    """Begins before a midnight. Whatever was done, at its end everything comes to rest and adds up."""

    world: World
    context: Views
    steps = 0
    """So many of all runs."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = self.context.watch()
        self.world.forget(EVENING)
        self.world.silent = ("ViewsDiagnosisScheduleFunction",)
        begun(self.world)
        self.faults = Faults((), self.watch.disturbed, self._cross)
        self.mishaps: dict[tuple[str, int], tuple[Fault, Delivery | Crossing]] = {}
        self.watch.may_stand_still = True
        self.world.watchers = [self.watch]
        self.world.nemesis = self
        self.ids: list[str] = []
        self.requests = 0
        self.crossing: list[Command] = []
        """What comes in the middle of calls."""

    # --- Commands

    @rule(command=_COMMANDS, mishaps=_MISHAPS)
    def command(self, command: Command, mishaps: list[Any]) -> None:
        self.mishaps.update(by_function(self.world, "ViewsSyncWorkerFunction", mishaps))
        self._give(command)

    def _give(self, command: Command) -> None:
        if command.path == new_import().path and len(self.ids) == _MOST_IMPORTS:
            return
        if "{" in command.path and not self.ids:
            return
        path = command.path.format(*(self.ids * _MOST_IMPORTS))
        self.requests += 1
        request = Request(command.method, path, command.body, f"request-{self.requests}", address=command.address)
        with as_assertions(self.world):
            for _ in range(_REPEATS):
                status, answer = self.world.http(request)
                if status < 500:
                    break
            if status not in (200, 201, 202, 409) and not (self.world.cache.is_away and status == 503):
                raise Violation(f"{path} was answered {status}: {answer}")
        if status == 201 and "id" in answer:
            self.ids.append(answer["id"])

    def _cross(self) -> bool:
        if not self.crossing:
            return False
        self._give(self.crossing.pop())
        return True

    # --- Redis

    @rule()
    def redis_restarts_empty(self) -> None:
        self.watch.disturbed()
        self.context.restart()

    @rule()
    def redis_goes_or_comes_back(self) -> None:
        self.watch.disturbed()
        if self.world.cache.is_away:
            self.world.cache.is_away = False
        else:
            self.world.cache.go()

    # --- Time, and what SQS and people do to messages

    @rule(many=st.integers(1, 12), crossing=st.lists(_COMMANDS, max_size=2), mishaps=_MISHAPS)
    def go_on(self, many: int, crossing: list[Command], mishaps: list[Any]) -> None:
        self.mishaps.update(by_function(self.world, "ViewsSyncWorkerFunction", mishaps))
        self.crossing = crossing
        with as_assertions(self.world):
            for _ in range(many):
                self.world.step()

    @rule(seconds=st.sampled_from((1, 20, 100, 3600)))
    def time_passes(self, seconds: int) -> None:
        until = self.world.now() + timedelta(seconds=seconds)
        with as_assertions(self.world):
            while self.world.agenda()[0].at <= until:
                self.world.step()
        self.world.pass_time(until)

    @precondition(lambda self: any(self.world.queues.values()))
    @rule(queue=_QUEUES, number=st.integers(0, 9))
    def deliver_out_of_order(self, queue: str, number: int) -> None:
        """Early, and before others."""
        source = next(each for each in self.world.wiring.queue_sources if each.queue == queue)
        with as_assertions(self.world):
            if waiting := self.world.queues[queue]:
                self.world.deliver(source, [waiting[number % len(waiting)]])

    @precondition(lambda self: any(self.world.queues.values()))
    @rule(queue=_QUEUES, number=st.integers(0, 9))
    def duplicate(self, queue: str, number: int) -> None:
        """A copy with the same id, as SQS makes it."""
        self.watch.disturbed()
        if waiting := self.world.queues[queue]:
            found = waiting[number % len(waiting)]
            waiting.append(Message(found.id, found.body, found.visible_at, found.sent_at, found.chain))

    @precondition(lambda self: any(self.world.queues.values()))
    @rule(queue=_QUEUES)
    def purge(self, queue: str) -> None:
        """Somebody empties the queue."""
        self.watch.disturbed()
        self.world.queues[queue].clear()

    # --- Faults

    def at(self, world: World, site: Site, effect: Callable[[], Any]) -> Any:
        if mishap := self.mishaps.pop((site.function, site.call), None):
            self.faults.add(Injection(site.number, *mishap))
        return self.faults.at(world, site, effect)

    # --- What must hold

    @invariant()
    def everything_adds_up(self) -> None:
        type(self).steps += 1
        with as_assertions(self.world):
            check_requests(self.world)
            self.watch.look()
            check_tables(self.world)

    def teardown(self) -> None:
        with as_assertions(self.world):
            self.mishaps.clear()
            self.world.cache.is_away = False
            self.world.pass_time(self.world.now() + timedelta(seconds=10))
            self._redrive()
            self._give(platform("resume"))
            ends = self.world.now() + _WITHIN
            while not (self.world.is_quiet() and self.context.is_settled(self.world)) and self.world.now() < ends:
                self.world.step()
            check_requests(self.world)
            self.context.check(self.world, None)

    def _redrive(self) -> None:
        """What died while Redis was away, for longer than a message is tried, is given another chance by people."""
        for name, rules in self.world.wiring.queues.items():
            if rules.dead_letters:
                dead = self.world.queues[rules.dead_letters]
                for message in dead:
                    message.receives, message.visible_at = 0, self.world.now()
                self.world.queues[name] += dead
                dead.clear()
