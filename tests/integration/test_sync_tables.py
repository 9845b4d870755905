"""The sync's items in the database."""

from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from sluice import totals
from tests.account import Account
from tests.factories import NOON
from views.epochs import Control, Phase
from views.sync_store import SyncStore


class ViewsTables:
    """The totals table that the template declares, and a views table."""

    def __init__(self, aws: Account) -> None:
        self.aws = aws
        aws.client("dynamodb").create_table(
            TableName="Views",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "part")],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "part", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def items(self) -> list[dict[str, Any]]:
        read = TypeDeserializer().deserialize
        found = self.aws.client("dynamodb").scan(TableName="Views", ConsistentRead=True)["Items"]
        return [{name: read(value) for name, value in item.items()} for item in found]


@pytest.fixture
def tables(aws: Account) -> ViewsTables:
    return ViewsTables(aws)


@pytest.fixture
def store(tables: ViewsTables) -> SyncStore:
    return SyncStore("Views", tables.aws.ref("TotalsTable"))


def test_an_epoch_is_added_to_a_content_once(store: SyncStore) -> None:
    """S2-23."""
    assert store.apply("video:a", 3, 2)
    assert not store.apply("video:a", 3, 2)
    assert not store.apply("video:a", 9, 1)
    assert store.apply("video:a", 4, 3)

    assert totals.read("video", "a").organic == 7
    assert totals.read("video", "a").last_epoch == 3


def test_a_day_gets_an_epoch_once(store: SyncStore, tables: ViewsTables) -> None:
    assert store.apply_daily("video:a", "2026-11-20", 3, 2)
    assert not store.apply_daily("video:a", "2026-11-20", 3, 2)

    assert [(i["id"], i["part"], i["views"]) for i in tables.items()] == [("video#a", "2026-11-20", 3)]


def test_the_control_item_is_moved_by_one_of_two(store: SyncStore) -> None:
    opened = Control(1, Phase.OPENING, 0, "2026-11-20", 16, NOON)
    closed = Control(1, Phase.DONE, 1, "2026-11-20", 16, NOON, NOON + timedelta(seconds=1), "m", 1, 2, 3, 4)

    assert store.move(None, opened)
    assert not store.move(None, opened)
    assert store.control() == opened
    assert store.move(opened, closed)
    assert not store.move(opened, closed)
    store.record(closed)

    assert store.control() == store.epoch(1) == closed


def test_failures_are_counted_and_reported(store: SyncStore, tables: ViewsTables) -> None:
    assert [store.count_failure("video:a", 1, "busy") for _ in range(3)] == [1, 2, 3]
    store.report_parked("video:a", 1)

    (item,) = tables.items()
    assert item == {"id": "sync:1", "part": "failed#video:a", "failures": 3, "reason": "busy", "is_parked": 1}
