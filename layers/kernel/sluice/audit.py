"""Audit: each command and status change leaves an entry with the hash of the entry before it (design section 4)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

from pynamodb.attributes import Attribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.constants import NULL
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from sluice.clock import rfc3339
from sluice.dynamodb import Bound, transient_as_unavailable, values_of
from sluice.errors import Unreadable
from sluice.ids import AUDIT, new_id

LOG = "audit"
_RESTORED = "_RESTORED"
"""How the action of a bridge ends; no other action ends so."""
_SYSTEM = "system"


@dataclass(frozen=True)
class Head:
    """The last entry of an entity's chain, stored in the entity itself: it shows when entries were cut off the end."""

    number: int = 0
    hash: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry. `before` and `after` are the parts of the entity that changed; `number` counts from 1 per entity."""

    id: str
    entity: str
    number: int
    action: str
    actor: str
    at: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    previous_hash: str
    hash: str = ""
    log: str = LOG
    """The index that lists the entry. It is hashed too, because another value would hide the entry."""

    @property
    def head(self) -> Head:
        return Head(self.number, self.hash)

    def digest(self) -> str:
        """SHA-256, in hex, of all fields of the entry except its hash."""
        content = {name: value for name, value in vars(self).items() if name != "hash"}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Bridge:
    """The content of an entry that follows a restore: the entries after `head`, up to `found`, were rolled back."""

    number: int
    """Of the entry."""
    head: Head
    """As the restored entity remembered it."""
    found: Head
    """The last entry of the log at that time."""
    is_whole: bool
    """Whether the entries in between form a chain that begins at `head`."""

    @classmethod
    def of(cls, entry: Entry) -> "Bridge | None":
        """The bridge of an entry; None for any other entry."""
        match entry.after:
            case {
                "head_number": int(head_number),
                "head_hash": str(head_hash),
                "found_number": int(found_number),
                "found_hash": str(found_hash),
                "whole": bool(is_whole),
            } if entry.action.endswith(_RESTORED):
                head, found = Head(head_number, head_hash), Head(found_number, found_hash)
                return cls(entry.number, head, found, is_whole)
        return None


class HeadAttributes:
    """The head of an entity's chain, for the entity's model. It is a mixin: as a model it would bring its own table."""

    audit_number = NumberAttribute()
    audit_hash = UnicodeAttribute()

    @property
    def audit_head(self) -> Head:
        return Head(int(self.audit_number), self.audit_hash)


class _ByTime(GlobalSecondaryIndex["EntryItem"]):
    class Meta:
        index_name = "by_time"
        projection = AllProjection()

    log = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class EntryItem(Bound):
    """An entry in the audit table."""

    class Meta(Bound.Meta):
        pass

    entity = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    log = UnicodeAttribute(default=LOG)
    id = UnicodeAttribute()
    action = UnicodeAttribute()
    actor = UnicodeAttribute()
    at = UnicodeAttribute()
    before = JSONAttribute(null=True)
    after = JSONAttribute(null=True)
    previous_hash = UnicodeAttribute()
    hash = UnicodeAttribute()
    by_time = _ByTime()
    unreadable: tuple[str, ...] = ()
    """The fields that are missing, or have a value of another type."""

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """What can be read of a row. PynamoDB refuses the whole for one value that was tampered with."""
        readable = {name: value for name, value in data.items() if _is_readable(cls.get_attributes().get(name), value)}
        item = super().from_raw_data(readable)
        item.unreadable = tuple(sorted(_REQUIRED - readable.keys() | data.keys() - readable.keys()))
        return item

    def entry(self) -> Entry:
        return Entry(**(values_of(self, Entry) | {"number": int(self.number)}))


_REQUIRED = frozenset({"log", "id", "action", "actor", "at", "previous_hash", "hash"})


def _is_readable(attribute: Attribute[Any] | None, value: dict[str, Any]) -> bool:
    if attribute is None:
        return True
    try:
        found = attribute.deserialize(attribute.get_value(value))
    except (TypeError, ValueError):  # PynamoDB's, for a value of another type and for what is not JSON
        return attribute.null and NULL in value
    return not isinstance(attribute, JSONAttribute) or isinstance(found, dict)


def follow(
    head: Head,
    *,
    entity: str,
    action: str,
    actor: str,
    now: datetime,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> Entry:
    """The entry that comes after `head`."""
    unsigned = Entry(
        id=new_id(AUDIT, now),
        entity=entity,
        number=head.number + 1,
        action=action,
        actor=actor,
        at=rfc3339(now),
        before=before,
        after=after,
        previous_hash=head.hash,
    )
    return Entry(**(vars(unsigned) | {"hash": unsigned.digest()}))


def write(transaction: TransactWrite, entry: Entry) -> None:
    """Put the entry, in the transaction of what it tells of."""
    transaction.save(EntryItem(**vars(entry)), condition=EntryItem.entity.does_not_exist())


def entries_of(entity: str) -> list[Entry]:
    """An entity's entries, oldest first; a consistent read. Raises Unreadable, naming one that is no entry any more."""
    entries: list[Entry] = []
    for item in EntryItem.query(entity, consistent_read=True):
        if item.unreadable:
            raise Unreadable(f"entry {len(entries) + 1} was edited")
        entries.append(item.entry())
    return entries


def bridge(head: Head, *, entity: str, action: str, now: datetime) -> Entry | None:
    """The entry that goes on after a log which is ahead of its entity's head; None when it is not ahead.

    One consistent query, of what lies behind the head. Raises Unavailable.
    """
    with transient_as_unavailable():
        ahead = list(EntryItem.query(entity, EntryItem.number > head.number, consistent_read=True))
    if not ahead:
        return None
    found = Head(int(ahead[-1].number), ahead[-1].hash or "")
    after = {
        "head_number": head.number,
        "head_hash": head.hash,
        "found_number": found.number,
        "found_hash": found.hash,
        "whole": _follow_one_another(head, ahead),
    }
    return follow(found, entity=entity, action=action, actor=_SYSTEM, now=now, before=None, after=after)


def bridges(entries: Iterable[Entry]) -> list[Bridge]:
    """The bridges in a log, in order: what each restore rolled back."""
    return [found for entry in entries if (found := Bridge.of(entry))]


def find_problem(entries: Iterable[Entry], head: Head) -> str | None:
    """What is wrong with a chain, naming the first entry that was edited, removed, added or cut off; None if whole.

    Entries that a restore rolled back, and that a bridge goes on after, are no problem if the bridge found them whole.
    """
    chain = list(entries)
    added = {found.head.number: found for found in bridges(chain) if not found.is_whole}
    last = Head()
    heads = {last.number: last}
    for entry in chain:
        if found := added.get(last.number):
            were_added = _span(last.number + 1, found.found.number, "was", "were")
            return f"{were_added} added before the bridge {found.number}"
        if problem := _fault(last, entry):
            return problem
        last = heads[entry.number] = entry.head
        if last.number == head.number and last != head:
            return f"entry {last.number} was replaced"
        if (found := Bridge.of(entry)) and heads.get(found.head.number) != found.head:
            return f"entry {entry.number} was edited"
    if last.number < head.number:
        return f"entry {last.number + 1} was cut off"
    if last.number > head.number:
        are_ahead = _span(head.number + 1, last.number, "is", "are")
        return f"{are_ahead} ahead of the entity: it was restored to an earlier moment, or they were added"
    return None


def _follow_one_another(head: Head, items: Iterable[EntryItem]) -> bool:
    last = head
    for item in items:
        if item.unreadable or _fault(last, item.entry()):
            return False
        last = item.entry().head
    return True


def _fault(last: Head, entry: Entry) -> str | None:
    """What is wrong with an entry that is found behind `last`; None when it follows."""
    if entry.number != last.number + 1:
        return f"entry {last.number + 1} was removed"
    if entry.hash != entry.digest():
        return f"entry {entry.number} was edited"
    if entry.previous_hash != last.hash:
        return f"entry {last.number} was replaced" if last.number else "entry 1 does not begin the chain"
    return None


def _span(first: int, last: int, one: str, many: str) -> str:
    """`entry 6 is`, `entries 6 to 7 are`."""
    return f"entry {first} {one}" if first == last else f"entries {first} to {last} {many}"
