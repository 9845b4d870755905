"""What the mutation check remembers: for each thing that can be taken out of the product, a run that fails without it.

`make test` lets those runs run again, and searches only where one does not fail any more. `make faults` writes them.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.faults.faults import Crossing, Delivery, Fault, Injection, Restore
from tests.faults.sweep import Flow, Run

_PATH = Path(__file__).with_name("killers.toml")
_HEAD = (
    "# For each thing that can be taken out of the product, a run that fails without it. Written by `make faults`.\n"
)
_HOW: dict[str, Delivery | Crossing | Restore] = {
    each.name: each for kind in (Delivery, Crossing, Restore) for each in kind
}

type Try = tuple[Flow, tuple[Injection, ...]]
type Killer = list[str]
"""A flow, and what goes wrong in it: `["cancel", "12 CRASH_AFTER AGAIN"]`."""
type Killers = dict[str, dict[str, Killer]]
"""Of each context, by what is taken out."""


def killer(run: Run) -> Killer:
    """How to let a run run again."""
    return [run.flow.name, *(f"{each.at} {each.fault.name} {each.how.name}" for each in run.injections)]


def to_try(killer: Killer, flows: Iterable[Flow]) -> Try | None:
    """The run; None when there is no such flow any more."""
    flow = next((each for each in flows if each.name == killer[0]), None)
    return (flow, tuple(_injection(*each.split()) for each in killer[1:])) if flow else None


def _injection(at: str, fault: str, how: str) -> Injection:
    return Injection(int(at), Fault[fault], _HOW[how])


def remembered() -> Killers:
    return tomllib.loads(_PATH.read_text()) if _PATH.exists() else {}


def remember(context: str, module: str, killers: Mapping[str, Killer]) -> None:
    """In place of everything that was remembered of this module."""
    all_killers = remembered()
    kept = {name: each for name, each in all_killers.get(context, {}).items() if not name.startswith(f"{module}.")}
    all_killers[context] = kept | dict(killers)
    tables = (
        "\n".join([f"[{name}]", *(f"{json.dumps(key)} = {json.dumps(each)}" for key, each in sorted(table.items()))])
        for name, table in sorted(all_killers.items())
    )
    _PATH.write_text("\n".join([_HEAD, "\n\n".join(tables), ""]))
