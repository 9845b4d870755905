"""The state of tracking and the sync, from the counters that the scripts keep (S2-28)."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from typing import Protocol

from sluice.clock import Clock
from views.control import Control, Phase
from views.held import ShardStats
from views.rules import Calendar


class StatsShards(Protocol):
    """The viewer shards; `views.shards.store.RedisShards` says what each method does."""

    def stats(self, shards: Sequence[int], day_start: int) -> list[ShardStats]: ...
    def used_memory(self) -> int | None: ...


class _Sum:
    """The sum over all shards of the field that has its name."""

    def __set_name__(self, owner: "type[Stats]", name: str) -> None:
        self._name = name

    def __get__(self, stats: "Stats", owner: "type[Stats]") -> int:
        return sum(getattr(shard, self._name) for shard in stats.shards)


@dataclass(frozen=True)
class Stats:
    """The state of tracking and the sync. Sums are over all shards; each shard is read at one moment."""

    at: datetime
    shards: list[ShardStats]
    used_memory_bytes: int | None
    open_epoch: Control | None

    pending_views = _Sum()
    pending_contents = _Sum()
    syncing_contents = _Sum()
    parked_contents = _Sum()
    refused_fields = _Sum()
    unknown_contents = _Sum()
    refused_too_many = _Sum()
    sessions = _Sum()
    viewers = _Sum()

    @property
    def oldest_pending_at(self) -> datetime | None:
        """When the oldest view that is not in the database was accepted, as far as its shard knows."""
        since = [at for shard in self.shards for at in (shard.pending_since, shard.syncing_since) if at]
        return datetime.fromtimestamp(min(since) / 1000, UTC) if since else None

    @property
    def oldest_pending_seconds(self) -> int | None:
        oldest = self.oldest_pending_at
        return max(0, int((self.at - oldest).total_seconds())) if oldest else None


@dataclass(frozen=True)
class StatsReader:
    """Reads the stats. `control` returns the sync's control item; `shard_count` is the number of shards in use."""

    shards: Callable[[], StatsShards]
    control: Callable[[], Control | None]
    clock: Clock
    calendar: Calendar
    _: KW_ONLY
    shard_count: int

    def read(self) -> Stats:
        """Raises Unavailable when Redis or the database does not answer."""
        now = self.clock.now()
        control = self.control()
        shards = self.shards()
        every = range(max(self.shard_count, control.shards if control else 0))
        of_shards = shards.stats(every, self.calendar.moment(now).day_start)
        is_open = control is not None and control.phase is not Phase.DONE
        return Stats(now, of_shards, shards.used_memory(), control if is_open else None)
