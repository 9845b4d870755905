"""Adjustments in the table: each condition alone, for the participation's step stands behind them all."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sluice.dynamodb import Database, bind
from sponsorships import adjustments
from sponsorships.items import SponsorshipsItem
from sponsorships.participation import Adjustment, AdjustmentState
from tests.account import Account
from tests.factories import NOON

P = "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N:nina"
FOUND = Adjustment(number=7, delta=3, found_by="stream", created_at=NOON, before={"clicks": 0}, after={"clicks": 2})


@pytest.fixture(autouse=True)
def table(aws: Account) -> None:
    bind(SponsorshipsItem, aws.ref("SponsorshipsTable"))


def written(after: Adjustment) -> bool:
    return Database().commit(lambda transaction: adjustments.write(transaction, P, after))


def decided(state: AdjustmentState, who: str) -> Adjustment:
    approvers = FOUND.approvers if state is AdjustmentState.REJECTED else FOUND.approvers | {who}
    return replace(FOUND, state=state, decided_by=who, approvers=approvers)


def test_a_step_has_one_adjustment() -> None:
    assert written(FOUND)
    assert not written(replace(FOUND, delta=4))
    assert adjustments.find(P, 7) == FOUND


@pytest.mark.parametrize("state", [AdjustmentState.GRANTED, AdjustmentState.REJECTED])
def test_what_is_decided_is_not_decided_again(state: AdjustmentState) -> None:
    written(FOUND)

    assert written(decided(state, "ada"))
    assert not written(decided(AdjustmentState.REJECTED, "ben"))
    assert not written(decided(AdjustmentState.OPEN, "ben"))
    assert adjustments.find(P, 7) == decided(state, "ada")


def test_nobody_approves_twice() -> None:
    written(FOUND)

    assert written(decided(AdjustmentState.OPEN, "ada"))
    assert not written(decided(AdjustmentState.GRANTED, "ada"))
    assert written(decided(AdjustmentState.GRANTED, "ben"))
    found = adjustments.find(P, 7)
    assert found is not None
    assert found.approvers == {"ada", "ben"}


def test_open_ones_are_listed_oldest_first_until_they_are_decided() -> None:
    later = replace(FOUND, number=9, created_at=NOON + timedelta(hours=1))
    noted = replace(FOUND, number=8, state=AdjustmentState.NOTED, created_at=NOON - timedelta(hours=1))
    for each in (later, FOUND, noted):
        written(each)

    assert (adjustments.count_open(10), adjustments.count_open(1), adjustments.oldest_open()) == (2, 1, (NOON, P))
    written(decided(AdjustmentState.GRANTED, "ada"))

    assert (adjustments.count_open(10), adjustments.oldest_open()) == (1, (NOON + timedelta(hours=1), P))
    assert [each.number for each in adjustments.of(P)] == [7, 8, 9]


def test_none_is_open_at_first() -> None:
    assert (adjustments.count_open(10), adjustments.oldest_open(), adjustments.find(P, 7)) == (0, None, None)
