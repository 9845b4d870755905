"""The rows of operations/chains.py, and the chains that there are."""

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from operations.chains import Chain
from tests.template.architecture import KERNEL, Sources

ROWS = "operations.chains"


@dataclass(frozen=True)
class Made:
    """A chain that a context makes: where, and what its campaign module says of it."""

    folder: str
    """`views.imports`."""
    prefix: str | None
    live: frozenset[str] | None

    @property
    def name(self) -> str:
        return self.folder.replace(".", "_")


def made(sources: Sources, load: Callable[[str], Any]) -> list[Made]:
    """The chains of the contexts: in each folder in which a module names StepChain."""
    folders = {
        module.rpartition(".")[0]
        for module, text in sources.items()
        if not module.startswith(f"{KERNEL}.") and _names(text, "StepChain")
    }
    return [_made(folder, sources, load) for folder in sorted(folders)]


def _made(folder: str, sources: Sources, load: Callable[[str], Any]) -> Made:
    campaign = load(f"{folder}.campaign") if f"{folder}.campaign" in sources else None
    live = getattr(campaign, "LIVE", None)
    return Made(folder, getattr(campaign, "PREFIX", None), None if live is None else frozenset(map(str, live)))


def _names(text: str, name: str) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)
        for node in ast.walk(ast.parse(text))
    )


def rows_say_what_the_contexts_say(chains: Iterable[Made], rows: Iterable[Chain]) -> list[str]:
    by_name, problems = {row.name: row for row in rows}, []
    for chain in chains:
        row = by_name.pop(chain.name, None)
        if chain.prefix is None or chain.live is None:
            problems.append(f"{chain.folder}: let its campaign.py say PREFIX and LIVE of its chain")
        elif row is None:
            problems.append(f"{ROWS}: write a row for {chain.name}, whose chain is in {chain.folder}")
        else:
            if row.prefix != chain.prefix:
                problems.append(f"{ROWS}: the prefix of {chain.name} is {chain.prefix}, not {row.prefix}")
            if set(row.live) != chain.live:
                problems.append(f"{ROWS}: {chain.name} is live in {sorted(chain.live)}, not in {sorted(row.live)}")
    return problems + [f"{ROWS}: take out {name}: no folder of this name makes a StepChain" for name in by_name]


def rows_share_nothing(rows: Iterable[Chain]) -> list[str]:
    """The sweeper knows a campaign by its table, the audit trail by its prefix."""
    seen: dict[str, str] = {}
    return [
        f"{ROWS}: {row.name} has the {what} of {first}"
        for row in rows
        for what in (f"table {row.table}", f"prefix {row.prefix}", f"queue {row.queue_url}")
        if (first := seen.setdefault(what, row.name)) != row.name
    ]
