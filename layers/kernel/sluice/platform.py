"""The platform as a whole: whether it is stopped, so that no chain of any context commits a batch.

Each context's table holds a copy of one item, beside its campaigns: a step reads it with its campaign, in the same
batch read, and its transaction is conditioned on it. All copies are written in one transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from sluice.audit import Head, HeadAttributes
from sluice.dynamodb import Bound, bound_to, transient_as_unavailable

ENTITY = "platform"
PART = "campaign"
"""The same as a campaign's, so that the audit trail finds its head as it finds a campaign's."""

_NO_ENTRY = Head()


class PlatformStatus(StrEnum):
    """Whether batches are committed."""

    OPEN = "open"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Platform:
    """The platform by one table's copy. The default: it is open, and was never stopped."""

    status: PlatformStatus = PlatformStatus.OPEN
    reason: str | None = None
    actor: str | None = None
    since: datetime | None = None
    """When it was last stopped or resumed, and by whom, and why."""
    request: str | None = None
    """The request that did it: a repeat after a lost answer succeeds."""
    audit_head: Head = _NO_ENTRY

    @property
    def is_stopped(self) -> bool:
        return self.status is PlatformStatus.STOPPED


class PlatformItem(HeadAttributes, Bound):
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
    request = UnicodeAttribute()

    @property
    def is_stopped(self) -> bool:
        """By its status alone: a stop holds even if other attributes were edited by hand."""
        return self.status == PlatformStatus.STOPPED

    def platform(self) -> Platform:
        status = PlatformStatus(self.status)
        return Platform(status, self.reason, self.actor, self.changed_at, self.request, self.audit_head)


def items_in(table_name: str) -> type[PlatformItem]:
    """The copy in one context's table."""
    return bound_to(PlatformItem, table_name)


def is_stopped(items: type[PlatformItem]) -> bool:
    """Whether the platform is stopped by one table's copy, by a consistent read."""
    with transient_as_unavailable():
        return any(item.is_stopped for item in items.batch_get([(ENTITY, PART)], consistent_read=True))


def read(items: type[PlatformItem]) -> Platform:
    """The platform by one table's copy, by a consistent read."""
    with transient_as_unavailable():
        found = list(items.batch_get([(ENTITY, PART)], consistent_read=True))
    return found[0].platform() if found else Platform()


def write(transaction: TransactWrite, items: type[PlatformItem], before: Platform, after: Platform) -> None:
    """Put one table's copy, on condition that it is as it was read."""
    item = items(status=after.status, reason=after.reason, actor=after.actor, changed_at=after.since)
    item.request, item.audit_number, item.audit_hash = after.request, after.audit_head.number, after.audit_head.hash
    as_read: Condition = items.id.does_not_exist()
    if before.audit_head.number:
        as_read = items.audit_number == before.audit_head.number
    transaction.save(item, condition=as_read)


def require_open(transaction: TransactWrite, items: type[PlatformItem]) -> None:
    """Let the transaction commit only while the platform is not stopped."""
    is_open = items.status.does_not_exist() | (items.status == PlatformStatus.OPEN)
    transaction.condition_check(items, ENTITY, PART, condition=is_open)
