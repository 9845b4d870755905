"""How a promotion's budget is divided: exact shares, whole units, whatever the order of the pages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotions.ports import Account, Kind
from promotions.split import (
    Participant,
    Reason,
    Split,
    WeightClass,
    counted,
    divided,
    judged,
    met,
    participant_hash,
    shares,
    weight_of,
)

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
WEIGHTS = (1, 2, 3, 2)
kinds = st.frozensets(st.sampled_from(Kind), min_size=1)


def a_participant(account_id: str, **more: Any) -> Participant:
    place = participant_hash("prm_1", "sandbox", account_id)
    return replace(Participant(place, "sandbox", "sandbox", account_id, account_id, frozenset(), 0), **more)


def an_account(**more: Any) -> Account:
    made = Account("1", "nina", NOON - timedelta(days=400), followers=100, following=100, posts=500, bot=False)
    return replace(made, **more)


def listed(pages: Sequence[tuple[str, Kind]], weights: tuple[int, ...] | None) -> tuple[dict[str, Participant], Any]:
    """The participants and the histogram after the sightings were met one by one."""
    found: dict[str, Participant] = {}
    classes: tuple[WeightClass, ...] = ()
    for account_id, kind in pages:
        before = found.get(account_id)
        after = met(before, a_participant(account_id), frozenset({kind}), weights)
        classes = counted(classes, [(before, after)])
        found[account_id] = after
    return found, classes


def paid_out(split: Split, found: dict[str, Participant], page: int) -> dict[str, int]:
    """What each gets, page by page in hash order."""
    order = sorted((each for each in found.values() if each.reason is None), key=lambda each: each.hash)
    classes, amounts = split.classes, dict[str, int]()
    for start in range(0, len(order), page):
        done, classes = shares(classes, order[start : start + page])
        amounts |= {each.account_id: each.amount for each in done}
    return amounts


sightings = st.lists(st.tuples(st.integers(0, 40).map(str), st.sampled_from(Kind)), max_size=120)


@given(pool=st.integers(0, 10**15), seen=sightings, is_equal=st.booleans(), page=st.integers(1, 25))
def test_the_shares_are_the_pool_exactly_and_each_is_within_one_unit(
    pool: int, seen: list[tuple[str, Kind]], is_equal: bool, page: int
) -> None:
    found, classes = listed(seen, None if is_equal else WEIGHTS)

    split = divided(pool, classes, None, 2)
    amounts = paid_out(split, found, page)

    total = sum(each.weight for each in found.values())
    assert split.promised == sum(amounts.values()) == (pool if found else 0)
    for account_id, participant in found.items():
        assert abs(amounts[account_id] - Fraction(pool * participant.weight, total)) < 1


@given(pool=st.integers(0, 10**6), seen=sightings, cap=st.integers(1, 10**5), page=st.integers(1, 25))
def test_a_cap_is_never_exceeded_and_what_it_leaves_is_promised_to_nobody(
    pool: int, seen: list[tuple[str, Kind]], cap: int, page: int
) -> None:
    found, classes = listed(seen, WEIGHTS)

    split, free = divided(pool, classes, cap, 2), divided(pool, classes, None, 2)
    amounts, uncapped = paid_out(split, found, page), paid_out(free, found, page)

    assert split.promised == sum(amounts.values()) <= pool
    assert all(amounts[each] == min(cap, uncapped[each]) for each in amounts)


def test_a_share_that_is_the_cap_gets_no_odd_unit() -> None:
    split = divided(100, (WeightClass(1, 3),), 33, 2)

    assert (split.promised, split.classes) == (99, (WeightClass(1, 3, share=33),))


@given(seen=sightings, order=st.randoms(use_true_random=False), pool=st.integers(0, 10**6), page=st.integers(1, 25))
def test_the_order_of_what_is_listed_and_the_size_of_pages_change_no_share(
    seen: list[tuple[str, Kind]], order: Any, pool: int, page: int
) -> None:
    shuffled = [*seen, *seen]
    order.shuffle(shuffled)

    (found, classes), (again, other) = listed(seen, WEIGHTS), listed(shuffled, WEIGHTS)

    assert classes == other
    assert found == again
    assert paid_out(divided(pool, classes, None, 2), found, 20) == paid_out(divided(pool, other, None, 2), again, page)


@given(seen=sightings)
def test_the_histogram_counts_each_participant_once_by_its_weight(seen: list[tuple[str, Kind]]) -> None:
    found, classes = listed(seen, WEIGHTS)

    weights = Counter(each.weight for each in found.values())

    assert {each.weight: each.participants for each in classes} == weights


@given(before=kinds, now=kinds)
def test_kinds_that_were_met_twice_count_once(before: frozenset[Kind], now: frozenset[Kind]) -> None:
    first = met(None, a_participant("1"), before, WEIGHTS)

    second = met(first, a_participant("1"), now, WEIGHTS)

    assert second.kinds == before | now
    assert second.weight == weight_of(before | now, WEIGHTS)


def test_the_odd_units_go_to_the_largest_remainders_and_there_to_the_first_in_hash_order() -> None:
    classes = (WeightClass(1, 3), WeightClass(2, 2))

    split = divided(100, classes, None, 2)

    # 100 / 7: 14.29 and 28.57. 3 x 14 + 2 x 28 = 98, so both of weight 2 get one more.
    assert [(each.weight, each.share, each.odd) for each in split.classes] == [(1, 14, 0), (2, 28, 2)]
    three, _ = shares((WeightClass(1, 3, share=33, odd=1),), [a_participant(each, weight=1) for each in "abc"])
    assert [each.amount for each in three] == [34, 33, 33]


@pytest.mark.parametrize(
    ("pool", "classes", "exponent", "rate"),
    [
        (100, (WeightClass(1, 3),), 2, "0.333333"),
        (60_000, (WeightClass(1, 60),), 2, "10"),
        (1000, (WeightClass(3, 1),), 0, "333.333333"),
        (0, (WeightClass(1, 1),), 2, "0"),
        (100, (), 2, "0"),
    ],
)
def test_the_final_rate_is_the_pool_by_the_total_weight_in_major_units(
    pool: int, classes: tuple[WeightClass, ...], exponent: int, rate: str
) -> None:
    assert divided(pool, classes, None, exponent).rate == rate


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (an_account(), None),
        (an_account(bot=True), Reason.BOT),
        (an_account(suspended=True), Reason.SUSPENDED),
        (an_account(created_at=NOON - timedelta(days=29, hours=23)), Reason.TOO_YOUNG),
        (an_account(created_at=NOON - timedelta(days=30)), None),
        (an_account(following=5001), Reason.FOLLOWS_TOO_MANY),
        (an_account(following=5000), None),
        (an_account(following=51, followers=0), Reason.FOLLOWS_TOO_MANY),
        (an_account(following=50, followers=0), None),
        (an_account(posts=40_001), Reason.POSTS_TOO_MUCH),
        (an_account(posts=40_000), None),
        (Account("1", "nina"), None),
        (Account("1", "nina", followers=0), None),
        (Account("1", "nina", posts=10**6), None),
    ],
)
def test_an_account_is_judged_by_what_its_network_says_and_by_nothing_else(
    account: Account, reason: Reason | None
) -> None:
    assert judged(account, NOON, is_owner=False, exception=None) is reason


def test_an_exception_overrules_the_rules_but_never_pays_the_owner() -> None:
    bot, owner = an_account(bot=True), an_account()

    assert judged(bot, NOON, is_owner=False, exception=True) is None
    assert judged(an_account(), NOON, is_owner=False, exception=False) is Reason.EXCEPTION
    assert judged(owner, NOON, is_owner=True, exception=True) is Reason.OWNER


def test_a_participant_whose_kinds_weigh_nothing_shares_nothing() -> None:
    found, classes = listed([("1", Kind.LIKE), ("2", Kind.QUOTE)], (0, 2, 3, 2))

    assert found["1"].reason is Reason.NO_WEIGHT
    assert classes == (WeightClass(3, 1),)


def test_the_same_id_at_another_host_is_another_participant() -> None:
    assert participant_hash("prm_1", "a.example", "7") != participant_hash("prm_1", "b.example", "7")
