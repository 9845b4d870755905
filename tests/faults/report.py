"""What the sweep tells at its end: one line for each context and each kind of trial."""

import os
from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any

import pytest

from tests.faults import killers

_TOLD, _KILLERS = "fault sweep", "killers of the fault sweep"

type Count = int | Collection[str]
"""So many, to be added up; or which ones, to be counted once each."""


class Teller:
    """Carries what a test found out to the end, from whichever worker it runs in."""

    def __init__(self, properties: list[tuple[str, Any]]) -> None:
        self._properties = properties

    def __call__(self, context: str, what: str, **counts: Count) -> None:
        """`what` names the counts, such as `{runs} runs`; those of several tests make one line together."""
        simple = {name: each if isinstance(each, int) else sorted(each) for name, each in counts.items()}
        self._properties.append((_TOLD, [context, what, simple]))

    def killers(self, context: str, module: str, found: dict[str, killers.Killer]) -> None:
        self._properties.append((_KILLERS, [context, module, found]))


def lines(told: list[Any]) -> list[str]:
    """The summary, of several tests together."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for context, what, counts in told:
        groups[context, what].append(counts)
    return [f"{context}: {what.format(**_together(all_counts))}" for (context, what), all_counts in groups.items()]


def _together(all_counts: list[dict[str, Any]]) -> dict[str, str]:
    sums: Counter[str] = Counter()
    distinct: dict[str, set[str]] = defaultdict(set)
    for counts in all_counts:
        for name, count in counts.items():
            if isinstance(count, int):
                sums[name] += count
            else:
                distinct[name].update(count)
    return {name: f"{count:,}" for name, count in (sums | {name: len(each) for name, each in distinct.items()}).items()}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [each for outcome in ("passed", "failed") for each in terminalreporter.getreports(outcome)]
    found = [(name, value) for report in reports for name, value in report.user_properties]
    if told := [value for name, value in found if name == _TOLD]:
        terminalreporter.section("fault sweep", sep="-")
        for line in sorted(lines(told)):
            terminalreporter.write_line(line)
    if "FAULTS" in os.environ:
        for name, value in found:
            if name == _KILLERS:
                killers.remember(*value)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Teller:
    """Puts what was tried into the summary."""
    return Teller(request.node.user_properties)
