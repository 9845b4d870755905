"""A participation's rules: what closed rows are worth, and who may change what."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sluice.errors import Conflicting
from sponsorships.campaign import AtEnd
from sponsorships.participation import (
    Action,
    Change,
    Count,
    Counted,
    Key,
    Offer,
    Participation,
    ParticipationStatus,
    PayWaiting,
    Refund,
    Why,
    decide,
    give_up,
    join,
    leave,
    pay_back,
    propose_refund,
    propose_rejection,
    reject,
    settle,
    settle_again,
    void,
)
from tests.factories import NOON, a_participation, a_sponsorship, an_offer

TODAY = NOON.date()


def settling(why: Why = Why.TARGET, **changes: Any) -> Participation:
    return replace(settle(a_participation(**changes), why, "api", NOON).after)


def counted(valid: int, **changes: Any) -> Count:
    return Count(**({"valid": valid, "voided": 0, "clicks": 0, "root": "00" * 32} | changes))


def decided(participation: Participation, valid: int, offer: Offer | None = None, cap: int = 0) -> Change:
    return decide(participation, offer or an_offer(), counted(valid), NOON, cap, TODAY)


def legs(change: Change) -> dict[str, int]:
    assert change.posting is not None
    assert sum(change.posting.legs.values()) == 0
    return {account.partition("#")[0]: amount for account, amount in change.posting.legs.items()}


def test_a_reached_target_completes_and_pays_what_was_set_aside() -> None:
    """At the target or above it (S3-7, S3-8, S3-10)."""
    change = decided(settling(key_number=3), 2000)

    assert (change.after.status, change.action) == (ParticipationStatus.COMPLETED, Action.COMPLETED)
    assert change.after.paid == 330_000
    assert legs(change) == {"reserved": -330_000, "wallet": 330_000}
    assert change.posting is not None
    assert change.posting.id == f"pay#{change.after.id}"
    assert change.key is Key.UNLOCK
    assert change.is_batch
    assert change.after.wake_at is None


def test_impressions_above_the_target_are_told_apart_and_earn_nothing() -> None:
    change = decided(settling(), 2007)

    assert change.after.paid == 330_000
    assert change.statement is not None
    assert (change.statement.impressions, change.statement.overshoot) == (2007, 7)


def test_grants_count_beside_rows_and_are_shown_apart() -> None:
    change = decided(settling(granted=10), 1990)

    assert change.after.status is ParticipationStatus.COMPLETED
    assert change.statement is not None
    assert (change.statement.impressions, change.statement.granted) == (1990, 10)


def test_rows_that_a_hand_deleted_under_a_settlement_are_left_to_a_person() -> None:
    change = decided(settling(), 1999)

    assert (change.after.status, change.action) == (ParticipationStatus.REVIEW, Action.REVIEW)
    assert change.posting is None
    assert change.statement is None
    assert change.after.wake_at is None


@pytest.mark.parametrize("why", [Why.END, Why.LEFT])
def test_an_end_below_the_target_pays_nothing_and_gives_back_money_and_key(why: Why) -> None:
    change = decided(settling(why, key_number=3), 1999)

    assert (change.after.status, change.after.paid) == (ParticipationStatus.EXPIRED, 0)
    assert legs(change) == {"reserved": -330_000, "budget": 330_000}
    assert change.key is Key.GIVE_BACK


@pytest.mark.parametrize("why", [Why.END, Why.LEFT])
def test_an_end_at_the_target_completes_all_the_same(why: Why) -> None:
    """The target may be reached in the last second."""
    assert decided(settling(why), 2000).after.status is ParticipationStatus.COMPLETED


def test_pro_rata_pays_the_impressions_and_releases_the_rest_in_one_entry() -> None:
    change = decided(settling(Why.END, key_number=3), 1000, an_offer(at_end=AtEnd.PRO_RATA))

    assert (change.after.status, change.after.paid) == (ParticipationStatus.EXPIRED, 165_000)
    assert legs(change) == {"reserved": -330_000, "wallet": 165_000, "budget": 165_000}
    assert change.posting is not None
    assert change.posting.id == f"pay#{change.after.id}"
    assert change.key is Key.GIVE_BACK
    assert change.statement is not None
    assert change.statement.pay == 165_000


@pytest.mark.parametrize(("why", "valid"), [(Why.LEFT, 1000), (Why.END, 0)])
def test_pro_rata_pays_nothing_to_a_streamer_who_left_or_without_impressions(why: Why, valid: int) -> None:
    change = decided(settling(why), valid, an_offer(at_end=AtEnd.PRO_RATA))

    assert change.after.paid == 0
    assert legs(change) == {"reserved": -330_000, "budget": 330_000}


def test_pay_never_exceeds_what_was_set_aside() -> None:
    assert decided(settling(), 2000, an_offer(rate="99")).after.paid == 330_000


def test_a_hold_keeps_the_money_until_its_end() -> None:
    offer = an_offer(hold_hours=24)

    held = decided(settling(), 2000, offer)
    paid = decided(held.after, 2000, offer)

    assert (held.after.status, held.after.waiting_for) == (ParticipationStatus.HELD, PayWaiting.HOLD)
    assert held.after.wake_at == NOON + timedelta(hours=24)
    assert held.posting is None
    assert held.statement is not None
    assert (paid.after.status, paid.after.paid) == (ParticipationStatus.COMPLETED, 330_000)


def test_pay_counts_for_the_day_only_where_there_is_a_cap() -> None:
    assert decided(settling(), 2000).earned is None
    earned = decided(settling(), 2000, cap=500_000).earned
    assert earned is not None
    assert (earned.amount, earned.cap, earned.day) == (330_000, 500_000, TODAY)


def test_every_write_publishes_each_monitored_field_twice() -> None:
    """So that a hand that changes one of the two is seen at any later time (S3-12)."""
    after = decide(settling(), an_offer(), counted(2000, clicks=7), NOON, 0, TODAY).after

    assert (after.impressions, after.clicks, after.earnings) == (2000, 7, 330_000)
    assert after.edited == {}
    assert replace(after, impressions=9).edited == {"impressions": (2000, 9)}


def test_max_steps_leaves_a_participation_to_a_person() -> None:
    assert give_up(settling(), NOON).after.status is ParticipationStatus.REVIEW


def test_only_a_running_campaign_can_be_joined() -> None:
    campaign = a_sponsorship()
    participation = a_participation(campaign_id=campaign.id)

    change = join(campaign, participation, an_offer(), NOON, "nina")

    assert legs(change) == {"budget": -330_000, "reserved": 330_000}
    assert change.is_batch
    with pytest.raises(Conflicting):
        join(campaign, participation, an_offer(), campaign.ends_at, "nina")


def test_what_has_settled_can_be_neither_left_nor_voided() -> None:
    with pytest.raises(Conflicting):
        leave(settling(), NOON)
    with pytest.raises(Conflicting):
        void(settling(), {("imp#P#a", "aa"): Counted(0)}, "bots", NOON)
    assert void(a_participation(), {("imp#P#a", "aa"): Counted(0)}, "bots", NOON).after.step == 1


def test_two_people_reject_what_is_held() -> None:
    held = decided(settling(key_number=3), 2000, an_offer(hold_hours=24)).after
    proposed = propose_rejection(held, "bots", "acme", NOON).after

    with pytest.raises(Conflicting) as refusal:
        reject(proposed, an_offer(), "acme", NOON)
    change = reject(proposed, an_offer(), "ada", NOON)

    assert refusal.value.code == "own_proposal"
    assert change.after.status is ParticipationStatus.REJECTED
    assert legs(change) == {"reserved": -330_000, "budget": 330_000}
    assert change.key is Key.GIVE_BACK
    with pytest.raises(Conflicting):
        propose_rejection(a_participation(), "bots", "acme", NOON)


def test_only_a_participation_in_review_is_settled_again() -> None:
    review = decided(settling(), 1999).after

    assert settle_again(review, NOON).after.status is ParticipationStatus.SETTLING
    with pytest.raises(Conflicting):
        settle_again(settling(), NOON)


def test_a_refund_takes_no_more_than_was_paid_and_another_admin_approves_it() -> None:
    campaign = a_sponsorship()
    paid = a_participation(campaign_id=campaign.id, status=ParticipationStatus.COMPLETED, paid=100)
    proposed = propose_refund(paid, 60, "fraud", "ada", NOON)
    assert proposed.refund is not None

    change = pay_back(campaign, proposed.after, proposed.refund, "bob", NOON, is_closed=False)

    assert change.after.clawed == 60
    assert legs(change) == {"wallet": -60, "budget": 60}
    with pytest.raises(Conflicting):
        pay_back(campaign, proposed.after, proposed.refund, "ada", NOON, is_closed=False)
    with pytest.raises(Conflicting):
        pay_back(campaign, change.after, Refund(2, 60, "again", "ada"), "bob", NOON, is_closed=False)
    with pytest.raises(Conflicting):
        propose_refund(change.after, 41, "too much", "ada", NOON)
    assert propose_refund(change.after, None, "the rest", "ada", NOON).refund == Refund(2, 40, "the rest", "ada")


def test_a_refund_of_a_closed_campaign_goes_to_the_advertisers_wallet() -> None:
    campaign = a_sponsorship()
    paid = a_participation(campaign_id=campaign.id, status=ParticipationStatus.COMPLETED, paid=100)

    change = pay_back(campaign, paid, Refund(1, 100, "fraud", "ada"), "bob", NOON, is_closed=True)

    assert change.posting is not None
    assert change.posting.legs == {"wallet#USD#nina": -100, "wallet#USD#acme": 100}
