"""Registered content in Redis: a set of all contents on each shard, rebuilt from the database where it is missing.

A set refuses no view before it has its marker, which it gets last. It then misses no content, in spite of crashes:

- a content's row is committed before the content is added to the sets, and a rebuild reads the rows consistently: a
  page has every content that was committed before it was read;
- a content that was committed later is added by its own request while the rebuild is under way. The rebuild's name is
  a member of the set: a shard that loses the set loses the name, too, and gets no marker.

Where all contents count there are no sets, and registering makes none: they cost memory.
"""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Protocol

from aws_lambda_powertools import Logger

from sluice.clock import Clock
from views.messages import Page
from views.registered.content import BUCKETS

logger = Logger(child=True)

PAGE_CONTENTS = 1000
PATIENCE = timedelta(minutes=10)
"""A rebuild without progress for so long is dead: its message is in the dead letters."""


class RegisteredSets(Protocol):
    """The shards' sets; `views.shards.store.RedisShards` says what each method does."""

    def register(self, shards: Sequence[int], contents: Sequence[str], now: int, rebuild: str = "") -> list[bool]: ...
    def rebuilds(self, shards: Sequence[int]) -> list[int | None]: ...
    def begin_rebuild(self, shards: Sequence[int], rebuild: str, now: int) -> list[bool]: ...
    def end_rebuild(self, shards: Sequence[int], rebuild: str) -> list[bool]: ...
    def forget_registered(self, shards: Sequence[int]) -> list[bool]: ...


class ReadableRegistry(Protocol):
    """The database; `views.registered.store.Registry` says what each method does."""

    def page(self, bucket: int, after: str, limit: int) -> list[str]: ...


@dataclass
class Rebuild:
    """Gives shards without a complete set a new one, a page at a time. `send` brings a message to the sync's queue.

    `shards` returns the shards that the sync has recorded: a request that registers content knows no others.
    """

    registry: ReadableRegistry
    sets: RegisteredSets
    shards: Callable[[], Sequence[int]]
    send: Callable[[Page, int], None]
    clock: Clock
    _: KW_ONLY
    is_wanted: bool
    page_contents: int = PAGE_CONTENTS

    def ensure(self) -> None:
        """Ask for a rebuild if a shard lacks its set and no rebuild is under way there. Raises Unavailable.

        Sets that are not wanted any more are deleted.
        """
        if not self.is_wanted:
            self.sets.forget_registered(self.shards())
            return
        dead_before = _milliseconds(self.clock.now() - PATIENCE)
        if any(at is not None and at < dead_before for at in self.sets.rebuilds(self.shards())):
            self.send(Page(), 0)

    def run(self, page: Page) -> None:
        """Begin, or add a page and send the next. The message can be acknowledged after it. Raises Unavailable."""
        if page.rebuild:
            self._add(page)
        else:
            self._begin()

    def _begin(self) -> None:
        # A new name for each delivery: a copy that begins again must not vouch for the pages of the first.
        rebuild = token_hex(8)
        shards = self.shards()
        begun = self.sets.begin_rebuild(shards, rebuild, _milliseconds(self.clock.now()))
        if lacking := _those(shards, begun):
            logger.info("Shards get their registered content again", shards=lacking)
            self.send(Page(rebuild, lacking), 0)

    def _add(self, page: Page) -> None:
        contents = self.registry.page(page.bucket, page.after, self.page_contents)
        now = _milliseconds(self.clock.now())
        shards = _those(page.shards, self.sets.register(page.shards, contents, now, page.rebuild))
        if len(contents) == self.page_contents:
            following = replace(page, shards=shards, after=contents[-1])
        else:
            following = replace(page, shards=shards, bucket=page.bucket + 1, after="")
        if not shards:
            logger.warning("Dropped: another rebuild took over, or the shards restarted empty")
            self.ensure()
        elif following.bucket < BUCKETS:
            self.send(following, 0)
        else:
            self._end(following)

    def _end(self, page: Page) -> None:
        ended = _those(page.shards, self.sets.end_rebuild(page.shards, page.rebuild))
        logger.info("Shards have their registered content", shards=ended)
        self.ensure()


def _those(shards: Sequence[int], are: Sequence[bool]) -> tuple[int, ...]:
    return tuple(shard for shard, is_one in zip(shards, are, strict=True) if is_one)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
