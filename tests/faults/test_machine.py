"""Any commands and any faults, in any order: at the end everything comes to rest and adds up."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.boosts import Watch
from tests.faults.faults import Crossing, Fault
from tests.faults.machine import Machine
from tests.faults.report import Teller
from tests.faults.sweep import Sweep, Violation
from tests.faults.world import Request, World

STEPS_OF_A_RUN = 50
# Two thousand steps together; a million with FAULTS=long.
SEEDS = range(2)
RUNS = 11_000 if os.environ.get("FAULTS") == "long" else 22


@pytest.mark.timeout(0 if os.environ.get("FAULTS") == "long" else 3600)
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_done_and_goes_wrong_everything_comes_to_rest_and_adds_up(
    boosts: Sweep, seed: int, tell: Teller
) -> None:
    class Seeded(Machine):
        world = boosts.world

    # Hypothesis derives the order of a derandomized test from its name.
    Seeded.__name__ = Seeded.__qualname__ = f"Machine{seed}"
    run_state_machine_as_test(
        Seeded,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS_OF_A_RUN,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )

    tell("boosts", "state machine of any commands and faults = {steps} steps, 0 violations", steps=Seeded.steps)


TERMS = {"total_count": 2500, "duration_days": 1, "pattern": "steady", "video_ids": ["a"]}


def test_what_a_command_finds_in_the_middle_of_a_call_fails_the_machine(
    boosts: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crossed(Machine):
        world = boosts.world

    def answered(_watch: Watch, world: World, request: Request, status: int, body: Any) -> None:
        if world.running:
            raise Violation("seeded")

    monkeypatch.setattr(Watch, "answered", answered)
    machine = Crossed()
    machine.begin(TERMS)

    with pytest.raises(AssertionError, match="seeded"):
        machine.go_on(2, [("pause", 0)], [((None, 0), (Fault.NONE, Crossing.COMMAND))])


def test_an_answer_that_no_command_may_have_fails_the_machine_in_the_middle_of_a_call_too(
    boosts: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crossed(Machine):
        world = boosts.world

    asked = World.http

    def http(world: World, request: Request) -> tuple[int, Any]:
        return (418, None) if world.running else asked(world, request)

    monkeypatch.setattr(World, "http", http)
    machine = Crossed()
    machine.begin(TERMS)

    with pytest.raises(AssertionError, match="418"):
        machine.go_on(2, [("pause", 0)], [((None, 0), (Fault.NONE, Crossing.COMMAND))])
