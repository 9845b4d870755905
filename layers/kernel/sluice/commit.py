"""Commit: a change of an entity, its audit entry, its event and the answer to its key, in one transaction.

Campaigns, corrections, registered content and the platform's stop all use it (design sections 3 and 4).

A restore takes an entity back and leaves the audit log, so the number of the entity's next entry is taken. Then the
commit is tried again with one more entry before its own: a bridge, which follows the last entry found.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from pynamodb.transactions import TransactWrite

from sluice import audit, outbox, requests
from sluice.audit import Entry, EntryItem, Head
from sluice.dynamodb import Database, bind
from sluice.outbox import EventItem
from sluice.requests import Keyed

logger = Logger(child=True)


@dataclass(frozen=True)
class CommitSettings:
    """What a function that commits reads from the environment, beside its own tables."""

    audit_table: str
    outbox_table: str


def database(settings: CommitSettings) -> Database:
    """The database. Binds the models of audit and outbox to their tables."""
    bind(EntryItem, settings.audit_table)
    bind(EventItem, settings.outbox_table)
    return Database()


@dataclass(frozen=True)
class Trace:
    """What a commit leaves behind: an entry in the audit log of `entity`, and an event.

    `before` and `after` are the parts of the entity that the entry shows; `before` is None for a new entity. `after`
    may be a function of the entry's number, which a bridge changes: a ledger entry names it, and is hashed into it.
    `event` is in the past tense, such as `BoostCompleted`, and `told` is the event's payload; empty for no event.
    """

    entity: str
    action: str
    actor: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | Callable[[int], Mapping[str, Any]]
    event: str
    told: Mapping[str, Any]
    restored: str
    """The action of a bridge, such as `PLATFORM_RESTORED`. Every context's ends in `_RESTORED`."""


def commit[E](
    database: Database,
    head: Head,
    trace: Trace | None,
    now: datetime,
    *,
    entity: Callable[[Head], E],
    write: Callable[[TransactWrite, E], None],
    keyed: Keyed[E] | None = None,
) -> E | None:
    """Commit a change, all of it or nothing. Returns the changed entity, or None when a condition failed.

    `head` is the head of the entity's audit chain as read. `entity` makes the entity with its new head. `write` adds
    the entity's own writes, on condition that the entity and its head are as they were read. So of two commits one
    bridges a restore, and the other reads again. Without a `trace` there is no entry and no event, and the head stays.
    Raises Unavailable when the database is too busy.
    """

    def attempt(*entries: Entry) -> E | None:
        after = entity(entries[-1].head if entries else head)

        def fill(transaction: TransactWrite) -> None:
            write(transaction, after)
            for entry in entries:
                audit.write(transaction, entry)
            if trace and trace.event:
                outbox.write(transaction, trace.event, dict(trace.told), now)
            if keyed:
                requests.write(transaction, keyed, after, now)

        return after if database.commit(fill) else None

    if trace is None:
        return attempt()
    committed = attempt(_entry(head, trace, now))
    if committed is not None:
        return committed
    bridge = audit.bridge(head, entity=trace.entity, action=trace.restored, now=now)
    if bridge is None:
        return None
    committed = attempt(bridge, _entry(bridge.head, trace, now))
    if committed is not None:
        # An alarm counts these lines: nobody can tell a restore from entries that were forged to look like one.
        logger.error("A restore was bridged", entity=trace.entity, bridge=bridge.after)
    return committed


def _entry(head: Head, trace: Trace, now: datetime) -> Entry:
    after = trace.after(head.number + 1) if callable(trace.after) else trace.after
    return audit.follow(
        head,
        entity=trace.entity,
        action=trace.action,
        actor=trace.actor,
        now=now,
        before=None if trace.before is None else dict(trace.before),
        after=dict(after),
    )
