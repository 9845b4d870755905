"""The platform as a whole: whether it is stopped, so that no chain of any context commits a batch.

Each context's table holds a copy of one item, beside its campaigns: a step reads it with its campaign, in the same
batch read, and its transaction is conditioned on it. All copies are written in one transaction.
"""

from enum import StrEnum

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.transactions import TransactWrite

from sluice.audit import Head
from sluice.dynamodb import Bound, bound_to

ENTITY = "platform"
PART = "campaign"
"""The same as a campaign's, so that the audit trail finds its head as it finds a campaign's."""


class PlatformStatus(StrEnum):
    """Whether batches are committed."""

    OPEN = "open"
    STOPPED = "stopped"


class PlatformItem(Bound):
    """One table's copy. Without one the platform is open, and was never stopped."""

    class Meta(Bound.Meta):
        pass

    id = UnicodeAttribute(hash_key=True, default=ENTITY)
    part = UnicodeAttribute(range_key=True, default=PART)
    kind = UnicodeAttribute(default=ENTITY)
    status = UnicodeAttribute()
    reason = UnicodeAttribute()
    actor = UnicodeAttribute()
    changed_at = UTCDateTimeAttribute()
    audit_number = NumberAttribute()
    audit_hash = UnicodeAttribute()

    @property
    def audit_head(self) -> Head:
        return Head(int(self.audit_number), self.audit_hash)


def items_in(table_name: str) -> type[PlatformItem]:
    """The copy in one context's table."""
    return bound_to(PlatformItem, table_name)


def require_open(transaction: TransactWrite, items: type[PlatformItem]) -> None:
    """Let the transaction commit only while the platform is not stopped."""
    is_open = items.status.does_not_exist() | (items.status == PlatformStatus.OPEN)
    transaction.condition_check(items, ENTITY, PART, condition=is_open)
