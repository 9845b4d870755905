"""Any commands of the views and any faults, in any order: at the end everything comes to rest and adds up."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.faults import Crossing, Fault
from tests.faults.report import Teller
from tests.faults.sweep import Sweep, Violation
from tests.faults.views import Views, adjust, sync, view
from tests.faults.views_machine import ViewsMachine
from tests.faults.views_watch import Watch
from tests.faults.world import Request, World

STEPS_OF_A_RUN = 50
# A thousand steps together; half a million with FAULTS=long.
SEEDS = range(2)
RUNS = 5_500 if os.environ.get("FAULTS") == "long" else 11


@pytest.mark.timeout(0 if os.environ.get("FAULTS") == "long" else 3600)
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


def test_what_a_command_finds_in_the_middle_of_a_call_fails_the_machine(
    views: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crossed(ViewsMachine):
        world = views.world
        context = views.context  # type: ignore[assignment]

    def answered(_watch: Watch, world: World, request: Request, status: int, body: Any) -> None:
        if world.running:
            raise Violation("seeded")

    monkeypatch.setattr(Watch, "answered", answered)
    machine = Crossed()
    machine.command(view(1, "a"), [])
    machine.command(sync(), [])

    with pytest.raises(AssertionError, match="seeded"):
        machine.go_on(2, [adjust("a", 1)], [((None, 0), (Fault.NONE, Crossing.COMMAND))])
