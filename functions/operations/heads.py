"""The audit log of what is no campaign: redrives and tokens. Each has one chain, and its head beside the platform's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from sluice import platform
from sluice.audit import Head, HeadAttributes
from sluice.commit import Trace, commit
from sluice.dynamodb import Bound, Database, bound_to, transient_as_unavailable
from sluice.platform import PlatformItem

PART = platform.PART


class HeadItem(HeadAttributes, Bound):
    """The head of the entries of an entity."""

    class Meta(Bound.Meta):
        pass

    id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True, default=PART)
    kind = UnicodeAttribute()


def items_in(table_name: str) -> type[HeadItem]:
    return bound_to(HeadItem, table_name)


@dataclass(frozen=True)
class AuditLog:
    """Records entries of `entity`. `restored` is the action of a bridge."""

    entity: str
    restored: str
    database: Database
    items: type[HeadItem]

    def record(
        self,
        action: str,
        actor: str,
        after: Mapping[str, Any],
        now: datetime,
        open_in: type[PlatformItem] | None = None,
    ) -> Head | None:
        """Write an entry; with `open_in` only while the platform is not stopped. None when a condition failed."""
        head = self._head()
        trace = Trace(
            entity=self.entity,
            action=action,
            actor=actor,
            before=None,
            after=after,
            event="",
            told={},
            restored=self.restored,
        )

        def write(transaction: TransactWrite, after: Head) -> None:
            item = self.items(self.entity, kind=self.entity, audit_number=after.number, audit_hash=after.hash)
            as_read: Any = self.items.id.does_not_exist()
            if head.number:
                as_read = self.items.audit_number == head.number
            transaction.save(item, condition=as_read)
            if open_in is not None:
                platform.require_open(transaction, open_in)

        return commit(self.database, head, trace, now, entity=lambda after: after, write=write)

    def _head(self) -> Head:
        with transient_as_unavailable():
            try:
                return self.items.get(self.entity, PART, consistent_read=True).audit_head
            except DoesNotExist:
                return Head()
