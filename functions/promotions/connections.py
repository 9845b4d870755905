"""Connections, links and exceptions in the database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from promotions.accounts import Connection, Link, Verdict
from promotions.items import ConnectionItem, LinkedItem, LinkItem, VerdictItem
from sluice.audit import Head
from sluice.commit import Trace, commit
from sluice.dynamodb import Database, page_of, read_batch, setting, transient_as_unavailable, update_if, values_of
from sluice.requests import Keyed


class ConnectionStore:
    """Who connected which network, whose account is whose, and what operators say of accounts. Raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, user: str, network: str) -> Connection | None:
        """A user's connection, by a consistent read."""
        return next(iter(read_batch(ConnectionItem, [ConnectionItem.key(user, network)], _connection)), None)

    def all_of(self, user: str) -> list[Connection]:
        """All connections of a user, by a consistent read."""
        return page_of(ConnectionItem, _connection, f"user#{user}", "connection#", None, None)[0]

    def save(self, user: str, connection: Connection) -> None:
        """Put a connection in place of the one before."""
        with transient_as_unavailable():
            ConnectionItem(*ConnectionItem.key(user, connection.network), **vars(connection)).save()

    def revoke(self, user: str, network: str) -> None:
        """Note that the network has refused the token of a connection, if it is there."""
        item = ConnectionItem(*ConnectionItem.key(user, network))
        update_if(item, [ConnectionItem.is_revoked.set(True)], ConnectionItem.id.exists())

    def delete(self, user: str, network: str) -> None:
        """Delete a connection, if it is there."""
        with transient_as_unavailable():
            ConnectionItem(*ConnectionItem.key(user, network)).delete()

    def is_suspended(self, connection: Connection) -> bool:
        """Whether an operator says that the account of a connection is not eligible."""
        found = self.verdict(connection.host, connection.account_id)
        return found is not None and found.eligible is False

    # Links

    def links_of(self, user: str) -> list[Link]:
        """All links of a user, by a consistent read."""
        return page_of(LinkItem, _link, f"user#{user}", "link#", None, None)[0]

    def link(self, user: str, link_id: str) -> Link | None:
        """A link of a user, by a consistent read."""
        return next(iter(read_batch(LinkItem, [LinkItem.key(user, link_id)], _link)), None)

    def ask(self, user: str, link: Link) -> None:
        """Save a link that is yet to be proven."""
        with transient_as_unavailable():
            _link_item(user, link).save()

    def prove(self, user: str, link: Link) -> bool:
        """Save a proven link; False when the account is another user's, or the link is gone."""
        item = _link_item(user, link)
        owned = LinkedItem(*LinkedItem.key(link.host, str(link.account_id)), user=user, link=link.id)

        def fill(transaction: TransactWrite) -> None:
            actions = setting(LinkItem, {name: getattr(link, name) for name in ("state", "account_id", "proven_at")})
            transaction.update(item, actions, LinkItem.id.exists())
            transaction.save(owned, LinkedItem.id.does_not_exist() | (LinkedItem.user == user))

        return self._database.commit(fill)

    def unlink(self, user: str, link: Link) -> None:
        """Delete a link, and the account's row if it is of this link."""

        def fill(transaction: TransactWrite) -> None:
            transaction.delete(_link_item(user, link))
            if link.account_id is not None and self._is_of(link):
                owned = LinkedItem(*LinkedItem.key(link.host, link.account_id))
                transaction.delete(owned, LinkedItem.link == link.id)

        self._database.commit(fill)

    def _is_of(self, link: Link) -> bool:
        keys = [LinkedItem.key(link.host, str(link.account_id))]
        return link.id in read_batch(LinkedItem, keys, lambda item: item.link)

    # Exceptions

    def verdict(self, host: str, account_id: str) -> Verdict | None:
        """What an operator says of an account, by a consistent read."""
        return next(iter(self.verdicts([(host, account_id)])), None)

    def verdicts(self, accounts: Sequence[tuple[str, str]]) -> list[Verdict]:
        """What operators say of accounts, by consistent batch reads; those of whom nobody says anything are left out."""
        return read_batch(VerdictItem, [VerdictItem.key(*each) for each in accounts], _verdict)

    def judge(
        self, before: Verdict | None, after: Verdict, now: datetime, keyed: Keyed[Verdict] | None = None
    ) -> Verdict | None:
        """Put a verdict in place of the one as read, audited; None when another request changed it meanwhile."""
        action, event = ("TAKEN_BACK", "ExceptionTakenBack") if after.eligible is None else ("MADE", "ExceptionMade")
        about = {"host": after.host, "account_id": after.account_id}
        trace = Trace(
            entity=after.entity,
            action=f"EXCEPTION_{action}",
            actor=after.by,
            before=_said(before) if before else None,
            after=_said(after),
            event=event,
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
            transaction.save(VerdictItem(*VerdictItem.key(verdict.host, verdict.account_id), **values), as_read)

        head = Head(before.audit_number, before.audit_hash) if before else Head()
        return commit(self._database, head, trace, now, entity=headed, write=write, keyed=keyed)


def _connection(item: ConnectionItem) -> Connection:
    return Connection(**values_of(item, Connection))


def _link(item: LinkItem) -> Link:
    values: dict[str, Any] = {name: value for name, value in item.attribute_values.items() if name not in ("id", "part")}
    return Link(id=item.part.removeprefix("link#"), **{"account_id": None, "proven_at": None, **values})


def _link_item(user: str, link: Link) -> LinkItem:
    values = {name: value for name, value in vars(link).items() if name != "id"}
    return LinkItem(*LinkItem.key(user, link.id), **values)


def _verdict(item: VerdictItem) -> Verdict:
    _, host, account_id = item.id.split("#", 2)
    values = {name: getattr(item, name) for name in ("eligible", "reason", "by", "updated_at", "audit_hash")}
    return Verdict(host, account_id, audit_number=int(item.audit_number), **values)


def _said(verdict: Verdict) -> dict[str, Any]:
    return {"eligible": verdict.eligible, "reason": verdict.reason}
