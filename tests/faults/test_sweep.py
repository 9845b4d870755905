"""Every fault at every call of every flow: nothing is lost, and nothing is doubled (S1-20 to S1-31)."""

from collections.abc import Callable, Iterable

import pytest

from tests.faults.boosts import FLOWS
from tests.faults.report import Tried
from tests.faults.sweep import (
    CROSSINGS,
    SINGLES,
    Flow,
    Injection,
    Run,
    Sweep,
    crossings,
    singles,
    some_pairs,
)

PAIRS_OF_A_FLOW = 42


def by_name(flow: Flow) -> str:
    return flow.name


def swept(sweep: Sweep, flow: Flow, all_injections: Iterable[tuple[Injection, ...]]) -> tuple[int, list[Run]]:
    """How many runs there were, and those that went wrong."""
    runs = [sweep.run(flow, *injections) for injections in all_injections]
    return len(runs), [run for run in runs if run.problem]


@pytest.mark.parametrize("flow", FLOWS, ids=by_name)
def test_every_fault_at_every_call_comes_to_the_end_of_the_faultless_run(
    boosts: Sweep, flow: Flow, tell: Callable[[Tried], None]
) -> None:
    sites = boosts.faultless(flow).sites

    runs, wrong = swept(boosts, flow, ((each,) for each in singles(flow, sites)))

    tell(Tried("boosts", SINGLES, runs, len(wrong), len(sites)))
    assert not wrong, "\n".join(map(str, wrong[:5]))


@pytest.mark.parametrize("flow", FLOWS, ids=by_name)
def test_whatever_comes_in_the_middle_of_a_call_does_no_harm(
    boosts: Sweep, flow: Flow, tell: Callable[[Tried], None]
) -> None:
    sites = boosts.faultless(flow).sites

    runs, wrong = swept(boosts, flow, ((each,) for each in crossings(flow, sites)))

    tell(Tried("boosts", CROSSINGS, runs, len(wrong), len(sites)))
    assert not wrong, "\n".join(map(str, wrong[:5]))


@pytest.mark.parametrize("flow", FLOWS, ids=by_name)
def test_two_faults_do_no_more_harm_than_one(boosts: Sweep, flow: Flow, tell: Callable[[Tried], None]) -> None:
    runs, wrong = swept(boosts, flow, some_pairs(boosts, flow, PAIRS_OF_A_FLOW, seed=6))

    tell(Tried("boosts", "pairs of faults, by chance", runs, len(wrong)))
    assert not wrong, "\n".join(map(str, wrong[:5]))
