"""What the sweep tells at its end: one line for each context and each kind of trial."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

import pytest

_NAME = "fault sweep"


@dataclass(frozen=True)
class Tried:
    """What was tried of one context, in one test."""

    context: str
    what: str
    """Such as `8 faults x 3 deliveries`; `{places}` counts where."""
    runs: int
    violations: int = 0
    places: int = 0


def told(tried: Tried) -> tuple[str, Any]:
    """As pytest carries it from a worker to the end."""
    return _NAME, asdict(tried)


def lines(all_tried: list[Tried]) -> list[str]:
    """The summary, of several tests together."""
    kinds: dict[tuple[str, str], list[Tried]] = defaultdict(list)
    for each in all_tried:
        kinds[each.context, each.what].append(each)
    return [
        f"{context}: {what.format(places=sum(each.places for each in group))}"
        f" = {sum(each.runs for each in group):,} runs, {sum(each.violations for each in group)} violations"
        for (context, what), group in sorted(kinds.items())
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [each for outcome in ("passed", "failed") for each in terminalreporter.getreports(outcome)]
    tried = [Tried(**value) for report in reports for name, value in report.user_properties if name == _NAME]
    if tried:
        terminalreporter.section("fault sweep", sep="-")
        for line in lines(tried):
            terminalreporter.write_line(line)
