"""The mutation check: each condition, fence and guard is taken out of the product, and the sweep must miss it."""

import os
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import pytest

from tests.faults.boosts import MODULES
from tests.faults.mutation import Mutant, find, without
from tests.faults.report import Tried
from tests.faults.sweep import Flow, Injection, Run, Sweep, one_of_each

REDUNDANT = {
    each["mutant"]: each
    for each in tomllib.loads(Path(__file__).with_name("redundant.toml").read_text()).get("survivor", [])
}
pytestmark = pytest.mark.skipif("FAULTS" not in os.environ, reason="takes minutes: make faults")


@pytest.fixture
def tries(boosts: Sweep) -> list[tuple[Flow, tuple[Injection, ...]]]:
    """The flows without faults, then with one at a time: one of each kind, in any order."""
    flows = boosts.context.flows
    for flow in flows:
        for number in range(len(flow.commands)):
            boosts.faultless(flow, number)  # so that what a run is compared with is not of a mutant
    every = [(flow, (each,)) for flow in flows for each in one_of_each(boosts, flow)]
    Random(6).shuffle(every)
    return [*((flow, ()) for flow in flows), *every]


def reached(sweep: Sweep) -> set[tuple[Any, str]]:
    """The functions that run in any of the flows."""
    found: set[tuple[Any, str]] = set()

    def called(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            found.add((frame.f_globals.get("__name__"), frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        for flow in sweep.context.flows:
            sweep.run(flow)
    finally:
        sys.setprofile(before)
    return found


def missed(sweep: Sweep, tries: Iterable[tuple[Flow, tuple[Injection, ...]]], *mutants: Mutant) -> Run | None:
    """The first run that goes wrong without these; None when none does."""
    with without(*mutants):
        runs = (sweep.run(flow, *injections) for flow, injections in tries)
        return next((run for run in runs if run.problem), None)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("module", MODULES)
def test_the_sweep_misses_everything_that_is_taken_out(
    boosts: Sweep, tries: list[Any], module: str, tell: Callable[[Tried], None]
) -> None:
    in_flows = reached(boosts)
    mutants = [each for each in find([module]) if (each.module, each.function) in in_flows]

    survivors = {mutant.name for mutant in mutants if not missed(boosts, tries, mutant)}

    listed = {mutant.name for mutant in mutants} & REDUNDANT.keys()
    tell(
        Tried("boosts", "conditions, fences and guards taken out one at a time", len(mutants), len(survivors - listed))
    )
    assert survivors - listed == set(), "survive: write a test, or say in redundant.toml what stands behind them"
    assert listed - survivors == set(), "are missed by now: take them out of redundant.toml"


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", REDUNDANT)
def test_what_is_redundant_has_a_second_guard_behind_it(boosts: Sweep, tries: list[Any], name: str) -> None:
    mutants = {mutant.name: mutant for mutant in find(MODULES)}
    behind = REDUNDANT[name]["behind_it"]

    assert missed(boosts, tries, mutants[name], *(mutants[each] for each in behind))


def test_everything_in_the_list_is_in_the_source() -> None:
    names = {mutant.name for mutant in find(MODULES)}

    assert {*REDUNDANT, *(each for entry in REDUNDANT.values() for each in entry["behind_it"])} <= names
