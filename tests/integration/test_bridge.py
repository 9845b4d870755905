"""After a restore no entity stays behind its audit log, whoever commits, and the trail says what was rolled back."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine

from local.restore import STOPPED
from sluice import audit
from sluice.audit import EntryItem, Head
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import EXAMPLE as A_BOOST
from tests.integration.console import TERMS, before_the_first
from tests.integration.harness import Answer, Functions
from tests.integration.imports_world import EXAMPLE as AN_IMPORT
from tests.integration.imports_world import Importer, a_row
from tests.integration.log_metrics import metrics, rings

# Those of broadcasts and hooks, too: only here does a restore take back whether the platform is stopped, and all copies
# are equal.
RESTORED_TABLES = (*STOPPED, "TotalsTable", "LedgerTable")
STOP = {"reason": "The counts of video abc123 look wrong"}


class Restorable(Importer):
    """An operator of every context, whose tables are put back to an earlier moment as a restore does."""

    def boost(self, verb: str, campaign_id: str = A_BOOST, body: Any = None) -> Answer:
        return self.request(f"boosts/api-{verb}", (A_BOOST, campaign_id), body=body)

    def created(self, total: int = 500) -> str:
        return str(self.boost("create", body=TERMS | {"total_count": total}).body["id"])

    def keep(self) -> dict[str, dict[Any, Any]]:
        assert self.aws.dynamo
        return {table: dict(self.aws.dynamo.tables[table].items) for table in RESTORED_TABLES}

    def restore(self, kept: dict[str, dict[Any, Any]]) -> None:
        """Audit and outbox go on; keys' answers are forgotten."""
        assert self.aws.dynamo
        for table, items in kept.items():
            self.aws.dynamo.tables[table].items = dict(items)
        self.aws.dynamo.tables["RequestsTable"].items.clear()

    def step_of(self, table: str, campaign_id: str) -> int:
        items = self.aws.items(table)
        return next(int(item["step"]) for item in items if (item["id"], item["part"]) == (campaign_id, "campaign"))

    def run(self, worker: str, table: str, campaign_id: str) -> None:
        """Run the campaign's next step."""
        assert self.hand_over(worker, {"campaign_id": campaign_id, "step": self.step_of(table, campaign_id)})


@pytest.fixture
def world(aws: Account, functions: Functions) -> Iterator[Restorable]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Restorable(aws, functions, clock)


# --- Everybody who commits


@dataclass(frozen=True)
class User:
    """One who commits. `begin` makes the entity and names it; `command` is rolled back, and then given once more."""

    begin: Callable[[Restorable], str]
    command: Callable[[Restorable, str], Any]
    logs: str
    actions: tuple[str, ...]
    """The last of the entity's log: what was rolled back, the bridge, and the command that was given once more."""


def a_boost(world: Restorable) -> str:
    campaign_id = world.created()
    world.boost("execute", campaign_id)
    return campaign_id


def an_import(world: Restorable) -> str:
    import_id = world.create()
    world.put(import_id, 1, [a_row("abc123", 50)])
    return import_id


def an_import_that_runs(world: Restorable) -> str:
    import_id = an_import(world)
    world.execute(import_id)
    return import_id


def a_resumed_platform(world: Restorable) -> str:
    world.turn("stop")
    world.turn("resume")
    return "platform"


def an_adjusted_content(world: Restorable) -> str:
    world.adjust(7)
    return "adjustments:video:abc123"


def register(world: Restorable, title: str) -> None:
    """Redis is not there: the content is written all the same."""
    answer = world.request("views/registered/api-put", body={"title": title, "owner": "ada"})
    assert answer.body["message"].startswith("The content is written"), answer.body


def a_registered_content(world: Restorable) -> str:
    register(world, "Sluices")
    return "content:story:123"


def a_wallet(world: Restorable) -> str:
    assert deposited(world, "first").status == 201
    return "wallet:nina"


def deposited(world: Restorable, key: str) -> Answer:
    return world.request("wallets/api-deposit", key=key)


def nothing(entity: str) -> Callable[[Restorable], str]:
    return lambda _world: entity


def is_done(command: Callable[[Restorable, str], Answer], status: int = 200) -> Callable[[Restorable, str], None]:
    def act(world: Restorable, entity: str) -> None:
        answer = command(world, entity)
        assert answer.status == status, answer.body

    return act


stop = is_done(lambda world, _entity: world.request("operations/stop-stop", body=STOP))
adjust = is_done(lambda world, _entity: world.adjust(5), 201)


def redriven(world: Restorable, _entity: str) -> None:
    url = world.aws.ref("BoostsDeadLetters")
    world.aws.client("sqs").send_message(QueueUrl=url, MessageBody="a")
    assert world.request("operations/redrive-redrive").body["moved"] == 1


def a_redrive(world: Restorable) -> str:
    redriven(world, "")
    return "redrives"


def a_token(world: Restorable) -> str:
    minted(world, "")
    return "tokens"


def minted(world: Restorable, _entity: str) -> None:
    assert world.request("operations/tokens-create").status == 201


USERS = {
    "a redrive": User(
        a_redrive,
        redriven,
        "OperationsRedriveLogs",
        ("DEAD_LETTERS_REDRIVEN", "REDRIVES_RESTORED", "DEAD_LETTERS_REDRIVEN"),
    ),
    "the first redrive": User(
        nothing("redrives"),
        redriven,
        "OperationsRedriveLogs",
        ("DEAD_LETTERS_REDRIVEN", "REDRIVES_RESTORED", "DEAD_LETTERS_REDRIVEN"),
    ),
    "a token": User(a_token, minted, "OperationsTokensLogs", ("TOKEN_CREATED", "TOKENS_RESTORED", "TOKEN_CREATED")),
    "the first token": User(
        nothing("tokens"), minted, "OperationsTokensLogs", ("TOKEN_CREATED", "TOKENS_RESTORED", "TOKEN_CREATED")
    ),
    "a stop": User(
        a_resumed_platform, stop, "OperationsStopLogs", ("PLATFORM_STOPPED", "PLATFORM_RESTORED", "PLATFORM_STOPPED")
    ),
    "the first stop": User(
        nothing("platform"), stop, "OperationsStopLogs", ("PLATFORM_STOPPED", "PLATFORM_RESTORED", "PLATFORM_STOPPED")
    ),
    "a command of a boost": User(
        a_boost,
        is_done(lambda world, entity: world.boost("pause", entity)),
        "BoostsApiLogs",
        tuple(f"FAKE_VIEWS_CAMPAIGN_{each}" for each in ("PAUSED", "RESTORED", "PAUSED")),
    ),
    "a batch that completes a boost": User(
        a_boost,
        lambda world, entity: world.run("boosts/worker-steps", "BoostsTable", entity),
        "BoostsWorkerLogs",
        tuple(f"FAKE_VIEWS_CAMPAIGN_{each}" for each in ("COMPLETED", "RESTORED", "COMPLETED")),
    ),
    "a command of an import": User(
        an_import,
        is_done(lambda world, entity: world.execute(entity)),
        "ViewsImportsApiLogs",
        ("VIEWS_IMPORT_STARTED", "VIEWS_IMPORT_RESTORED", "VIEWS_IMPORT_STARTED"),
    ),
    "a slice that completes an import": User(
        an_import_that_runs,
        lambda world, entity: world.run("views/imports/worker-steps", "ViewsTable", entity),
        "ViewsImportsWorkerLogs",
        ("VIEWS_IMPORT_COMPLETED", "VIEWS_IMPORT_RESTORED", "VIEWS_IMPORT_COMPLETED"),
    ),
    "an adjustment": User(
        an_adjusted_content,
        adjust,
        "ViewsAdjustmentsApiLogs",
        ("VIEWS_ADJUSTED", "VIEWS_ADJUSTMENTS_RESTORED", "VIEWS_ADJUSTED"),
    ),
    "the first adjustment": User(
        nothing("adjustments:video:abc123"),
        adjust,
        "ViewsAdjustmentsApiLogs",
        ("VIEWS_ADJUSTED", "VIEWS_ADJUSTMENTS_RESTORED", "VIEWS_ADJUSTED"),
    ),
    "a deposit": User(
        a_wallet,
        is_done(lambda world, _entity: deposited(world, "second"), 201),
        "WalletsApiLogs",
        ("WALLET_DEPOSITED", "WALLET_RESTORED", "WALLET_DEPOSITED"),
    ),
    "the first deposit": User(
        nothing("wallet:nina"),
        is_done(lambda world, _entity: deposited(world, "first"), 201),
        "WalletsApiLogs",
        ("WALLET_DEPOSITED", "WALLET_RESTORED", "WALLET_DEPOSITED"),
    ),
    "a change of a registered content": User(
        a_registered_content,
        lambda world, _entity: register(world, "Weirs"),
        "ViewsRegisteredApiLogs",
        ("CONTENT_CHANGED", "CONTENT_RESTORED", "CONTENT_CHANGED"),
    ),
    "a new registered content": User(
        nothing("content:story:123"),
        lambda world, _entity: register(world, "Weirs"),
        "ViewsRegisteredApiLogs",
        ("CONTENT_REGISTERED", "CONTENT_RESTORED", "CONTENT_REGISTERED"),
    ),
}


@pytest.fixture(params=USERS.values(), ids=USERS)
def user(request: pytest.FixtureRequest) -> User:
    found: User = request.param
    return found


def test_a_command_goes_on_after_what_a_restore_rolled_back(
    world: Restorable, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    entity = user.begin(world)
    kept, before = world.keep(), len(world.entries(entity))
    user.command(world, entity)
    world.restore(kept)

    with caplog.at_level(logging.ERROR):
        user.command(world, entity)

    assert tuple(world.actions(entity)[before:]) == user.actions
    rolled_back = [{"from": before + 1, "to": before + 1, "bridged_by": before + 2}]
    assert world.verified(entity) == {
        "entity": entity,
        "valid": True,
        "entries": before + 3,
        "problem": None,
        "rolled_back": rolled_back,
    }
    bridge = world.entries(entity)[before + 1]
    assert (bridge["actor"], bridge["previous_hash"]) == ("system", world.entries(entity)[before]["hash"])
    lines = [{"message": record.getMessage()} for record in caplog.records]
    assert metrics(world.aws, user.logs, lines)["RestoresBridged"] == [1]
    assert rings(world.aws, "RestoreBridgedAlarm", 1)


def test_before_a_command_the_trail_says_that_its_entries_are_ahead(world: Restorable, user: User) -> None:
    entity = user.begin(world)
    kept, before = world.keep(), len(world.entries(entity))
    user.command(world, entity)
    world.restore(kept)

    found = world.verified(entity)

    ahead = f"entry {before + 1} is ahead of the entity: it was restored to an earlier moment, or they were added"
    assert (found["valid"], found["problem"], found["rolled_back"]) == (False, ahead, [])


def test_an_entity_that_was_restored_twice_is_bridged_twice(world: Restorable, user: User) -> None:
    entity = user.begin(world)
    kept, before = world.keep(), len(world.entries(entity))
    for _ in range(2):
        user.command(world, entity)
        world.restore(kept)

    user.command(world, entity)

    found = world.verified(entity)
    assert found["valid"], found
    assert found["rolled_back"] == [
        {"from": before + 1, "to": before + 1, "bridged_by": before + 2},
        {"from": before + 1, "to": before + 3, "bridged_by": before + 4},
    ]


def test_entries_that_do_not_follow_the_head_are_bridged_and_named_as_added(world: Restorable, user: User) -> None:
    entity = user.begin(world)
    before = world.entries(entity)
    number = len(before)
    forged = audit.follow(
        Head(number, "0" * 64), entity=entity, action="FORGED", actor="mallory", now=NOON, before=None, after={}
    )
    put_entry(world, forged)

    user.command(world, entity)

    found = world.verified(entity)
    problem = f"entry {number + 1} was added before the bridge {number + 2}"
    assert (found["valid"], found["problem"]) == (False, problem)


def put_entry(world: Restorable, entry: audit.Entry) -> None:
    EntryItem.Meta.table_name = world.aws.ref("AuditTable")
    EntryItem(**vars(entry)).save()


def test_of_two_commands_one_bridges_and_the_other_is_answered_by_what_it_finds(world: Restorable) -> None:
    entity = a_resumed_platform(world)
    kept = world.keep()
    stop(world, entity)
    world.restore(kept)
    answers: list[Answer] = []

    def another() -> None:
        answers.append(world.request("operations/stop-stop", body=STOP))

    with before_the_first("transact_write_items", another):
        answers.append(world.request("operations/stop-stop", body=STOP))

    assert [answer.status for answer in answers] == [200, 409]
    assert [each["bridged_by"] for each in world.verified(entity)["rolled_back"]] == [4]
    assert len(world.entries(entity)) == 5


def test_the_trail_of_a_campaign_that_is_gone_names_its_entries(world: Restorable) -> None:
    kept = world.keep()
    campaign_id = a_boost(world)
    world.restore(kept)

    found = world.verified(campaign_id)

    ahead = "entries 1 to 2 are ahead of the entity: it was restored to an earlier moment, or they were added"
    assert (found["valid"], found["entries"], found["problem"]) == (False, 2, ahead)


# --- What was in the middle of something


def test_a_boost_that_was_restored_in_mid_run_goes_on_and_its_numbers_add_up(world: Restorable) -> None:
    campaign_id = world.created(total=2500)
    world.boost("execute", campaign_id)
    world.run("boosts/worker-steps", "BoostsTable", campaign_id)
    kept = world.keep()
    for _ in range(2):
        world.clock.shift(3600)
        world.run("boosts/worker-steps", "BoostsTable", campaign_id)
    assert world.boost("get", campaign_id).body["status"] == "completed"
    world.restore(kept)

    assert world.boost("get", campaign_id).body["executed_count"] == 1000
    for _ in range(2):
        world.clock.shift(3600)
        world.run("boosts/worker-steps", "BoostsTable", campaign_id)

    assert world.boost("get", campaign_id).body["status"] == "completed"
    assert world.totals() == {"boosted#video#abc123": 2500, "boosted#video#abc123#2026-11-20": 2500}
    checks = world.boost("verify", campaign_id).body
    assert checks["valid"], checks
    usage = next(item for item in world.aws.items("BoostsTable") if item["id"] == "usage#2026-11")
    assert (usage["allotted"], usage["executed"]) == (2500, 2500)


def test_an_import_that_was_restored_in_mid_run_goes_on_and_each_row_is_in_once(world: Restorable) -> None:
    import_id = world.create()
    world.put(import_id, 1, [a_row(f"v{number}") for number in range(120)])
    world.execute(import_id)
    world.run("views/imports/worker-steps", "ViewsTable", import_id)
    kept = world.keep()
    for _ in range(2):
        world.run("views/imports/worker-steps", "ViewsTable", import_id)
    world.restore(kept)
    assert len(world.totals()) == 50

    world.work_off(import_id)

    assert world.totals() == {f"organic#video#v{number}": 5 for number in range(120)}
    shown = world.request("views/imports/api-get", (AN_IMPORT, import_id)).body
    assert (shown["status"], shown["applied"], shown["views"]) == ("completed", 120, 600)
    assert world.verified(import_id)["valid"]
