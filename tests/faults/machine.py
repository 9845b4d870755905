"""A state machine over every command and every fault of the boosts, driven by Hypothesis."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.faults.boosts import CAMPAIGNS, Boosts, check_numbers, left
from tests.faults.faults import OF_AWS, Crossing, Delivery, Fault, Faults, Injection
from tests.faults.sweep import AT_REST_WITHIN, Violation, check_requests
from tests.faults.world import START, Message, Request, Site, World

_MOST_CAMPAIGNS = 4
_DAILY_LIMIT = 30_000
_REPEATS = 30
_VERBS = ("create", "execute", "execute", "pause", "pause", "cancel", "revert", "stop", "resume", "resume")
_COMMANDS = st.tuples(st.sampled_from(_VERBS), st.integers(0, _MOST_CAMPAIGNS - 1))
_TERMS = st.fixed_dictionaries(
    {
        "total_count": st.sampled_from((20_000, 2_500, 45_000)),
        "duration_days": st.integers(1, 3),
        "pattern": st.sampled_from(("steady", "burst", "progressive")),
        "video_ids": st.sampled_from((["a"], ["a", "b"], ["c", "b", "a"])),
    }
)
_EVENING = START + timedelta(hours=10)
_IN_BETWEEN: tuple[Crossing | Delivery, ...] = (*Crossing, Delivery.AT_ONCE, Delivery.LATE)


def mishaps(faults: tuple[Fault, ...], most: int) -> st.SearchStrategy[list[Any]]:
    """What goes wrong or comes in between, the next time that a function comes to that call of an invocation.

    The function is a number of one `at_work`, or None for the worker.
    """
    what = st.one_of(
        st.tuples(st.sampled_from(faults), st.sampled_from(tuple(Delivery))),
        st.tuples(st.just(Fault.NONE), st.sampled_from(_IN_BETWEEN)),
    )
    call = st.tuples(st.one_of(st.none(), st.integers(0, 99)), st.integers(0, 12))
    return st.lists(st.tuples(call, what), max_size=most)


def by_function(world: World, worker: str, chosen: list[Any]) -> dict[tuple[str, int], Any]:
    """Mishaps by the function's name and the call."""
    functions = at_work(world)
    names = [worker if number is None else functions[number % len(functions)] for (number, _), _ in chosen]
    return {(name, call): what for name, ((_, call), what) in zip(names, chosen, strict=True)}


def at_work(world: World) -> list[str]:
    """The functions behind what is fed, and behind what is asked but for looking."""
    wiring = world.wiring
    found = {source.function for source in (*wiring.queue_sources, *wiring.stream_sources)}
    found |= {schedule.target for schedule in wiring.recurring if schedule.target not in world.silent}
    found |= {route.function for route in wiring.routes if route.method != "GET"}
    return sorted(found & {*wiring.handlers})


_MISHAPS = mishaps(OF_AWS, 4)


class Machine(RuleBasedStateMachine):
    """Begins with a campaign that runs. Whatever was done, at its end everything comes to rest and adds up."""

    world: World
    context = Boosts()
    steps = 0
    """So many of all runs."""

    def __init__(self) -> None:
        super().__init__()
        self.world.forget(_EVENING)
        # Others have left little room: in this month, and on this day.
        left(month=90_000, day=33_000)(self.world)
        self.base = self.context.base(self.world)
        self.watch = self.context.watch()
        self.faults = Faults((), self.watch.disturbed, self._cross)
        self.mishaps: dict[tuple[str, int], tuple[Fault, Delivery | Crossing]] = {}
        self.world.watchers = [self.watch]
        self.world.nemesis = self
        self.ids: list[str] = []
        self.terms: dict[str, Any] = {}
        """Of the next campaign."""
        self.requests = 0
        self.crossing: list[tuple[str, int]] = []
        """The commands that come in the middle of calls."""

    # --- Commands

    @initialize(terms=_TERMS)
    def begin(self, terms: dict[str, Any]) -> None:
        self.terms = terms
        self._give("create", 0)
        self._give("execute", 0)

    @rule(command=_COMMANDS, terms=_TERMS, waits=st.sampled_from((0, 0, 600)), mishaps=_MISHAPS)
    def command(self, command: tuple[str, int], terms: dict[str, Any], waits: int, mishaps: list[Any]) -> None:
        self.mishaps.update(by_function(self.world, "BoostsWorkerFunction", mishaps))
        at = {"scheduled_for": (self.world.now() + timedelta(seconds=waits)).isoformat()} if waits else {}
        self.terms = terms | at
        self._give(*command)

    def _give(self, verb: str, number: int) -> None:
        if verb == "create":
            self._create()
        elif verb in ("stop", "resume"):
            self._ask(f"/api/admin/{verb}", {"reason": "a test"})
        else:
            body = {"reason": "a test"} if verb == "revert" else None
            self._ask(f"{CAMPAIGNS}/{self.ids[number % len(self.ids)]}/{verb}", body)

    def _create(self) -> None:
        if len(self.ids) < _MOST_CAMPAIGNS:
            most = self.terms["duration_days"] * _DAILY_LIMIT
            total = min(self.terms["total_count"], most)
            terms = self.terms | {"daily_limit": _DAILY_LIMIT, "total_count": total}
            self.ids.append(self._ask(CAMPAIGNS, terms, (201,))["id"])

    def _ask(self, path: str, body: Any, statuses: tuple[int, ...] = (200, 409)) -> Any:
        """The answer. A repeat has the same id."""
        self.requests += 1
        request = Request("POST", path, body, f"request-{self.requests}")
        with as_assertions(self.world):
            for _ in range(_REPEATS):
                status, answer = self.world.http(request)
                if status < 500:
                    break
            if status not in statuses:
                raise Violation(f"{path} was answered {status}: {answer}")
        return answer

    def _cross(self) -> bool:
        if not self.crossing:
            return False
        self._give(*self.crossing.pop())
        return True

    # --- Time, and what SQS and people do to messages

    @rule(many=st.integers(1, 12), crossing=st.lists(_COMMANDS, max_size=2), mishaps=_MISHAPS)
    def go_on(self, many: int, crossing: list[tuple[str, int]], mishaps: list[Any]) -> None:
        self.mishaps.update(by_function(self.world, "BoostsWorkerFunction", mishaps))
        self.crossing = crossing
        with as_assertions(self.world):
            for _ in range(many):
                self.world.step()

    @rule(seconds=st.sampled_from((1, 3, 10, 60, 3600)))
    def time_passes(self, seconds: int) -> None:
        until = self.world.now() + timedelta(seconds=seconds)
        with as_assertions(self.world):
            while self.world.agenda()[0].at <= until:
                self.world.step()
        self.world.pass_time(until)

    def _waiting(self) -> list[Message]:
        return self.world.queues["BoostsQueue"]

    @precondition(lambda self: self._waiting())
    @rule(number=st.integers(0, 9))
    def deliver_out_of_order(self, number: int) -> None:
        """Early, and before others."""
        waiting = self._waiting()
        with as_assertions(self.world):
            source = next(each for each in self.world.wiring.queue_sources if each.queue == "BoostsQueue")
            self.world.deliver(source, [waiting[number % len(waiting)]])

    @precondition(lambda self: self._waiting())
    @rule(number=st.integers(0, 9))
    def duplicate(self, number: int) -> None:
        """A copy with the same id, as SQS makes it."""
        waiting = self._waiting()
        found = waiting[number % len(waiting)]
        self.watch.disturbed()
        waiting.append(Message(found.id, found.body, found.visible_at, found.sent_at, found.chain))

    @precondition(lambda self: self._waiting())
    @rule()
    def purge(self) -> None:
        """Somebody empties the queue."""
        self.watch.disturbed()
        self._waiting().clear()

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
            check_numbers(self.world, self.base)

    def teardown(self) -> None:
        with as_assertions(self.world):
            self.mishaps.clear()
            self._ask("/api/admin/resume", {"reason": "a test"})
            quiet_since = self.world.now()
            while not (self.world.is_quiet() and self.context.is_settled(self.world)):
                if not self.world.is_quiet():
                    quiet_since = self.world.now()
                if self.world.now() - quiet_since > AT_REST_WITHIN:
                    break
                self.world.step()
            check_requests(self.world)
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
