"""`make bench`, promotions: what a publish, a close, a reward and a reading cost, and what the functions weigh."""

import logging
import os
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine

from local.build import built, this_architecture
from local.paths import LOCAL
from tests.account import Account, modelled_account
from tests.bench_calls import Calls
from tests.bench_tables import a_table, console
from tests.factories import NOON
from tests.integration.agency import Agency
from tests.integration.harness import Functions
from tests.packages import nothing_cached
from tests.template_reader import source

PARTICIPANTS = 100
POSTS = 100
IMPORTS = 7
LIMIT_MB = 250
"""What a function and its layers may have in AWS, unzipped."""
_MESSAGES = ("SendMessage", "SendMessageBatch", "CreateSchedule")
_OF_NETWORKS = ("promotions.networks.mastodon", "promotions.networks.x")
_OF_ESCROW = ("promotions.contract, hiero_sdk_python",)


def main() -> None:
    console.print("Through the real handlers, at the sandbox, on the model of DynamoDB that the tests use, in process")
    bench_calls()
    console.print("\nThe built artefacts: CPU time of imports, medians of fresh interpreters, and size unzipped")
    bench_artefacts()


class Counting(Functions):
    """Functions whose own calls are counted, and those of nobody else."""

    def __init__(self, aws: Account) -> None:
        super().__init__(aws)
        self.calls = Calls()
        self.invoked: Counter[str] = Counter()

    def call(self, function: str, event: dict[str, Any]) -> Any:
        self.invoked[function] += 1
        with self.calls.counted():
            return super().call(function, event)


@dataclass(frozen=True)
class Cost:
    """What something came to."""

    calls: float
    messages: float
    steps: float
    transactions: float
    units: float

    def each(self, of: int, without: "Cost") -> "Cost":
        """What each of several adds to what there is without them."""
        return Cost(
            *((mine - other) / of for mine, other in zip(vars(self).values(), vars(without).values(), strict=True))
        )

    def cells(self) -> list[str]:
        return [f"{each:.3g}" for each in vars(self).values()]


@dataclass
class World:
    """An agency, and what it costs."""

    agency: Agency
    functions: Counting

    def cost(self, do: Callable[[], Any]) -> Cost:
        self.functions.calls, self.functions.invoked = Calls(), Counter()
        do()
        calls = self.functions.calls
        return Cost(
            sum(calls.operations.values()),
            sum(calls.operations[each] for each in _MESSAGES),
            self.functions.invoked["PromotionsWorkerFunction"],
            len(calls.transactions),
            calls.write_units(self.agency.aws),
        )

    def publish(self, made: str) -> None:
        self.agency.told("publish", made, status=202)
        self.agency.work()

    def close(self, made: str) -> None:
        self.agency.told("close", made, status=202)
        self.agency.work()

    def track(self) -> None:
        assert self.agency.invoke("promotions/tracking/schedule-due")["failed"] == 0

    def requests(self, family: str) -> int:
        """How many requests the sandbox was asked in the present window, or in the last one."""
        (used,) = [
            int(each["used"])
            for each in self.agency.aws.items("PromotionsTable")
            if each["id"] == f"quota#sandbox#{family}"
        ]
        return used

    def engaged(self, people: list[str], *, linked: bool) -> str:
        """A promotion that runs, and that these people like."""
        made = self.agency.running()
        for each in people:
            self.agency.link(each) if linked else self.agency.profile(each)
        self.agency.engage(self.agency.get(made)["tweet_id"], like=people)
        return made


@contextmanager
def a_world() -> Iterator[World]:
    logging.disable(logging.INFO)
    with modelled_account() as aws, nothing_cached(), time_machine.travel(NOON, tick=False) as clock:
        functions = Counting(aws)
        yield World(Agency(aws, functions, clock), functions)


def bench_calls() -> None:
    with a_world() as world:
        made = world.agency.ready()
        publish = world.cost(lambda: world.publish(made))
        nobody = world.cost(lambda: world.close(made))
        made = world.engaged([f"linked-{each}" for each in range(PARTICIPANTS)], linked=True)
        paid = world.cost(lambda: world.close(made)).each(PARTICIPANTS, nobody)
        made = world.engaged([f"unknown-{each}" for each in range(PARTICIPANTS)], linked=False)
        listed = world.cost(lambda: world.close(made)).each(PARTICIPANTS, nobody)
        world.agency.link("unknown-0")
        claim = world.cost(lambda: world.agency.told("claim", made, subject="unknown-0"))
    with a_world() as world:
        for _ in range(POSTS // 2):  # of two posts each
            world.agency.running()
        first = world.cost(world.track)
        world.agency.clock.shift(timedelta(minutes=5))
        again = world.cost(world.track)
        requests = world.requests("metrics")
    table = a_table("what", "AWS calls", "messages", "steps", "transactions", "write units", "budget")
    table.add_row("publish to running", *publish.cells(), "3 messages; 7 transactions; 100 write units")
    table.add_row("close to settled, nobody engaged", *nobody.cells(), "7 steps; 90 write units")
    table.add_row(f"each of {PARTICIPANTS} participants, paid", *paid.cells(), "12 write units")
    table.add_row(f"each of {PARTICIPANTS} participants, to be claimed", *listed.cells(), "")
    table.add_row("a claim", *claim.cells(), "")
    table.add_row(f"a first reading of {POSTS} posts", *first.cells(), f"1 request; {2 * POSTS} write units")
    table.add_row(f"a reading of {POSTS} posts, nothing changed", *again.cells(), f"1 request; {2 * POSTS} write units")
    console.print(table)
    console.print(f"Requests for a reading of {POSTS} posts: {requests}")


def bench_artefacts() -> None:
    table = a_table(
        "function", "import, CPU ms", "libraries at the first call, CPU ms", "unzipped, MB", "limit of AWS, MB"
    )
    with built(this_architecture(), LOCAL / "build" / "bench-hedera", "hedera") as build:
        root = build.template.parent
        resources = source(build.template.read_text())["Resources"]
        globals_ = [root / "DependenciesLayer", root / "KernelLayer"]
        for name, resource in resources.items():
            if resource["Type"] != "AWS::Serverless::Function" or not name.startswith("Promotions"):
                continue
            layer = "PromotionsEscrowLayer" if "Escrow" in name else "PromotionsLayer"
            folders = [*globals_, root / layer, root / resource["Properties"]["CodeUri"]]
            path = os.pathsep.join(str(each / "python" if "Layer" in each.name else each) for each in folders)
            module = resource["Properties"]["Handler"].rpartition(".")[0]
            libraries = _OF_ESCROW if "Escrow" in name else _OF_NETWORKS
            later = ", ".join(f"{_import_ms(each, path, after=module):.0f}" for each in libraries)
            size = sum(_megabytes(each) for each in folders)
            table.add_row(name, f"{_import_ms(module, path):.0f}", later, f"{size:.0f}", f"{LIMIT_MB}")
        sizes = ", ".join(f"{each.name} {_megabytes(each):.1f} MB" for each in sorted(root.glob("*Layer")))
    console.print(table)
    console.print(sizes)


def _megabytes(folder: Path) -> float:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 1e6


def _import_ms(modules: str, path: str, after: str = "sys") -> float:
    """CPU time, of the built artefacts, with the bytecode that is deployed."""
    code = f"import {after}, time; began = time.process_time(); import {modules}; print(time.process_time() - began)"
    command = [sys.executable, "-S", "-c", code]
    environment = {"PYTHONPATH": path}
    times = [float(subprocess.check_output(command, env=environment, text=True)) for _ in range(IMPORTS)]
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    main()
