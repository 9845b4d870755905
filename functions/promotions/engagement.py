"""The engagement of a promotion: what its posts' metrics are, and when they are read next (S4-11, S4-12)."""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from promotions.items import ENGAGEMENT, EngagementItem
from promotions.ports import Metrics
from promotions.promotion import Final, Promotion
from sluice.dynamodb import setting, transient_as_unavailable

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
