"""Every fault at every call of every flow: nothing is lost, and nothing is doubled."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import batched, count, product
from random import Random
from zlib import crc32

import pytest

from tests.faults.contexts import CONTEXTS
from tests.faults.faults import OF_AWS, Delivery, Fault, Injection
from tests.faults.report import Teller
from tests.faults.sweep import Flow, Run, Sweep, crossings, restores, singles, some_pairs
from tests.faults.world import Site

LONG, IN_FULL = os.environ.get("FAULTS") == "long", "FAULTS" in os.environ
FLOWS = [
    pytest.param(name, flow, id=f"{name}: {flow.name}") for name, context in CONTEXTS.items() for flow in context.flows
]
# In `make test` a context says how many: together 500 and more, for in a few flows nothing may go wrong.
PAIRS_IN_FULL = 120
RESTORES_OF_A_FLOW = 12
RESTORES_ANYWHERE_IN_FULL = 400
# `make test` tries every fifth of what can come in between: of the six at a call, another one at each.
EVERY = 1 if IN_FULL else 5
SEED = 6
IN_ALL = "{runs} runs, {violations} violations"

each_flow = pytest.mark.parametrize(("sweep", "flow"), FLOWS, indirect=["sweep"])
pytestmark = pytest.mark.timeout(0 if LONG else 3600)


def swept(sweep: Sweep, flow: Flow, all_injections: Iterable[tuple[Injection, ...]]) -> tuple[int, list[Run]]:
    """How many runs there were, and those that went wrong."""
    many, wrong = 0, []
    for injections in all_injections:
        run = sweep.run(flow, *injections)
        many += 1
        if run.problem:
            wrong.append(run)
    return many, wrong


def tried(flow: Flow, sites: list[Site], faults: Iterable[Fault], one_in: int = 1) -> list[Injection]:
    """Every fault at every call with every delivery; in `make test` less, `spread` over the calls of a place.

    `one_in`: of a context with many calls `make test` takes fewer, in each flow others.
    """
    every = list(singles(sites, faults))
    return every if IN_FULL else list(spread(every, sites))[crc32(flow.name.encode()) % one_in :: one_in]


def spread(every: Iterable[Injection], sites: list[Site]) -> Iterator[Injection]:
    """Every call by some fault, and every call site by every fault; of the deliveries one, in turn."""
    places: dict[str, dict[int, list[tuple[Injection, ...]]]] = defaultdict(lambda: defaultdict(list))
    place_of = {site.number: site.place for site in sites}
    for same in batched(every, len(Delivery), strict=True):
        places[place_of[same[0].at]][same[0].at].append(same)
    turn = count()
    for calls in map(list, (each.values() for each in places.values())):
        for number in range(max(len(calls), *map(len, calls))):
            faults = calls[number % len(calls)]
            yield faults[number % len(faults)][next(turn) % len(Delivery)]


@each_flow
def test_every_fault_at_every_call_comes_to_the_end_of_the_faultless_run(
    sweep: Sweep, flow: Flow, tell: Teller
) -> None:
    """S1-22, S1-27, S2-8, S3-24; Rustchain #2103: a worker that dies between any two calls of settling pays once."""

    sites = sweep.faultless(flow).sites

    every = tried(flow, sites, sweep.context.faults, sweep.context.one_in)
    runs, wrong = swept(sweep, flow, ((each,) for each in every))

    faults = len(sweep.context.faults)
    deliveries = f"at every call x {len(Delivery)} deliveries" if IN_FULL else f"by one of {len(Delivery)} deliveries"
    what = f"{{sites}} call sites in {{flows}} flows x {faults} faults {deliveries} = {IN_ALL}"
    sites_hit = {each.place for each in sites}
    tell(sweep.context.name, what, sites=sites_hit, flows=int(bool(runs)), runs=runs, violations=len(wrong))
    assert not wrong, "\n".join(map(str, wrong[:5]))


def test_what_is_spread_breaks_every_call_and_every_call_site_by_every_fault() -> None:
    operations = ["GetItem", "PutItem", "PutItem", "TransactWriteItems", *["UpdateItem"] * 20]
    sites = [
        Site(number, "Worker", 0, operation, not operation.startswith("Get"), 1, "store:1")
        for number, operation in enumerate(operations)
    ]
    every = list(singles(sites, OF_AWS))

    chosen = list(spread(every, sites))

    def by_place(those: list[Injection]) -> set[tuple[str, Fault]]:
        return {(sites[each.at].place, each.fault) for each in those}

    assert {each.at for each in chosen} == {each.at for each in every}
    assert by_place(chosen) == by_place(every)
    assert {each.how for each in chosen} == set(Delivery)
    assert len(set(chosen)) == len(chosen) < len(every) / len(Delivery)


@pytest.mark.parametrize("sweep", CONTEXTS, indirect=True)
def test_every_call_site_that_a_flow_comes_to_is_broken_in_one(sweep: Sweep) -> None:
    flows = [(flow, sweep.faultless(flow)) for flow in sweep.context.flows]

    reached = {(site.function, site.place) for _, run in flows for site in run.reached}
    broken = {(site.function, site.place) for _, run in flows for site in run.sites}

    listed = sweep.context.never_broken.keys()
    assert [place for function, place in sorted(reached - broken) if function not in listed] == []


@each_flow
def test_whatever_comes_in_the_middle_of_a_call_does_no_harm(sweep: Sweep, flow: Flow, tell: Teller) -> None:
    every = list(crossings(flow, sweep.faultless(flow).sites))

    runs, wrong = swept(sweep, flow, ((each,) for each in every[::EVERY]))

    what = f"everything that can come in the middle of a call = {IN_ALL}"
    tell(sweep.context.name, what, runs=runs, violations=len(wrong))
    assert not wrong, "\n".join(map(str, wrong[:5]))


@each_flow
def test_two_faults_do_no_more_harm_than_one(sweep: Sweep, flow: Flow, tell: Teller) -> None:
    many = PAIRS_IN_FULL if IN_FULL else sweep.context.pairs_of_a_flow
    pairs = all_pairs(sweep, flow) if LONG else some_pairs(sweep, flow, many, SEED)

    runs, wrong = swept(sweep, flow, pairs)

    what = f"{'all pairs' if LONG else 'pairs'} of faults = {IN_ALL}"
    tell(sweep.context.name, what, runs=runs, violations=len(wrong))
    assert not wrong, "\n".join(map(str, wrong[:5]))


@pytest.mark.parametrize(
    ("sweep", "flow"),
    [each for each in FLOWS if CONTEXTS[str(each.values[0])].is_restorable and each.values[1].is_restorable],  # type: ignore[union-attr]
    indirect=["sweep"],
)
def test_tables_that_are_put_back_leave_nothing_stuck_and_their_numbers_add_up(
    sweep: Sweep, flow: Flow, tell: Teller
) -> None:
    every = list(restores(sweep.context, flow, sweep.faultless(flow)))
    most = len(every)
    if not IN_FULL:
        most = RESTORES_OF_A_FLOW
    elif flow.is_restored_anywhere:
        most = RESTORES_ANYWHERE_IN_FULL
    some = Random(f"{flow.name} {SEED}").sample(every, min(len(every), most))

    runs, wrong = swept(sweep, flow, some)

    what = f"tables put back in the middle of a call = {IN_ALL}"
    tell(sweep.context.name, what, runs=runs, violations=len(wrong))
    assert not wrong, "\n".join(map(str, wrong[:5]))


def all_pairs(sweep: Sweep, flow: Flow) -> Iterable[tuple[Injection, Injection]]:
    """Every two faults, one after the other."""
    every = list(singles(sweep.faultless(flow).sites, sweep.context.faults))
    return ((one, other) for one, other in product(every, every) if one.at < other.at)
