"""What the tests cost: each file's seconds, and the CPU-minutes of commands with all the processes that they start.

`make test` runs its commands by `python -m tests.durations COMMAND...`. As a plugin it lists the files at the end.
"""

import resource
import shlex
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

_SPENT = "spent"


@dataclass
class Spent:
    """Seconds."""

    cpu: float = 0
    wall: float = 0

    def add(self, cpu: float, wall: float) -> None:
        self.cpu += cpu
        self.wall += wall


def _cpu() -> float:
    """CPU seconds of this process, and of the processes it started that have ended."""
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(each.ru_utime + each.ru_stime for each in both)


# Tests set the other clocks, and stop them.
_wall = time.perf_counter


@contextmanager
def _measured(item: pytest.Item, phase: str) -> Generator[None]:
    cpu, wall = _cpu(), _wall()
    yield
    item.user_properties.append((_SPENT, [phase, _cpu() - cpu, _wall() - wall]))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    with _measured(item, "setup"):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    with _measured(item, "call"):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    with _measured(item, "teardown"):
        return (yield)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slowest-files", type=int, default=0, metavar="N", help="list the N slowest files at the end")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if wanted := config.getoption("slowest_files"):
        terminalreporter.section(f"slowest {wanted} files: CPU and wall seconds", sep="-")
        for line in lines(_of_files(terminalreporter), wanted):
            terminalreporter.write_line(line)


def _of_files(terminalreporter: pytest.TerminalReporter) -> dict[str, Spent]:
    """Each file's seconds, whichever workers ran its tests."""
    files: dict[str, Spent] = defaultdict(Spent)
    for reports in terminalreporter.stats.values():
        for report in reports:
            # A report has what its item had until then: the last one has everything.
            if getattr(report, "when", None) == "teardown":
                for name, value in report.user_properties:
                    if name == _SPENT:
                        files[report.nodeid.partition("::")[0]].add(*value[1:])
    return files


def lines(files: dict[str, Spent], most: int) -> list[str]:
    """The files that took most CPU, then each folder with all its files."""
    slowest = sorted(files.items(), key=lambda each: -each[1].cpu)[:most]
    folders: dict[str, Spent] = defaultdict(Spent)
    for file, spent in files.items():
        folders[file.rpartition("/")[0]].add(spent.cpu, spent.wall)
    return [f"{spent.cpu:7.1f} {spent.wall:7.1f}  {name}" for name, spent in [*slowest, *sorted(folders.items())]]


def main(commands: list[str]) -> int:
    """Run commands one after the other until one fails, and say what they cost. The status of the last that ran."""
    began, parts, status = _wall(), [], 0
    for command in commands:
        before = _cpu()
        status = subprocess.run(shlex.split(command), check=False).returncode
        parts.append(f"{(_cpu() - before) / 60:.1f} {command}")
        if status:
            break
    print(f"CPU-minutes: {_cpu() / 60:.1f} in {(_wall() - began) / 60:.1f} minutes ({'; '.join(parts)})")  # noqa: T201
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
