"""The live table: tickets, connections, and who watches what. Nothing of it is kept for longer than a connection.

| id               | part          |                                                                  |
|------------------|---------------|------------------------------------------------------------------|
| ticket#<SHA-256> | ticket        | whose ticket it is: deleted by the connection that it opens      |
| connection#<id>  | connection    | whose it is, what it watches, and which place it has             |
| subject#<name>   | 1 to 5        | the connection that has this place: there are five for a subject |
| topic#<topic>    | <id>          | a connection that watches it                                     |
"""

from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from operations.live import CONNECTION_SECONDS, MOST_CONNECTIONS, TICKET_SECONDS, digest_of
from sluice.dynamodb import Database, TableItem, TextsAttribute, setting, transient_as_unavailable

_PAGE = 100


class LiveItem(TableItem):
    """Any item of the table."""

    class Meta(TableItem.Meta):
        pass

    subject = UnicodeAttribute(null=True)
    topics = TextsAttribute(null=True)
    place = NumberAttribute(null=True)
    connection = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


@dataclass(frozen=True)
class Connections:
    """Tickets and connections. Every change is one transaction, so that none is half there."""

    database: Database

    def offer(self, subject: str, now: datetime) -> str:
        """A ticket that opens one connection for `subject`, within a minute. Raises Unavailable."""
        ticket = token_urlsafe(32)
        row = LiveItem(*_ticket(ticket), subject=subject, expires_at=int(now.timestamp()) + TICKET_SECONDS)
        self.database.commit(lambda transaction: transaction.save(row))
        return ticket

    def open(self, ticket: str, connection_id: str, now: datetime) -> bool:
        """Open a connection, which uses the ticket up; False when the ticket is not good, or there are five already.

        Raises Unavailable.
        """
        found, seconds = _get(*_ticket(ticket)), int(now.timestamp())
        if found is None or not found.subject or seconds >= found.expires_at:
            return False
        return any(self._open(found, connection_id, place, seconds) for place in range(1, MOST_CONNECTIONS + 1))

    def _open(self, ticket: LiveItem, connection_id: str, place: int, seconds: int) -> bool:
        expires_at = seconds + CONNECTION_SECONDS
        is_free: Condition = LiveItem.id.does_not_exist() | (LiveItem.expires_at < seconds)

        def fill(transaction: TransactWrite) -> None:
            transaction.delete(ticket, condition=LiveItem.id.exists())
            had = LiveItem(f"subject#{ticket.subject}", str(place), connection=connection_id, expires_at=expires_at)
            transaction.save(had, condition=is_free)
            opened = LiveItem(*_connection(connection_id), subject=ticket.subject, place=place, expires_at=expires_at)
            transaction.save(opened, condition=LiveItem.id.does_not_exist())

        return self.database.commit(fill)

    def watch(self, connection_id: str, topics: tuple[str, ...]) -> bool:
        """Let a connection hear of `topics`, and of nothing else; False when it is closed. Raises Unavailable."""
        found = _get(*_connection(connection_id))
        if found is None:
            return False
        before = set(found.topics or ())

        as_read = _hears(found)

        def fill(transaction: TransactWrite) -> None:
            for topic in topics:
                if topic not in before:
                    transaction.save(LiveItem(f"topic#{topic}", connection_id, expires_at=found.expires_at))
            for topic in before.difference(topics):
                transaction.delete(LiveItem(f"topic#{topic}", connection_id))
            heard = setting(LiveItem, {"topics": topics or None})
            transaction.update(found, heard, condition=LiveItem.id.exists() & as_read)

        return self.database.commit(fill) if before != set(topics) else True

    def close(self, connection_id: str) -> None:
        """Forget a connection; nothing when it is forgotten already. Raises Unavailable."""
        found = _get(*_connection(connection_id))
        if found is None:
            return
        place = _get(f"subject#{found.subject}", str(int(found.place or 0)))
        # Of a connection whose end comes late, another may have the place.
        own = place if place and place.connection == connection_id else None

        def fill(transaction: TransactWrite) -> None:
            transaction.delete(found, condition=LiveItem.id.exists() & _hears(found))
            if own:
                transaction.delete(own, condition=LiveItem.connection == connection_id)
            for topic in found.topics or ():
                transaction.delete(LiveItem(f"topic#{topic}", connection_id))

        self.database.commit(fill)

    def watching(self, topic: str, now: datetime) -> list[str]:
        """The connections that watch a topic. Raises Unavailable."""
        is_open = LiveItem.expires_at >= int(now.timestamp())  # DynamoDB removes in days what has expired
        with transient_as_unavailable():
            rows = LiveItem.query(f"topic#{topic}", filter_condition=is_open, page_size=_PAGE)
            return [str(each.part) for each in rows]


def _ticket(ticket: str) -> tuple[str, str]:
    return f"ticket#{digest_of(ticket)}", "ticket"


def _connection(connection_id: str) -> tuple[str, str]:
    return f"connection#{connection_id}", "connection"


def _hears(connection: LiveItem) -> Condition:
    """That it watches what it watched when it was read."""
    if not connection.topics:
        return LiveItem.topics.does_not_exist()
    topics: Any = LiveItem.topics  # PynamoDB takes a tuple for one element of a list
    same: Condition = topics == list(connection.topics)
    return same


def _get(row_id: str, part: str) -> LiveItem | None:
    with transient_as_unavailable():
        try:
            return LiveItem.get(row_id, part, consistent_read=True)
        except DoesNotExist:
            return None
