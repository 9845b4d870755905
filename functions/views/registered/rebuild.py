"""Registered content in Redis: each shard's set of all of it, which a shard that lacks it gets anew from the database.

A set refuses nobody before it has its marker, and gets that last. Why none is missed then, whoever crashes when:

- a content's row is committed before it is added to the sets, and a rebuild reads the rows consistently: what was
  committed before a page was read is on it;
- what was committed after that is added by its own request, when the rebuild is under way: the shard keeps it with the
  rebuild's own name, in one set. A shard that loses the one has lost the other, and then gets no marker.

Where all contents count there are no sets, and none is made by registering: they cost memory.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Protocol, Self

from aws_lambda_powertools import Logger

from sluice.clock import Clock
from sluice.errors import Unavailable, Unreadable
from views.registered.store import BUCKETS, Content
from views.shards.store import RedisAway

logger = Logger(child=True)

PAGE_CONTENTS = 1000
PATIENCE = timedelta(minutes=10)
"""A rebuild that got no further for so long is given up for dead: its message is in the dead letters."""
_ATTEMPTS = 10  # each lost against another change of the same content
_NAME = "registered"


class Sets(Protocol):
    """The shards' sets; `views.shards.store.RedisShards` says what each method does."""

    def register(self, shards: Sequence[int], contents: Sequence[str], now: int, rebuild: str = "") -> list[bool]: ...
    def rebuilds(self, shards: Sequence[int]) -> list[int | None]: ...
    def begin_rebuild(self, shards: Sequence[int], rebuild: str, now: int) -> list[bool]: ...
    def end_rebuild(self, shards: Sequence[int], rebuild: str) -> list[bool]: ...
    def forget_registered(self, shards: Sequence[int]) -> list[bool]: ...


class Registry(Protocol):
    """The database; `views.registered.store.Registry` says what each method does."""

    def get(self, content_type: str, content_id: str) -> Content | None: ...
    def commit(self, before: Content | None, after: Content, actor: str) -> bool: ...
    def page(self, bucket: int, after: str, limit: int) -> list[str]: ...


class Registration:
    """Registers content. `shards` answers all that there ever were: asked when the row is there, it forgets none."""

    def __init__(
        self, registry: Registry, sets: Callable[[], Sets], shards: Callable[[], Sequence[int]], clock: Clock
    ) -> None:
        self._registry = registry
        self._sets = sets
        self._shards = shards
        self._clock = clock

    def put(self, content_type: str, content_id: str, title: str, owner: str, actor: str) -> Content:
        """Register or change a content; a repeat changes nothing, and completes what Redis was not told.

        Raises Unavailable, which says what to do.
        """
        content = self._commit(content_type, content_id, title, owner, actor)
        try:
            self._sets().register(self._shards(), [content.field], _milliseconds(self._clock.now()))
        except RedisAway as error:
            message = "The content is written, but Redis does not answer and may not know it yet: repeat this request"
            raise Unavailable(message, error.retry_after_seconds) from error
        return content

    def get(self, content_type: str, content_id: str) -> Content | None:
        """A registered content."""
        return self._registry.get(content_type, content_id)

    def _commit(self, content_type: str, content_id: str, title: str, owner: str, actor: str) -> Content:
        for _ in range(_ATTEMPTS):
            before = self._registry.get(content_type, content_id)
            if before and (before.title, before.owner) == (title, owner):
                return before
            now = self._clock.now()
            since = before.registered_at if before else now
            after = Content(content_type, content_id, title, owner, registered_at=since, updated_at=now)
            if self._registry.commit(before, after, actor):
                return after
        raise Unavailable("The content is being changed by others")


@dataclass(frozen=True)
class Page:
    """A message of a rebuild: the page to add next, and the shards that are rebuilt. Without a rebuild: begin one."""

    rebuild: str = ""
    shards: tuple[int, ...] = ()
    bucket: int = 0
    after: str = ""

    @classmethod
    def parse(cls, body: str) -> Self | None:
        """The message of a `body`; None for what is another message. Raises Unreadable."""
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            return None  # whose reader says so
        if not isinstance(fields, dict) or _NAME not in fields:
            return None
        try:
            page = cls(**fields[_NAME])
            return replace(page, shards=tuple(int(shard) for shard in page.shards), bucket=int(page.bucket))
        except (TypeError, ValueError) as error:
            raise Unreadable("The message names no page of registered content") from error

    def body(self) -> str:
        """`{"registered": {"rebuild": "5f...", "shards": [3], "bucket": 0, "after": "story:123"}}`."""
        return json.dumps({_NAME: asdict(self)})


class Rebuild:
    """Gives shards without a complete set a new one, a page at a time. `send` brings a message to the sync's queue.

    `shards` answers those that the sync has recorded: a request that registers content knows no others.
    """

    def __init__(
        self,
        registry: Registry,
        sets: Callable[[], Sets],
        shards: Callable[[], Sequence[int]],
        send: Callable[[Page, int], None],
        clock: Clock,
        *,
        is_wanted: bool,
        page_contents: int = PAGE_CONTENTS,
    ) -> None:
        self._registry = registry
        self._sets = sets
        self._shards = shards
        self._send = send
        self._clock = clock
        self._is_wanted = is_wanted
        self._page_contents = page_contents

    def ensure(self) -> None:
        """Ask for a rebuild when a shard lacks its set and none is under way there. Raises Unavailable.

        Where sets are not wanted any more they are forgotten.
        """
        if not self._is_wanted:
            self._sets().forget_registered(self._shards())
            return
        dead_before = _milliseconds(self._clock.now() - PATIENCE)
        if any(at is not None and at < dead_before for at in self._sets().rebuilds(self._shards())):
            self._send(Page(), 0)

    def run(self, page: Page) -> None:
        """Begin, or add a page and send the next. Returns when the message can be acknowledged. Raises Unavailable."""
        if page.rebuild:
            self._add(page)
        else:
            self._begin()

    def _begin(self) -> None:
        # Named anew whenever the message comes: a copy that begins again must not vouch for the pages of the first.
        rebuild = token_hex(8)
        shards = self._shards()
        begun = self._sets().begin_rebuild(shards, rebuild, _milliseconds(self._clock.now()))
        if lacking := _those(shards, begun):
            logger.info("Shards get their registered content anew", shards=lacking)
            self._send(Page(rebuild, lacking), 0)

    def _add(self, page: Page) -> None:
        contents = self._registry.page(page.bucket, page.after, self._page_contents)
        now = _milliseconds(self._clock.now())
        shards = _those(page.shards, self._sets().register(page.shards, contents, now, page.rebuild))
        if len(contents) == self._page_contents:
            following = replace(page, shards=shards, after=contents[-1])
        else:
            following = replace(page, shards=shards, bucket=page.bucket + 1, after="")
        if not shards:
            logger.warning("Dropped: another rebuild took over, or the shards restarted empty")
            self.ensure()
        elif following.bucket < BUCKETS:
            self._send(following, 0)
        else:
            self._end(following)

    def _end(self, page: Page) -> None:
        ended = _those(page.shards, self._sets().end_rebuild(page.shards, page.rebuild))
        logger.info("Shards have their registered content", shards=ended)
        self.ensure()


def _those(shards: Sequence[int], are: Sequence[bool]) -> tuple[int, ...]:
    return tuple(shard for shard, is_one in zip(shards, are, strict=True) if is_one)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
