"""The engagement of a promotion: what its posts' metrics are, and when they are read next (S4-11, S4-12)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from promotions.items import ENGAGEMENT, PromotionsItem
from promotions.ports import Metrics
from promotions.promotion import Final, Promotion
from sluice.clock import rfc3339
from sluice.dynamodb import page_of, read_batch, readable, setting, transient_as_unavailable, update_if, values_of

TRACKED = "tracked"
INTERVAL_SECONDS = 300
"""How often metrics are read (S4-12), while they change."""
_KEPT = timedelta(days=90)


class _ByTrack(GlobalSecondaryIndex["EngagementItem"]):
    class Meta:
        index_name = "by_track"
        projection = KeysOnlyProjection()

    tracked = UnicodeAttribute(hash_key=True)
    track_at = UTCDateTimeAttribute(range_key=True)


class EngagementItem(PromotionsItem):
    """The metrics of a promotion's posts. `tracked` and `track_at` are there while somebody reads them."""

    network = UnicodeAttribute()
    host = UnicodeAttribute()
    owner = UnicodeAttribute()
    post_ids = JSONAttribute()
    triggers = JSONAttribute()
    closes_at = UTCDateTimeAttribute()
    metrics = JSONAttribute(null=True)
    """By post: `{"1728": {"likes": 4, "reposts": 1, "quotes": 0, "replies": 0}}`."""
    read_at = UTCDateTimeAttribute(null=True)
    tracked = UnicodeAttribute(null=True)
    track_at = UTCDateTimeAttribute(null=True)
    interval = NumberAttribute(default=INTERVAL_SECONDS)
    unchanged = NumberAttribute(default=0)
    errors = NumberAttribute(default=0)
    misses = NumberAttribute(default=0)
    missing = BooleanAttribute(default=False)
    final = BooleanAttribute(default=False)
    by_track = _ByTrack()


class SnapshotItem(PromotionsItem):
    """`prm_...`, `metrics#<time>`: the metrics then. Removed 90 days after the close."""

    metrics = JSONAttribute()
    expires_at = NumberAttribute()


@dataclass(frozen=True)
class Tracked:
    """A promotion's engagement while it is read. `metrics` are those of each post: likes, reposts, ..."""

    id: str
    network: str
    host: str
    owner: str
    post_ids: Sequence[str]
    triggers: Sequence[Mapping[str, str | int]]
    closes_at: datetime
    track_at: datetime
    metrics: Mapping[str, Mapping[str, int]] | None = None
    read_at: datetime | None = None
    interval: int = INTERVAL_SECONDS
    unchanged: int = 0
    errors: int = 0
    misses: int = 0
    missing: bool = False

    @property
    def is_triggered(self) -> bool:
        """Whether a metric has reached the number that closes the promotion: reached or passed, not met exactly."""
        has = totals(self.metrics)
        return any(has[str(each["metric"])] >= int(each["at_least"]) for each in self.triggers)


def totals(metrics: Mapping[str, Mapping[str, int]] | None) -> Counter[str]:
    """The metrics of both posts, added."""
    found: Counter[str] = Counter()
    for each in (metrics or {}).values():
        found.update(each)
    return found


def begin(transaction: TransactWrite, promotion: Promotion) -> None:
    """Begin to track a promotion that starts: its metrics are due at once."""
    item = EngagementItem(promotion.id, ENGAGEMENT, network=promotion.network, host=promotion.host)
    item.owner, item.post_ids = promotion.created_by, [promotion.tweet_id, promotion.last_thread_tweet_id]
    item.triggers = [vars(each) for each in promotion.auto_close]
    item.closes_at = promotion.campaign_close_time
    item.tracked, item.track_at = TRACKED, promotion.campaign_start_time
    transaction.save(item)


def end(transaction: TransactWrite, promotion: Promotion) -> None:
    """End the tracking, in the transaction that begins to close: nothing writes after the final metrics."""
    item = EngagementItem(promotion.id, ENGAGEMENT)
    transaction.update(item, [EngagementItem.tracked.remove(), EngagementItem.track_at.remove()])


def get(promotion_id: str) -> EngagementItem | None:
    """A promotion's engagement, by a consistent read."""
    try:
        with transient_as_unavailable():
            return EngagementItem.get(promotion_id, ENGAGEMENT, consistent_read=True)
    except DoesNotExist:
        return None


def due(now: datetime, limit: int) -> list[Tracked]:
    """What is due, oldest first: found by the index, and read from the table."""
    with transient_as_unavailable():
        rows = EngagementItem.by_track.query(TRACKED, EngagementItem.track_at <= now, limit=limit)
        ids = list(readable(rows, lambda row: str(row.id)))
    found = {row.id: row for each in _pages(ids) for row in read_batch(EngagementItem, each, _tracked) if row}
    return [found[each] for each in ids if each in found and found[each].track_at <= now]


def write(row: Tracked, after: Tracked) -> bool:
    """Write a reading, on condition that the promotion is tracked and due as it was read; False when it is not."""
    changed = {name: value for name, value in vars(after).items() if value != getattr(row, name)}
    as_read = (EngagementItem.tracked == TRACKED) & (EngagementItem.track_at == row.track_at)
    return update_if(EngagementItem(row.id, ENGAGEMENT), setting(EngagementItem, changed), as_read)


def keep(row: Tracked, now: datetime) -> None:
    """Keep the metrics of a moment, for the history."""
    expires_at = int((row.closes_at + _KEPT).timestamp())
    with transient_as_unavailable():
        SnapshotItem(row.id, f"metrics#{rfc3339(now)}", metrics=dict(totals(row.metrics)), expires_at=expires_at).save()


def history(promotion_id: str, limit: int) -> list[tuple[str, dict[str, int]]]:
    """The newest snapshots: the time, and the metrics."""

    def read(item: SnapshotItem) -> tuple[str, dict[str, int]]:
        return str(item.part.removeprefix("metrics#")), item.metrics

    return page_of(SnapshotItem, read, promotion_id, "metrics#", limit, None, newest_first=True)[0]


def _tracked(item: EngagementItem) -> Tracked | None:
    """None for one that began to close since the index was read."""
    return Tracked(**values_of(item, Tracked)) if item.tracked and item.track_at else None


def _pages(ids: Sequence[str]) -> list[list[tuple[str, str]]]:
    keys = [(each, ENGAGEMENT) for each in ids]
    return [keys[start : start + 100] for start in range(0, len(keys), 100)]


def known(promotion_id: str) -> Final:
    """The metrics that are known of a promotion's posts, by a consistent read."""
    try:
        with transient_as_unavailable():
            item = EngagementItem.get(promotion_id, ENGAGEMENT, consistent_read=True)
    except DoesNotExist:
        return Final({}, None)
    posts = {post: Metrics(**values) for post, values in (item.metrics or {}).items()}
    return Final(posts, item.read_at, item.missing)


def finish(transaction: TransactWrite, promotion_id: str, final: Final) -> None:
    """Write the final metrics."""
    item, posts = EngagementItem(promotion_id, ENGAGEMENT), {post: vars(each) for post, each in final.posts.items()}
    values = {"metrics": posts, "read_at": final.read_at, "missing": final.missing, "final": True}
    transaction.update(item, setting(EngagementItem, values))
