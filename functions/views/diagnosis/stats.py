"""How tracking and the sync stand, from the counters that the scripts keep (S2-28)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sluice.clock import Clock
from views.control import Control, Phase
from views.held import ShardStats
from views.rules import Calendar


class Shards(Protocol):
    """The viewer shards; `views.shards.store.RedisShards` says what each method does."""

    def stats(self, shards: Sequence[int], day_start: int) -> list[ShardStats]: ...
    def used_memory(self) -> int | None: ...


@dataclass(frozen=True)
class Stats:
    """How tracking and the sync stand at a moment. Sums are over all shards, each of which is read at one moment."""

    at: datetime
    shards: list[ShardStats]
    used_memory_bytes: int | None
    open_epoch: Control | None

    @property
    def pending_views(self) -> int:
        return sum(shard.pending_views for shard in self.shards)

    @property
    def pending_contents(self) -> int:
        return sum(shard.pending_contents for shard in self.shards)

    @property
    def syncing_contents(self) -> int:
        return sum(shard.syncing_contents for shard in self.shards)

    @property
    def parked_contents(self) -> int:
        return sum(shard.parked_contents for shard in self.shards)

    @property
    def refused_fields(self) -> int:
        return sum(shard.refused_fields for shard in self.shards)

    @property
    def sessions(self) -> int:
        return sum(shard.sessions for shard in self.shards)

    @property
    def viewers(self) -> int:
        return sum(shard.viewers for shard in self.shards)

    @property
    def oldest_pending_at(self) -> datetime | None:
        """When the oldest view was accepted that is not in the database, as far as its shard knows."""
        since = [at for shard in self.shards for at in (shard.pending_since, shard.syncing_since) if at]
        return datetime.fromtimestamp(min(since) / 1000, UTC) if since else None

    @property
    def oldest_pending_seconds(self) -> int | None:
        oldest = self.oldest_pending_at
        return max(0, int((self.at - oldest).total_seconds())) if oldest else None


class StatsReader:
    """Reads them. `control` answers the sync's control item; `shard_count` is the number of shards in use."""

    def __init__(
        self,
        shards: Callable[[], Shards],
        control: Callable[[], Control | None],
        clock: Clock,
        calendar: Calendar,
        *,
        shard_count: int,
    ) -> None:
        self._shards = shards
        self._control = control
        self._clock = clock
        self._calendar = calendar
        self._shard_count = shard_count

    def read(self) -> Stats:
        """Raises Unavailable when Redis or the database does not answer."""
        now = self._clock.now()
        control = self._control()
        shards = self._shards()
        every = range(max(self._shard_count, control.shards if control else 0))
        of_shards = shards.stats(every, self._calendar.moment(now).day_start)
        is_open = control is not None and control.phase is not Phase.DONE
        return Stats(now, of_shards, shards.used_memory(), control if is_open else None)
