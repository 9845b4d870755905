"""Contacts in the table: who may not be written to, since when and why; and who has said that they may.

Of two words about a person the later by its time wins, whichever comes first: an old STOP that a webhook brings late
undoes no START. Each change is on condition of the contact's `v` as read, which a claim has too [B20].
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from broadcasts.contact import Contact, Suppressed
from broadcasts.items import ContactItem, ContactsHeadItem, SuppressedItem
from broadcasts.phones import contact_key
from sluice.audit import Head
from sluice.commit import Trace, commit
from sluice.dynamodb import Database, page_of, read_batch, setting
from sluice.errors import Unavailable
from sluice.requests import Keyed

MOST_AT_ONCE = 45
"""Contacts of one transaction: each is two of its hundred actions, and the audit entry has four."""
_ATTEMPTS = 20
_WRITTEN = ("suppressed_at", "suppressed_why", "changed_at", "consent")


@dataclass(frozen=True)
class Said:
    """A contact before and after what was said of it, and its phone, which the list has and the contact has not."""

    before: Contact
    after: Contact
    phone: str = ""


class ContactStore:
    """An owner's contacts. Raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, owner: str, contacts: Iterable[str]) -> dict[str, Contact]:
        """Contacts by their keys, by consistent reads; one of whom nothing is known is there too."""
        order = list(dict.fromkeys(contacts))
        keys = [ContactItem.key(owner, each) for each in order]
        found = {each.key: each for each in read_batch(ContactItem, keys, lambda item: item.contact())}
        return {each: found.get(each) or Contact(owner=owner, key=each) for each in order}

    def suppressed(self, owner: str, limit: int, after: str | None) -> tuple[list[Suppressed], str | None]:
        """At most `limit` suppressed contacts of an owner, after this one; and the one to go on after, if any."""
        partition, _ = SuppressedItem.key(owner, "")
        return page_of(SuppressedItem, _suppressed, partition, "", limit, after)

    def suppress(self, owner: str, contact: str, phone: str, why: str, at: datetime) -> bool:
        """Write to this person no more; False if a later word stands, or this one was heard already."""
        return self._say(owner, contact, lambda found: suppressed(found, phone, why, at))

    def lift(self, owner: str, contact: str, at: datetime) -> bool:
        """Write to this person again; False if a later word stands, or nobody had said otherwise."""
        return self._say(owner, contact, lambda found: lifted(found, at))

    def _say(self, owner: str, contact: str, said: "Saying") -> bool:
        for _ in range(_ATTEMPTS):
            change = said(self.read(owner, [contact])[contact])
            if change is None:
                return False
            if self._database.commit(lambda transaction, found=change: write(transaction, [found])):  # type: ignore[misc]
                return True
        raise Unavailable("The contact is changing too fast")

    # What an owner says of contacts, audited. The entries count contacts and name none.

    def head(self, owner: str) -> Head:
        """The last audit entry of what an owner said of contacts."""
        found = read_batch(ContactsHeadItem, [ContactsHeadItem.key(owner)], lambda item: item.audit_head)
        return next(iter(found), Head())

    def commit[E](
        self,
        owner: str,
        said: Sequence[Said],
        action: str,
        about: Mapping[str, str],
        actor: str,
        now: datetime,
        made: E,
        keyed: Keyed[E] | None,
    ) -> E | None:
        """Commit what an owner said of at most MOST_AT_ONCE contacts; None when one of them has changed meanwhile.

        `about` is shown in the audit entry. With nothing said only the answer of the key is stored.
        """
        if not said:
            return commit(self._database, Head(), None, now, entity=lambda _: made, write=lambda *_: None, keyed=keyed)
        head = self.head(owner)
        trace = Trace(
            entity=entity_of(owner),
            action=action,
            actor=actor,
            before=None,
            after={"contacts": len(said), **about},
            event="",
            told={},
            restored="BROADCAST_CONTACTS_RESTORED",
        )

        def fill(transaction: TransactWrite, new: Head) -> None:
            write(transaction, said)
            item = ContactsHeadItem(*ContactsHeadItem.key(owner), audit_number=new.number, audit_hash=new.hash)
            as_read: Condition = ContactsHeadItem.audit_number == head.number
            transaction.save(item, as_read if head.number else ContactsHeadItem.id.does_not_exist())

        answered = None
        if keyed:
            answered = Keyed[Head](keyed.request, lambda _: keyed.answer(made), keyed.replaces)
            answered = answered.about(lambda new: (entity_of(owner), new.number))
        done = commit(self._database, head, trace, now, entity=lambda new: new, write=fill, keyed=answered)
        return made if done else None


type Saying = Callable[[Contact], Said | None]


def entity_of(owner: str) -> str:
    """The entity of what an owner said of contacts, in the audit log."""
    return f"contacts:{owner}"


def contact_of(owner: str, phone: str, key: bytes) -> str:
    """The key of a person among an owner's contacts, as rows have it too."""
    return contact_key(owner, phone, key)


def suppressed(found: Contact, phone: str, why: str, at: datetime) -> Said | None:
    """A contact that is not written to any more; None when that says nothing new. Since when and why stay the first.

    Of two words at the same moment this one stands.
    """
    if found.changed_at is not None and (at < found.changed_at or (at == found.changed_at and found.suppressed_at)):
        return None
    since = {} if found.suppressed_at else {"suppressed_at": at, "suppressed_why": why}
    return Said(found, replace(found, v=found.v + 1, changed_at=at, **since), phone)  # type: ignore[arg-type]


def lifted(found: Contact, at: datetime) -> Said | None:
    """A contact that is written to again; None when that says nothing new.

    Without an earlier word this one is kept too: an older STOP may still come.
    """
    if found.changed_at is not None and at <= found.changed_at:
        return None
    return Said(found, replace(found, v=found.v + 1, changed_at=at, suppressed_at=None, suppressed_why=None))


def consenting(found: Contact, source: str | None) -> Said | None:
    """A contact that has consented, with the source of that; None: takes it back. None when it is so already."""
    if found.consent == source:
        return None
    return Said(found, replace(found, v=found.v + 1, consent=source))


def write(transaction: TransactWrite, said: Iterable[Said]) -> None:
    """Write contacts on condition that they are as they were read, and their entries in the owner's list."""
    for each in said:
        before, after = each.before, each.after
        values = {name: getattr(after, name) for name in _WRITTEN if getattr(after, name) != getattr(before, name)}
        item = ContactItem(*ContactItem.key(before.owner, before.key))
        as_read = ContactItem.v == before.v if before.v else ContactItem.v.does_not_exist()
        transaction.update(item, setting(ContactItem, {**values, "v": after.v}), as_read)
        entry = SuppressedItem(*SuppressedItem.key(before.owner, before.key))
        if after.suppressed_at and not before.suppressed_at:
            entry.phone, entry.at, entry.why = each.phone, after.suppressed_at, after.suppressed_why or ""
            transaction.save(entry)
        elif before.suppressed_at and not after.suppressed_at:
            transaction.delete(entry)


def in_groups(said: Sequence[Said]) -> Iterator[Sequence[Said]]:
    """Changes, in groups of one transaction each."""
    for begin in range(0, len(said), MOST_AT_ONCE):
        yield said[begin : begin + MOST_AT_ONCE]


def _suppressed(item: SuppressedItem) -> Suppressed:
    return Suppressed(item.part, item.phone, item.why, item.at)
