"""A state machine over every command and every fault of a context, driven by Hypothesis. Each context has its own."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.faults.faults import Crossing, Delivery, Fault, Faults, Injection
from tests.faults.repeats import Repeats
from tests.faults.script import Command
from tests.faults.sweep import AT_REST_WITHIN, Context, Violation, check_functions
from tests.faults.world import START, Message, Site, World

RESUME = Command("POST", "/api/admin/resume", {"reason": "a test"})
_REPEATS = 30
_IN_BETWEEN: tuple[Crossing | Delivery, ...] = (*Crossing, Delivery.AT_ONCE, Delivery.LATE)


def _mishaps(machine: "Machine") -> st.SearchStrategy[list[Any]]:
    """What goes wrong or comes in between, the next time that a function comes to that call of an invocation.

    The function is a number of one `at_work`, or None for the worker.
    """
    what = st.one_of(
        st.tuples(st.sampled_from(machine.of.faults), st.sampled_from(tuple(Delivery))),
        st.tuples(st.just(Fault.NONE), st.sampled_from(_IN_BETWEEN)),
    )
    call = st.tuples(st.one_of(st.none(), st.integers(0, 99)), st.integers(0, 12))
    return st.lists(st.tuples(call, what), max_size=machine.most_mishaps)


# What each machine says of itself.
_COMMANDS = st.runner().flatmap(lambda machine: machine.commands)
_CROSSING = st.runner().flatmap(lambda machine: st.lists(machine.commands, max_size=2))
_MISHAPS = st.runner().flatmap(_mishaps)
_QUEUES = st.runner().flatmap(lambda machine: st.sampled_from(machine.queues))
_WAITS = st.runner().flatmap(lambda machine: st.sampled_from(machine.waits_seconds))


def at_work(world: World) -> list[str]:
    """The functions behind what is fed, and behind what is asked but for looking."""
    wiring = world.wiring
    found = {source.function for source in (*wiring.queue_sources, *wiring.stream_sources)}
    found |= {schedule.target for schedule in wiring.recurring if schedule.target not in world.silent}
    found |= {route.function for route in wiring.routes if route.method != "GET"}
    return sorted(found & {*wiring.handlers})


class Machine(RuleBasedStateMachine):
    """Whatever was done, at its end everything comes to rest and adds up. A context's machine says what is its own."""

    of: ClassVar[type[Context]]
    commands: ClassVar[st.SearchStrategy[Command]]
    """A path's `{0}` is the id of the first thing that was made; beyond those that were, they begin again."""
    creates: ClassVar[str]
    """The path of the commands that make something."""
    most_made: ClassVar[int]
    worker: ClassVar[str]
    """The function that most goes wrong in."""
    queues: ClassVar[tuple[str, ...]]
    """Of which messages are lost, copied and delivered out of order."""
    first: ClassVar[tuple[Command, ...]]
    """What every run begins with."""
    begins_at: ClassVar[datetime] = START
    silent: ClassVar[tuple[str, ...]] = ()
    most_mishaps: ClassVar[int] = 4
    waits_seconds: ClassVar[tuple[int, ...]] = (1, 3, 10, 60, 3600)
    at_rest_within: ClassVar[timedelta] = AT_REST_WITHIN
    runs: ClassVar[int] = 22
    """Of each seed, of fifty steps each."""

    world: World
    context: Context
    steps = 0
    """So many of all runs."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = self.context.watch()
        self.world.forget(self.begins_at)
        self.world.silent = self.silent
        self.prepare()
        self.base = self.context.base(self.world)
        repeats = Repeats(self.context.told_anew)
        self.faults = Faults((), self.watch.disturbed, self._cross, repeats.play)
        self.mishaps: dict[tuple[str, int], tuple[Fault, Delivery | Crossing]] = {}
        self.world.watchers = [self.watch, repeats]
        self.world.nemesis = self
        self.ids: list[str] = []
        self.requests = 0
        self.crossing: list[Command] = []
        """What comes in the middle of calls."""
        for each in self.first:
            self.give(each)

    # --- What is its own

    def prepare(self) -> None:
        """What is there before."""

    def check(self) -> None:
        """What must add up whenever no handler runs. Raises Violation."""
        raise NotImplementedError

    def may_be_answered(self, command: Command, status: int) -> bool:
        return status == 201 if command.path == self.creates else status in (200, 201, 202, 409)

    def heal(self) -> None:
        """Everything works again, and people look after what died."""

    # --- Commands

    @rule(command=_COMMANDS, mishaps=_MISHAPS)
    def command(self, command: Command, mishaps: list[Any]) -> None:
        self._expect(mishaps)
        self.give(command)

    def give(self, command: Command) -> None:
        """Send a command until it is answered. A repeat has the same id."""
        if (command.path == self.creates and len(self.ids) == self.most_made) or ("{" in command.path and not self.ids):
            return
        if command.act:
            self.watch.disturbed()
            command.act(self.world, self.ids)
            return
        self.requests += 1
        request = command.request(self.world, self.ids * self.most_made, f"request-{self.requests}")
        with as_assertions(self.world):
            for _ in range(_REPEATS):
                status, answer = self.world.http(request)
                if status < 500:
                    break
            if not self.may_be_answered(command, status):
                raise Violation(f"{request.path} was answered {status}: {answer}")
        if status == 201 and "id" in answer:
            self.ids.append(answer["id"])

    def _cross(self) -> bool:
        if not self.crossing:
            return False
        self.give(self.crossing.pop())
        return True

    # --- Time, and what SQS and people do to messages

    @rule(many=st.integers(1, 12), crossing=_CROSSING, mishaps=_MISHAPS)
    def go_on(self, many: int, crossing: list[Command], mishaps: list[Any]) -> None:
        self._expect(mishaps)
        self.crossing = crossing
        with as_assertions(self.world):
            for _ in range(many):
                self.world.step()

    @rule(seconds=_WAITS)
    def time_passes(self, seconds: int) -> None:
        until = self.world.now() + timedelta(seconds=seconds)
        with as_assertions(self.world):
            while self.world.agenda()[0].at <= until:
                self.world.step()
        self.world.pass_time(until)

    def _has_messages(self) -> bool:
        return any(self.world.queues[queue] for queue in self.queues)

    @precondition(_has_messages)
    @rule(queue=_QUEUES, number=st.integers(0, 9))
    def deliver_out_of_order(self, queue: str, number: int) -> None:
        """Early, and before others."""
        source = next(each for each in self.world.wiring.queue_sources if each.queue == queue)
        with as_assertions(self.world):
            if waiting := self.world.queues[queue]:
                self.world.deliver(source, [waiting[number % len(waiting)]])

    @precondition(_has_messages)
    @rule(queue=_QUEUES, number=st.integers(0, 9))
    def duplicate(self, queue: str, number: int) -> None:
        """A copy with the same id, as SQS makes it."""
        self.watch.disturbed()
        if waiting := self.world.queues[queue]:
            found = waiting[number % len(waiting)]
            waiting.append(Message(found.id, found.body, found.visible_at, found.sent_at, found.chain))

    @precondition(_has_messages)
    @rule(queue=_QUEUES)
    def purge(self, queue: str) -> None:
        """Somebody empties the queue."""
        self.watch.disturbed()
        self.world.queues[queue].clear()

    # --- Faults

    def _expect(self, chosen: list[Any]) -> None:
        """Mishaps, by the function's name and the call."""
        functions = at_work(self.world)
        for (number, call), what in chosen:
            self.mishaps[self.worker if number is None else functions[number % len(functions)], call] = what

    def at(self, world: World, site: Site, effect: Callable[[], Any]) -> Any:
        if mishap := self.mishaps.pop((site.function, site.call), None):
            self.faults.add(Injection(site.number, *mishap))
        return self.faults.at(world, site, effect)

    # --- What must hold

    @invariant()
    def everything_adds_up(self) -> None:
        type(self).steps += 1
        with as_assertions(self.world):
            check_functions(self.world)
            self.check()

    def teardown(self) -> None:
        with as_assertions(self.world):
            self.mishaps.clear()
            self.heal()
            self.give(RESUME)
            quiet_since = self.world.now()
            while not (self.world.is_quiet() and self.context.is_settled(self.world)):
                if not self.world.is_quiet():
                    quiet_since = self.world.now()
                if self.world.now() - quiet_since > self.at_rest_within:
                    break
                self.world.step()
            check_functions(self.world)
            self.context.check(self.world, self.base)


class as_assertions:  # noqa: N801
    """Hypothesis shrinks what fails with an Exception, and a Violation is none, so that no handler catches it.

    So what is found in the middle of a call stays a Violation until no handler is around it.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: Any, error: BaseException | None, _traceback: Any) -> None:
        if isinstance(error, Violation) and not self._world.running:
            raise AssertionError(str(error)) from error
