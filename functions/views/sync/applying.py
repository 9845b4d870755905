"""What an epoch took, brought to the database: each part of it once, whoever repeats it (design section 5)."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Protocol

from sluice.clock import Clock
from sluice.errors import SluiceError, Unavailable
from views.held import AwayView, Part, Taken
from views.rules import Calendar

# A child of the worker's logger, whose name is the service's: asking Powertools for it would bring botocore.
logger = logging.getLogger(f"sluice.{__name__}")

FAILURES_BEFORE_GIVING_UP = 3

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
ACTIONS = 100
CONTENTS_TOGETHER = (ACTIONS - 1) // 2  # a total and a daily row each, and the platform's day: one transaction
MOST_DAYS = (ACTIONS - 1) // 2  # of a content in one epoch, and the platform's: in one transaction with its total
REFUSALS_TOGETHER = ACTIONS // 2  # a row and at most an hour's sum each

_MOST_FAILED = 50  # contents that a step tries to fold in vain: each takes it a call
FOLDED_ROWS_KEPT = timedelta(days=2)  # until its day is over, a row is what refuses the viewer's next view

type Added = bool | Exception
"""True: added now. False: it was in already. An exception: why this one cannot be added."""


@dataclass(frozen=True)
class ContentViews:
    """Organic views of one content (`story:123`) in one epoch, by the day (`2026-11-20`) on which they were counted."""

    content: str
    by_day: Mapping[str, int]

    @property
    def views(self) -> int:
        return sum(self.by_day.values())


@dataclass(frozen=True)
class MovedRefusals:
    """How often rules together refused a content in one hour: a field of the shards' `refused`, and its count."""

    field: str
    refusals: int


@dataclass(frozen=True)
class AwayRow:
    """A view that was taken while Redis was away; `viewer` is the row's id."""

    viewer: str
    day: str
    content: str

    @property
    def key(self) -> str:
        """The viewer's key, as in Redis."""
        return self.viewer.removeprefix("viewer#")


@dataclass(frozen=True)
class Failure:
    """What could not be added in an epoch: a content, or a refusals' field (`cooldown|story:123|2026-11-20T08`)."""

    content: str
    failures: int
    reason: str
    is_parked: bool


@dataclass(frozen=True)
class Scope:
    """What a step works on: an epoch, the day of views that name none, and the shards."""

    epoch: int
    day: str
    shards: range


@dataclass(frozen=True)
class Work:
    """What a step did."""

    is_last: bool = False
    """The phase has nothing left to do."""
    contents: int = 0
    views: int = 0
    parked: int = 0
    refusals: int = 0
    folded: int = 0


class SyncingShards(Protocol):
    """The viewer shards; `views.shards.store.RedisShards` says what each method does."""

    def left(self, shards: Sequence[int], epoch: int, taken: Taken) -> list[int]: ...
    def page(self, shard: int, epoch: int, limit: int, taken: Taken) -> list[str]: ...
    def held(self, shards: Sequence[int], epoch: int, contents: Sequence[str]) -> list[list[tuple[Part, ...]]]: ...
    def refusals(self, shards: Sequence[int], epoch: int, fields: Sequence[str]) -> list[list[int]]: ...
    def drop(self, shards: Sequence[int], epoch: int, names: Sequence[str], taken: Taken) -> None: ...
    def park(self, shards: Sequence[int], epoch: int, day: str, content: str) -> None: ...
    def parked(self, shard: int, limit: int) -> list[str]: ...
    def claim(self, views: Sequence[AwayView], shards: int, now: int) -> list[bool]: ...


class ApplyingStore(Protocol):
    """Totals, daily rows, refusals and rows to fold. Every method raises Unavailable when the database is busy."""

    def apply(self, epoch: int, added: Sequence[ContentViews]) -> list[Added]:
        """Add an epoch's views to the total and the daily rows of each content and to the platform's days, once and all
        or none.

        Up to ACTIONS of these together.
        """

    def add_refusals(self, epoch: int, added: Sequence[MovedRefusals]) -> list[Added]:
        """Add an epoch's refusals to the row of each and to the sums of its hour, once and both or neither.

        Up to REFUSALS_TOGETHER.
        """

    def unfolded(self, limit: int, without: Collection[str] = ()) -> list[AwayRow]:
        """Up to about `limit` rows, as the index knows them: it may lack some, and show some that are folded.

        None of the contents in `without`, and what stands behind them.
        """

    def fold(self, epoch: int, rows: Sequence[AwayRow], ours: Collection[AwayRow], expires_at: int) -> bool:
        """Add the rows that are `ours` to the totals and daily rows of their contents and to the platform's days, and
        mark all rows; all of it or nothing.

        False when one of them is folded already. `expires_at` is in Unix seconds.
        """

    def still_unfolded(self, rows: Sequence[AwayRow]) -> dict[AwayRow, datetime | None]:
        """Those that are not folded yet, consistently, and when each view was taken; None for one that cannot be read,
        which is logged.
        """

    def count_failure(self, name: str, epoch: int, reason: str) -> int:
        """Count that a content, or a refusals' field, could not be added, and report how often that was."""

    def report_parked(self, content: str, epoch: int) -> None:
        """Mark a content's failures as those of one that is moved aside."""


class Applier:
    """One step of each phase. Every method can be repeated, and raises Outdated when a shard is in a later epoch."""

    def __init__(
        self,
        shards: SyncingShards,
        store: ApplyingStore,
        clock: Clock,
        calendar: Calendar,
        *,
        shard_count: int,
        page_contents: int,
    ) -> None:
        """`shard_count` is the number of shards that tracking knows."""
        self._shards = shards
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._shard_count = shard_count
        self._page_contents = page_contents

    def retry(self, scope: Scope) -> Work:
        """Try what was moved aside in earlier epochs again; what fails again stays aside."""
        contents: dict[str, None] = {}
        for shard in scope.shards:
            if len(contents) < self._page_contents:
                contents |= dict.fromkeys(self._shards.parked(shard, self._page_contents - len(contents)))
        return self._apply(scope, list(contents), is_last=True, parking=False)

    def page(self, scope: Scope) -> Work:
        """Apply a page of contents; at the third failure one is moved aside."""
        contents, is_last = self._page(scope, Taken.VIEWS)
        return self._apply(scope, contents, is_last=is_last, parking=True)

    def refusals(self, scope: Scope) -> Work:
        """Move a page of refusals. One that fails three times is logged and dropped: it must not block the views."""
        fields, is_last = self._page(scope, Taken.REFUSALS)
        # Rows of the same hour and rules together: their transaction writes one sum for all of them.
        by_sum = sorted(fields, key=lambda field: (field.rpartition("|")[2], field.partition("|")[0]))
        moved = sum([self._move(scope, together) for together in batched(by_sum, REFUSALS_TOGETHER, strict=False)])
        return Work(is_last, refusals=moved)

    def fold(self, scope: Scope, limit: int) -> Work:
        """Fold about `limit` rows: add each view that `track.lua` did not count as well, and mark all rows.

        What fails, and what the index does not show yet, is left to the next epoch.
        """
        folded: list[AwayRow] = []
        failed: set[str] = set()
        # Contents that fail stay where they are: past them, so that they keep no other waiting.
        while len(failed) < _MOST_FAILED:
            known = len(failed)
            found = self._store.still_unfolded(self._store.unfolded(limit, failed))
            left = {row: at for row, at in found.items() if at}
            failed |= {row.content for row in found if row not in left}
            ours = self._claimed(left)
            for rows in _packed(sorted(left, key=lambda row: (row.content, row.day)), _folding_actions):
                folded += self._fold(scope, rows, ours, failed)
            if folded or len(failed) == known:
                break
        return Work(is_last=not folded, folded=sum(row in ours for row in folded))

    def _claimed(self, rows: Mapping[AwayRow, datetime]) -> set[AwayRow]:
        """The rows to add: from now on `track.lua` counts none of them."""
        oldest_first = sorted(rows, key=lambda row: rows[row])
        views = [AwayView(row.key, row.content, self._calendar.moment(rows[row])) for row in oldest_first]
        now = self._calendar.moment(self._clock.now()).now
        claims = self._shards.claim(views, self._shard_count, now) if views else []
        return {row for row, is_ours in zip(oldest_first, claims, strict=True) if is_ours}

    def _page(self, scope: Scope, taken: Taken) -> tuple[list[str], bool]:
        """Names on a page, and whether there was nothing left on any shard."""
        names: dict[str, None] = {}
        every_left = self._shards.left(scope.shards, scope.epoch, taken)
        for shard, left in zip(scope.shards, every_left, strict=True):
            if left and len(names) < self._page_contents:
                # A name that a lower shard holds was found there: each is applied once, for all shards.
                found = self._shards.page(shard, scope.epoch, self._page_contents - len(names), taken)
                names |= dict.fromkeys(found)
        return list(names), not any(every_left)

    def _apply(self, scope: Scope, contents: list[str], *, is_last: bool, parking: bool) -> Work:
        applied = views = parked = 0
        # What is applied is dropped before the next: a worker that runs out of time has gone some of the way.
        for together in batched(contents, CONTENTS_TOGETHER, strict=False):
            added, failed = self._apply_together(scope, together)
            applied += len(together) - len(failed)
            views += added
            for content, error in failed.items():
                logger.warning("A content could not be applied", extra={"content": content}, exc_info=error)
                parked += parking and self._parked(scope, content, error)
        return Work(is_last, contents=applied, views=views, parked=parked)

    def _apply_together(self, scope: Scope, contents: Sequence[str]) -> tuple[int, dict[str, Exception]]:
        """Apply and drop contents; how many views were added now, and what failed."""
        by_shard = self._shards.held(scope.shards, scope.epoch, contents)
        held = {
            content: _by_epoch(scope, content, [part for parts in by_content for part in parts])
            for content, by_content in zip(contents, zip(*by_shard, strict=True), strict=True)
        }
        views = 0
        failed: dict[str, Exception] = {}
        # Oldest first, and a content that fails waits with its later epochs: one is refused once a later one is in.
        for epoch in sorted({epoch for of_content in held.values() for epoch in of_content}):
            waiting = [held[each][epoch] for each in contents if epoch in held[each] and each not in failed]
            for together in _packed(waiting, _applying_actions):
                for each, added in zip(together, self._store.apply(epoch, together), strict=True):
                    if isinstance(added, Exception):
                        failed[each.content] = added
                    elif added:
                        views += each.views
        if applied := [content for content in contents if content not in failed]:
            self._shards.drop(scope.shards, scope.epoch, applied, Taken.VIEWS)
        return views, failed

    def _parked(self, scope: Scope, content: str, error: Exception) -> bool:
        if not self._failed_too_often(scope, content, error):
            return False
        self._store.report_parked(content, scope.epoch)
        self._shards.park(scope.shards, scope.epoch, scope.day, content)
        logger.error("A content was moved aside: it failed too often", extra={"content": content, "epoch": scope.epoch})
        return True

    def _failed_too_often(self, scope: Scope, name: str, error: Exception) -> bool:
        """Count a failure."""
        reason = str(error) if isinstance(error, SluiceError) else type(error).__name__
        return self._store.count_failure(name, scope.epoch, reason) >= FAILURES_BEFORE_GIVING_UP

    def _move(self, scope: Scope, fields: Sequence[str]) -> int:
        """Add and drop refusals' fields; how many refusals were added now."""
        by_shard = self._shards.refusals(scope.shards, scope.epoch, fields)
        summed = {field: sum(counts) for field, counts in zip(fields, zip(*by_shard, strict=True), strict=True)}
        held = [MovedRefusals(field, refusals) for field, refusals in summed.items() if refusals]
        moved = 0
        done = [field for field, refusals in summed.items() if not refusals]  # nothing of them can be read
        for each, added in zip(held, self._store.add_refusals(scope.epoch, held), strict=True):
            if isinstance(added, Exception):
                if not self._failed_too_often(scope, each.field, added):
                    continue
                logger.error(
                    "Refusals were dropped: they failed too often", extra={"field": each.field}, exc_info=added
                )
            elif added:
                moved += each.refusals
            done.append(each.field)
        if done:
            self._shards.drop(scope.shards, scope.epoch, done, Taken.REFUSALS)
        return moved

    def _fold(
        self, scope: Scope, rows: Sequence[AwayRow], ours: Collection[AwayRow], failed: set[str]
    ) -> Sequence[AwayRow]:
        """Fold rows that fit into one transaction, and note contents that fail; those that were folded now: none when a
        copy of this step was faster.
        """
        expires_at = int((self._clock.now() + FOLDED_ROWS_KEPT).timestamp())
        try:
            return rows if self._store.fold(scope.epoch, rows, ours, expires_at) else ()
        except Unavailable:
            raise
        except Exception as error:  # A content's own failure: it keeps no other from the database.
            failure = error
        by_content = {row.content: [each for each in rows if each.content == row.content] for row in rows}
        if len(by_content) > 1:
            return [row for each in by_content.values() for row in self._fold(scope, each, ours, failed)]
        for content in by_content:
            failed.add(content)
            self._failed_too_often(scope, content, failure)
            logger.error(
                "Views taken while Redis was away could not be folded", extra={"content": content}, exc_info=failure
            )
        return ()


def _by_epoch(scope: Scope, content: str, parts: list[Part]) -> dict[int, ContentViews]:
    """The parts of all shards, summed by epoch and day."""
    summed: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for part in parts:
        summed[part.epoch][part.day or scope.day] += part.views
    return {epoch: ContentViews(content, _bounded(content, by_day)) for epoch, by_day in summed.items()}


def _bounded(content: str, by_day: Counter[str]) -> Counter[str]:
    """At most MOST_DAYS days: those before them are added to the first of them."""
    too_old = sorted(by_day)[:-MOST_DAYS]
    if too_old:
        logger.warning("Views of too many days wait: the oldest go to a later day", extra={"content": content})
        by_day[sorted(by_day)[-MOST_DAYS]] += sum([by_day.pop(day) for day in too_old])
    return by_day


def _packed[T](items: Sequence[T], actions_of: Callable[[Sequence[T]], int]) -> Iterator[list[T]]:
    """Items, in order, that fit into one transaction each time."""
    packed: list[T] = []
    for item in items:
        if packed and actions_of([*packed, item]) > ACTIONS:
            yield packed
            packed = []
        packed.append(item)
    if packed:
        yield packed


def _applying_actions(contents: Sequence[ContentViews]) -> int:
    days = {day for each in contents for day in each.by_day}
    return sum(1 + len(each.by_day) for each in contents) + len(days)


def _folding_actions(rows: Sequence[AwayRow]) -> int:
    contents, days = {row.content for row in rows}, {row.day for row in rows}
    return len(rows) + len(contents) + len({(row.content, row.day) for row in rows}) + len(days)
