"""The sync: moves pending views to the database, exactly once (design section 5).

An epoch opens on all shards, then its contents are applied a page at a time, then it is closed. A step of it is made of
calls that can each be repeated, and then moves the control item on by one conditional write; so crashes, copies and
late messages cost time but never a view.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from aws_lambda_powertools import Logger

from sluice.clock import Clock
from sluice.errors import SluiceError
from views.shards import Outdated, Part

logger = Logger(child=True)

PAGE_CONTENTS = 500
FAILURES_BEFORE_PARKING = 3


class Phase(StrEnum):
    """What an epoch does in its next step."""

    OPENING = "opening"
    RETRYING = "retrying"
    PAGING = "paging"
    DONE = "done"


@dataclass(frozen=True)
class Control:
    """How far the sync is. The counters are for people: a step that crashed may be counted short."""

    epoch: int
    phase: Phase
    step: int
    day: str
    """The day, `2026-11-20`, whose daily rows get the epoch's views."""
    shards: int
    """The highest number of shards ever used: what a smaller number left behind is still found."""
    opened_at: datetime
    closed_at: datetime | None = None
    committed_by: str | None = None
    """The id of the message whose step was committed last."""
    pages: int = 0
    contents: int = 0
    views: int = 0
    parked: int = 0


class Shards(Protocol):
    """The viewer shards; `views.shards.RedisShards` says what each method does."""

    def open(self, shards: Sequence[int], epoch: int) -> None: ...
    def left(self, shards: Sequence[int], epoch: int) -> list[int]: ...
    def page(self, shard: int, epoch: int, limit: int) -> list[str]: ...
    def held(self, shards: Sequence[int], epoch: int, contents: Sequence[str]) -> list[list[tuple[Part, ...]]]: ...
    def drop(self, shards: Sequence[int], epoch: int, contents: Sequence[str]) -> None: ...
    def park(self, shards: Sequence[int], epoch: int, day: str, content: str) -> None: ...
    def parked(self, shard: int, limit: int) -> list[str]: ...
    def pending(self, shards: Sequence[int]) -> list[int]: ...


class Store(Protocol):
    """The control item and the totals. Every method raises Unavailable when the database is busy."""

    def control(self) -> Control | None:
        """The control item, consistently; None before the first epoch."""

    def move(self, before: Control | None, after: Control) -> bool:
        """Replace `before` if the epoch and step are still its own. False: someone else moved it."""

    def record(self, epoch: Control) -> None:
        """Keep how an epoch went, for `GET /api/admin/views/sync/{epoch}`."""

    def apply(self, content: str, views: int, epoch: int) -> bool:
        """Add an epoch's views to the content's organic total, once. False: they are in it already."""

    def apply_daily(self, content: str, day: str, views: int, epoch: int) -> bool:
        """Add an epoch's views to the content's row of a day, once. False: they are in it already."""

    def count_failure(self, content: str, epoch: int, reason: str) -> int:
        """Count that a content could not be applied, and report how often that was."""

    def report_parked(self, content: str, epoch: int) -> None:
        """Mark a content's failures as those of one that is moved aside."""


@dataclass(frozen=True)
class Message:
    """One step of an epoch: all that a queue message names."""

    epoch: int
    step: int


class Refusal(StrEnum):
    """Why no epoch was opened or resumed."""

    JUST_CLOSED = "just_closed"
    NOTHING_PENDING = "nothing_pending"


class Sync:
    """Opens epochs and runs their steps. `send` brings a message to the queue, and raises Unavailable."""

    def __init__(
        self,
        shards: Shards,
        store: Store,
        send: Callable[[Message], None],
        clock: Clock,
        *,
        shard_count: int,
        timeout: timedelta,
        page_contents: int = PAGE_CONTENTS,
    ) -> None:
        """`timeout` is that of the function that runs the steps."""
        self._shards = shards
        self._store = store
        self._send = send
        self._clock = clock
        self._shard_count = shard_count
        self._timeout = timeout
        self._page_contents = page_contents

    def start(self, day: str, *, force: bool = False) -> Control | Refusal:
        """Open the next epoch, or resume the one that is not done; its first step is then on the queue.

        With `force` an epoch is opened even when nothing is pending (S2-26). Raises Unavailable.
        """
        last = self._store.control()
        if last is not None and last.phase is not Phase.DONE:
            self._send(Message(last.epoch, last.step))
            return last
        now = self._clock.now()
        if last is not None and last.closed_at is not None and now - last.closed_at <= self._timeout:
            return Refusal.JUST_CLOSED  # A worker of the closed epoch may still sleep in the middle of a step.
        shard_count = max(self._shard_count, last.shards if last else 0)
        if not force and not self._has_work(shard_count):
            return Refusal.NOTHING_PENDING
        opened = Control(last.epoch + 1 if last else 1, Phase.OPENING, 0, day, shard_count, opened_at=now)
        if not self._store.move(last, opened):
            return self._store.control() or opened
        self._send(Message(opened.epoch, opened.step))
        return opened

    def run(self, message: Message, message_id: str) -> None:
        """Run one step and send the next. Returns when the message can be acknowledged.

        Raises Unavailable when it is to be delivered again.
        """
        control = self._store.control()
        if control is None or message.epoch > control.epoch:
            logger.error("Dropped: the message is ahead of the sync, as after a restored backup")
            return
        if message.epoch < control.epoch or message.step < control.step:
            died = message == Message(control.epoch, control.step - 1) and control.committed_by == message_id
            if died and control.phase is not Phase.DONE:
                logger.info("Sent again: the worker died between its commit and its send")
                self._send(Message(control.epoch, control.step))
            return
        if message.step > control.step or control.phase is Phase.DONE:
            logger.error("Dropped: the message is ahead of the sync, or the epoch is done")
            return
        try:
            stepped = self._step(control)
        except Outdated:
            logger.info("Dropped: a shard is in a later epoch")
            return
        after = replace(stepped, step=control.step + 1, committed_by=message_id)
        if after.phase is Phase.DONE:
            after = replace(after, closed_at=self._clock.now())
            self._store.record(after)
        if self._store.move(control, after) and after.phase is not Phase.DONE:
            self._send(Message(after.epoch, after.step))

    def _has_work(self, shard_count: int) -> bool:
        every = range(shard_count)
        return any(self._shards.pending(every)) or any(self._shards.parked(shard, 1) for shard in every)

    def _step(self, control: Control) -> Control:
        match control.phase:
            case Phase.OPENING:
                self._shards.open(range(control.shards), control.epoch)
                return replace(control, phase=Phase.RETRYING)
            case Phase.RETRYING:
                return replace(self._retry(control), phase=Phase.PAGING)
            case _:
                return self._page(control)

    def _retry(self, control: Control) -> Control:
        """Try what was moved aside in earlier epochs again; what fails again stays aside."""
        contents: list[str] = []
        for shard in range(control.shards):
            contents += self._shards.parked(shard, self._page_contents - len(contents))
            if len(contents) >= self._page_contents:
                break
        return self._apply(control, list(dict.fromkeys(contents)), parking=False)

    def _page(self, control: Control) -> Control:
        every = range(control.shards)
        contents: dict[str, None] = {}
        for shard, left in enumerate(self._shards.left(every, control.epoch)):
            if left and len(contents) < self._page_contents:
                # A content that a lower shard holds was found there: each is applied once, for all shards.
                found = self._shards.page(shard, control.epoch, self._page_contents - len(contents))
                contents |= dict.fromkeys(found)
        if contents:
            return replace(self._apply(control, list(contents), parking=True), pages=control.pages + 1)
        if any(self._shards.left(every, control.epoch)):
            return control
        return replace(control, phase=Phase.DONE)

    def _apply(self, control: Control, contents: list[str], *, parking: bool) -> Control:
        if not contents:
            return control
        every = range(control.shards)
        parts_by_shard = self._shards.held(every, control.epoch, contents)
        applied: list[str] = []
        views = parked = 0
        for content, parts in zip(contents, zip(*parts_by_shard, strict=True), strict=True):
            held = _by_epoch(control, [part for shard in parts for part in shard])
            try:
                views += sum([self._apply_part(content, part) for part in held])
            except Exception as error:  # A content's own failure: it is counted, and keeps no other from the database.
                logger.warning("A content could not be applied", content=content, exc_info=error)
                parked += parking and self._failed(control, content, error)
            else:
                applied.append(content)
        if applied:
            self._shards.drop(every, control.epoch, applied)
        return replace(
            control,
            contents=control.contents + len(applied),
            views=control.views + views,
            parked=control.parked + parked,
        )

    def _apply_part(self, content: str, part: Part) -> int:
        assert part.day is not None
        is_new = self._store.apply(content, part.views, part.epoch)
        self._store.apply_daily(content, part.day, part.views, part.epoch)
        return part.views if is_new else 0

    def _failed(self, control: Control, content: str, error: Exception) -> bool:
        """Count a failure; at the third, move the content aside. Raises Unavailable when the whole database fails."""
        reason = str(error) if isinstance(error, SluiceError) else type(error).__name__
        if self._store.count_failure(content, control.epoch, reason) < FAILURES_BEFORE_PARKING:
            return False
        self._store.report_parked(content, control.epoch)
        self._shards.park(range(control.shards), control.epoch, control.day, content)
        logger.error("A content was moved aside: it failed too often", content=content, epoch=control.epoch)
        return True


def _by_epoch(control: Control, parts: list[Part]) -> list[Part]:
    """The parts of all shards summed by epoch, oldest first: an epoch is refused once a later one is applied."""
    days = {control.epoch: control.day} | {part.epoch: part.day for part in parts if part.day is not None}
    views: dict[int, int] = {}
    for part in parts:
        views[part.epoch] = views.get(part.epoch, 0) + part.views
    return [Part(epoch, views[epoch], days[epoch]) for epoch in sorted(views)]
