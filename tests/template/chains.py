"""The rows of operations/chains.py, and the chains that there are."""

import ast
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from operations.chains import Chain
from tests.template.architecture import KERNEL, Sources

ROWS = "operations.chains"


@dataclass(frozen=True)
class Made:
    """The chains that a folder makes: where, and what the modules of their campaigns say of them."""

    folder: str
    """`views.imports`."""
    prefixes: frozenset[str]
    live: frozenset[str]
    makes_calls: bool
    """Whether a module of it lists calls with an unknown outcome."""

    def row(self, names: Collection[str]) -> str:
        """The row of its chains: that of the folder, or of a folder above whose worker runs them too."""
        name = self.folder.replace(".", "_")
        above = name.rpartition("_")[0]
        return above if name not in names and above in names else name


def made(sources: Sources, load: Callable[[str], Any]) -> list[Made]:
    """The chains of the contexts: in each folder in which a module names StepChain.

    A module of that folder, or of one below it, that defines LIVE is that of a chain's campaigns.
    """
    folders = {
        module.rpartition(".")[0]
        for module, text in sources.items()
        if not module.startswith(f"{KERNEL}.") and _names(text, "StepChain")
    }
    return [_made(folder, sources, load) for folder in sorted(folders)]


def _made(folder: str, sources: Sources, load: Callable[[str], Any]) -> Made:
    said = [load(module) for module, text in sources.items() if module.startswith(f"{folder}.") and _defines_live(text)]
    prefixes = frozenset(each.PREFIX for each in said if hasattr(each, "PREFIX"))
    live = frozenset(str(status) for each in said for status in each.LIVE)
    calls = any(_names(text, "UNKNOWN_CALLS") for module, text in sources.items() if module.startswith(f"{folder}."))
    return Made(folder, prefixes, live, calls)


def _defines_live(text: str) -> bool:
    return any(
        isinstance(node, ast.Assign) and any(isinstance(each, ast.Name) and each.id == "LIVE" for each in node.targets)
        for node in ast.parse(text).body
    )


def _names(text: str, name: str) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)
        for node in ast.walk(ast.parse(text))
    )


def rows_say_what_the_contexts_say(chains: Iterable[Made], rows: Iterable[Chain]) -> list[str]:
    by_name = {row.name: row for row in rows}
    problems: list[str] = []
    found: dict[str, list[Made]] = {}
    for chain in chains:
        name = chain.row(by_name)
        found.setdefault(name, []).append(chain)
        if not chain.prefixes or not chain.live:
            problems.append(f"{chain.folder}: let its campaign.py say PREFIX and LIVE of its chain")
        elif name not in by_name:
            problems.append(f"{ROWS}: write a row for {name}, whose chain is in {chain.folder}")
    for name, row in by_name.items():
        if name not in found:
            problems.append(f"{ROWS}: take out {name}: no folder of this name makes a StepChain")
            continue
        prefixes = frozenset[str]().union(*(each.prefixes for each in found[name]))
        live = frozenset[str]().union(*(each.live for each in found[name]))
        if set(row.prefixes) != prefixes:
            problems.append(f"{ROWS}: the prefixes of {name} are {sorted(prefixes)}, not {sorted(row.prefixes)}")
        if set(row.live) != live:
            problems.append(f"{ROWS}: {name} is live in {sorted(live)}, not in {sorted(row.live)}")
        problems += [f"{ROWS}: {name} settles in {each}, and is not live then" for each in {*row.settles} - {*row.live}]
        if row.makes_calls != any(each.makes_calls for each in found[name]):
            problems.append(f"{ROWS}: set makes_calls of {name} to {not row.makes_calls}")
    return problems


def rows_share_nothing(rows: Iterable[Chain]) -> list[str]:
    """The sweeper knows a campaign by its table, the audit trail by its prefix."""
    seen: dict[str, str] = {}
    return [
        f"{ROWS}: {row.name} has the {what} of {first}"
        for row in rows
        for what in (
            f"table {row.table}",
            f"queue {row.queue_url}",
            *(f"prefix {prefix}" for prefix in row.prefixes),
        )
        if (first := seen.setdefault(what, row.name)) != row.name
    ]
