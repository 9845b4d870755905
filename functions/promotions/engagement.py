"""The engagement of a promotion: what its posts' metrics are, and when they are read next (S4-11, S4-12)."""

from datetime import datetime

from pynamodb.transactions import TransactWrite

from promotions.campaign import Promotion
from promotions.items import ENGAGEMENT, EngagementItem

TRACKED = "tracked"


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
