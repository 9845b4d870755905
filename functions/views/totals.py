"""The writes of the organic totals; `sluice.totals` has the model."""

from pynamodb.transactions import TransactWrite

from sluice.totals import Kind, TotalItem, key


def add_organic(transaction: TransactWrite, content_type: str, content_id: str, views: int, epoch: int) -> None:
    """Add an epoch's views to a content's organic counter, if neither this nor a later epoch is in it."""
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


def _organic(content_type: str, content_id: str) -> TotalItem:
    return TotalItem(key(Kind.ORGANIC, content_type, content_id))
