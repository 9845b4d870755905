"""The sweep: every fault at every call of every flow, and that nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, ClassVar, Protocol

from tests.faults.begun import MOST_EVENTS
from tests.faults.faults import (
    LATE,
    OF_AWS,
    Crossing,
    Delivery,
    Fault,
    Faults,
    Injection,
    Restore,
    can_happen,
    is_told,
)
from tests.faults.repeats import Repeats
from tests.faults.script import Command, Script
from tests.faults.wiring import is_keyed
from tests.faults.world import START, SWEEPER, Request, Site, Violation, Watcher, World, a_world

# Whatever goes wrong, a run that has not come to rest by then never will: the sweeper waits at most four hours.
AT_REST_WITHIN = timedelta(hours=9)


class Watch(Watcher, Protocol):
    """A context's watcher."""

    def disturbed(self) -> None: ...


@dataclass(frozen=True)
class Flow:
    """What is done with a context, start to end."""

    name: str
    commands: tuple[Command, ...]
    prepare: Callable[[World], None] = lambda _world: None
    starts_at: datetime = START
    is_timed: bool = False
    """Whether a delay changes its batches: by a midnight that comes between."""
    is_race: bool = False
    """Whether commands come in the middle of one another, so that its end depends on which is first."""
    silent: tuple[str, ...] = ()
    """Targets whose recurring schedules do not fire."""
    is_swept_at_last: bool = False
    """Whether the sweeper, silent to save time, comes when something went wrong and nothing else is left to happen."""
    only_in: tuple[str, ...] = ()
    """The functions whose calls go wrong; by default all do."""
    only_while: Callable[[World], bool] | None = None
    """Calls go wrong only while this holds; by default always."""
    at_rest_within: timedelta = AT_REST_WITHIN
    is_restorable: bool = True
    """Whether its tables may be put back."""
    is_restored_anywhere: bool = False
    """Whether they may be put back at calls that do not go wrong, too."""


class Context:
    """A context, as the sweep knows it: all that a new one must say to join."""

    name: str
    packages: tuple[str, ...]
    """Of which functions: others are not called, nor what feeds them."""
    flows: tuple[Flow, ...]
    faults: tuple[Fault, ...] = OF_AWS
    modules: tuple[str, ...]
    """Where the mutation check looks for conditions, fences and guards."""
    out_of_sight: ClassVar[Mapping[str, str]] = {}
    """What no run can notice, for want of it in the world, and where it is tested instead."""
    unreached: ClassVar[Mapping[str, str]] = {}
    """Functions that no flow reaches, and where they are tested instead."""
    never_broken: ClassVar[Mapping[str, str]] = {}
    """Functions whose calls never go wrong here, and why."""
    made_good: ClassVar[Mapping[str, str]] = {}
    """Scheduled functions that need not fail when a call of theirs failed, and how it is made good."""
    told_anew: ClassVar[Collection[str]] = ()
    """Fields of answers that are no part of what is stored of them: a repeat reads them again."""
    needs: tuple[str, ...] = ()
    """The fixtures that it is made of, such as servers."""
    is_restorable: bool = True
    """Whether its tables may be taken back: whether its watcher knows what a restore allows."""
    one_in: int = 1
    """Of the faults at a call, `make test` tries one in so many; `make faults` tries all."""
    pairs_of_a_flow: int = 12
    """How many pairs of faults `make test` tries in each flow."""
    is_mutated_in_short: bool = True
    """Whether `make test` takes its conditions out too, not `make faults` alone."""

    @contextmanager
    def world(self) -> Iterator[World]:
        """The world in which its functions are deployed."""
        with a_world(self.packages) as world:
            yield world

    def watch(self) -> Watch:
        """What watches the next run."""
        raise NotImplementedError

    def is_settled(self, world: World) -> bool:
        """Whether nothing is left to do."""
        raise NotImplementedError

    def base(self, world: World) -> Any:
        """What was there before, if the flow prepares something."""
        return None

    def check(self, world: World, base: Any) -> None:
        """What must hold at rest. Raises Violation."""
        raise NotImplementedError

    def end(self, world: World) -> tuple[Any, Any, Any]:
        """The end state, up to times and ids: what came of everything, how much it was, and in which parts.

        None for what may differ from the faultless run's.
        """
        raise NotImplementedError


@dataclass
class Run:
    """What came of a run."""

    flow: Flow
    injections: tuple[Injection, ...]
    sites: list[Site]
    """Where something can go wrong."""
    reached: list[Site]
    """All calls."""
    end: tuple[Any, Any, Any] | None
    late_commands: set[int]
    crossed: bool
    problem: str | None = None

    def __str__(self) -> str:
        return f"{self.flow.name}: {'; '.join(map(str, self.injections)) or 'no fault'}: {self.problem or 'well'}"


type Ends = dict[tuple[str, int | None], Run]
"""Runs without faults, by their flow and by which command was late."""


class Sweep:
    """Runs a context's flows in a world. `ends`: what is known of them already."""

    def __init__(self, world: World, context: Context, ends: Ends | None = None) -> None:
        self.world = world
        self.context = context
        self._ends: Ends = {} if ends is None else ends

    def faultless(self, flow: Flow, put_off: int | None = None) -> Run:
        """The run without faults; `put_off`: with that command so late as a fault makes it."""
        if (flow.name, put_off) not in self._ends:
            self._ends[flow.name, put_off] = self._run(flow, (), put_off)
        run = self._ends[flow.name, put_off]
        assert run.problem is None, run
        assert [site.number for site in run.reached] == list(range(len(run.reached))), "not every call was noted"
        return run

    def run(self, flow: Flow, *injections: Injection) -> Run:
        """A run with faults, judged: by its invariants, and by the end of the faultless one."""
        run = self._run(flow, injections)
        if run.problem:
            return run
        # A late answer makes the next command late, too.
        if self.world.is_restored:
            return run
        late = {each for number in run.late_commands for each in (number, number + 1) if each < len(flow.commands)}
        allowed = [self.faultless(flow), *(self.faultless(flow, each) for each in sorted(late))]
        parts = 0 if flow.is_race else 1 if run.crossed else 2 if flow.is_timed else 3
        if not any(_alike(run.end, each.end, parts) for each in allowed):
            run.problem = f"the end is not that of the faultless run: {run.end} instead of {allowed[0].end}"
        return run

    def _run(self, flow: Flow, injections: tuple[Injection, ...], put_off: int | None = None) -> Run:
        world, watch = self.world, self.context.watch()
        world.forget(flow.starts_at)
        world.silent = flow.silent
        flow.prepare(world)
        base = self.context.base(world)
        repeats = Repeats(self.context.told_anew)
        world.watchers = [watch, repeats]
        late = {put_off: LATE} if put_off is not None else {}
        script = Script(world, flow.commands, watch.disturbed, is_race=flow.is_race, put_off=late)
        never_in = self.context.never_broken
        faults = Faults(injections, script.hit, script.cross, repeats.play, flow.only_while, flow.only_in, never_in)
        world.nemesis = faults

        def retry_after(request: Request) -> timedelta | None:
            ids = [invocation.event.get("requestContext", {}).get("requestId", "") for invocation in faults.late]
            return LATE if request.id in [each.partition("/")[0] for each in ids] and not script.late else None

        problem = None
        try:
            self._to_rest(world, script, retry_after, base, flow)
            self._check_heard(faults)
            check_functions(world)
            world.nemesis = None
            self.context.check(world, base)
        except (Violation, AssertionError) as error:
            problem = f"{type(error).__name__}: {error}"
        end = None if problem else self.context.end(world)
        return Run(flow, injections, faults.sites, faults.reached, end, set(script.late), script.crossed, problem)

    def _to_rest(
        self,
        world: World,
        script: Script,
        retry_after: Callable[[Request], timedelta | None],
        base: Any,
        flow: Flow,
    ) -> None:
        quiet_since = world.now()
        for _ in range(MOST_EVENTS):
            if script.is_ready():
                script.go_on(retry_after)
                quiet_since = world.now()
                continue
            if world.is_quiet():
                is_over = script.is_done or world.is_restored
                if is_over and self.context.is_settled(world):
                    return
                if world.now() - quiet_since > flow.at_rest_within:
                    break
            else:
                quiet_since = max(quiet_since, world.now())
            if world.agenda():
                world.step()
            elif flow.is_swept_at_last and SWEEPER in world.silent:
                world.hear(SWEEPER)
            else:
                break
        # The last word is the invariants', which say what is left; nothing may be.
        self.context.check(world, base)
        raise Violation("it does not come to rest")

    def _check_heard(self, faults: Faults) -> None:
        """Of what a schedule starts nobody hears, unless it fails: an alarm counts that."""
        on_schedule = {schedule.target for schedule in self.world.wiring.recurring} - self.context.made_good.keys()
        for injection, site, invocation in faults.hit:
            if site.function in on_schedule and is_told(injection.fault, site) and not invocation.has_failed:
                raise Violation(f"{site.function} kept to itself that a call of it had failed")


def check_functions(world: World) -> None:
    """No request was answered for by a crash, but where a process died; and no function made a mistake."""
    if world.broken:
        raise Violation(f"a function broke: {world.broken[0]!r}")


def _alike(end: Any, other: Any, parts: int) -> bool:
    return all(one is None or one == same for one, same in list(zip(end, other, strict=True))[:parts])


# --- What is tried


def singles(sites: Iterable[Site], faults: Iterable[Fault]) -> Iterator[Injection]:
    """Every fault that can happen at every call, with every delivery."""
    for site in sites:
        for fault in faults:
            if can_happen(fault, site):
                for delivery in Delivery:
                    yield Injection(site.number, fault, delivery)


def crossings(flow: Flow, sites: Iterable[Site]) -> Iterator[Injection]:
    """Everything that can come in the middle of every call, which is otherwise well."""
    can_cross = sum(command.can_cross for command in flow.commands)
    unlikely = (Crossing.COMMAND, Crossing.COMMANDS)[can_cross:]
    if not any(is_keyed(command.method, command.path.format(*"0123456789")) for command in flow.commands):
        unlikely = (*unlikely, Crossing.REPEATS)
    for site in sites:
        for crossing in (each for each in (*Crossing, Delivery.AT_ONCE, Delivery.LATE) if each not in unlikely):
            yield Injection(site.number, Fault.NONE, crossing)


def restores(context: Context, flow: Flow, run: Run) -> Iterator[tuple[Injection, Injection]]:
    """Every way to take the tables back, in the middle of a call, to what they were before an earlier write."""
    sites = run.sites
    if flow.is_restored_anywhere:
        sites = [site for site in run.reached if site.function not in context.never_broken]
    for number, later in enumerate(sites if context.is_restorable and flow.is_restorable else ()):
        for earlier in sites[:number]:
            if earlier.has_effect:
                kept = Injection(earlier.number, Fault.NONE, Restore.KEPT)
                yield kept, Injection(later.number, Fault.NONE, Restore.PUT_BACK)


def one_of_each(sweep: Sweep, seed: int) -> list[tuple[Flow, tuple[Injection, ...]]]:
    """Of what is tried, one of each kind for each call site, in a flow by chance; crossings in each flow.

    First the flows without any fault.
    """
    random = Random(seed)
    flows = list(sweep.context.flows)
    random.shuffle(flows)
    kinds: dict[Any, tuple[Flow, tuple[Injection, ...]]] = {}
    for flow in flows:
        run = sweep.faultless(flow)
        sites = {site.number: site for site in run.sites}
        for injection in (*crossings(flow, sites.values()), *singles(sites.values(), sweep.context.faults)):
            site = sites[injection.at]
            kind: tuple[Any, ...] = (site.place, injection.fault, injection.how)
            if injection.fault is Fault.NONE:
                # What comes in between may be harmless at one call, and not at the next of the same place.
                kind = (*kind, flow.name, site.number if flow.is_race else 0)
            kinds.setdefault(kind, (flow, (injection,)))
        for pair in _in_any_order(restores(sweep.context, flow, run), random):
            kinds.setdefault((run.reached[pair[1].at].place, Restore.PUT_BACK), (flow, pair))
    every = list(kinds.values())
    random.shuffle(every)
    return [*((flow, ()) for flow in flows), *every]


def _in_any_order[T](several: Iterable[T], random: Random) -> list[T]:
    found = list(several)
    random.shuffle(found)
    return found


def some_pairs(sweep: Sweep, flow: Flow, many: int, seed: int) -> Iterator[tuple[Injection, Injection]]:
    """Pairs of faults, by chance."""
    random = Random(f"{flow.name} {seed}")
    sites = sweep.faultless(flow).sites
    choices = [*singles(sites, sweep.context.faults), *crossings(flow, sites)]
    for _ in range(many if choices else 0):
        first, second = random.choice(choices), random.choice(choices)
        yield first, Injection(first.at + 1 + random.randrange(12), second.fault, second.how)
