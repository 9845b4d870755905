"""Connections, links and exceptions in the database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from promotions.accounts import Connection, Link, LinkState, Verdict
from promotions.items import ConnectionItem, LinkedItem, LinkItem, VerdictItem
from promotions.split import account_key
from sluice.audit import Head
from sluice.commit import Trace, commit
from sluice.dynamodb import Database, page_of, read_batch, update_if, values_of
from sluice.requests import Keyed


class ConnectionStore:
    """Who connected which network, whose account is whose, and what operators say of accounts. Raises Unavailable.

    What changes something takes a key, and returns None when a condition failed or the key has an answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, user: str, network: str) -> Connection | None:
        """A user's connection, by a consistent read."""
        return next(iter(read_batch(ConnectionItem, [ConnectionItem.key(user, network)], _connection)), None)

    def all_of(self, user: str) -> list[Connection]:
        """All connections of a user, by a consistent read."""
        return page_of(ConnectionItem, _connection, _of(user), "connection#", None, None)[0]

    def save(self, user: str, made: Connection, now: datetime, keyed: Keyed[Connection] | None) -> Connection | None:
        """Put a connection in place of the one before."""
        item = ConnectionItem(*ConnectionItem.key(user, made.network), **vars(made))
        return self._commit(made, now, keyed, lambda transaction: transaction.save(item))

    def revoke(self, user: str, network: str) -> None:
        """Note that the network has refused the token of a connection, if it is there."""
        item = ConnectionItem(*ConnectionItem.key(user, network))
        update_if(item, [ConnectionItem.is_revoked.set(True)], ConnectionItem.id.exists())

    def delete(self, user: str, gone: Connection, now: datetime, keyed: Keyed[Connection] | None) -> Connection | None:
        """Delete a connection, if it is there."""
        item = ConnectionItem(*ConnectionItem.key(user, gone.network))
        return self._commit(gone, now, keyed, lambda transaction: transaction.delete(item))

    def is_suspended(self, connection: Connection) -> bool:
        """Whether an operator says that the account of a connection is not eligible."""
        found = self.verdict(connection.host, connection.account_id)
        return found is not None and found.eligible is False

    # Links

    def links_of(self, user: str) -> list[Link]:
        """All links of a user, proven links last; by consistent reads."""
        return [
            link for begin in ("proof#", "link#") for link in page_of(LinkItem, _link, _of(user), begin, None, None)[0]
        ]

    def link(self, user: str, link_id: str) -> Link | None:
        """A link of a user, by consistent reads."""
        return next((each for each in self.links_of(user) if each.id == link_id), None)

    def owner(self, host: str, account_id: str) -> str | None:
        """Whose account it is, by a consistent read."""
        return next(iter(read_batch(LinkedItem, [_owned(host, account_id)], lambda item: str(item.user))), None)

    def ask(self, user: str, link: Link, now: datetime, keyed: Keyed[Link] | None) -> Link | None:
        """Save a link that is yet to be proven."""
        return self._commit(link, now, keyed, lambda transaction: transaction.save(_link_item(user, link)))

    def prove(self, user: str, link: Link, now: datetime, keyed: Keyed[Link] | None) -> Link | None:
        """Save a proven link, on condition that no other user has the account."""
        host, account_id = link.host, str(link.account_id)
        owned = LinkedItem(*_owned(host, account_id), user=user, link_id=link.id)

        def write(transaction: TransactWrite) -> None:
            transaction.delete(LinkItem(_of(user), f"proof#{link.id}"), LinkItem.id.exists())
            transaction.save(_link_item(user, link))
            transaction.save(owned, LinkedItem.id.does_not_exist() | (LinkedItem.user == user))

        return self._commit(link, now, keyed, write)

    def unlink(self, user: str, link: Link, now: datetime, keyed: Keyed[Link] | None) -> Link | None:
        """Delete a link. The account belongs to no user after that."""

        def write(transaction: TransactWrite) -> None:
            transaction.delete(_link_item(user, link))
            if link.account_id is not None:
                owned = LinkedItem(*_owned(link.host, link.account_id))
                transaction.delete(owned, LinkedItem.id.does_not_exist() | (LinkedItem.user == user))

        return self._commit(link, now, keyed, write)

    def answer[E](self, found: E, now: datetime, keyed: Keyed[E]) -> E | None:
        """Store the answer of a keyed request that changes nothing."""
        return self._commit(found, now, keyed, lambda _: None)

    # Exceptions

    def verdict(self, host: str, account_id: str) -> Verdict | None:
        """What an operator says of an account, by a consistent read."""
        key = f"exception#{account_key(host, account_id)}", "exception"
        return next(iter(read_batch(VerdictItem, [key], lambda item: _verdict(host, account_id, item))), None)

    def judge(
        self, before: Verdict | None, after: Verdict, now: datetime, keyed: Keyed[Verdict] | None
    ) -> Verdict | None:
        """Put a verdict in place of the one as read, audited."""
        about = {"host": after.host, "account_id": after.account_id}
        is_gone = after.eligible is None
        trace = Trace(
            entity=after.entity,
            action="EXCEPTION_REMOVED" if is_gone else "EXCEPTION_MADE",
            actor=after.by,
            before=_said(before) if before else None,
            after=_said(after),
            event="PromotionExceptionRemoved" if is_gone else "PromotionExceptionMade",
            told=about | _said(after),
            restored="EXCEPTION_RESTORED",
        )
        as_read: Condition = VerdictItem.id.does_not_exist()
        if before:
            as_read = VerdictItem.audit_number == before.audit_number

        def headed(head: Head) -> Verdict:
            return replace(after, audit_number=head.number, audit_hash=head.hash)

        def write(transaction: TransactWrite, verdict: Verdict) -> None:
            values = {name: value for name, value in vars(verdict).items() if name not in about}
            key = f"exception#{account_key(verdict.host, verdict.account_id)}"
            transaction.save(VerdictItem(key, "exception", **values), as_read)

        head = Head(before.audit_number, before.audit_hash) if before else Head()
        return commit(self._database, head, trace, now, entity=headed, write=write, keyed=keyed)

    def _commit[E](
        self, made: E, now: datetime, keyed: Keyed[E] | None, write: Callable[[TransactWrite], None]
    ) -> E | None:
        return commit(
            self._database,
            Head(),
            None,
            now,
            entity=lambda _: made,
            write=lambda transaction, _: write(transaction),
            keyed=keyed,
        )


def _of(user: str) -> str:
    return f"user#{user}"


def _connection(item: ConnectionItem) -> Connection:
    return Connection(**values_of(item, Connection))


def _link(item: LinkItem) -> Link:
    values = {name: value for name, value in item.attribute_values.items() if name not in ("id", "part", "link_id")}
    return Link(id=item.link_id, **values)


def _link_item(user: str, link: Link) -> LinkItem:
    values: dict[str, Any] = {name: value for name, value in vars(link).items() if name != "id"}
    is_proven = link.state is LinkState.PROVEN
    part = f"link#{account_key(link.host, str(link.account_id))}" if is_proven else f"proof#{link.id}"
    return LinkItem(_of(user), part, link_id=link.id, **values)


def _owned(host: str, account_id: str) -> tuple[str, str]:
    return f"link#{account_key(host, account_id)}", "link"


def _verdict(host: str, account_id: str, item: VerdictItem) -> Verdict:
    said = item.eligible, item.reason, item.by, item.updated_at
    return Verdict(host, account_id, *said, int(item.audit_number), item.audit_hash)


def _said(verdict: Verdict) -> dict[str, Any]:
    return {"eligible": verdict.eligible, "reason": verdict.reason}
