"""Changes that move money: the entry of a change's posting, in its transaction and in its audit entry."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from pynamodb.transactions import TransactWrite

from sluice import ledger
from sluice.campaign import Chained
from sluice.commit import Trace
from sluice.journal import Balance, Balances, Entry, Posting


class Moving(Protocol):
    """A change that may move money."""

    @property
    def after(self) -> Chained: ...
    @property
    def posting(self) -> Posting | None: ...


def entry_of(change: Moving, number: int) -> Entry | None:
    """The ledger's entry of the money that a change moves: the same one at each call.

    Its cause is the entity, and the number of the audit entry of the change.
    """
    posting = change.posting
    return posting.entry(f"{change.after.id} {number}", change.after.updated_at) if posting else None


def write(
    transaction: TransactWrite, change: Moving, number: int, balances: Balances | None = None
) -> dict[str, Balance]:
    """Write the money that a change moves: the balances of its accounts as they will be. Raises Insufficient.

    `balances` are those that the amounts were computed from: it is written on condition that they are still so.
    """
    entry = entry_of(change, number)
    if entry is None:
        return {}
    known = balances or {}
    read = ledger.read(leg.account for leg in entry.legs if leg.account not in known)
    return ledger.write(transaction, entry, read | dict(known))


def noted(trace: Trace | None, change: Moving, noted: Mapping[str, Any]) -> Trace | None:
    """The trace, with what the audit entry shows besides: the hash of the ledger's entry shows an edit of it."""
    if trace is None:
        return None
    shown = {**(trace.after(0) if callable(trace.after) else trace.after), **noted}

    def after(number: int) -> dict[str, Any]:
        entry = entry_of(change, number)
        return shown | ({"entry": entry.id, "entry_hash": entry.hash} if entry else {})

    return replace(trace, after=after)
