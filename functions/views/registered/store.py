"""Registered content in the database: its title and owner, audited."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zlib import crc32

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from sluice.audit import Head
from sluice.commit import Trace, commit
from sluice.dynamodb import Database, bind, transient_as_unavailable
from sluice.requests import Keyed
from views.items import ViewsItem, id_of
from views.registered.content import BUCKETS, RegisteredContent
from views.registered.items import ContentItem, RegisteredItem

ABOUT = "about"


class Registry:
    def __init__(self, database: Database, views_table: str) -> None:
        self._database = database
        bind(ViewsItem, views_table)

    def get(self, content_type: str, content_id: str) -> RegisteredContent | None:
        """A content, by a consistent read."""
        with transient_as_unavailable():
            key = (id_of((content_type, content_id)), ABOUT)
            items = list(ContentItem.batch_get([key], consistent_read=True))
        return _content(content_type, content_id, items[0]) if items else None

    def commit(
        self,
        before: RegisteredContent | None,
        after: RegisteredContent,
        actor: str,
        keyed: Keyed[RegisteredContent] | None = None,
    ) -> RegisteredContent | None:
        """Put a content in place of the content as read; None when another request changed it meanwhile."""
        action, event = ("CHANGED", "ContentChanged") if before else ("REGISTERED", "ContentRegistered")
        of_content = {"content_type": after.content_type, "content_id": after.content_id}
        trace = Trace(
            entity=after.entity,
            action=f"CONTENT_{action}",
            actor=actor,
            before=_snapshot(before) if before else None,
            after=_snapshot(after),
            event=event,
            told=of_content | _snapshot(after),
            restored="CONTENT_RESTORED",
        )
        as_read: Condition = ContentItem.id.does_not_exist()
        if before:
            as_read = ContentItem.audit_number == before.audit_number

        def headed(head: Head) -> RegisteredContent:
            return replace(after, audit_number=head.number, audit_hash=head.hash)

        def write(transaction: TransactWrite, content: RegisteredContent) -> None:
            transaction.save(_item(content), condition=as_read)
            transaction.save(RegisteredItem(_listed(_bucket(content.field)), content.field))

        head = Head(before.audit_number, before.audit_hash) if before else Head()
        return commit(self._database, head, trace, after.updated_at, entity=headed, write=write, keyed=keyed)

    def answer(
        self, found: RegisteredContent, now: datetime, keyed: Keyed[RegisteredContent]
    ) -> RegisteredContent | None:
        """Store the answer of a keyed request that changes nothing; None when its key has an answer already."""
        return commit(self._database, Head(), None, now, entity=lambda _: found, write=lambda *_: None, keyed=keyed)

    def page(self, bucket: int, after: str, limit: int) -> list[str]:
        """Up to `limit` contents (`story:123`) of a bucket, 0 to BUCKETS - 1, after `after`; by a consistent read."""
        with transient_as_unavailable():
            since = RegisteredItem.part > after if after else None
            found = RegisteredItem.query(_listed(bucket), since, consistent_read=True, limit=limit)
            return [item.part for item in found]


def _bucket(field: str) -> int:
    return crc32(field.encode()) % BUCKETS


def _listed(bucket: int) -> str:
    return f"registered#{bucket:02}"


def _snapshot(content: RegisteredContent) -> dict[str, Any]:
    return {"title": content.title, "owner": content.owner}


def _item(content: RegisteredContent) -> ContentItem:
    values = dict(vars(content))
    of_content = values.pop("content_type"), values.pop("content_id")
    return ContentItem(id_of(of_content), ABOUT, **values)


def _content(content_type: str, content_id: str, item: ContentItem) -> RegisteredContent:
    since, head = (item.registered_at, item.updated_at), (int(item.audit_number), item.audit_hash)
    return RegisteredContent(content_type, content_id, item.title, item.owner, *since, *head)
