"""Reads a content's views correctly, whatever a sync does meanwhile (design section 5)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Protocol

from views import keys
from views.content import Content
from views.held import Seen


class SyncedTotals(Protocol):
    """A content's views in the database, as in `sluice.totals.Totals`."""

    @property
    def organic(self) -> int: ...
    @property
    def boosted(self) -> int: ...
    @property
    def last_epoch(self) -> int: ...


class PendingShards(Protocol):
    """The viewer shards; `views.shards.store.RedisShards` says what each method does."""

    def read(self, shards: Sequence[int], contents: Sequence[str]) -> list[list[Seen]]: ...


@dataclass(frozen=True)
class Count:
    """Views of one content: organic ones in the database and not yet there, and boosted ones."""

    synced: int
    pending: int
    boosted: int
    is_degraded: bool = False
    """Whether `pending` is 0 because Redis did not answer."""


@dataclass(frozen=True)
class Reader:
    """Counts lie between the views accepted when the read began and when it ended, and never go backwards.

    `totals` reads many contents consistently (`sluice.totals.read_all`). `shard_count` is the highest ever used.
    """

    shards: PendingShards
    totals: Callable[[Sequence[Content]], Mapping[Content, SyncedTotals]]
    _: KW_ONLY
    shard_count: int

    def read(self, contents: Sequence[Content]) -> dict[Content, Count]:
        """The count of each content (type, id). Raises Unavailable when Redis or the database does not answer."""
        counts: dict[Content, Count] = {}
        tried: dict[Content, int] = {}
        left = list(dict.fromkeys(contents))
        while left:
            fields = [keys.content_field(*content) for content in left]
            by_shard = self.shards.read(range(self.shard_count), fields)
            totals = self.totals(left)
            for content, seen in zip(left, zip(*by_shard, strict=True), strict=True):
                total = totals[content]
                # A shard that restarted empty reports no epoch: without the last try the loop could not end.
                lowest = max(min(shard.epoch for shard in seen), tried.get(content, 0))
                if total.last_epoch <= lowest:
                    counts[content] = Count(total.organic, _pending(seen, total.last_epoch), total.boosted)
                tried[content] = total.last_epoch  # The database moved on past what was read: read again.
            left = [content for content in left if content not in counts]
        return counts


def _pending(shards: Sequence[Seen], last_epoch: int) -> int:
    """The views that are not in the database: a part counts while its epoch is not there."""
    return sum(shard.pending + sum(part.views for part in shard.parts if part.epoch > last_epoch) for shard in shards)
