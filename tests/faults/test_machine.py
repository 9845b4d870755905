"""Any commands and any faults, in any order: at the end everything comes to rest and adds up."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.machine import Machine
from tests.faults.report import Teller
from tests.faults.sweep import Sweep

STEPS_OF_A_RUN = 50
# Two thousand steps together; a million with FAULTS=long.
SEEDS = range(2)
RUNS = 11_000 if os.environ.get("FAULTS") == "long" else 22


@pytest.mark.timeout(0 if os.environ.get("FAULTS") == "long" else 300)
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
