"""The rows of tracked promotions: which are due, and how a reading changes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from promotions.engagement import TRACKED
from promotions.items import ENGAGEMENT, INTERVAL_SECONDS, KEPT, EngagementItem, SnapshotItem
from sluice.clock import rfc3339
from sluice.dynamodb import page_of, read_batch, readable, setting, transient_as_unavailable, update_if, values_of

_BATCH = 100


@dataclass(frozen=True)
class Tracked:
    """A promotion's engagement while it is read. `metrics` are the sum over both posts."""

    id: str
    network: str
    host: str
    owner: str
    post_ids: Sequence[str]
    triggers: Sequence[Mapping[str, str | int]]
    closes_at: datetime
    track_at: datetime
    metrics: Mapping[str, int] | None = None
    read_at: datetime | None = None
    interval: int = INTERVAL_SECONDS
    unchanged: int = 0
    errors: int = 0
    misses: int = 0
    missing: bool = False

    @property
    def is_triggered(self) -> bool:
        """Whether a metric has reached the number that closes the promotion: reached or passed, not met exactly."""
        has = self.metrics or {}
        return any(has.get(str(each["metric"]), 0) >= int(each["at_least"]) for each in self.triggers)


def due(now: datetime, limit: int) -> list[Tracked]:
    """What is due, oldest first: found by the index, and read from the table."""
    with transient_as_unavailable():
        rows = EngagementItem.by_track.query(TRACKED, EngagementItem.track_at <= now, limit=limit)
        keys = [(each, ENGAGEMENT) for each in readable(rows, lambda row: str(row.id))]
    pages = [keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH)]
    found = {row.id: row for page in pages for row in read_batch(EngagementItem, page, _tracked) if row}
    return [found[each] for each, _ in keys if each in found and found[each].track_at <= now]


def write(row: Tracked, after: Tracked) -> bool:
    """Write a reading, on condition that the promotion is tracked and due as it was read; False when it is not."""
    changed = {name: value for name, value in vars(after).items() if value != getattr(row, name)}
    as_read = (EngagementItem.tracked == TRACKED) & (EngagementItem.track_at == row.track_at)
    return update_if(EngagementItem(row.id, ENGAGEMENT), setting(EngagementItem, changed), as_read)


def keep(row: Tracked, now: datetime) -> None:
    """Keep the metrics of a moment, for the history."""
    expires_at = int((row.closes_at + KEPT).timestamp())
    with transient_as_unavailable():
        SnapshotItem(row.id, f"metrics#{rfc3339(now)}", metrics=dict(row.metrics or {}), expires_at=expires_at).save()


def history(promotion_id: str, limit: int) -> list[tuple[str, dict[str, int]]]:
    """The newest snapshots of a promotion: the time, and the metrics then."""

    def read(item: SnapshotItem) -> tuple[str, dict[str, int]]:
        return str(item.part.removeprefix("metrics#")), item.metrics

    return page_of(SnapshotItem, read, promotion_id, "metrics#", limit, None, newest_first=True)[0]


def _tracked(item: EngagementItem) -> Tracked | None:
    """Returns None if the promotion began to close since the index was read."""
    return Tracked(**values_of(item, Tracked)) if item.tracked and item.track_at else None
