"""Adjustments of organic views, on their event files: with a reason, never below zero, never silent."""

import json
from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import pytest
import time_machine

from tests.account import Account
from tests.factories import NOON
from tests.integration.console import answer_lost_of_the_first, before_the_first
from tests.integration.harness import Functions
from tests.integration.imports_world import REASON, Importer, a_row
from views.sync.applying import ContentViews
from views.sync.store import SyncStore

ENTITY = "adjustments:video:abc123"


@pytest.fixture
def world(aws: Account, functions: Functions) -> Iterator[Importer]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Importer(aws, functions, clock)


def test_an_adjustment_is_answered_with_itself_and_the_total_now(world: Importer) -> None:
    imported(world, 50)

    answer = world.adjust(-5)

    assert answer.status == 201
    assert answer.body["adjustment"].pop("id").startswith("adj_")
    assert answer.body == {
        "content_type": "video",
        "content_id": "abc123",
        "adjustment": {"views": -5, "reason": REASON, "actor": "ada", "at": "2026-11-20T12:00:00.000000Z"},
        "organic": 45,
    }
    assert world.totals() == {"organic#video#abc123": 45}


def test_a_content_without_views_can_be_given_some(world: Importer) -> None:
    answer = world.adjust(7)

    assert (answer.status, answer.body["organic"]) == (201, 7)
    assert world.aws.items("TotalsTable") == [{"key": "organic#video#abc123", "views": 7, "ranked": "video"}]


@pytest.mark.parametrize(("before", "views"), [(0, -1), (50, -51)])
def test_views_do_not_fall_below_zero(world: Importer, before: int, views: int) -> None:
    imported(world, before)

    answer = world.adjust(views)

    message = f"video abc123 has {before} organic views in the database, fewer than {-views}"
    assert answer.refusal == (409, "views_below_zero", message)
    assert world.totals().get("organic#video#abc123", 0) == before
    assert adjustments(world) == []


def test_all_of_them_can_be_taken(world: Importer) -> None:
    imported(world, 50)

    assert world.adjust(-50).body["organic"] == 0


@pytest.mark.parametrize("other", [-50, -5, 5])
def test_an_adjustment_that_another_overtakes_counts_from_what_that_left(world: Importer, other: int) -> None:
    imported(world, 50)
    first: list[Any] = []

    with before_the_first("transact_write_items", lambda: first.append(world.adjust(other))):
        answer = world.adjust(-10)

    left = 50 + other
    assert first[0].body["organic"] == left
    assert answer.status == (201 if left >= 10 else 409)
    assert world.totals() == {"organic#video#abc123": max(left - 10, 0)}
    assert world.verified(ENTITY)["valid"]


def test_an_adjustment_that_a_sync_overtakes_takes_nothing_from_it(world: Importer) -> None:
    imported(world, 50)

    with before_the_first("transact_write_items", lambda: synced(world, 1, 30)):
        answer = world.adjust(-10)

    assert answer.body["organic"] == 70
    assert world.totals() == {"organic#video#abc123": 70}


def test_a_repeat_with_its_key_is_answered_the_same_and_adjusts_nothing(world: Importer) -> None:
    first = world.adjust(7, key="one")
    world.adjust(3)

    repeat = world.adjust(7, key="one")
    other = world.adjust(8, key="one")

    assert (repeat.status, repeat.body) == (201, first.body)
    assert repeat.headers["Idempotency-Replayed"] == "true"
    assert other.refusal[:2] == (409, "idempotency_key_reused")
    assert world.totals() == {"organic#video#abc123": 10}


def test_a_late_repeat_is_answered_even_when_it_would_be_refused_by_now(world: Importer) -> None:
    imported(world, 50)
    first = world.adjust(-40, key="one")
    world.adjust(-10)

    repeat = world.adjust(-40, key="one")

    assert (repeat.status, repeat.body) == (201, first.body)
    assert world.totals() == {"organic#video#abc123": 0}


def test_a_repeat_after_a_lost_answer_adjusts_nothing(world: Importer) -> None:
    with pytest.raises(KeyboardInterrupt), answer_lost_of_the_first("transact_write_items"):
        world.adjust(7, key="one")

    answer = world.adjust(7, key="one")

    assert (answer.status, answer.body["organic"]) == (201, 7)
    assert len(adjustments(world)) == 1


def test_two_adjustments_at_once_with_one_key_are_one(world: Importer) -> None:
    with before_the_first("transact_write_items", lambda: world.adjust(7, key="one")):
        answer = world.adjust(7, key="one")

    assert (answer.status, answer.body["organic"]) == (201, 7)
    assert world.totals() == {"organic#video#abc123": 7}


def test_with_keys_of_their_own_the_same_requests_are_two_adjustments(world: Importer) -> None:
    world.adjust(7)
    world.adjust(7)

    assert world.totals() == {"organic#video#abc123": 14}


def test_an_adjustment_needs_a_key(world: Importer) -> None:
    """Repeated without one, as a 503 asks for, it would add its views again."""
    answer = world.adjust(7, key=None)

    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == ["Idempotency-Key"]
    assert world.totals() == {}


@pytest.mark.parametrize("reason", [" ", "\n", "two\nlines", "a\x00b"])
def test_an_adjustment_says_why_in_one_line(world: Importer, reason: str) -> None:
    answer = world.adjust(7, reason=reason)

    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == ["reason"]
    assert world.totals() == {}


def test_adjustments_are_listed_newest_first_in_pages(world: Importer) -> None:
    for views in (5, -2, 9):
        world.adjust(views, subject="grace")
        world.clock.shift(1)
    world.adjust(100, "other")

    first = world.send("list", wing="adjustments", query={"limit": "2"})
    second = world.send("list", wing="adjustments", query={"limit": "2", "cursor": first.body["next_cursor"]})

    assert [[each["views"] for each in answer.body["items"]] for answer in (first, second)] == [[9, -2], [5]]
    assert second.body["next_cursor"] is None
    assert second.body["items"][0] | {"id": ""} == {
        "id": "",
        "views": 5,
        "reason": REASON,
        "actor": "grace",
        "at": "2026-11-20T12:00:00.000000Z",
    }


def test_an_adjustment_is_audited_and_told(world: Importer) -> None:
    imported(world, 50)
    made = world.adjust(-5).body["adjustment"]["id"]
    world.adjust(3, subject="grace")

    entries = [entry for entry in world.aws.items("AuditTable") if entry["entity"] == ENTITY]
    first, second = sorted(entries, key=lambda entry: int(entry["number"]))
    told = {"adjustment_id": made, "views": -5, "reason": REASON}
    assert [entry["action"] for entry in entries] == ["VIEWS_ADJUSTED"] * 2
    assert (first["actor"], loaded(first["before"])) == ("ada", {"organic": 50})
    assert loaded(first["after"]) == {"organic": 45} | told
    assert (second["actor"], loaded(second["after"])["organic"]) == ("grace", 48)
    assert second["previous_hash"] == first["hash"]
    events = [loaded(item["data"]) for item in world.aws.items("OutboxTable") if item["name"] == "ViewsAdjusted"]
    expected = {"content_type": "video", "content_id": "abc123", "organic": 45, "actor": "ada"} | told
    assert expected in events
    assert len(events) == 2


def test_the_chain_of_a_contents_adjustments_is_verified(world: Importer) -> None:
    world.adjust(5)
    world.adjust(6)

    whole = world.verified(ENTITY)
    key = {"entity": {"S": ENTITY}, "number": {"N": "2"}}
    world.aws.client("dynamodb").delete_item(TableName=world.aws.ref("AuditTable"), Key=key)
    cut = world.verified(ENTITY)

    assert whole == {"entity": ENTITY, "valid": True, "entries": 2, "problem": None, "rolled_back": []}
    assert (cut["valid"], cut["problem"]) == (False, "entry 2 was cut off")


@pytest.mark.parametrize("entity", ["adjustments:video:other", "adjustments:video", "adjustments", "adjustments:"])
def test_a_content_that_was_never_adjusted_has_no_chain(world: Importer, entity: str) -> None:
    world.adjust(5)

    assert world.verified(entity)["code"] == "not_found"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"views": 0, "reason": REASON}, "views"),
        ({"views": 10**9 + 1, "reason": REASON}, "views"),
        ({"views": -(10**9) - 1, "reason": REASON}, "views"),
        ({"views": 1.5, "reason": REASON}, "views"),
        ({"views": "5", "reason": REASON}, "views"),
        ({"views": True, "reason": REASON}, "views"),
        ({"reason": REASON}, "views"),
        ({"views": 5}, "reason"),
        ({"views": 5, "reason": ""}, "reason"),
        ({"views": 5, "reason": "x" * 501}, "reason"),
        ({"views": 5, "reason": REASON, "count": 5}, "count"),
    ],
)
def test_a_bad_adjustment_is_named_and_changes_nothing(world: Importer, body: Any, field: str) -> None:
    answer = world.send("adjust", wing="adjustments", body=body, key="one")

    assert (answer.status, answer.fields) == (400, [field])
    assert world.totals() == {}


@pytest.mark.parametrize("views", [10**9, -(10**9)])
def test_an_adjustment_has_up_to_a_thousand_million_views(world: Importer, views: int) -> None:
    imported(world, 10**9)

    assert world.adjust(views).status == 201


@pytest.mark.parametrize("file", ["adjust", "list"])
@pytest.mark.parametrize(
    ("old", "new", "field"), [("/video/", "/film/", "content_type"), ("abc123", "-", "content_id")]
)
def test_a_content_that_cannot_be_is_named(world: Importer, file: str, old: str, new: str, field: str) -> None:
    answer = world.send(file, (old, new), wing="adjustments", key="one")

    assert (answer.status, answer.fields) == (400, [field])


def test_organic_views_are_the_daily_rows_and_what_was_imported_and_the_adjustments_in_any_order(
    world: Importer,
) -> None:
    """The invariant behind every number that is shown."""
    acts: list[Callable[[int], Any]] = [
        lambda epoch: synced(world, 2 * epoch - 1, 30),
        lambda epoch: synced(world, 2 * epoch, 4),
        lambda _: imported(world, 50),
        lambda _: world.adjust(-3),
        lambda _: world.adjust(9),
    ]

    for order in permutations(range(len(acts)), 3):
        world.aws.forget_items()
        for place, act in enumerate(order, 1):
            acts[act](place)

        daily, baseline, adjusted, organic = parts(world)
        assert organic == daily + baseline + adjusted, order


def test_a_history_shows_what_was_imported_and_adjusted(world: Importer) -> None:
    imported(world, 50)
    synced(world, 1, 30)
    world.adjust(-3)
    day = {"from": "2026-11-20", "to": "2026-11-20"}

    answer = world.done("views/reports/api-history", query=day)

    overall = answer["overall"]
    assert [overall[name] for name in ("organic", "imported", "adjusted")] == [77, 50, -3]
    assert [each["reason"] for each in answer["adjustments"]] == [REASON]


# --- What the tests above are made of


def imported(world: Importer, views: int) -> None:
    if views:
        world.work_off(world.running([a_row("abc123", views)]))


def synced(world: Importer, epoch: int, views: int) -> None:
    """What a page of the sync does."""
    store = SyncStore(world.aws.ref("ViewsTable"), world.aws.ref("TotalsTable"))
    assert store.apply(epoch, [ContentViews("video:abc123", {"2026-11-20": views})]) == [True]


def parts(world: Importer) -> tuple[int, int, int, int]:
    """Daily views, imported ones, adjusted ones, and the total."""
    rows = [item for item in world.aws.items("ViewsTable") if item["id"] == "content#video#abc123"]
    daily = sum(int(row["views"]) for row in rows if row["part"].startswith("2026"))
    adjusted = sum(int(row["views"]) for row in rows if row["part"].startswith("adjusted#"))
    (total,) = world.aws.items("TotalsTable") or [{"views": 0}]
    return daily, int(total.get("imported", 0)), adjusted, int(total["views"])


def adjustments(world: Importer) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = world.send("list", wing="adjustments").body["items"]
    return items


def loaded(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
