"""How often a promotion's metrics are read, what closes it, and what an error of one does to the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from promotions.outside import NotConnected
from promotions.ports import NOT_CONNECTED, RATE_LIMITED, Metrics, Missing, NotReadable
from promotions.tracking import rows
from promotions.tracking.rows import Tracked
from promotions.tracking.tracker import Tracker, followed
from sluice.errors import Conflicting

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
SOME = Metrics(likes=3, reposts=1)
READ = {"1": SOME, "2": Metrics()}
STORED = vars(SOME)


def a_row(**more: Any) -> Tracked:
    row = Tracked(
        id="prm_1",
        network="sandbox",
        host="sandbox",
        owner="acme",
        post_ids=("1", "2"),
        triggers=(),
        closes_at=NOON + timedelta(days=1),
        track_at=NOON,
    )
    return replace(row, **more)


def test_metrics_that_change_are_read_every_five_minutes_from_their_own_last_time() -> None:
    """S4-11, S4-12."""
    after = followed(a_row(), READ, NOON + timedelta(seconds=40))

    assert after.metrics == STORED
    assert after.track_at == NOON + timedelta(minutes=5)


def test_metrics_that_stay_are_read_half_as_often_down_to_once_an_hour() -> None:
    row, intervals = a_row(metrics=STORED), []
    for _ in range(18):
        row = followed(row, READ, row.track_at)
        intervals.append(row.interval)

    assert intervals[::3] == [300, 600, 1200, 2400, 3600, 3600]
    assert followed(row, {"1": Metrics(likes=4), "2": Metrics()}, row.track_at).interval == 300


def test_after_an_outage_the_readings_are_not_made_up_for() -> None:
    assert followed(a_row(), READ, NOON + timedelta(hours=3)).track_at == NOON + timedelta(hours=3.0, minutes=5)


def test_a_post_that_is_missing_three_times_is_shown_as_missing_and_asked_for_hourly() -> None:
    row = a_row(metrics=STORED)
    for _ in range(3):
        row = followed(row, {"1": Missing(), "2": Metrics()}, row.track_at)

    assert row.missing
    assert row.metrics == STORED
    assert row.track_at == NOON + timedelta(minutes=10, hours=1)
    assert not followed(row, READ, row.track_at).missing


@pytest.mark.parametrize(("likes", "closes"), [(99, False), (100, True), (130, True)])
def test_a_number_that_is_reached_or_passed_closes_the_promotion(likes: int, closes: bool) -> None:
    row = a_row(triggers=({"metric": "likes", "at_least": 100},))

    assert followed(row, {"1": Metrics(likes=likes), "2": Metrics()}, NOON).is_triggered is closes


@dataclass
class World:
    """The networks, the rows and the close command in one."""

    rows: Sequence[Tracked]
    written: dict[str, Tracked] = field(default_factory=dict)
    requests: list[tuple[str, ...]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    revocations: list[str] = field(default_factory=list)
    answer: Any = None
    refused: tuple[str, ...] = ()
    owner: str = ""

    def run(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setattr(rows, "due", lambda *_: list(self.rows))
        monkeypatch.setattr(rows, "write", self.write)
        monkeypatch.setattr(rows, "keep", lambda *_: None)
        return Tracker(self, self.by_trigger, self).run()  # type: ignore[arg-type]

    def now(self) -> datetime:
        return NOON

    def write(self, row: Tracked, after: Tracked) -> bool:
        self.written[row.id] = after
        return True

    def policy(self, _: str) -> Any:
        return type("Policy", (), {"batch": 100})

    def publisher(self, _: str, owner: str, __: str) -> "World":
        if owner == "nobody":
            raise NotConnected
        self.owner = owner
        return self

    def metrics(self, ids: Sequence[str]) -> Mapping[str, Metrics]:
        self.requests.append(tuple(ids))
        if self.owner in self.refused:
            raise NotReadable(NOT_CONNECTED)
        if self.answer:
            raise self.answer
        return dict.fromkeys(ids, Metrics(likes=100))

    def revoked(self, _: str, owner: str) -> None:
        self.revocations.append(owner)

    def by_trigger(self, found: str) -> None:
        self.closed.append(found)
        if found == "prm_closing":
            raise Conflicting("It closes", "campaign_cannot_be_closed")


def test_a_hundred_posts_of_all_owners_are_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World([a_row(id=f"prm_{n}", owner=f"owner {n}", post_ids=(f"a{n}", f"b{n}")) for n in range(60)])

    report = world.run(monkeypatch)

    assert [len(each) for each in world.requests] == [100, 20]
    assert (report.due, report.read, report.changed, report.failed) == (60, 60, 60, 0)


def test_an_owner_whose_token_is_refused_is_marked_and_the_next_owners_reads_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [a_row(id="prm_1", owner="nobody"), a_row(id="prm_2", owner="revoked"), a_row(id="prm_3", owner="acme")]
    world = World(found, refused=("revoked",))

    report = world.run(monkeypatch)

    assert world.revocations == ["revoked"]
    assert report.read == 3


def test_an_error_is_logged_in_the_sources_words_and_the_row_is_due_again_at_its_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """S4-12."""
    world = World([a_row()], answer=NotReadable("503"))

    report = world.run(monkeypatch)

    assert report.failed == 1
    assert "Engagement tracking error for campaign prm_1: The network cannot be read: 503" in caplog.text
    assert (world.written["prm_1"].errors, world.written["prm_1"].track_at) == (1, NOON + timedelta(minutes=5))


def test_an_error_of_one_promotion_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """S4-12."""
    world = World([a_row(id="prm_1"), a_row(id="prm_2"), a_row(id="prm_3")])
    broken = world.write

    def write(row: Tracked, after: Tracked) -> bool:
        if row.id == "prm_2" and not after.errors:
            raise ValueError("a row that cannot be written")
        return broken(row, after)

    monkeypatch.setattr(world, "write", write)
    report = world.run(monkeypatch)

    assert (report.read, report.failed) == (2, 1)
    assert sorted(world.written) == ["prm_1", "prm_2", "prm_3"]


def test_what_finds_no_token_stays_due_for_the_next_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """S4-22."""
    world = World([a_row()], answer=NotReadable(RATE_LIMITED, NOON))

    report = world.run(monkeypatch)

    assert (report.read, report.failed, world.written) == (0, 0, {})


def test_a_trigger_closes_once_and_a_promotion_that_closes_already_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = ({"metric": "likes", "at_least": 100},)
    world = World([a_row(id="prm_1", triggers=trigger), a_row(id="prm_closing", triggers=trigger)])

    report = world.run(monkeypatch)

    assert world.closed == ["prm_1", "prm_closing"]
    assert (report.closed, report.failed) == (1, 0)
