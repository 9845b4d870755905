"""The mutation check: each condition, fence and guard is taken out of the product, and the sweep must miss it."""

import os
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.faults import boosts, views
from tests.faults.mutation import Mutant, find, without
from tests.faults.report import Tried
from tests.faults.sweep import Run, Sweep, one_of_each

_LISTED = tomllib.loads(Path(__file__).with_name("redundant.toml").read_text()).get("survivor", [])
REDUNDANT = {each["mutant"]: each for each in _LISTED}
CONTEXTS = {"boosts": boosts.MODULES, "views": views.MODULES}
MODULES = [(context, module) for context, modules in CONTEXTS.items() for module in modules]
BEHIND = [(each["context"], name) for name, each in REDUNDANT.items() if "behind_it" in each]
SEED = 6

pytestmark = [
    pytest.mark.skipif("FAULTS" not in os.environ, reason="takes minutes: make faults"),
    pytest.mark.timeout(3600),
]


@pytest.fixture
def tries(sweep: Sweep) -> list[Any]:
    """The flows without faults, then with one at a time."""
    for flow in sweep.context.flows:
        for number in range(len(flow.commands)):
            sweep.faultless(flow, number)  # so that what a run is compared with is not of a mutant
    return one_of_each(sweep, SEED)


def reached(sweep: Sweep) -> set[tuple[Any, str]]:
    """The functions that handlers run in any of the flows."""
    found: set[tuple[Any, str]] = set()

    def called(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and sweep.world.running:
            found.add((frame.f_globals.get("__name__"), frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        for flow in sweep.context.flows:
            sweep.run(flow)
    finally:
        sys.setprofile(before)
    return found


def missed(sweep: Sweep, tries: Iterable[Any], *mutants: Mutant) -> Run | None:
    """The first run that goes wrong without these; None when none does."""
    with without(*mutants):
        runs = (sweep.run(flow, *injections) for flow, injections in tries)
        return next((run for run in runs if run.problem), None)


@pytest.mark.parametrize(("sweep", "module"), MODULES, indirect=["sweep"])
def test_the_sweep_misses_everything_that_is_taken_out(
    sweep: Sweep, tries: list[Any], module: str, tell: Callable[[Tried], None]
) -> None:
    in_flows = reached(sweep)
    mutants = [each for each in find([module]) if (each.module, each.function) in in_flows]

    survivors = {mutant.name for mutant in mutants if not missed(sweep, tries, mutant)}

    listed = {mutant.name for mutant in mutants} & REDUNDANT.keys()
    kind = "conditions, fences and guards taken out one at a time, all missed but {places} that are listed"
    tell(Tried(sweep.context.name, kind, len(mutants), len(survivors - listed), len(listed)))
    assert survivors - listed == set(), "survive: write a test, or say in redundant.toml what stands behind them"
    assert listed - survivors == set(), "are missed by now: take them out of redundant.toml"


@pytest.mark.parametrize(("sweep", "name"), BEHIND, indirect=["sweep"])
def test_what_is_redundant_has_a_second_guard_behind_it(sweep: Sweep, tries: list[Any], name: str) -> None:
    mutants = {mutant.name: mutant for mutant in find(sweep.context.modules)}

    assert missed(sweep, tries, mutants[name], *(mutants[each] for each in REDUNDANT[name]["behind_it"]))


@pytest.mark.parametrize("entry", REDUNDANT.values(), ids=REDUNDANT)
def test_what_is_listed_is_in_the_source(entry: dict[str, Any]) -> None:
    names = {mutant.name for mutant in find(CONTEXTS[entry["context"]])}

    assert {entry["mutant"], *entry.get("behind_it", ())} <= names
    assert "behind_it" in entry or entry["why"]
