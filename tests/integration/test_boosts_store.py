"""The conditions of the store's transactions, one by one: each holds where no rule above it would have seen to it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
import time_machine
from pynamodb.connection import Connection

from boosts import campaign as campaigns
from boosts import evidence
from boosts.batches import BoostBatches
from boosts.bootstrap import BoostsSettings
from boosts.bootstrap import store as boosts_store
from boosts.campaign import Campaign, Change
from boosts.store import Store
from boosts.usage import Limits, Usage, UsageChange
from sluice import settings
from sluice.dynamodb import bind
from sluice.totals import TotalItem
from tests.account import Account
from tests.factories import LIMITS, NOON, UTC_ZONE, a_boost
from tests.integration.console import TERMS, Console, before_the_first
from tests.integration.harness import Functions

CAP = LIMITS.global_monthly_cap


@pytest.fixture
def store(aws: Account) -> Store:
    with patch.dict("os.environ", aws.environment("BoostsWorkerFunction")):
        bind(TotalItem, aws.ref("TotalsTable"))
        return boosts_store(settings.read(BoostsSettings))


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Console(aws, functions, clock)


def commit(store: Store, change: Change) -> Campaign | None:
    return store.commit(change, "ada", NOON)


def executed(store: Store, **terms: Any) -> Campaign:
    created = commit(store, campaigns.create(a_boost(**terms)))
    assert created
    running = commit(store, campaigns.execute(created, NOON, UTC_ZONE))
    assert running
    return running


@pytest.mark.parametrize("kept", ["AuditTable", "nothing"])
def test_a_campaign_is_created_once(store: Store, aws: Account, kept: str) -> None:
    campaign = a_boost()
    first = commit(store, campaigns.create(campaign))
    if kept == "nothing":  # its audit entries would stand in the way too
        key = {"entity": {"S": campaign.id}, "number": {"N": "1"}}
        aws.client("dynamodb").delete_item(TableName=aws.ref("AuditTable"), Key=key)

    second = commit(store, campaigns.create(replace(campaign, total_count=7)))

    assert second is None
    assert store.get(campaign.id) == first


def test_a_change_to_a_campaign_that_is_gone_is_refused(store: Store) -> None:
    campaign = a_boost()

    assert commit(store, campaigns.cancel(campaign, NOON)) is None
    assert store.get(campaign.id) is None


def test_a_status_that_was_set_by_hand_stops_a_batch_too(console: Console) -> None:
    """S1-27."""

    campaign_id = console.running()

    def pause_by_hand() -> None:
        console.aws.client("dynamodb").update_item(
            TableName=console.aws.ref("BoostsTable"),
            Key={"id": {"S": campaign_id}, "part": {"S": "campaign"}},
            UpdateExpression="SET #status = :paused",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":paused": {"S": "paused"}},
        )

    with before_the_first("transact_write_items", pause_by_hand):
        console.work(campaign_id, 1)

    assert console.item(campaign_id)["executed_count"] == 0
    assert console.aws.items("TotalsTable") == []


def test_a_batch_row_is_never_overwritten_by_a_campaign_of_a_restored_backup(store: Store, aws: Account) -> None:
    running = executed(store)
    state = store.read(running.id, "2026-11")
    assert state
    key = {"id": {"S": running.id}, "part": {"S": "campaign"}}
    client, table = aws.client("dynamodb"), aws.ref("BoostsTable")
    backup = client.get_item(TableName=table, Key=key)["Item"]
    batches = BoostBatches(store, LIMITS, UTC_ZONE)
    assert batches.commit(state, "message-1", NOON)
    rows = [item for item in aws.items("BoostsTable") if item["kind"] == "batch"]
    client.put_item(TableName=table, Item=backup)

    after = batches.commit(state, "message-2", NOON + timedelta(minutes=1))

    assert after is None
    assert [item for item in aws.items("BoostsTable") if item["kind"] == "batch"] == rows
    assert {item["views"] for item in aws.items("TotalsTable")} == {1000}


@pytest.mark.parametrize(
    "usage",
    [
        UsageChange("2027-01", allotted=CAP + 1),
        UsageChange("2027-01", executed=CAP + 1, day=1),
        UsageChange("2027-01", executed=LIMITS.max_per_day + 1, day=1),
    ],
)
def test_what_not_even_an_unused_month_can_hold_is_refused(store: Store, usage: UsageChange) -> None:
    """S1-31."""

    running = executed(store)
    change = replace(campaigns.pause(running, NOON), usage=(usage,))

    assert usage.fits(LIMITS) is False
    assert commit(store, change) is None
    assert store.usage("2027-01").allotted == store.usage("2027-01").executed == 0


def test_a_month_may_hold_less_than_a_day() -> None:
    """S1-31."""

    change = UsageChange("2027-01", executed=6, day=1)

    assert change.fits(Limits(max_per_day=10, global_monthly_cap=5)) is False
    assert change.fits(Limits(max_per_day=10, global_monthly_cap=6)) is True


@pytest.mark.parametrize(
    ("used", "usage"),
    [
        ({"allotted": CAP - 9}, UsageChange("2027-01", allotted=10)),
        ({"executed": CAP - 9}, UsageChange("2027-01", executed=10, day=1)),
        ({"executed": 0, "d01": LIMITS.max_per_day - 9}, UsageChange("2027-01", executed=10, day=1)),
        ({"allotted": 9}, UsageChange("2027-01", allotted=-10)),
        ({}, UsageChange("2027-01", allotted=-10)),
    ],
)
def test_no_counter_of_a_month_goes_above_its_cap_or_below_zero(
    store: Store, console: Console, used: dict[str, int], usage: UsageChange
) -> None:
    """S1-31."""

    running = executed(store)
    console.put_usage("2027-01", **used)
    before = store.usage("2027-01")

    refused = commit(store, replace(campaigns.pause(running, NOON), usage=(usage,)))
    fitting = replace(usage, allotted=usage.allotted and 9, executed=usage.executed and 9)
    fitted = commit(store, replace(campaigns.pause(running, NOON), usage=(fitting,)))

    assert refused is None
    assert fitted
    assert store.usage("2027-01").allotted == before.allotted + fitting.allotted
    assert store.usage("2027-01").executed == before.executed + fitting.executed


def test_a_month_is_read_with_every_day_of_it(store: Store, console: Console) -> None:
    console.put_usage("2027-01", **{f"d{day:02}": day for day in range(1, 32)})

    usage = store.usage("2027-01")

    assert usage.days == {day: day for day in range(1, 32)}


def test_a_step_reads_its_campaign_and_the_month_together_and_nothing_of_no_campaign(store: Store) -> None:
    running = executed(store)

    found, missing = store.read(running.id, "2026-11"), store.read("bst_1", "2026-11")

    assert found
    assert (found.campaign, store.usage_in(found, "2026-11")) == (running, store.usage("2026-11"))
    assert store.usage_in(found, "2026-12") == Usage("2026-12")
    assert not found.is_stopped
    assert store.usage_in(found, "2026-11").allotted == 2500
    assert missing is None


def test_everything_that_is_decided_on_is_read_consistently(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[tuple[str, bool]] = []
    real = Connection.dispatch

    def dispatch(self: Connection, operation: str, request: dict[str, Any]) -> Any:
        asked = list(request.get("RequestItems", {}).values()) or [request]
        if operation in ("GetItem", "BatchGetItem") or (operation == "Query" and "IndexName" not in request):
            reads.extend((operation, each.get("ConsistentRead", False)) for each in asked)
        return real(self, operation, request)

    monkeypatch.setattr(Connection, "dispatch", dispatch)
    console.send("boosts/api-create", body=TERMS, key="k1")
    campaign_id = console.running()
    console.clock.shift(timedelta(minutes=10))
    console.sweep()
    console.work(campaign_id, 1)
    console.command("pause", campaign_id)
    console.send("boosts/api-limits")
    console.send("operations/audit-verify", campaign_id)

    assert {operation for operation, _ in reads} == {"GetItem", "BatchGetItem", "Query"}
    assert all(consistent for _, consistent in reads)


def test_the_month_of_a_batch_is_checked_in_the_configured_zone(store: Store) -> None:
    """S1-59."""

    berlin = ZoneInfo("Europe/Berlin")
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    running = executed(store)
    batches = BoostBatches(store, LIMITS, berlin)
    state = batches.read(running.id, late)
    assert state
    batched = batches.commit(state, "message-1", late)
    assert isinstance(batched, Campaign)

    checks = evidence.verify(store, batched, berlin)

    assert [check.claim[-7:] for check in checks if "allotted" in check.claim] in (
        ["2026-11", "2026-12"],
        ["2026-12", "2026-11"],
    )
    assert all(check.holds for check in checks)
