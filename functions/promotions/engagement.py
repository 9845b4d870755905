"""The engagement of a promotion: what its posts' metrics are, and when they are read next (S4-11, S4-12)."""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from promotions.items import ENGAGEMENT, EngagementItem
from promotions.promotion import Final, Promotion, Tracked
from sluice.dynamodb import setting, transient_as_unavailable, update_if

TRACKED = "tracked"


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


def tracked(promotion_id: str) -> Tracked | None:
    """What is known of a promotion's posts, by a consistent read; None if the promotion never ran."""
    item = _item(promotion_id)
    return Tracked(_final(item), item.final, item.track_at, int(item.errors)) if item else None


def read_now(post_id: str, now: datetime) -> None:
    """Let the metrics of a post's promotion be due at once, if somebody reads them: for the sandbox."""
    with transient_as_unavailable():
        ids = [row.id for row in EngagementItem.by_track.query(TRACKED)]
    mine = [promotion_id for promotion_id in ids if (item := _item(promotion_id)) and post_id in item.post_ids]
    for promotion_id in mine:
        actions = [EngagementItem.track_at.set(now)]
        update_if(EngagementItem(promotion_id, ENGAGEMENT), actions, EngagementItem.tracked.exists())


def known(promotion_id: str) -> Final:
    """The metrics that are known of a promotion's posts, by a consistent read."""
    item = _item(promotion_id)
    return _final(item) if item else Final({}, None)


def finish(transaction: TransactWrite, promotion_id: str, final: Final) -> None:
    """Write the final metrics."""
    transaction.update(EngagementItem(promotion_id, ENGAGEMENT), setting(EngagementItem, vars(final) | {"final": True}))


def _item(promotion_id: str) -> EngagementItem | None:
    try:
        with transient_as_unavailable():
            return EngagementItem.get(promotion_id, ENGAGEMENT, consistent_read=True)
    except DoesNotExist:
        return None


def _final(item: EngagementItem) -> Final:
    return Final(item.metrics or {}, item.read_at, item.missing)
