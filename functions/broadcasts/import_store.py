"""Imports in the database, and what the end of a check changes on a campaign."""

from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from broadcasts.campaign import Broadcast, Change
from broadcasts.importing import Import, Judged, ListImportStatus
from broadcasts.items import ImportItem
from broadcasts.store import BroadcastStore
from sluice.audit import Head
from sluice.commit import commit
from sluice.dynamodb import read_batch, setting, transient_as_unavailable, update_if
from sluice.requests import Keyed


class ImportStore(BroadcastStore):
    """The broadcasts' store, with their imports. Raises Unavailable."""

    def importing(self, campaign_id: str, import_id: str) -> Import | None:
        """An import of a campaign, by a consistent read."""
        key = ImportItem.key(campaign_id, import_id)
        return next(iter(read_batch(ImportItem, [key], lambda item: item.importing())), None)

    def begin(self, made: Import) -> None:
        """Save a new import. On no condition: its id is new, and the SDK may send a write twice."""
        with transient_as_unavailable():
            ImportItem.of(made).save()

    def move(self, before: Import, after: Import, now: datetime, keyed: Keyed[Import] | None = None) -> Import | None:
        """Put an import in place of the one as read; None when it is another by now, or the key has an answer."""

        def write(transaction: TransactWrite, _: Import) -> None:
            _write(transaction, before, after)

        return commit(self._database, Head(), None, now, entity=lambda _: after, write=write, keyed=keyed)

    def answered(self, found: Import, now: datetime, keyed: Keyed[Import]) -> Import | None:
        """Store the answer of a keyed request that changes nothing."""
        return commit(self._database, Head(), None, now, entity=lambda _: found, write=lambda *_: None, keyed=keyed)

    def take(self, found: Import, now: datetime) -> bool:
        """Note that a worker begins to check an import; False when it is not CHECKING any more."""
        item = ImportItem(*ImportItem.key(found.campaign_id, found.id))
        return update_if(item, [ImportItem.begun_at.set(now)], ImportItem.status == ListImportStatus.CHECKING)

    def also(self, transaction: TransactWrite, change: Change, after: Broadcast, now: datetime) -> None:
        super().also(transaction, change, after, now)
        if isinstance(change, Judged) and change.importing:
            _write(transaction, *change.importing)


def _write(transaction: TransactWrite, before: Import, after: Import) -> None:
    values = {name: value for name, value in vars(after).items() if value != getattr(before, name)}
    as_read: Condition = ImportItem.status == before.status
    transaction.update(ImportItem(*ImportItem.key(before.campaign_id, before.id)), setting(ImportItem, values), as_read)
