"""The restore of the tables: all of them to one moment, whatever is in them by now, and however often it is killed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from local import restore as module
from local.errors import LocalError
from local.restore import EMPTIED, HELD, LEFT, RESTORED, STOPPED, Restore, moment, restore
from operations import chains
from tests.account import Account, account
from tests.factories import NOON
from tests.integration.console import Console
from tests.integration.harness import Functions
from tests.packages import nothing_cached
from tests.template.project import real
from tests.template.rules.permissions import WRITERS

AT = datetime(2026, 11, 20, 11, 59, tzinfo=UTC)
SUFFIX = "-restored-20261120T115900Z"


class Killed(BaseException):
    pass


@dataclass
class Lambda:
    """Of it, how many of a function may run at once."""

    reserved: dict[str, int] = field(default_factory=dict)

    def put_function_concurrency(self, FunctionName: str, ReservedConcurrentExecutions: int) -> None:  # noqa: N803
        self.reserved[FunctionName] = ReservedConcurrentExecutions

    def delete_function_concurrency(self, FunctionName: str) -> None:  # noqa: N803
        self.reserved.pop(FunctionName, None)

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        return {"Timeout": 30 if FunctionName == "BoostsWorkerFunction" else 10}


@dataclass
class Stack:
    """A deployed stack, in moto."""

    aws: Account
    functions: Lambda = field(default_factory=Lambda)
    name: str = "sluice"

    def resources(self) -> dict[str, str]:
        return {name: name for name in (*RESTORED, *EMPTIED, *LEFT, *HELD)}

    def client(self, service: str) -> Any:
        return self.functions if service == "lambda" else self.aws.client(service)


class Operator(Console):
    """Restores what he has commanded."""

    def __init__(self, aws: Account, functions: Functions, clock: Any) -> None:
        super().__init__(aws, functions, clock)
        self.stack = Stack(aws)
        self.told: list[str] = []
        self.waits: list[float] = []
        self.made = Restore(self.stack, self.told.append, self.waits.append)  # type: ignore[arg-type]

    def tables(self, suffix: str = "") -> dict[str, list[dict[str, Any]]]:
        """Without whether the platform is stopped."""
        found = {table: self.items(f"{table}{suffix}") for table in RESTORED}
        return {
            table: [item for item in items if item.get("id") != {"S": "platform"}] for table, items in found.items()
        }

    def items(self, table: str) -> list[dict[str, Any]]:
        pages = self.aws.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return sorted((item for page in pages for item in page["Items"]), key=str)

    def restore(self) -> None:
        restore(self.made, SUFFIX, lambda: self.turn("stop"))

    def in_mid_run(self) -> str:
        """The id of a boost of which the first of three batches is done."""
        campaign_id = self.running(total_count=2500)
        self.work(campaign_id, 1)
        return campaign_id

    def go_on(self, campaign_id: str, *steps: int) -> None:
        for step in steps:
            self.clock.shift(3600)
            self.work(campaign_id, step)

    def status(self) -> str:
        return str(self.done("operations/stop-get")["status"])


@pytest.fixture(scope="module")
def moto_account() -> Iterator[Account]:
    with account() as aws:
        yield aws


@pytest.fixture
def world(moto_account: Account) -> Iterator[Operator]:
    moto_account.forget()
    for name in moto_account.client("dynamodb").list_tables()["TableNames"]:
        if name.endswith(SUFFIX):
            moto_account.client("dynamodb").delete_table(TableName=name)
    with nothing_cached(), time_machine.travel(NOON, tick=False) as clock:
        yield Operator(moto_account, Functions(moto_account), clock)


def test_all_tables_are_taken_back_and_the_platform_stays_stopped(world: Operator) -> None:
    campaign_id = world.in_mid_run()
    kept = world.tables()
    world.made.make(AT)
    log = world.items("AuditTable")
    world.go_on(campaign_id, 2)
    later = world.create(total_count=7)
    world.send("boosts/api-create", body=None, key="a-key")
    assert world.items("RequestsTable")

    world.restore()

    assert world.tables() == kept
    assert world.status() == "stopped"
    assert world.items("RequestsTable") == []
    assert [entry for entry in log if entry not in world.items("AuditTable")] == []
    assert world.send("boosts/api-get", later).status == 404
    assert world.get(campaign_id)["executed_count"] == 1000


def test_what_was_restored_goes_on_when_it_is_resumed(world: Operator) -> None:
    campaign_id = world.in_mid_run()
    world.made.make(AT)
    world.go_on(campaign_id, 2, 3)
    assert world.get(campaign_id)["status"] == "completed"

    world.restore()
    world.turn("resume")
    world.go_on(campaign_id, 2, 3)

    assert world.get(campaign_id)["status"] == "completed"
    assert world.totals() == {"boosted#video#abc123": 2500, "boosted#video#abc123#2026-11-20": 2500}
    assert world.verified(campaign_id)["valid"]
    assert world.verified(campaign_id)["rolled_back"] == [{"from": 3, "to": 3, "bridged_by": 4}]
    assert world.verified("platform")["valid"]


def test_who_writes_is_held_until_all_is_copied(world: Operator) -> None:
    world.in_mid_run()
    world.made.make(AT)
    held: list[int] = []
    copy = module.Restore._copy

    def copying(made: Restore, *tables: str) -> None:
        held.append(len(world.stack.functions.reserved))
        copy(made, *tables)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module.Restore, "_copy", copying)
        world.restore()

    assert held == [len(HELD)] * len(RESTORED)
    assert world.stack.functions.reserved == {}
    assert world.waits == [30], "the longest of them"


@pytest.mark.parametrize("at", [2, 5, 8])
def test_it_goes_on_after_a_kill(world: Operator, at: int) -> None:
    """When it has put items of the first table back; of the last one; and when all is done but to say so."""
    campaign_id = world.in_mid_run()
    kept = world.tables()
    world.made.make(AT)
    world.go_on(campaign_id, 2)
    world.create()
    world.made = Restore(world.stack, dying(at, world.told.append), world.waits.append)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        world.restore()

    world.made = Restore(world.stack, world.told.append, world.waits.append)  # type: ignore[arg-type]
    suffix = world.made.make(AT)
    world.restore()

    assert suffix == SUFFIX
    assert world.tables() == kept
    assert (world.status(), world.stack.functions.reserved) == ("stopped", {})
    assert len(world.entries("platform")) == 1, "it is stopped once"


def dying(at: int, tell: Callable[[str], None]) -> Callable[[str], None]:
    left = [at]

    def told(line: str) -> None:
        tell(line)
        left[0] -= 1
        if not left[0]:
            raise Killed

    return told


def test_what_is_there_already_is_not_written_again(world: Operator) -> None:
    world.in_mid_run()
    world.made.make(AT)
    world.restore()
    world.told.clear()

    world.restore()

    assert all(" 0 put back" in line for line in world.told if "looked at" in line), world.told
    assert all(" 0 items deleted" in line for line in world.told if "deleted" in line), world.told


def test_a_platform_that_is_resumed_meanwhile_is_not_restored(world: Operator) -> None:
    campaign_id = world.in_mid_run()
    world.made.make(AT)
    world.go_on(campaign_id, 2)

    with pytest.raises(LocalError, match="resumed meanwhile"):
        restore(world.made, SUFFIX, lambda: None)

    assert world.get(campaign_id)["executed_count"] == 2000
    assert world.stack.functions.reserved == {}


def test_tables_that_are_not_there_are_named(world: Operator) -> None:
    with pytest.raises(LocalError, match="There is no table BoostsTable-mine"):
        restore(world.made, "-mine", lambda: None)


def test_every_table_is_restored_or_emptied_or_left() -> None:
    tables = real().of_type("AWS::DynamoDB::Table")

    assert sorted((*RESTORED, *EMPTIED, *LEFT)) == sorted(tables)


def test_the_stop_is_looked_for_in_the_table_of_every_context() -> None:
    tables = [f"{name.removesuffix('_table').title()}Table" for name in chains.TABLES]

    assert sorted(STOPPED) == sorted(tables)


def test_everybody_is_held_who_writes_what_is_restored() -> None:
    writers = {function for table in (*RESTORED, *EMPTIED) for function in WRITERS[table]}

    assert set(HELD) == {function for function in writers if not function.startswith("ViewsTrack")}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Give AT="),
        ("yesterday", "Give AT="),
        ("2026-02-30T00:00:00Z", "is no moment"),
        ("2999-01-01T00:00:00Z", "future"),
    ],
)
def test_a_moment_that_is_none_is_refused(text: str, problem: str) -> None:
    with pytest.raises(LocalError, match=problem):
        moment(text)


def test_a_moment_is_in_utc() -> None:
    assert moment("2026-11-20T11:59:00Z") == AT
