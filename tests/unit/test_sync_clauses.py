"""Each clause of the sync and of its readers, alone: what `test_sync_model.py` meets only by chance."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sluice.errors import Unavailable, Unreadable
from sluice.totals import Totals
from tests.factories import NOON, UTC_ZONE, FixedClock
from tests.sync_world import DAYS, SHARDS, TIMEOUT, MemoryShards, MemoryStore, World
from views import keys, messages
from views.control import Phase
from views.counts.reading import Count, Reader
from views.held import Taken
from views.messages import EpochStep
from views.sync.applying import ACTIONS, MOST_DAYS, Added, AwayRow, ContentViews, MovedRefusals
from views.sync.epochs import FOLDED_ROWS, Outcome, Sync

A, B = "video:a", "video:b"
FIELD = "cooldown|video:a|2026-11-20T08"
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
SECONDS = int(TIMEOUT.total_seconds())


class Failing(MemoryStore):
    """A store that refuses some of what is added."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: set[tuple[str, int]] = set()
        self.is_busy = False
        self.calls: list[int] = []
        self.sums: list[set[tuple[str, str, str]]] = []
        """Of each transaction of refusals: the rules, days and hours."""
        self.actions: list[int] = []

    def apply(self, epoch: int, added: Sequence[ContentViews]) -> list[Added]:
        if self.is_busy:
            raise Unavailable("busy")
        days = {day for each in added for day in each.by_day}
        self.actions.append(sum(1 + len(each.by_day) for each in added) + len(days))
        return self._all(epoch, added, [each.content for each in added], super().apply)

    def add_refusals(self, epoch: int, added: Sequence[MovedRefusals]) -> list[Added]:
        of_fields = [keys.refusal_of(each.field) for each in added]
        self.sums.append({(rules, day, hour) for rules, _, day, hour in of_fields})
        return self._all(epoch, added, [each.field for each in added], super().add_refusals)

    def _all(self, epoch: int, added: Sequence[Any], names: list[str], add: Any) -> list[Added]:
        if added:
            self.calls.append(len(added))
        failing = [(name, epoch) in self.failing for name in names]
        return [ValueError() if fails else add(epoch, [each])[0] for each, fails in zip(added, failing, strict=True)]

    def fold(self, epoch: int, rows: Sequence[AwayRow], ours: Collection[AwayRow], expires_at: int) -> bool:
        if any((row.content, 0) in self.failing for row in rows):
            raise ValueError("too large")
        return super().fold(epoch, rows, ours, expires_at)


class Bench:
    """A sync with its queue."""

    def __init__(self, *, zone: ZoneInfo = UTC_ZONE, page_contents: int = 500, shard_count: int = 3) -> None:
        self.shards, self.store, self.clock = MemoryShards(), Failing(), FixedClock()
        self.sent: list[tuple[EpochStep, int]] = []
        self.sync = Sync(
            self.shards,
            self.store,
            lambda message, delay_seconds: self.sent.append((message, delay_seconds)),
            self.clock,
            zone,
            shard_count=shard_count,
            timeout=TIMEOUT,
            page_contents=page_contents,
        )

    @property
    def control(self) -> Any:
        return self.store.now

    def opened(self) -> "Bench":
        """With epoch 0 closed long enough ago."""
        self.sync.start()
        self.sent.clear()
        self.clock.time += TIMEOUT * 2
        return self

    def step(self) -> None:
        """Runs the one message of the queue."""
        ((message, delay_seconds),) = self.sent
        self.sent.clear()
        self.clock.time += timedelta(seconds=delay_seconds)
        self.sync.run(message, f"{message}")

    def drain(self) -> None:
        for _ in range(50):
            if not self.sent:
                return
            self.step()
        raise AssertionError("it does not end")

    def run_epoch(self) -> None:
        self.clock.time += TIMEOUT * 2
        assert self.sync.start(force=True).outcome is Outcome.OPENED
        self.drain()

    def until(self, phase: Phase) -> None:
        self.clock.time += TIMEOUT * 2
        self.sync.start(force=True)
        while self.control.phase is not phase:
            self.step()


# Opening


def test_the_first_start_gives_every_shard_an_epoch_and_takes_nothing() -> None:
    bench = Bench()

    started = bench.sync.start()

    assert started.outcome is Outcome.NOTHING_PENDING
    assert (started.control.epoch, started.control.phase, started.control.closed_at) == (0, Phase.DONE, NOON)
    assert bench.shards.epochs == {0: 0, 1: 0, 2: 0}


def test_after_the_first_start_what_waits_is_taken_by_itself() -> None:
    bench = Bench()
    bench.shards.track(1, A)

    assert bench.sync.start().outcome is Outcome.WAITING
    assert bench.sent == [(EpochStep(1, 0, "2026-11-20"), SECONDS + 1)]
    bench.drain()

    # The shard had no epoch when the view came, but has one now: nothing of epoch 1 was applied before.
    assert bench.store.organic == {A: (1, 1)}
    assert (bench.control.epoch, bench.control.phase) == (1, Phase.DONE)


@pytest.mark.parametrize("seconds", [0, 30, 60])
def test_an_epoch_does_not_open_while_a_worker_of_the_last_may_sleep(seconds: int) -> None:
    bench = Bench().opened()
    bench.run_epoch()
    bench.clock.time += timedelta(seconds=seconds)
    bench.shards.track(0, A)

    assert bench.sync.start().outcome is Outcome.WAITING
    ((message, delay_seconds),) = bench.sent
    assert delay_seconds == SECONDS - seconds + 1
    bench.sent.clear()
    bench.sync.run(message, "early")

    assert bench.sent == [(message, delay_seconds)]
    assert bench.control.epoch == 1
    bench.drain()
    assert bench.store.organic == {A: (1, 2)}


def test_an_epoch_opens_when_every_worker_of_the_last_is_dead() -> None:
    bench = Bench().opened()
    bench.run_epoch()
    bench.clock.time += TIMEOUT + timedelta(seconds=1)
    bench.shards.track(0, A)

    started = bench.sync.start()

    assert started.outcome is Outcome.OPENED
    assert started.control == bench.control
    assert bench.sent == [(EpochStep(2, 0), 0)]


@pytest.mark.parametrize("what", ["pending", "parked", "refused", "away"])
def test_there_is_something_to_sync(what: str) -> None:
    """S2-26."""
    bench = Bench().opened()
    if what in ("pending", "parked"):
        bench.shards.track(2, A)
    if what == "parked":
        bench.shards.open([2], 1)
        bench.shards.park([2], 1, "2026-11-20", A)
    if what == "refused":
        bench.shards.refuse(2, FIELD)
    if what == "away":
        bench.store.put_away(AwayRow("viewer#1", "2026-11-20", A))
        bench.store.catch_up()

    assert bench.sync.start().outcome is Outcome.OPENED


def test_nothing_is_synced_but_by_force() -> None:
    """S2-26."""
    bench = Bench().opened()

    assert bench.sync.start().outcome is Outcome.NOTHING_PENDING
    assert bench.sent == []
    assert bench.sync.start(force=True).outcome is Outcome.OPENED
    bench.drain()

    assert (bench.control.epoch, bench.control.phase, bench.control.views) == (1, Phase.DONE, 0)


def test_an_epoch_that_runs_is_resumed() -> None:
    bench = Bench().opened()
    bench.shards.track(0, A)
    bench.until(Phase.PAGING)
    bench.sent.clear()
    bench.clock.time += TIMEOUT * 99

    started = bench.sync.start(force=True)

    assert (started.outcome, started.control.epoch) == (Outcome.RUNNING, 1)
    assert bench.sent == [(EpochStep(1, 2), 0)]
    bench.drain()
    assert bench.store.organic == {A: (1, 1)}


def test_of_two_who_start_one_opens() -> None:
    world = World(MemoryShards(), MemoryStore())
    world._go_on(world.start(), 99)
    world.clock.time += TIMEOUT * 2
    world.view(world.new_viewer(0), A, DAYS[0])
    late = world.start()
    for _ in range(1 + 1 + SHARDS):  # It has read the control item and found work, and is about to move.
        late.go_on()
    world.clock.time += timedelta(milliseconds=1)
    world._go_on(world.start(), 99)

    world._go_on(late, 99)

    assert late.answer.outcome is Outcome.RUNNING
    assert late.answer.control == world.store.control()
    assert [message for _, message in world.messages] == [EpochStep(1, 0)]
    world.close()


def test_the_number_of_shards_never_falls() -> None:
    bench = Bench().opened()
    bench.sync._shard_count = 1
    bench.shards.track(2, A)

    bench.sync.start()
    bench.drain()

    assert bench.store.organic == {A: (1, 1)}


@pytest.mark.parametrize(("zone", "day"), [("UTC", "2026-11-20"), ("Asia/Tokyo", "2026-11-21")])
def test_a_command_syncs_today(zone: str, day: str) -> None:
    bench = Bench(zone=ZoneInfo(zone)).opened()
    bench.clock.time = datetime(2026, 11, 20, 23, tzinfo=UTC)

    assert bench.sync.start(force=True).control.day == day


@pytest.mark.parametrize(("zone", "at"), [("UTC", MIDNIGHT), ("Asia/Tokyo", MIDNIGHT - timedelta(hours=9))])
def test_the_schedule_syncs_the_day_that_ended(zone: str, at: datetime) -> None:
    """S2-22."""
    bench = Bench(zone=ZoneInfo(zone)).opened()
    bench.clock.time = at + timedelta(seconds=20)
    bench.shards.track(0, A)

    assert bench.sync.start_scheduled(at).outcome is Outcome.OPENED
    bench.drain()

    assert bench.store.daily(A) == {"2026-11-20": 1}


def test_the_day_that_ended_gets_its_epoch_after_one_that_runs() -> None:
    """S2-22."""
    bench = Bench().opened()
    bench.clock.time = MIDNIGHT - TIMEOUT * 3
    bench.until(Phase.PAGING)
    bench.sent.clear()
    bench.clock.time = MIDNIGHT
    bench.shards.track(0, A)

    assert bench.sync.start_scheduled(MIDNIGHT).outcome is Outcome.RUNNING

    wanted = EpochStep(2, 0, "2026-11-20")
    assert sorted(bench.sent, key=str) == [(EpochStep(1, 2), 0), (wanted, SECONDS)]
    bench.sent = [each for each in bench.sent if each[0] == wanted]
    bench.step()
    assert bench.sent == [(wanted, SECONDS)]  # It still runs.
    bench.sent = [(EpochStep(1, 2), 0)]
    bench.drain()
    bench.sent = [(wanted, 0)]
    bench.drain()
    assert bench.control.epoch == 2
    assert bench.store.daily(A) == {"2026-11-20": 1}


@pytest.mark.parametrize("hour", [3, 20])
def test_a_view_is_of_its_own_day_whenever_the_schedule_is(hour: int) -> None:
    """S2-22. At three in the morning a view of eight yesterday evening is moved, and one of two is moved with it."""
    bench = Bench().opened()
    bench.shards.track(0, A, "2026-11-20")
    at = MIDNIGHT + timedelta(hours=hour)
    bench.clock.time = at + timedelta(seconds=20)
    bench.shards.track(1, A, "2026-11-21")
    bench.shards.track(1, B, "2026-11-20")

    bench.sync.start_scheduled(at)
    bench.drain()

    assert bench.store.daily(A) == {"2026-11-20": 1, "2026-11-21": 1}
    assert bench.store.daily(B) == {"2026-11-20": 1}
    assert bench.store.organic == {A: (2, 1), B: (1, 1)}


def test_each_hourly_sync_adds_to_the_days_of_its_views() -> None:
    """S2-22."""
    bench = Bench().opened()
    for hour in (23, 24, 25):
        at = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hour)
        bench.shards.track(0, A, str((at - timedelta(minutes=30)).date()))
        bench.shards.track(0, A, str((at - timedelta(minutes=1)).date()))
        bench.clock.time = at + timedelta(seconds=20)
        bench.shards.track(0, A, str(bench.clock.time.date()))
        bench.sync.start_scheduled(at)
        bench.drain()

    assert bench.store.daily(A) == {"2026-11-20": 5, "2026-11-21": 4}


def test_the_days_of_a_content_are_added_with_its_total_and_fit_into_one_transaction(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """S2-23. Of a hundred contents of three days; and of one that waited for longer than fits."""
    bench = Bench().opened()
    days = [str(NOON.date() - timedelta(days=day)) for day in range(120)]
    for number in range(100):
        for shard, day in enumerate(days[:3]):
            bench.shards.track(shard, f"video:{number}", day)
    for day in reversed(days):
        bench.shards.track(1, A, day)

    bench.run_epoch()

    assert bench.store.organic[A] == (120, 1)
    assert len(bench.store.daily(A)) == MOST_DAYS == (ACTIONS - 1) // 2
    assert (bench.store.daily(A)[days[48]], bench.store.daily(A)[days[47]]) == (72, 1)
    assert {bench.store.daily(f"video:{number}")[days[2]] for number in range(100)} == {1}
    assert max(bench.store.actions) <= ACTIONS
    assert [record.content for record in caplog.records if "too many days" in record.message] == [A]  # type: ignore[attr-defined]


def test_a_repeat_of_the_schedule_opens_nothing_more() -> None:
    bench = Bench().opened()
    bench.clock.time = MIDNIGHT + timedelta(seconds=5)
    bench.shards.track(0, A)
    bench.sync.start_scheduled(MIDNIGHT)
    bench.sent.clear()

    assert bench.sync.start_scheduled(MIDNIGHT).outcome is Outcome.RUNNING
    assert bench.sent == [(EpochStep(1, 0), 0)]
    bench.drain()
    bench.clock.time += TIMEOUT * 2
    bench.shards.track(0, A)

    assert bench.sync.start_scheduled(MIDNIGHT).outcome is Outcome.NOTHING_PENDING
    assert bench.sent == []


def test_the_first_schedule_that_failed_to_send_is_repeated() -> None:
    bench = Bench()
    bench.clock.time = MIDNIGHT + timedelta(seconds=5)
    bench.shards.track(0, A)
    bench.sync.start_scheduled(MIDNIGHT)
    bench.sent.clear()

    assert bench.sync.start_scheduled(MIDNIGHT).outcome is Outcome.WAITING
    assert bench.sent == [(EpochStep(1, 0, "2026-11-20"), SECONDS + 1)]


# Messages


@pytest.mark.parametrize(
    "message",
    [EpochStep(1, 0), EpochStep(2, 0, "2026-11-20"), EpochStep(2, 0), EpochStep(0, 0), EpochStep(0, 0, "2026-11-20")],
)
def test_a_message_of_no_epoch_that_runs_is_dropped(message: EpochStep) -> None:
    bench = Bench().opened()
    before = bench.control

    bench.sync.run(message, "m")

    assert (bench.control, bench.sent) == (before, [])


def test_a_message_before_the_first_epoch_is_dropped() -> None:
    bench = Bench()

    bench.sync.run(EpochStep(1, 0, "2026-11-20"), "m")

    assert (bench.control, bench.sent) == (None, [])


def test_a_copy_of_the_message_that_opened_an_epoch_opens_no_other() -> None:
    bench = Bench().opened()
    message = EpochStep(1, 0, "2026-11-20")
    bench.sync.run(message, "m")
    bench.drain()
    closed = bench.control
    bench.clock.time += TIMEOUT * 2

    bench.sync.run(message, "m")
    bench.sync.run(message, "copy")

    assert (bench.control, bench.sent) == (closed, [])


@pytest.mark.parametrize("day", [None, "2026-11-20"])
def test_a_worker_that_died_before_its_send_sends_when_it_is_called_again(day: str | None) -> None:
    bench = Bench().opened()
    bench.sync.start(force=True)
    bench.sync.run(EpochStep(1, 0, day), "m")
    bench.sent.clear()

    bench.sync.run(EpochStep(1, 0, day), "m")
    bench.sync.run(EpochStep(1, 0, day), "another")

    assert bench.sent == [(EpochStep(1, 1), 0)]


def test_a_message_of_a_later_step_is_dropped() -> None:
    bench = Bench().opened()
    bench.sync.start(force=True)
    bench.sent.clear()
    before = bench.control

    bench.sync.run(EpochStep(1, 1), "m")

    assert (bench.control, bench.sent) == (before, [])


def test_a_worker_that_slept_stops_when_a_shard_is_in_a_later_epoch() -> None:
    bench = Bench().opened()
    bench.until(Phase.PAGING)
    asleep = bench.control
    bench.drain()
    bench.run_epoch()
    before = bench.control
    bench.store.control = lambda: asleep  # type: ignore[method-assign]

    bench.sync.run(EpochStep(1, 2), "m")

    assert (bench.store.now, bench.sent) == (before, [])


def test_a_database_of_a_backup_catches_up_with_the_shards_and_loses_nothing() -> None:
    bench = Bench().opened()
    bench.run_epoch()
    backup = bench.control
    for _ in range(3):
        bench.run_epoch()
    bench.shards.track(1, A)
    bench.store.now = backup

    bench.run_epoch()
    assert (bench.control.epoch, bench.control.phase) == (4, Phase.DONE)
    bench.run_epoch()

    assert bench.store.organic == {A: (1, 5)}


def test_what_a_forgotten_epoch_took_is_not_written_over() -> None:
    bench = Bench().opened()
    backup = bench.control
    bench.shards.track(1, A)
    bench.until(Phase.PAGING)
    bench.sent.clear()
    bench.shards.track(1, A)
    bench.shards.track(2, A)
    bench.store.now = backup

    for _ in range(2):
        bench.run_epoch()
    bench.run_epoch()

    assert bench.store.organic[A][0] == 3


@pytest.mark.parametrize("message", [EpochStep(7, 3), EpochStep(7, 0, "2026-11-20")])
def test_a_message_is_read_as_it_was_written(message: EpochStep) -> None:
    assert messages.parse(message.body()) == message
    assert ("day" in message.body()) == (message.day is not None)


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"epoch": 1}', '{"epoch": "x", "step": 1}', '{"epoch": 1, "step": 1, "day": "x"}', "7"]
)
def test_a_message_that_names_no_step_is_unreadable(body: str) -> None:
    with pytest.raises(Unreadable):
        messages.parse(body)


# Views


def test_a_content_is_summed_over_all_shards() -> None:
    bench = Bench(page_contents=1).opened()
    for shard in (0, 2, 2):
        bench.shards.track(shard, A)
    bench.shards.track(1, B)

    bench.run_epoch()

    assert bench.store.organic == {A: (3, 1), B: (1, 1)}
    assert (bench.control.contents, bench.control.views, bench.control.pages) == (2, 4, 2)


def test_an_epoch_is_closed_when_no_shard_holds_anything() -> None:
    bench = Bench(page_contents=1).opened()
    for shard, content in enumerate((A, B, "story:c")):
        bench.shards.track(shard, content)
        bench.shards.refuse(shard, f"cooldown|{content}|2026-11-20T08")

    bench.run_epoch()

    assert not any(bench.shards.left(range(3), 1, Taken.VIEWS) + bench.shards.left(range(3), 1, Taken.REFUSALS))
    assert len(bench.store.organic) == len(bench.store.refused) == 3


def test_a_busy_database_leaves_everything_for_a_repeat() -> None:
    """S2-25."""
    bench = Bench().opened()
    bench.shards.track(0, A)
    bench.until(Phase.PAGING)
    bench.store.is_busy = True
    before = bench.control

    for _ in range(4):
        with pytest.raises(Unavailable):
            bench.sync.run(EpochStep(1, 2), "m")

    assert bench.control == before
    assert bench.shards.left([0], 1, Taken.VIEWS) == [1]
    bench.store.is_busy = False
    bench.drain()
    assert bench.store.organic == {A: (1, 1)}
    assert bench.control.parked == 0


def test_a_content_that_fails_three_times_is_moved_aside_and_keeps_no_other_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """S2-25, S2-32."""
    bench = Bench().opened()
    bench.store.failing = {(A, 1)}
    for content in (A, B):
        bench.shards.track(0, content)

    bench.run_epoch()

    assert bench.store.organic == {B: (1, 1)}
    assert bench.store.failures[A, 1] == 3
    assert bench.store.reported == {(A, 1)}
    assert bench.shards.parked(0, 10) == [A]
    assert (bench.control.contents, bench.control.views, bench.control.parked) == (1, 1, 1)
    assert [record.levelname for record in caplog.records if "moved aside" in record.message] == ["ERROR"]


def test_what_is_moved_aside_is_applied_in_a_later_epoch_on_its_own_day() -> None:
    """S2-25."""
    bench = Bench().opened()
    bench.store.failing = {(A, 1), (A, 2)}
    for _epoch in (1, 2):
        bench.shards.track(1, A)
        bench.run_epoch()
        bench.clock.time += timedelta(days=1)
    bench.shards.track(2, A)
    bench.store.failing.clear()

    bench.run_epoch()

    assert bench.store.organic == {A: (3, 3)}
    assert bench.store.daily(A) == {"2026-11-20": 1, "2026-11-21": 1, "2026-11-22": 1}
    assert bench.shards.parked(1, 10) == []


def test_what_fails_in_one_epoch_waits_with_its_later_ones() -> None:
    bench = Bench().opened()
    bench.store.failing = {(A, 1)}
    for _epoch in (1, 2):
        bench.shards.track(1, A)
        bench.run_epoch()

    assert bench.store.organic == {}
    bench.store.failing.clear()
    bench.run_epoch()

    assert bench.store.organic == {A: (2, 2)}


def test_a_worker_that_runs_out_of_time_has_gone_some_of_the_way() -> None:
    bench = Bench().opened()
    for number in range(120):
        bench.shards.track(0, f"video:{number}")
    bench.until(Phase.PAGING)
    drop, bench.shards.drop = bench.shards.drop, _dying_at(2, bench.shards.drop)  # type: ignore[method-assign]

    with pytest.raises(Unavailable):
        bench.sync.run(EpochStep(1, 2), "m")

    assert bench.shards.left([0], 1, Taken.VIEWS) == [71]
    assert bench.store.calls == [49, 49]
    bench.shards.drop = drop  # type: ignore[method-assign]
    bench.drain()
    assert {views for views, _ in bench.store.organic.values()} == {1}
    assert len(bench.store.organic) == 120


def _dying_at(call: int, method: Any) -> Any:
    calls: list[int] = []

    def dying(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            raise Unavailable("Redis does not answer")
        return method(*args)

    return dying


def test_a_worker_that_wakes_in_a_later_epoch_drops_nothing_of_it() -> None:
    world = World(MemoryShards(), MemoryStore())
    world._go_on(world.start(), 99)
    world.view(world.new_viewer(0), A, DAYS[0])
    world.clock.time += TIMEOUT * 2
    world._go_on(world.start(), 99)
    world._rush(2)
    late = world._take(world.messages.pop()[1])
    while A not in world.store.organic:
        late.go_on()
    world._go_on(world.start(), 99)
    world._rush(99)
    world.clock.time += TIMEOUT * 2
    world.view(world.new_viewer(0), A, DAYS[0])
    world._go_on(world.start(), 99)
    world._rush(1)

    world._go_on(late, 99)

    assert world.shards.left([0], 2, Taken.VIEWS) == [1]
    world.settle()
    world.check()
    assert world.store.organic == {A: (2, 2)}
    world.close()


def test_a_shard_that_fell_back_to_an_earlier_epoch_adds_nothing_to_this_one() -> None:
    bench = Bench().opened()
    bench.shards.track(0, A)
    bench.run_epoch()
    bench.shards.track(1, A)
    bench.until(Phase.PAGING)
    bench.shards.epochs[0] = 1  # A replica that took over had not heard of the drop.
    bench.shards.syncings[0][A] = Counter({None: 1})

    bench.drain()

    assert bench.store.organic == {A: (2, 2)}


# Refusals


def test_refusals_are_summed_over_all_shards_and_moved_once() -> None:
    bench = Bench().opened()
    for epoch in (1, 2):
        for shard in (0, 2, 2):
            bench.shards.refuse(shard, FIELD)
        bench.run_epoch()
        assert bench.control.refusals == 3
        assert bench.store.refused == {FIELD: (3 * epoch, epoch)}


def test_refusals_that_were_added_are_not_added_again() -> None:
    bench = Bench().opened()
    bench.shards.refuse(0, FIELD)
    bench.until(Phase.REFUSALS)
    drop, bench.shards.drop = bench.shards.drop, _dying_at(1, bench.shards.drop)  # type: ignore[method-assign]
    ((message, _),) = bench.sent

    with pytest.raises(Unavailable):
        bench.sync.run(message, "m")
    bench.shards.drop = drop  # type: ignore[method-assign]
    bench.drain()

    assert bench.store.refused == {FIELD: (1, 1)}
    assert bench.control.refusals == 0


def test_refusals_that_fail_three_times_are_dropped_and_block_nothing(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench().opened()
    bench.store.failing = {(FIELD, 1)}
    bench.shards.refuse(0, FIELD)
    bench.shards.refuse(0, "bot|video:b|2026-11-20T08")

    bench.run_epoch()

    assert bench.control.phase is Phase.DONE
    assert bench.store.refused == {"bot|video:b|2026-11-20T08": (1, 1)}
    assert bench.store.failures[FIELD, 1] == 3
    assert bench.shards.refusing[0].total() == 0
    assert [record.levelname for record in caplog.records if "dropped" in record.message] == ["ERROR"]


def test_fifty_refusals_are_added_together() -> None:
    bench = Bench().opened()
    for number in range(120):
        bench.shards.refuse(0, f"cooldown|video:{number}|2026-11-20T08")

    bench.run_epoch()

    assert bench.store.calls == [50, 50, 20]


# Views taken while Redis was away


def rows(number: int, *contents: str, day: str = "2026-11-19") -> list[AwayRow]:
    return [AwayRow(f"viewer#{content}-{n}", day, content) for content in contents for n in range(number)]


def put_away(bench: Bench, *taken: AwayRow) -> None:
    for row in taken:
        bench.store.put_away(row)
    bench.store.catch_up()


def test_what_was_taken_while_redis_was_away_is_counted_on_its_own_day() -> None:
    """S2-33."""
    bench = Bench().opened()
    put_away(bench, *rows(2, A), *rows(1, B, day="2026-11-18"))

    bench.run_epoch()

    assert bench.store.organic == {A: (2, 0), B: (1, 0)}
    assert (bench.store.daily(A), bench.store.daily(B)) == ({"2026-11-19": 2}, {"2026-11-18": 1})
    assert bench.control.folded == 3


def test_an_index_that_goes_on_showing_folded_rows_keeps_no_epoch_open() -> None:
    bench = Bench().opened()
    put_away(bench, *rows(3, A))

    bench.run_epoch()
    bench.run_epoch()

    assert bench.control.phase is Phase.DONE
    assert bench.store.organic == {A: (3, 0)}


def test_rows_that_are_folded_already_keep_no_other_out() -> None:
    bench = Bench().opened()
    taken = rows(3, A, B)
    put_away(bench, *taken)
    bench.store.fold(9, taken[1:5], taken, 0)

    bench.run_epoch()

    assert bench.store.organic == {A: (3, 0), B: (3, 0)}
    assert bench.control.folded == 2


def test_more_rows_than_a_step_takes_are_folded_step_by_step() -> None:
    bench = Bench().opened()
    put_away(bench, *rows(450, A, B))
    limits: list[int] = []
    unfolded = bench.store.unfolded

    def catching_up(limit: int, without: Collection[str] = ()) -> list[AwayRow]:
        bench.store.catch_up()
        limits.append(limit)
        return unfolded(limit, without)

    bench.store.unfolded = catching_up  # type: ignore[method-assign]
    bench.run_epoch()

    assert bench.control.folded == 900
    assert set(limits) == {400}
    assert len(limits) == 4


def test_no_transaction_of_a_fold_is_too_large() -> None:
    bench = Bench().opened()
    put_away(bench, *rows(97, A), *rows(2, A, day="2026-11-18"), *rows(1, *[f"video:{n}" for n in range(80)]))
    sizes: list[int] = []
    fold = bench.store.fold

    def measured(epoch: int, some: Sequence[AwayRow], ours: Collection[AwayRow], expires_at: int) -> bool:
        sizes.append(len(some) + len({r.content for r in some}) + len({(r.content, r.day) for r in some}))
        is_folded = fold(epoch, some, ours, expires_at)
        bench.store.catch_up()
        return is_folded

    bench.store.fold = measured  # type: ignore[method-assign]
    bench.run_epoch()

    assert bench.control.folded == 97 + 2 + 80
    assert max(sizes) <= ACTIONS
    assert len(sizes) == 4


def test_a_content_that_cannot_be_folded_keeps_no_other_out(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench().opened()
    bench.store.failing = {(A, 0)}
    put_away(bench, *rows(2, A, B))

    bench.run_epoch()

    assert bench.control.phase is Phase.DONE
    assert bench.store.organic == {B: (2, 0)}
    assert {record.levelno for record in caplog.records if "could not be folded" in record.message} == {logging.ERROR}
    assert bench.store.failures[A, 1] > 0


def test_however_many_rows_cannot_be_folded_they_keep_no_other_out() -> None:
    bench = Bench().opened()
    bench.store.failing = {(A, 0)}
    put_away(bench, *rows(3 * FOLDED_ROWS, A), *rows(2, B))

    bench.run_epoch()

    assert bench.control.phase is Phase.DONE
    assert bench.store.organic == {B: (2, 0)}
    assert bench.store.failures[A, 1] < 20  # not once for each row


# Reading


class Totalled:
    """Answers one after another to a reader, and what happens when it asks."""

    def __init__(self, *answers: Totals) -> None:
        self.answers = list(answers)

    def __call__(self, contents: Any) -> Any:
        return {content: self.answers.pop(0) for content in contents}


def reading(shards: MemoryShards, *answers: Totals) -> Count:
    totalled = Totalled(*answers)
    of = keys.content_of(A)
    count: Count = Reader(shards, totalled, shard_count=3).read([of])[of]
    assert totalled.answers == []
    return count


def shards_in(epoch: int) -> MemoryShards:
    shards = MemoryShards()
    shards.open(range(3), epoch)
    return shards


def test_what_an_epoch_took_counts_while_it_is_not_in_the_database() -> None:
    """S2-9, S2-24."""
    shards = shards_in(0)
    for _ in range(3):
        shards.track(0, A)
    shards.open(range(3), 1)
    shards.track(1, A)

    assert reading(shards, Totals(50, 7, 0)) == Count(50, 4, 7)
    assert reading(shards, Totals(53, 7, 1)) == Count(53, 1, 7)


def test_what_is_read_is_read_again_when_the_database_has_moved_on() -> None:
    shards = shards_in(1)
    shards.track(0, A)

    assert reading(shards, Totals(5, 0, 2), Totals(5, 0, 2)).synced == 5


def test_a_reader_believes_the_lowest_epoch_of_all_shards() -> None:
    shards = shards_in(2)
    shards.epochs[1] = 1

    assert reading(shards, Totals(5, 0, 2), Totals(6, 0, 2)) == Count(6, 0, 0)


def test_a_reader_ends_although_a_shard_restarted_empty() -> None:
    shards = shards_in(7)
    shards.restart(1)

    assert reading(shards, Totals(5, 0, 6), Totals(5, 0, 7), Totals(6, 0, 7)) == Count(6, 0, 0)


def test_refusals_of_the_same_hour_and_rules_are_moved_together() -> None:
    """Each transaction writes each of its sums once, and a page comes in any order."""
    bench = Bench().opened()
    for content in range(100):
        for rules in ("bot", "cooldown"):
            for hour in ("08", "09"):
                bench.shards.refuse(content % 3, f"{rules}|video:{content}|2026-11-20T{hour}")

    bench.run_epoch()

    assert [len(sums) for sums in bench.store.sums if sums] == [1] * 8
