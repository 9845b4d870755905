"""The sync: moves pending views to the database, exactly once (design section 5).

An epoch opens on all shards, then what it took is applied a page at a time, then it is closed. A step of it is made of
calls that can each be repeated, and then moves the control item on by one conditional write; so crashes, copies and
late messages cost time but never a view.

Epoch 0 takes nothing: it gives every shard an epoch, so that one without has always restarted empty.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Protocol
from zoneinfo import ZoneInfo

from sluice.clock import Clock
from views.control import Control, Phase
from views.held import Outdated
from views.messages import EpochStep
from views.rules import Calendar
from views.sync import applying
from views.sync.applying import Applier, Scope, Work

# A child of the worker's logger, whose name is the service's: asking Powertools for it would bring botocore.
logger = logging.getLogger(f"sluice.{__name__}")

PAGE_CONTENTS = 500
FOLDED_ROWS = 400


_NEXT = {
    Phase.RETRYING: Phase.PAGING,
    Phase.PAGING: Phase.REFUSALS,
    Phase.REFUSALS: Phase.FOLDING,
    Phase.FOLDING: Phase.DONE,
}


class EpochShards(applying.SyncingShards, Protocol):
    """The viewer shards; `views.shards.store.RedisShards` says what each method does."""

    def open(self, shards: Sequence[int], epoch: int) -> None: ...
    def have_work(self, shards: Sequence[int]) -> list[bool]: ...


class EpochStore(applying.ApplyingStore, Protocol):
    """The control item, and what the epochs write. Every method raises Unavailable when the database is busy."""

    def control(self) -> Control | None:
        """The control item, consistently; None before the first epoch."""

    def move(self, before: Control | None, after: Control) -> bool:
        """Replace `before` if the epoch and step are still its own. False: someone else moved it.

        What was replaced already, by this very call that was sent twice, is replaced.
        """

    def record(self, epoch: Control) -> None:
        """Keep how an epoch went, for `GET /api/admin/views/sync/{epoch}`."""


class Outcome(StrEnum):
    """The outcome of a start."""

    OPENED = "opened"
    RUNNING = "running"
    WAITING = "waiting"
    """The last epoch has just closed: the next opens by itself."""
    NOTHING_PENDING = "nothing_pending"


@dataclass(frozen=True)
class Started:
    """What came of a start, and how far the sync is."""

    outcome: Outcome
    control: Control


class Sync:
    """Opens epochs and runs their steps. `send` brings a message to the queue, and raises Unavailable."""

    def __init__(
        self,
        shards: EpochShards,
        store: EpochStore,
        send: Callable[[EpochStep, int], None],
        clock: Clock,
        zone: ZoneInfo,
        *,
        shard_count: int,
        timeout: timedelta,
        page_contents: int = PAGE_CONTENTS,
    ) -> None:
        """`send` takes a message and a delay in seconds. `timeout` is that of the functions that start and run."""
        self._shards = shards
        self._store = store
        self._send = send
        self._clock = clock
        self._zone = zone
        self._shard_count = shard_count
        self._timeout = timeout
        self._applier = Applier(
            shards, store, clock, Calendar(zone), shard_count=shard_count, page_contents=page_contents
        )

    def start(self, *, force: bool = False) -> Started:
        """Open the next epoch, whose day is today, or resume the one that runs.

        With `force` an epoch is opened even when nothing is pending (S2-26). Raises Unavailable.
        """
        last = self._last()
        if last.phase is not Phase.DONE:
            return self._resumed(last)
        return self._next(last, self._day(self._clock.now()), force=force)

    def start_scheduled(self, scheduled_at: datetime) -> Started:
        """Open the epoch of the day that ended at midnight (S2-22), also after one that still runs. A repeat of it
        changes nothing. Raises Unavailable.
        """
        last = self._last()
        day = self._day(scheduled_at - timedelta(seconds=1))
        is_since = last.epoch > 0 and last.opened_at >= scheduled_at
        if last.phase is not Phase.DONE:
            if not is_since:
                self._send(EpochStep(last.epoch + 1, 0, day), self._wait_to_open(last))
            return self._resumed(last)
        return Started(Outcome.NOTHING_PENDING, last) if is_since else self._next(last, day, force=False)

    def run(self, message: EpochStep, message_id: str) -> bool:
        """Run one step and send the next. Returns when the message can be acknowledged: False when it waits, and a copy
        of it is on its way.

        Raises Unavailable when it is to be delivered again.
        """
        control = self._store.control()
        if control is not None and message.day is not None and message.epoch == control.epoch + 1:
            if wait_seconds := self._wait_to_open(control):
                self._send(message, wait_seconds)
                return False
            control = self._open(control, message.day) or self._store.control()
        if control is None or message.epoch > control.epoch:
            logger.error("Dropped: the message is ahead of the sync, as after a restored backup")
            return True
        if message.epoch < control.epoch or message.step < control.step:
            self._send_again(control, message, message_id)
        elif message.step > control.step or control.phase is Phase.DONE:
            logger.error("Dropped: the message is ahead of the sync, or the epoch is done")
        else:
            self._run(control, message_id)
        return True

    def _run(self, control: Control, message_id: str) -> None:
        try:
            stepped = self._step(control)
        except Outdated:
            self._give_up(control)
            return
        after = replace(stepped, step=control.step + 1, committed_by=message_id)
        if after.phase is Phase.DONE:
            after = replace(after, closed_at=self._clock.now())
            self._store.record(after)
        if self._store.move(control, after) and after.phase is not Phase.DONE:
            self._send(EpochStep(after.epoch, after.step), 0)

    def _give_up(self, control: Control) -> None:
        """Close an epoch that the shards are past, and go on to the next.

        A worker that slept is told so by the control item; if that has not moved, the table is one of a backup.
        """
        closed = replace(control, phase=Phase.DONE, step=control.step + 1, closed_at=self._clock.now())
        if not self._store.move(control, closed):
            logger.info("Dropped: a shard is in a later epoch")
            return
        logger.error(
            "Closed: the shards are in a later epoch, as after a restored backup", extra={"epoch": control.epoch}
        )
        self._store.record(closed)
        self._send(EpochStep(closed.epoch + 1, 0, closed.day), self._wait_seconds(closed))

    def _send_again(self, control: Control, message: EpochStep, message_id: str) -> None:
        died = (message.epoch, message.step + 1, message_id) == (control.epoch, control.step, control.committed_by)
        if died and control.phase is not Phase.DONE:
            logger.info("Sent again: the worker died between its commit and its send")
            self._send(EpochStep(control.epoch, control.step), 0)

    def _last(self) -> Control:
        """The control item, of epoch 0 when there was none."""
        last = self._store.control()
        if last is None:
            now = self._clock.now()
            self._shards.open(range(self._shard_count), 0)
            last = Control(0, Phase.DONE, 0, self._day(now), self._shard_count, opened_at=now, closed_at=now)
            if not self._store.move(None, last):
                last = self._store.control() or last
        return last

    def _resumed(self, last: Control) -> Started:
        self._send(EpochStep(last.epoch, last.step), 0)
        return Started(Outcome.RUNNING, last)

    def _next(self, last: Control, day: str, *, force: bool) -> Started:
        if not force and not self._has_work(last):
            return Started(Outcome.NOTHING_PENDING, last)
        if wait_seconds := self._wait_seconds(last):
            self._send(EpochStep(last.epoch + 1, 0, day), wait_seconds)
            return Started(Outcome.WAITING, last)
        opened = self._open(last, day)
        if opened is None:
            return Started(Outcome.RUNNING, self._store.control() or last)
        self._send(EpochStep(opened.epoch, opened.step), 0)
        return Started(Outcome.OPENED, opened)

    def _wait_to_open(self, last: Control) -> int:
        """How long the epoch after `last`, which may run yet, is to wait."""
        return ceil(self._timeout.total_seconds()) if last.phase is not Phase.DONE else self._wait_seconds(last)

    def _open(self, last: Control, day: str) -> Control | None:
        """Begin the epoch after `last`; None when someone else did."""
        shard_count = max(self._shard_count, last.shards)
        opened = Control(last.epoch + 1, Phase.OPENING, 0, day, shard_count, opened_at=self._clock.now())
        return opened if self._store.move(last, opened) else None

    def _wait_seconds(self, last: Control) -> int:
        """How long until no worker of the closed epoch can still sleep in the middle of a step."""
        assert last.closed_at is not None
        left = last.closed_at + self._timeout - self._clock.now()
        return ceil(left.total_seconds()) + 1 if left >= timedelta() else 0

    def _has_work(self, last: Control) -> bool:
        every = range(max(self._shard_count, last.shards))
        return any(self._shards.have_work(every)) or bool(self._store.unfolded(1))

    def _day(self, moment: datetime) -> str:
        return str(moment.astimezone(self._zone).date())

    def _step(self, control: Control) -> Control:
        every = range(control.shards)
        if control.phase is Phase.OPENING:
            self._shards.open(every, control.epoch)
            return replace(control, phase=Phase.RETRYING)
        work = self._work(control.phase, Scope(control.epoch, control.day, every))
        return replace(
            control,
            phase=_NEXT[control.phase] if work.is_last else control.phase,
            pages=control.pages + bool(work.contents),
            contents=control.contents + work.contents,
            views=control.views + work.views,
            parked=control.parked + work.parked,
            refusals=control.refusals + work.refusals,
            folded=control.folded + work.folded,
        )

    def _work(self, phase: Phase, scope: Scope) -> Work:
        match phase:
            case Phase.RETRYING:
                return self._applier.retry(scope)
            case Phase.PAGING:
                return self._applier.page(scope)
            case Phase.REFUSALS:
                return self._applier.refusals(scope)
            case _:
                return self._applier.fold(scope, FOLDED_ROWS)
