"""Registered content in the database: what it is called and whose it is, audited."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zlib import crc32

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from sluice.audit import Head
from sluice.commit import Trace, commit
from sluice.dynamodb import Database, bind, transient_as_unavailable
from views import keys
from views.items import ViewsItem

ABOUT = "about"
BUCKETS = 16
"""Partitions that the list of all contents is spread over; never fewer, or a rebuild would miss some."""


class ContentItem(ViewsItem):
    """`content#story#123`, `about`: what a content is called and whose it is, with the head of its audit chain."""

    title = UnicodeAttribute()
    owner = UnicodeAttribute()
    registered_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    audit_number = NumberAttribute()
    audit_hash = UnicodeAttribute()


class RegisteredItem(ViewsItem):
    """`registered#07`, `story:123`: that a content is registered.

    A partition and not an index: a rebuild reads it consistently, so that it misses none.
    """


@dataclass(frozen=True)
class Content:
    """A registered content."""

    content_type: str
    content_id: str
    title: str
    owner: str
    registered_at: datetime
    updated_at: datetime
    audit_head: Head = Head()  # noqa: RUF009 - it is frozen

    @property
    def field(self) -> str:
        return keys.content_field(self.content_type, self.content_id)


class Registry:
    """Reads and commits registered contents."""

    def __init__(self, database: Database, views_table: str) -> None:
        self._database = database
        bind(ViewsItem, views_table)

    def get(self, content_type: str, content_id: str) -> Content | None:
        """A content, by a consistent read."""
        with transient_as_unavailable():
            key = (_id(content_type, content_id), ABOUT)
            items = list(ContentItem.batch_get([key], consistent_read=True))
        return _content(content_type, content_id, items[0]) if items else None

    def commit(self, before: Content | None, after: Content, actor: str) -> bool:
        """Put a content in the place of what was read; False when someone else changed it meanwhile."""
        action, event = ("CHANGED", "ContentChanged") if before else ("REGISTERED", "ContentRegistered")
        of_content = {"content_type": after.content_type, "content_id": after.content_id}
        trace = Trace(
            entity=f"content:{after.field}",
            action=f"CONTENT_{action}",
            actor=actor,
            before=_snapshot(before) if before else None,
            after=_snapshot(after),
            event=event,
            told=of_content | _snapshot(after),
        )
        as_read: Condition = ContentItem.id.does_not_exist()
        if before:
            as_read = ContentItem.audit_number == before.audit_head.number

        def headed(head: Head) -> Content:
            return replace(after, audit_head=head)

        def write(transaction: TransactWrite, content: Content) -> None:
            transaction.save(_item(content), condition=as_read)
            transaction.save(RegisteredItem(_listed(_bucket(content.field)), content.field))

        head = before.audit_head if before else Head()
        return commit(self._database, head, trace, after.updated_at, entity=headed, write=write) is not None

    def page(self, bucket: int, after: str, limit: int) -> list[str]:
        """Up to `limit` contents (`story:123`) of a bucket, 0 to BUCKETS - 1, after one; by a consistent read."""
        with transient_as_unavailable():
            since = RegisteredItem.part > after if after else None
            found = RegisteredItem.query(_listed(bucket), since, consistent_read=True, limit=limit)
            return [item.part for item in found]


def _bucket(field: str) -> int:
    return crc32(field.encode()) % BUCKETS


def _listed(bucket: int) -> str:
    return f"registered#{bucket:02}"


def _id(content_type: str, content_id: str) -> str:
    return f"content#{content_type}#{content_id}"


def _snapshot(content: Content) -> dict[str, Any]:
    return {"title": content.title, "owner": content.owner}


def _item(content: Content) -> ContentItem:
    return ContentItem(
        _id(content.content_type, content.content_id),
        ABOUT,
        title=content.title,
        owner=content.owner,
        registered_at=content.registered_at,
        updated_at=content.updated_at,
        audit_number=content.audit_head.number,
        audit_hash=content.audit_head.hash,
    )


def _content(content_type: str, content_id: str, item: ContentItem) -> Content:
    head = Head(int(item.audit_number), item.audit_hash)
    return Content(content_type, content_id, item.title, item.owner, item.registered_at, item.updated_at, head)
