"""What the views write of their totals, the organic ones, and the ranking by them; `sluice.totals` has the model."""

from dataclasses import dataclass

from pynamodb.transactions import TransactWrite

from sluice.dynamodb import transient_as_unavailable
from sluice.totals import Kind, TotalItem, key


@dataclass(frozen=True)
class Ranked:
    """A content's place in the ranking of its type."""

    content_id: str
    organic: int


def add_organic(transaction: TransactWrite, content_type: str, content_id: str, views: int, epoch: int) -> None:
    """Add an epoch's views to a content's organic counter, on condition that neither it nor a later one is in it."""
    transaction.update(
        _organic(content_type, content_id),
        actions=[TotalItem.views.add(views), TotalItem.last_epoch.set(epoch), TotalItem.ranked.set(content_type)],
        condition=TotalItem.last_epoch.does_not_exist() | (TotalItem.last_epoch < epoch),
    )


def add_folded(transaction: TransactWrite, content_type: str, content_id: str, views: int) -> None:
    """Add views of no epoch to a content's organic counter, in the transaction that marks them as added."""
    counter = _organic(content_type, content_id)
    transaction.update(counter, actions=[TotalItem.views.add(views), TotalItem.ranked.set(content_type)])


def add_imported(transaction: TransactWrite, content_type: str, content_id: str, views: int) -> None:
    """Add a content's count of another system to its organic counter, on condition that none was ever added."""
    transaction.update(
        _organic(content_type, content_id),
        actions=[TotalItem.views.add(views), TotalItem.imported.set(views), TotalItem.ranked.set(content_type)],
        condition=TotalItem.imported.does_not_exist(),
    )


def adjust_organic(transaction: TransactWrite, content_type: str, content_id: str, views: int, before: int) -> None:
    """Add views, or with a minus take them, on condition that the organic counter is `before`."""
    is_as_read = TotalItem.views == before
    transaction.update(
        _organic(content_type, content_id),
        actions=[TotalItem.views.add(views), TotalItem.ranked.set(content_type)],
        condition=is_as_read if before else TotalItem.views.does_not_exist() | is_as_read,
    )


def most_viewed(content_type: str, limit: int, after: Ranked | None = None) -> list[Ranked]:
    """The contents of a type with the most organic views in the database, in that order, beginning after a place.

    The index lags behind the counters by moments.
    """
    place = None
    if after is not None:
        last = key(Kind.ORGANIC, content_type, after.content_id)
        place = {"key": {"S": last}, "ranked": {"S": content_type}, "views": {"N": str(after.organic)}}
    with transient_as_unavailable():
        items = TotalItem.by_views.query(content_type, scan_index_forward=False, limit=limit, last_evaluated_key=place)
        return [Ranked(item.key.split("#", 2)[2], int(item.views)) for item in items]


def _organic(content_type: str, content_id: str) -> TotalItem:
    return TotalItem(key(Kind.ORGANIC, content_type, content_id))
