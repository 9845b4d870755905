"""Any commands and any faults, in any order: at the end everything comes to rest and adds up."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.contexts import MACHINES
from tests.faults.faults import Crossing, Fault
from tests.faults.machine import RESUME, Machine
from tests.faults.report import Teller
from tests.faults.sweep import Sweep, Violation
from tests.faults.world import Request, World

LONG = os.environ.get("FAULTS") == "long"
STEPS_OF_A_RUN = 50
# About two thousand steps together; a million with FAULTS=long.
SEEDS = range(2)
LONGER = 500

each_machine = pytest.mark.parametrize("sweep", MACHINES, indirect=True)


def machine(sweep: Sweep, name: str = "Seeded") -> type[Machine]:
    """The machine of a sweep's context. Hypothesis derives the order of a derandomized test from its name."""
    return type(name, (MACHINES[sweep.context.name],), {"world": sweep.world, "context": sweep.context})


@pytest.mark.timeout(0 if LONG else 3600)
@pytest.mark.parametrize("seed", SEEDS)
@each_machine
def test_whatever_is_done_and_goes_wrong_everything_comes_to_rest_and_adds_up(
    sweep: Sweep, seed: int, tell: Teller
) -> None:
    seeded = machine(sweep, f"{sweep.context.name}{seed}")
    run_state_machine_as_test(
        seeded,
        settings=settings(
            max_examples=seeded.runs * (LONGER if LONG else 1),
            stateful_step_count=STEPS_OF_A_RUN,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )

    what = "state machine of any commands and faults = {steps} steps, 0 violations"
    tell(sweep.context.name, what, steps=seeded.steps)


@each_machine
def test_what_a_command_finds_in_the_middle_of_a_call_fails_the_machine(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = machine(sweep)()

    def answered(_watch: Any, world: World, request: Request, status: int, body: Any) -> None:
        if world.running:
            raise Violation("seeded")

    monkeypatch.setattr(type(begun.watch), "answered", answered)

    with pytest.raises(AssertionError, match="seeded"):
        begun.go_on(5, [RESUME], [((None, 0), (Fault.NONE, Crossing.COMMAND))])


@each_machine
def test_an_answer_that_no_command_may_have_fails_the_machine_in_the_middle_of_a_call_too(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = machine(sweep)()
    asked = World.http

    def http(world: World, request: Request) -> tuple[int, Any]:
        return (418, None) if world.running else asked(world, request)

    monkeypatch.setattr(World, "http", http)

    with pytest.raises(AssertionError, match="418"):
        begun.go_on(5, [RESUME], [((None, 0), (Fault.NONE, Crossing.COMMAND))])
