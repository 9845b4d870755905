"""Which campaigns and which rows a list has."""

from datetime import timedelta
from typing import Any

import pytest

from broadcasts.campaign import BroadcastStatus, Kind
from broadcasts.row import Evidence, Failure, RowStatus, Work
from broadcasts.selection import Direction, Filter, Order, RowFilter, RowPlace, SortBy, Totals, sorted_by
from tests.factories import NOON, a_broadcast, a_recipient


@pytest.mark.parametrize(
    ("wanted", "owner", "is_taken"),
    [
        (Filter(), "acme", True),
        (Filter(), None, True),
        (Filter(), "bob", False),
        (Filter(search="WIN"), "acme", True),
        (Filter(search="summer"), "acme", False),
        (Filter(status=BroadcastStatus.DRAFT), "acme", True),
        (Filter(status=BroadcastStatus.RUNNING), "acme", False),
        (Filter(instance_id="ins_1"), "acme", True),
        (Filter(instance_id="ins_2"), "acme", False),
    ],
)
def test_a_filter_takes_what_it_names(wanted: Filter, owner: str | None, is_taken: bool) -> None:
    assert wanted.takes(a_broadcast(instance_id="ins_1"), owner) is is_taken


@pytest.mark.parametrize(
    "changes", [{"kind": Kind.TEST}, {"status": BroadcastStatus.DELETING}, {"status": BroadcastStatus.DELETED}]
)
def test_no_list_has_tests_and_deleted_campaigns(changes: dict[str, Any]) -> None:
    assert not Filter().takes(a_broadcast(**changes), None)


def test_a_status_is_compared_as_it_is_shown() -> None:
    pausing = a_broadcast(status=BroadcastStatus.PAUSING)

    assert Filter(status=BroadcastStatus.PAUSED).takes(pausing, "acme")


def test_campaigns_are_sorted_and_those_without_a_time_are_last() -> None:
    soon = a_broadcast(name="b", scheduled_for=NOON + timedelta(hours=1))
    late = a_broadcast(name="C", scheduled_for=NOON + timedelta(hours=2))
    never = a_broadcast(name="a")
    campaigns = [late, never, soon]

    by_time = sorted_by(Order(SortBy.SCHEDULED_FOR, Direction.ASC), campaigns)
    by_name = sorted_by(Order(SortBy.NAME, Direction.DESC), campaigns)

    assert by_time == [soon, late, never]
    assert by_name == [late, soon, never]


def test_equal_campaigns_keep_an_order_of_their_own() -> None:
    campaigns = [a_broadcast() for _ in range(5)]

    orders = {tuple(each.id for each in sorted_by(Order(SortBy.NAME), some)) for some in (campaigns, campaigns[::-1])}

    assert len(orders) == 1


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        (RowStatus.PENDING, {RowStatus.PENDING, RowStatus.SENDING, RowStatus.UNKNOWN}),
        (RowStatus.SENT, {RowStatus.SENT}),
        (RowStatus.DELIVERED, {RowStatus.DELIVERED, RowStatus.READ}),
        (RowStatus.FAILED, {RowStatus.FAILED, RowStatus.SKIPPED}),
    ],
)
def test_each_of_the_sources_statuses_stands_for_ours(status: RowStatus, ours: set[RowStatus]) -> None:
    """S5-5: its four."""
    assert RowFilter.of(status, None, is_source=True).statuses == ours
    assert RowFilter.of(status, None, is_source=False).statuses == {status}


def test_a_row_is_taken_by_its_status_and_its_person() -> None:
    read = a_recipient(evidence=Evidence.READ, phone="5511987654321")
    skipped = a_recipient(work=Work.SKIPPED, error=Failure("suppressed", ""))

    assert RowFilter.of(RowStatus.READ, "551187654321", is_source=False).takes(read)
    assert not RowFilter.of(None, "5511987654322", is_source=False).takes(read)
    assert not RowFilter.of(RowStatus.READ, None, is_source=False).takes(skipped)
    assert RowFilter.of(None, None, is_source=True).is_all


@pytest.mark.parametrize("place", [(0, 0, 0), (1, -1, 0), (1, 100, 0), (1, 0, -1), (1, 0, 10**7)])
def test_a_forged_place_is_no_row(place: tuple[int, int, int]) -> None:
    assert not RowPlace(*place).is_row
    assert RowPlace(1, 99, 0).is_row


def test_no_delivery_rate_without_messages() -> None:
    """S5-21."""
    assert Totals(sent=0).delivery_rate is None
    assert Totals(sent=3, delivered=1).delivery_rate == 33.33
