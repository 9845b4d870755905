"""Promotions whose tables were restored to an earlier moment: posts are not restored, and none is made twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
import time_machine

from promotions.networks.sandbox import SandboxPublisher
from tests.account import Account
from tests.factories import NOON
from tests.integration.agency import Agency
from tests.integration.harness import Functions

RESTORED_TABLES = ("PromotionsTable", "LedgerTable")
IDS = ("tweet_id", "contract_id", "last_thread_tweet_id")


class Restorable(Agency):
    """An agency whose tables are put back, as a restore does it. The sandbox's posts stay, as a network's do."""

    def keep(self) -> dict[str, dict[Any, Any]]:
        assert self.aws.dynamo
        return {table: dict(self.aws.dynamo.tables[table].items) for table in RESTORED_TABLES}

    def restore(self, kept: dict[str, dict[Any, Any]]) -> None:
        """Five minutes later. Audit and outbox go on; keys' answers are forgotten."""
        assert self.aws.dynamo
        posts = {
            key: item
            for key, item in self.aws.dynamo.tables["PromotionsTable"].items.items()
            if str(key[0]).startswith("sandbox#")
        }
        for table, items in kept.items():
            self.aws.dynamo.tables[table].items = dict(items)
        self.aws.dynamo.tables["PromotionsTable"].items |= posts
        self.aws.dynamo.tables["RequestsTable"].items.clear()
        self.clock.shift(timedelta(minutes=5))

    def run(self, campaign_id: str) -> None:
        """Run its steps, as the sweeper does that wakes it."""
        step = {"campaign_id": campaign_id, "step": int(self.item(campaign_id)["step"])}
        assert self.hand_over("promotions/worker-steps", step)
        self.work()


@pytest.fixture
def agency(aws: Account, functions: Functions) -> Iterator[Restorable]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Restorable(aws, functions, clock)


def publishes_again(agency: Restorable, made: str) -> None:
    agency.told("publish", made, status=202)
    agency.work()


@pytest.mark.parametrize(
    ("is_published", "goes_on"),
    [(False, publishes_again), (True, Restorable.run)],
    ids=["and is published again", "after its publish"],
)
def test_a_promotion_that_was_restored_to_before_its_posts_finds_them_and_posts_nothing(
    agency: Restorable, is_published: bool, goes_on: Callable[[Restorable, str], None]
) -> None:
    """S4-4, S4-7."""
    made = agency.ready()
    draft = agency.keep()
    agency.told("publish", made, status=202)
    pending = agency.keep()
    agency.work()
    first = agency.get(made)
    agency.restore(pending if is_published else draft)

    with patch.object(SandboxPublisher, "post", side_effect=AssertionError) as posts:
        goes_on(agency, made)

    again = agency.get(made)
    assert not posts.called
    assert again["status"] == "CampaignRunning"
    assert [again[name] for name in IDS] == [first[name] for name in IDS]
    assert "PROMOTION_RESTORED" in agency.actions(made)
    assert agency.told("verify", made)["valid"]


def test_a_post_of_which_a_restored_promotion_finds_nothing_is_made(agency: Restorable) -> None:
    made = agency.ready()
    agency.told("publish", made, status=202)
    pending = agency.keep()
    agency.work()
    first = agency.get(made)
    for post in agency.posts():
        agency.aws.dynamo.tables["PromotionsTable"].items.pop((post["id"], post["part"]))  # type: ignore[union-attr]
    agency.restore(pending)

    agency.run(made)

    assert agency.get(made)["status"] == "CampaignRunning"
    assert {each["id"] for each in agency.posts()} == {f"sandbox#{first[name]}" for name in (IDS[0], IDS[2])}
    assert agency.told("verify", made)["valid"]
