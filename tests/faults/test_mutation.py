"""The mutation check: each condition, fence and guard is taken out of the product, and the sweep must fail."""

import os
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.faults.contexts import CONTEXTS
from tests.faults.killers import Try, killer, remembered, to_try
from tests.faults.mutation import Mutant, find, without
from tests.faults.report import Teller
from tests.faults.sweep import Context, Flow, Run, Sweep, one_of_each

_LISTED = tomllib.loads(Path(__file__).with_name("redundant.toml").read_text()).get("survivor", [])
REDUNDANT = {(each["context"], each["mutant"]): each["behind_it"] for each in _LISTED}
IN_FULL = "FAULTS" in os.environ
MODULES = [
    pytest.param(
        name,
        module,
        marks=pytest.mark.skipif(
            not (IN_FULL or context.is_mutated_in_short),
            reason=f"make faults takes the conditions of {name} out: it takes too long for each run of make test",
        ),
    )
    for name, context in CONTEXTS.items()
    for module in context.modules
]
ALL_MODULES = {module for context in CONTEXTS.values() for module in context.modules}
ELSEWHERE = {
    "sluice.dynamodb": "It hands on the conditions of others. Its own answers: tests/unit/test_dynamodb.py.",
    "operations.connections": "Tickets and connections, each one request: tests/integration/test_live.py.",
    "operations.dead_letters": "One request and one transaction: tests/integration/test_redrive.py.",
    "operations.heads": "One transaction of an entry: tests/integration/test_redrive.py and test_tokens.py.",
    "wallets.store": "One request and one transaction: tests/integration/test_wallets_api.py.",
    "promotions.connecting": "One request and one transaction: tests/integration/test_promotions_api.py.",
    "promotions.connections": "The same.",
    "sluice.answers": "A row for people, which no step reads: tests/integration/test_promotions_api.py.",
    "promotions.networks.sandbox": "The network is a fake that counts its posts: tests/faults/promotions_outside.py.",
    "broadcasts.contacts": "One transaction on condition of the contact: tests/integration/test_broadcasts_lists.py.",
    "broadcasts.lists.store": "One request and one transaction: tests/integration/test_broadcasts_lists.py.",
    "broadcasts.lists.commands": "The same.",
    "broadcasts.import_store": "A check that is run twice: tests/integration/test_broadcasts_imports.py.",
    "broadcasts.imports.checking": "The same.",
    "broadcasts.uploading": "One request and one transaction: tests/integration/test_broadcasts_imports.py.",
    "sluice.egress": "Nothing here leaves the process: tests/integration/test_egress.py and test_hooks_wire.py.",
    "hooks.wire": "The same.",
    "views.shards.store": "Fences in Lua, and what they answer: tests/integration/test_sync_real.py.",
}
"""Modules with conditions and fences that are not taken out."""
# That what is listed survives takes all the runs there are; so many at least are tried each time.
SAMPLE = 60
SEED = 6
TAKEN = "{mutants} conditions, fences and guards taken out = {noticed} noticed, {listed} with another behind them"

type Reached = dict[str, set[tuple[str, str]]]

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="session")
def known() -> dict[str, Any]:
    """What is found out once for each context."""
    return {}


@pytest.fixture
def tries(sweep: Sweep, known: dict[str, Any]) -> list[Try]:
    """The flows without faults, then with one at a time."""
    if not (IN_FULL or sweep.context.is_mutated_in_short):
        why = "it takes too long for each run of make test"
        pytest.skip(f"make faults takes the conditions of {sweep.context.name} out: {why}")
    for flow in sweep.context.flows:
        for number in range(len(flow.commands)):
            sweep.faultless(flow, number)  # so that what a run is compared with is not of a mutant
    name = f"tries of {sweep.context.name}"
    if name not in known:
        known[name] = one_of_each(sweep, SEED)
    found: list[Try] = known[name]
    return found


@pytest.fixture
def reached(sweep: Sweep, known: dict[str, Any]) -> Reached:
    """The functions that handlers run in each flow."""
    name = f"reached in {sweep.context.name}"
    if name not in known:
        known[name] = {flow.name: _reached(sweep, flow) for flow in sweep.context.flows}
    found: Reached = known[name]
    return found


def _reached(sweep: Sweep, flow: Flow) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()

    def called(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and sweep.world.running:
            found.add((frame.f_globals["__name__"], frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        sweep.run(flow)
    finally:
        sys.setprofile(before)
    return found


def noticed(sweep: Sweep, tries: Iterable[Try], *mutants: Mutant) -> Run | None:
    """The first run that goes wrong without these; None when none does."""
    with without(*mutants):
        runs = (sweep.run(flow, *injections) for flow, injections in tries)
        found = next((run for run in runs if run.problem), None)
    assert not found or not (whole := sweep.run(found.flow, *found.injections)).problem, f"wrong anyway: {whole}"
    return found


@pytest.mark.parametrize(("sweep", "module"), MODULES, indirect=["sweep"])
def test_the_sweep_fails_without_each_condition_fence_and_guard(
    sweep: Sweep, tries: list[Try], reached: Reached, module: str, tell: Teller
) -> None:
    name = sweep.context.name
    before = remembered().get(name, {})
    all_mutants = {each.name: each for each in find(ALL_MODULES)}
    in_flows = set().union(*reached.values())
    in_sight = [each for each in find([module]) if each.name not in sweep.context.out_of_sight]
    mutants = [each for each in in_sight if (each.module, each.function) in in_flows]
    unreached = {f"{each.module}.{each.function}" for each in in_sight if each not in mutants}
    listed_unreached = sweep.context.unreached.keys()
    listed_and_reached = {f"{each.module}.{each.function}" for each in mutants} & listed_unreached
    killers, survive, noticed_by_now, alone = {}, [], [], []

    def likely_first(mutant: Mutant) -> list[Try]:
        return sorted(tries, key=lambda each: (mutant.module, mutant.function) not in reached[each[0].name])

    def search(*taken: Mutant) -> bool:
        key = " and ".join(each.name for each in taken)
        again = to_try(before[key], sweep.context.flows) if key in before else None
        if run := noticed(sweep, [*([again] if again else []), *likely_first(taken[0])], *taken):
            killers[key] = killer(run)
        return run is not None

    listed = [each for each in mutants if (name, each.name) in REDUNDANT]
    for mutant in mutants:
        if mutant not in listed and not search(mutant):
            survive.append(mutant.name)
    for mutant in listed:
        if run := noticed(sweep, likely_first(mutant)[: None if IN_FULL else SAMPLE], mutant):
            noticed_by_now.append(f"{mutant.name}: {run}")
        if not search(mutant, *(all_mutants[each] for each in REDUNDANT[name, mutant.name])):
            alone.append(mutant.name)

    tell(name, TAKEN, mutants=len(mutants), noticed=len(mutants) - len(listed + survive), listed=len(listed))
    tell.killers(name, module, killers)
    assert not (unreached - listed_unreached), "no flow reaches these: write one, or list them as unreached"
    assert not listed_and_reached, "flows reach these by now: take them out of what is unreached"
    assert not survive, "\n".join(["survive: write a test, or say in redundant.toml what is behind them", *survive])
    assert not noticed_by_now, "\n".join(["are noticed by now: take them out of redundant.toml", *noticed_by_now])
    assert not alone, "\n".join(["survive without what is said to be behind them", *alone])


@pytest.mark.parametrize(("context", "mutant"), REDUNDANT)
def test_what_is_listed_is_in_the_source(context: str, mutant: str) -> None:
    assert mutant in {each.name for each in find(CONTEXTS[context].modules)}
    assert {*REDUNDANT[context, mutant]} <= {each.name for each in find(ALL_MODULES)}
    assert REDUNDANT[context, mutant], "what stands behind it?"


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=lambda context: context.name)
def test_what_is_out_of_sight_or_reach_is_in_the_source(context: type[Context]) -> None:
    found = find(context.modules)

    assert context.out_of_sight.keys() <= {each.name for each in found}
    assert context.unreached.keys() <= {f"{each.module}.{each.function}" for each in found}


def test_every_module_with_a_condition_or_a_fence_is_looked_at_or_listed() -> None:
    found = {module for module in _modules() if any(is_of_a_write(each) for each in find([module]))}

    assert found <= {*ALL_MODULES, *ELSEWHERE}
    assert [module for module in ELSEWHERE if module in ALL_MODULES or not find([module])] == []


def is_of_a_write(mutant: Mutant) -> bool:
    """Or of a transaction, and no mere guard."""
    return mutant.what.startswith(("condition", "clause ", "fence ", "require_open")) and "of an if" not in mutant.what


def _modules() -> list[str]:
    roots = [Path(__file__).parents[2] / root for root in ("functions", "layers/kernel")]
    files = [(root, path) for root in roots for path in root.rglob("*.py") if path.stem != "__init__"]
    return [".".join(path.relative_to(root).with_suffix("").parts) for root, path in files]
