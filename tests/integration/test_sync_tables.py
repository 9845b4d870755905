"""The sync's items in the database; the one in memory, which the model uses, is judged by the same tests."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from sluice import totals
from sluice.clock import rfc3339
from sluice.dynamodb import Database
from sluice.errors import Unavailable
from tests.account import Account
from tests.factories import NOON
from tests.sync_world import MemoryStore, noon
from views import keys
from views.control import Control, Phase
from views.sync.applying import AwayRow, ContentViews, Failure, MovedRefusals
from views.sync.store import SyncStore

FIELD = "cooldown+daily_viewed|story:x:y~1|2026-11-20T08"
ROWS = [AwayRow("viewer#1", "2026-11-20", "video:a"), AwayRow("viewer#2", "2026-11-21", "video:a")]


class RealStore(SyncStore):
    """With what happens to it, and what a test reads."""

    def __init__(self, aws: Account) -> None:
        super().__init__(aws.ref("ViewsTable"), aws.ref("TotalsTable"))
        self._aws = aws

    def items(self, id_: str) -> dict[str, dict[str, Any]]:
        return {item["part"]: item for item in self._aws.items("ViewsTable") if item["id"] == id_}

    def totals(self, contents: Any) -> Any:
        return totals.read_all(contents)

    def daily(self, content: str) -> dict[str, int]:
        of = "#".join(("content", *keys.content_of(content)))
        return {day: int(item["views"]) for day, item in self.items(of).items()}

    def refusals(self, name: str) -> int:
        rule, content, day, hour = keys.refusal_of(name)
        found = self.items(f"refused#{day}").get(f"{hour}#{rule}#{content}", {})
        return int(found.get("refusals", 0))

    def put_away(self, row: AwayRow, bucket: int | None = None) -> None:
        bucket = keys.shard_of(row.viewer, 16) if bucket is None else bucket
        item = {"id": row.viewer, "part": f"{row.day}#{row.content}", "content": row.content, "unfolded": str(bucket)}
        item["counted_at"] = rfc3339(noon(row.day))
        self._aws.client("dynamodb").put_item(
            TableName=self._aws.ref("ViewsTable"), Item={name: {"S": value} for name, value in item.items()}
        )

    def catch_up(self) -> None:
        """The index never lags."""

    def folded(self) -> set[AwayRow]:
        items = [item for item in self._aws.items("ViewsTable") if item["id"].startswith("viewer#")]
        folded = [item for item in items if "unfolded" not in item]
        return {AwayRow(item["id"], item["part"].partition("#")[0], item["content"]) for item in folded}


@pytest.fixture
def real(aws: Account) -> RealStore:
    return RealStore(aws)


@pytest.fixture(params=["memory", "database"])
def store(request: pytest.FixtureRequest) -> Any:
    return MemoryStore() if request.param == "memory" else request.getfixturevalue("real")


def organic(store: Any, content: str) -> tuple[int, int]:
    of = keys.content_of(content)
    found = store.totals([of])[of]
    return found.organic, found.last_epoch


def views(number: int, content: str = "video:a", day: str = "2026-11-20") -> ContentViews:
    return ContentViews(content, {day: number})


def test_an_epoch_is_added_to_a_content_and_its_day_once(store: Any) -> None:
    """S2-23."""
    assert store.apply(2, [views(3)]) == [True]
    assert store.apply(2, [views(3)]) == [False]
    assert store.apply(1, [views(9)]) == [False]
    assert store.apply(3, [views(4, day="2026-11-21")]) == [True]

    assert organic(store, "video:a") == (7, 3)
    assert store.daily("video:a") == {"2026-11-20": 3, "2026-11-21": 4}


def test_an_epoch_is_added_to_all_days_of_a_content_or_to_none(store: Any) -> None:
    """S2-23."""
    of_days = ContentViews("video:a", {"2026-11-20": 3, "2026-11-19": 40, "2026-11-18": 1})

    assert store.apply(2, [of_days, views(5, "video:b")]) == [True, True]
    assert store.apply(2, [of_days]) == [False]

    assert organic(store, "video:a") == (44, 2)
    assert store.daily("video:a") == of_days.by_day


def test_a_content_that_is_in_already_keeps_no_other_out(store: Any) -> None:
    assert store.apply(1, [views(3)]) == [True]

    assert store.apply(1, [views(5, "video:b"), views(3), views(7, "story:c")]) == [True, False, True]

    assert [organic(store, each)[0] for each in ("video:a", "video:b", "story:c")] == [3, 5, 7]
    assert [store.daily(each) for each in ("video:a", "story:c")] == [{"2026-11-20": 3}, {"2026-11-20": 7}]


def test_forty_nine_contents_are_added_together_with_the_day_of_the_platform(real: RealStore) -> None:
    """S2-35."""
    with patch.object(Database, "commit", autospec=True, side_effect=Database.commit) as commit:
        assert real.apply(1, [views(1, f"video:{n}") for n in range(49)]) == [True] * 49

    assert commit.call_count == 1


def test_a_content_that_cannot_be_added_is_told_and_keeps_no_other_out(real: RealStore) -> None:
    too_long = "video:" + "x" * 3000

    first, failed, last = real.apply(1, [views(3), views(4, too_long), views(5, "video:b")])

    assert (first, last) == (True, True)
    assert isinstance(failed, Exception)
    assert real.daily("video:b") == {"2026-11-20": 5}


def test_a_busy_database_is_no_failure_of_a_content(real: RealStore) -> None:
    busy = patch.object(Database, "commit", side_effect=Unavailable("busy"))

    with busy as commit, pytest.raises(Unavailable):
        real.apply(1, [views(3), views(4, "video:b")])

    assert commit.call_count == 1


def test_an_hour_gets_an_epoch_of_refusals_once(store: Any) -> None:
    assert store.add_refusals(1, [MovedRefusals(FIELD, 3)]) == [True]
    assert store.add_refusals(1, [MovedRefusals(FIELD, 3), MovedRefusals(FIELD.replace("cooldown", "bot"), 1)]) == [
        False,
        True,
    ]
    assert store.add_refusals(2, [MovedRefusals(FIELD, 4)]) == [True]
    assert store.add_refusals(2, []) == []

    assert store.refusals(FIELD) == 7


def test_refusals_are_found_by_day(real: RealStore) -> None:
    real.add_refusals(1, [MovedRefusals(FIELD, 3)])

    (item,) = real.items("refused#2026-11-20").values()
    assert item["part"] == "08#cooldown+daily_viewed#story:x:y~1"
    assert (item["refusals"], item["last_epoch"]) == (3, 1)


def test_refusals_of_contents_too_many_are_one_row(real: RealStore) -> None:
    real.add_refusals(1, [MovedRefusals("bot|*|2026-11-20T08", 3)])

    assert set(real.items("refused#2026-11-20")) == {"08#bot#*"}


def test_a_view_that_was_taken_while_redis_was_away_is_folded_once(store: Any) -> None:
    """S2-33."""
    for row in ROWS:
        store.put_away(row)
    store.catch_up()

    assert sorted(store.unfolded(400), key=str) == ROWS
    assert store.fold(1, ROWS[:1], ROWS, 9)
    assert not store.fold(2, ROWS, ROWS, 9)
    assert store.still_unfolded(ROWS) == {ROWS[1]: NOON + timedelta(days=1)}
    assert store.fold(2, ROWS[1:], ROWS, 9)
    store.catch_up()

    assert (store.unfolded(400), store.still_unfolded(ROWS), store.still_unfolded([])) == ([], {}, {})
    assert organic(store, "video:a") == (2, 0)
    assert store.daily("video:a") == {"2026-11-20": 1, "2026-11-21": 1}
    assert store.folded() == {*ROWS}


def test_a_view_that_redis_counted_too_is_marked_and_not_added(store: Any) -> None:
    for row in ROWS:
        store.put_away(row)

    assert store.fold(1, ROWS, ROWS[1:], 9)
    assert not store.fold(2, ROWS[:1], ROWS, 9)

    assert organic(store, "video:a") == (1, 0)
    assert store.daily("video:a") == {"2026-11-21": 1}
    assert store.folded() == {*ROWS}


def test_folding_leaves_the_epochs_of_a_content_as_they_are(store: Any) -> None:
    store.put_away(ROWS[0])
    store.put_away(ROWS[1])

    store.fold(7, ROWS[:1], ROWS, 9)
    assert store.apply(1, [views(3)]) == [True]
    store.fold(7, ROWS[1:], ROWS, 9)

    assert organic(store, "video:a") == (5, 1)
    assert store.apply(2, [views(3)]) == [True]


def test_a_folded_row_says_when_it_was_folded_and_expires(real: RealStore) -> None:
    real.put_away(ROWS[0])

    real.fold(7, ROWS[:1], ROWS, 1_800_000_000)

    (item,) = real.items("viewer#1").values()
    assert (item["folded_epoch"], item["expires_at"], item["content"]) == (7, 1_800_000_000, "video:a")
    assert "unfolded" not in item


def test_many_rows_are_listed_a_part_at_a_time(real: RealStore) -> None:
    for number in range(100):
        real.put_away(AwayRow(f"viewer#{number}", "2026-11-20", "video:a"))

    assert 1 <= len(real.unfolded(1)) <= 16
    assert 16 < len(real.unfolded(32)) <= 32
    assert len(real.unfolded(1600)) == 100


def test_what_stands_behind_contents_that_are_left_out_is_listed(real: RealStore) -> None:
    """However many rows they have: the index is sorted by content."""
    for content, rows in (("video:a", 40), ("video:b", 1), ("video:c", 40), ("video:d", 3)):
        for number in range(rows):
            real.put_away(AwayRow(f"viewer#{number}", "2026-11-20", content), bucket=5)

    found = [row.content for row in real.unfolded(32, {"video:a", "video:c"})]
    all_found = [row.content for row in real.unfolded(1600, {"video:a", "video:c"})]

    assert found == ["video:b", "video:d"]
    assert all_found == ["video:b", *["video:d"] * 3]


def test_the_control_item_is_moved_by_one_of_two(store: Any) -> None:
    opened = Control(1, Phase.OPENING, 0, "2026-11-20", 16, NOON)
    closed = Control(1, Phase.DONE, 1, "2026-11-20", 16, NOON, NOON + timedelta(seconds=1), "m", 1, 2, 3, 4, 5, 6)

    assert store.control() is None
    assert store.move(None, opened)
    assert not store.move(None, replace(opened, day="2026-11-21"))
    assert store.control() == opened
    assert store.move(opened, closed)
    assert not store.move(opened, replace(closed, committed_by="another"))

    assert store.control() == closed


def test_a_move_that_is_sent_twice_is_done(store: Any) -> None:
    opened = Control(1, Phase.OPENING, 0, "2026-11-20", 16, NOON)
    closed = Control(1, Phase.DONE, 1, "2026-11-20", 16, NOON, NOON + timedelta(seconds=1), "m", 1, 2, 3, 4, 5, 6)

    assert [store.move(None, opened) for _ in range(2)] == [True, True]
    assert [store.move(opened, closed) for _ in range(2)] == [True, True]

    assert store.control() == closed


def test_a_closed_epoch_is_kept(real: RealStore) -> None:
    closed = Control(1, Phase.DONE, 1, "2026-11-20", 16, NOON, NOON + timedelta(seconds=1), "m", 1, 2, 3, 4, 5, 6)

    real.record(closed)

    assert real.epoch(1) == closed
    assert real.epoch(2) is None


def test_failures_are_counted_and_reported(real: RealStore) -> None:
    assert [real.count_failure("video:a", 1, "busy") for _ in range(3)] == [1, 2, 3]
    real.report_parked("video:a", 1)
    real.count_failure(FIELD, 1, "too large")
    real.count_failure("video:a", 2, "busy")

    assert real.failures(1) == [Failure(FIELD, 1, "too large", False), Failure("video:a", 3, "busy", True)]
    assert real.failures(3) == []
