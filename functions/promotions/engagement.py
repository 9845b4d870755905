"""The engagement of a promotion: what its posts' metrics are, and when they are read next (S4-11, S4-12)."""

from datetime import datetime

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from promotions.campaign import Promotion
from promotions.items import ENGAGEMENT, PromotionsItem

TRACKED = "tracked"
INTERVAL_SECONDS = 300
"""How often metrics are read (S4-12), while they change."""


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
    metrics = JSONAttribute(null=True)
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


def begin(transaction: TransactWrite, promotion: Promotion) -> None:
    """Begin to track a promotion that starts: its metrics are due at once."""
    started: datetime | None = promotion.campaign_start_time
    item = EngagementItem(promotion.id, ENGAGEMENT, network=promotion.network, host=promotion.host)
    item.owner, item.post_ids = promotion.created_by, [promotion.tweet_id, promotion.last_thread_tweet_id]
    item.tracked, item.track_at = TRACKED, started
    transaction.save(item)


def end(transaction: TransactWrite, promotion: Promotion) -> None:
    """End the tracking, in the transaction that begins to close: nothing writes after the final metrics."""
    item = EngagementItem(promotion.id, ENGAGEMENT)
    transaction.update(item, [EngagementItem.tracked.remove(), EngagementItem.track_at.remove()])
