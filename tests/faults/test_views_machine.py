"""Any commands of the views and any faults, in any order: at the end everything comes to rest and adds up."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.report import Teller
from tests.faults.sweep import Sweep
from tests.faults.views import Views
from tests.faults.views_machine import ViewsMachine

STEPS_OF_A_RUN = 50
# A thousand steps together; half a million with FAULTS=long.
SEEDS = range(2)
RUNS = 5_500 if os.environ.get("FAULTS") == "long" else int(os.environ.get("RUNS", 11))


@pytest.mark.timeout(0 if os.environ.get("FAULTS") == "long" else 300)
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_done_and_goes_wrong_every_view_is_counted_once(views: Sweep, seed: int, tell: Teller) -> None:
    assert isinstance(views.context, Views)

    class Seeded(ViewsMachine):
        world = views.world
        context = views.context

    # Hypothesis derives the order of a derandomized test from its name.
    Seeded.__name__ = Seeded.__qualname__ = f"ViewsMachine{seed}"
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

    tell("views", "state machine of any commands and faults = {steps} steps, 0 violations", steps=Seeded.steps)
