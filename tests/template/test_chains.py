"""Each chain has its row in operations/chains.py, which says of it what its context says."""

from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from operations.chains import CHAINS
from tests.packages import module_names, text_of
from tests.template.architecture import Sources
from tests.template.chains import Made, made, rows_say_what_the_contexts_say, rows_share_nothing


def the_sources() -> Sources:
    return {module: text_of(module) for module in module_names()}


def the_chains() -> list[Made]:
    return made(the_sources(), import_module)


def test_every_chain_has_a_row_that_says_what_its_context_says() -> None:
    chains = the_chains()

    problems = rows_say_what_the_contexts_say(chains, CHAINS)

    assert problems == []
    assert chains


BOOSTS, *OTHERS = CHAINS


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (OTHERS, "operations.chains: write a row for boosts, whose chain is in boosts"),
        (
            [replace(BOOSTS, prefixes=("boo",)), *OTHERS],
            "operations.chains: the prefixes of boosts are ['bst'], not ['boo']",
        ),
        (
            [replace(BOOSTS, prefixes=("bst", "boo")), *OTHERS],
            "operations.chains: the prefixes of boosts are ['bst'], not ['boo', 'bst']",
        ),
        (
            [replace(BOOSTS, live=("running", "scheduled")), *OTHERS],
            "operations.chains: boosts is live in ['reverting', 'running', 'scheduled'], not in "
            "['running', 'scheduled']",
        ),
        (
            [replace(BOOSTS, live=(*BOOSTS.live, "paused")), *OTHERS],
            "operations.chains: boosts is live in ['reverting', 'running', 'scheduled'], not in "
            "['paused', 'reverting', 'running', 'scheduled']",
        ),
        (
            [*CHAINS, replace(BOOSTS, name="games")],
            "operations.chains: take out games: no folder of this name makes a StepChain",
        ),
    ],
)
def test_a_row_that_is_missing_or_says_something_else_is_noticed(rows: list[Any], says: str) -> None:
    problems = rows_say_what_the_contexts_say(the_chains(), rows)

    assert problems == [says]


SAYS_LIVE = "LIVE = frozenset({Status.RUNNING})"


@pytest.mark.parametrize(
    "line",
    [
        "from sluice.steps import StepChain\ndef chain(): return StepChain(1, 2, 3)",
        "from sluice import steps\ndef chain(): return steps.StepChain(1, 2, 3)",
        "from sluice.steps import StepChain\ndef chain() -> StepChain: return made()",
    ],
)
def test_a_new_chain_without_a_row_is_noticed(line: str) -> None:
    new = {"games.play.worker": line, "games.play.campaign": SAYS_LIVE}
    campaign = SimpleNamespace(PREFIX="gam", LIVE=frozenset({"running"}))

    chains = made(the_sources() | new, lambda name: campaign if name == "games.play.campaign" else import_module(name))

    problems = rows_say_what_the_contexts_say(chains, CHAINS)
    assert problems == ["operations.chains: write a row for games_play, whose chain is in games.play"]


@pytest.mark.parametrize("campaign", [None, SimpleNamespace(LIVE={"on"}), SimpleNamespace(PREFIX="gam", LIVE=())])
def test_a_new_chain_whose_campaign_does_not_say_what_it_is_is_noticed(campaign: Any) -> None:
    new = {"games.worker": "from sluice.steps import StepChain\nStepChain"} | (
        {"games.campaign": SAYS_LIVE} if campaign else {}
    )

    chains = made(the_sources() | new, lambda name: campaign if name == "games.campaign" else import_module(name))

    problems = rows_say_what_the_contexts_say(chains, CHAINS)
    assert problems == ["games: let its campaign.py say PREFIX and LIVE of its chain"]


SHARED = {
    "games.worker": "from sluice.steps import StepChain\nStepChain",
    "games.campaign": f'PREFIX = "gam"\n{SAYS_LIVE}',
    "games.player": f"from games.campaign import PREFIX\n{SAYS_LIVE}",
    "games.checks.worker": "from sluice.steps import StepChain\nStepChain",
    "games.checks.run": f'PREFIX = "chk"\n{SAYS_LIVE}',
    "games.checks.report": "LIVES = 3",
}
"""Three chains of one table, queue and worker."""
GAMES = {
    "games.campaign": SimpleNamespace(PREFIX="gam", LIVE=frozenset({"running"})),
    "games.player": SimpleNamespace(PREFIX="gam", LIVE=frozenset({"settling"})),
    "games.checks.run": SimpleNamespace(PREFIX="chk", LIVE=frozenset({"checking"})),
}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, []),
        ({"settles": ("ended",)}, ["operations.chains: games settles in ended, and is not live then"]),
        ({"makes_calls": True}, ["operations.chains: set makes_calls of games to False"]),
        ({"prefixes": ("gam",)}, ["operations.chains: the prefixes of games are ['chk', 'gam'], not ['gam']"]),
        (
            {"live": ("running", "checking")},
            ["operations.chains: games is live in ['checking', 'running', 'settling'], not in ['checking', 'running']"],
        ),
    ],
)
def test_chains_that_share_a_worker_share_a_row(changes: dict[str, Any], says: list[str]) -> None:
    chains = made(SHARED, GAMES.__getitem__)
    row = replace(BOOSTS, name="games", prefixes=("gam", "chk"), live=("running", "settling", "checking"))

    problems = rows_say_what_the_contexts_say(chains, [replace(row, **changes)])

    assert problems == says


def test_no_two_chains_share_a_table_a_prefix_or_a_queue() -> None:
    problems = rows_share_nothing(CHAINS)

    assert problems == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"table": BOOSTS.table}, f"table {BOOSTS.table}"),
        ({"prefixes": ("gam", *BOOSTS.prefixes)}, "prefix bst"),
        ({"queue_url": BOOSTS.queue_url}, f"queue {BOOSTS.queue_url}"),
    ],
)
def test_a_chain_that_takes_what_another_has_is_noticed(changes: dict[str, str], says: str) -> None:
    other: dict[str, Any] = {"name": "games", "table": "a_table", "prefixes": ("gam",), "queue_url": "games_queue_url"}

    problems = rows_share_nothing([*CHAINS, replace(BOOSTS, **(other | changes))])

    assert problems == [f"operations.chains: games has the {says} of boosts"]
