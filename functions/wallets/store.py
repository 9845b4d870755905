"""Reading the ledger, and committing movements to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from sluice import journal, ledger
from sluice.audit import Head
from sluice.commit import Trace, commit
from sluice.dynamodb import Database, transient_as_unavailable
from sluice.journal import Balance, Entry, Kind
from sluice.ledger import HeadItem
from sluice.requests import Keyed
from wallets.movement import ENTITY, Moved, Movement


class Action(StrEnum):
    """What an audit entry says was done."""

    DEPOSITED = "WALLET_DEPOSITED"
    WITHDRAWN = "WALLET_WITHDRAWN"
    RESTORED = "WALLET_RESTORED"


ACTIONS = {Kind.DEPOSIT: Action.DEPOSITED, Kind.WITHDRAW: Action.WITHDRAWN}
EVENTS = {Kind.DEPOSIT: "WalletDeposited", Kind.WITHDRAW: "WalletWithdrawn"}
_PREFIXES = {Kind.DEPOSIT: "dep", Kind.WITHDRAW: "wdr"}


def entity_of(user: str) -> str:
    """The entity of a user's wallets in the audit log."""
    return f"{ENTITY}:{user}"


def entry_id(kind: Kind, request: str) -> str:
    """`dep#9f2c...`: made of the caller's key, so that a request is one entry, however often it is sent."""
    return f"{_PREFIXES[kind]}#{request}"


def entry_of(kind: Kind, request: str, movement: Movement, number: int, actor: str, now: datetime) -> Entry:
    """The entry of a movement, which the audit entry of this number causes."""
    outside, wallet = journal.outside(movement.currency), journal.wallet(movement.currency, movement.user)
    source, target = (outside, wallet) if kind is Kind.DEPOSIT else (wallet, outside)
    cause = f"{entity_of(movement.user)} {number}"
    return journal.transfer(
        entry_id(kind, request),
        kind,
        movement.currency,
        source,
        target,
        movement.amount,
        cause=cause,
        actor=actor,
        now=now,
        memo={"reference": movement.reference},
    )


@dataclass(frozen=True)
class WalletStore:
    database: Database

    def head(self, user: str) -> Head:
        """The last audit entry of a user's wallets."""
        with transient_as_unavailable():
            items = list(HeadItem.batch_get([HeadItem.key(user)], consistent_read=True))
        return items[0].audit_head if items else Head()

    def commit(
        self,
        kind: Kind,
        movement: Movement,
        make: Callable[[int], Entry],
        head: Head,
        now: datetime,
        keyed: Keyed[Moved],
    ) -> Moved | None:
        """Commit a movement, all of it or nothing; None when the ledger or the audit chain changed meanwhile.

        `make` makes the ledger's entry for the number of the audit entry that causes it. Raises Insufficient.
        """
        planned = make(head.number + 1)
        balances = ledger.read(leg.account for leg in planned.legs)
        account = journal.wallet(movement.currency, movement.user)
        before, after = balances[account], journal.after(planned, balances)[account]
        trace = Trace(
            entity=entity_of(movement.user),
            action=ACTIONS[kind],
            actor=planned.actor,
            before=_shown(before, movement.currency),
            after=lambda number: _shown(after, movement.currency) | _entry_shown(make(number), movement),
            event=EVENTS[kind],
            told=_told(planned, movement, after),
            restored=Action.RESTORED,
        )

        def write(transaction: TransactWrite, moved: Moved) -> None:
            ledger.write(transaction, make(moved.audit_number), balances)
            item = HeadItem(*HeadItem.key(movement.user))
            item.audit_number, item.audit_hash = moved.audit_number, moved.audit_hash
            transaction.save(item, condition=_is(head))

        def moved(new: Head) -> Moved:
            return moved_by(make(new.number), movement, after, new)

        return commit(self.database, head, trace, now, entity=moved, write=write, keyed=_about(keyed))

    def answer(self, moved: Moved, now: datetime, keyed: Keyed[Moved]) -> Moved | None:
        """Store the answer to a movement that is in the ledger already; None when its key has an answer."""
        return commit(self.database, Head(), None, now, entity=lambda _: moved, write=_nothing, keyed=_about(keyed))


def moved_by(entry: Entry, movement: Movement, balance: Balance, head: Head) -> Moved:
    """The movement that an entry is of."""
    return Moved(movement, entry.id, entry.kind, entry.actor, entry.at, balance.amount, head.number, head.hash)


def _about(keyed: Keyed[Moved]) -> Keyed[Moved]:
    return keyed.about(lambda moved: (entity_of(moved.movement.user), moved.audit_number))


def _nothing(_transaction: TransactWrite, _moved: Moved) -> None:
    pass


def _is(head: Head) -> Condition:
    condition: Condition = HeadItem.audit_number == head.number
    return condition if head.number else HeadItem.account.does_not_exist()


def _shown(balance: Balance, currency: str) -> dict[str, Any]:
    return {"currency": currency, "balance": balance.amount}


def _entry_shown(entry: Entry, movement: Movement) -> dict[str, Any]:
    return {"amount": movement.amount, "reference": movement.reference, "entry": entry.id, "hash": entry.hash}


def _told(entry: Entry, movement: Movement, after: Balance) -> dict[str, Any]:
    return vars(movement) | {"entry": entry.id, "balance": after.amount, "actor": entry.actor}
