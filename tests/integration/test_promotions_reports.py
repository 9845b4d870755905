"""Public bug reports of the field, each as a test of ours, over HTTP at the sandbox.

Others are where their subject is: tweepy#2027 in test_networks.py, hiero-sdk-js#1560 and guardian#6772 in
test_escrows.py, trypost#29 in test_promotions_api.py, me-hub#894 and mastodon#24082 in test_promotions_close.py,
MassTransit#3791 in test_outbox_relay.py.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from tests.account import Account
from tests.factories import NOON
from tests.integration.agency import QUEUE, Agency
from tests.integration.harness import Functions


@pytest.fixture
def agency(aws: Account, functions: Functions) -> Iterator[Agency]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Agency(aws, functions, clock)


def results(agency: Agency, promotion: str) -> dict[str, Any]:
    """What each stage of the publish came to."""
    return {each["stage"]: each["result"] for each in agency.told("operation", promotion)["stages"]}


@pytest.mark.parametrize("switch", ["lost", "unreadable", "hidden", "inflight"])
def test_a_post_whose_answer_says_nothing_is_made_once_and_its_id_is_shown(agency: Agency, switch: str) -> None:
    """Tusky#2951, mastodon#21840, zernio-python#42, atproto#3718, node-twitter-api-v2#469."""
    made = agency.published(texts=[f"Look [sandbox:{switch}] #ad", f"All of it [sandbox:{switch}]"])

    agency.work()

    found = agency.get(made)
    assert (found["status"], found["error"], len(agency.posts())) == ("CampaignRunning", None, 2)
    adopted = results(agency, made)
    assert (adopted["first_post"], adopted["second_post"]) == (found["tweet_id"], found["last_thread_tweet_id"])
    assert {each["id"] for each in agency.posts()} == {f"sandbox#{adopted[each]}" for each in adopted if "post" in each}


def test_a_publish_after_a_rollback_posts_other_texts(agency: Agency) -> None:
    """twitter-api-php#171: a text is a duplicate though its post was deleted."""
    made = agency.published(title="Winter [escrow:refused]")
    agency.work()
    agency.told("edit", made, body={"title": "Winter"})

    agency.told("publish", made, status=202)
    agency.work()

    assert agency.get(made)["status"] == "CampaignRunning"
    ever = [each["text"] for each in agency.aws.items("PromotionsTable") if "text" in each]
    assert len(ever) == 3
    assert len(set(ever)) == 3


def test_whatever_is_delivered_twice_happens_once(agency: Agency) -> None:
    """socioboard#335: two schedulers, every post twice."""
    made = agency.published(auto_close=[{"metric": "likes", "at_least": 1}])
    work_twice(agency)
    post = agency.get(made)["tweet_id"]
    agency.profile("mia")
    agency.engage(post, like=["mia"])

    for _ in range(2):
        agency.invoke("promotions/tracking/schedule-due")
        agency.ask("close", made)
        agency.sweep()
    work_twice(agency)

    assert (agency.get(made)["status"], len(agency.posts())) == ("CampaignClosed", 2)
    events = agency.events()
    assert len(events) == len(set(events))
    assert [each["amount"] for each in agency.told("rewards", made)["items"]] == [10_000]
    assert agency.told("verify", made)["valid"]


def work_twice(agency: Agency) -> None:
    """Hand each step over with a copy, until there are no more. The close of the campaign is later than the queue's."""
    while steps := agency.steps(QUEUE):
        for number, step in enumerate(steps):
            for copy in "ab":
                assert agency.hand_over("promotions/worker-steps", step, f"{copy}{number}")


def test_a_close_whose_messages_are_all_lost_is_made_up_for_by_the_sweeper(agency: Agency) -> None:
    """bullmq#2466: a job that is due in the past stays where it is."""
    made = agency.running()
    agency.steps(QUEUE)
    agency.clock.shift(timedelta(hours=2))

    for _ in range(2):
        agency.sweep()
        agency.clock.shift(timedelta(minutes=5))
    agency.work()

    found = agency.get(made)
    assert (found["status"], found["close_reason"]) == ("CampaignClosed", "schedule")
    assert agency.wallet() == 10_000


def test_a_cancel_while_nobody_knows_of_the_contract_brings_all_the_money_back(agency: Agency) -> None:
    """EcoIssues#13936: the contract is deleted, and the escrow keeps the money."""
    made = agency.published(title="Winter [escrow:lost]")
    while agency.get(made)["stage"] != "contract" or agency.get(made)["call"] is None:
        (step,) = agency.steps(QUEUE)[-1:]
        assert agency.hand_over("promotions/worker-steps", step)
    assert agency.get(made)["call"]["state"] == "unknown"

    agency.ask("cancel", made)
    agency.work()

    found = agency.get(made)
    assert (found["status"], found["money"]["remaining"]) == ("CampaignDraft", 0)
    assert (agency.wallet(), agency.posts()) == (10_000, [])
    assert results(agency, made)["contract"] == f"fund#{made}#1"
