"""The store of campaigns whose changes move money: an entry of the ledger is in the transaction of its change."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pynamodb.transactions import TransactWrite

from sluice import ledger
from sluice.campaign import Chained
from sluice.chained import PART
from sluice.commit import Trace
from sluice.dynamodb import snapshot
from sluice.errors import Conflicting
from sluice.journal import Balance, Balances, Entry, MoneyChange
from sluice.requests import Keyed
from sluice.store import ChainStore


class PayingStore[C: Chained, X: MoneyChange[Any]](ChainStore[C, X]):
    """A store whose context posts the money of a change in `also`."""

    def commit(self, change: X, actor: str, now: datetime, keyed: Keyed[C] | None = None) -> C | None:
        """As every store does. Raises Conflicting `ledger_is_ahead` for a change whose entry the ledger has already.

        Then no attempt would ever commit: an entry is written once, in the transaction that changes its campaign.
        """
        after = super().commit(change, actor, now, keyed)
        if after is None and change.posting:
            self._require_behind(change, change.posting.id)
        return after

    def post(
        self, transaction: TransactWrite, change: X, after: C, known: Balances | None = None
    ) -> dict[str, Balance]:
        """Write the money that a change moves: the balances of its accounts as they will be. Raises Insufficient.

        `known` are the balances that the amounts were computed from: it is written on condition that they are still so.
        """
        entry = entry_of(change, after.audit_number)
        if entry is None:
            return {}
        read = ledger.read(leg.account for leg in entry.legs if leg.account not in (known or {}))
        return ledger.write(transaction, entry, read | dict(known or {}))

    def noted(self, change: X) -> Mapping[str, Any]:  # noqa: ARG002 - the context's
        """What the audit entry of a change shows besides."""
        return {}

    def _trace(self, change: X, actor: str) -> Trace | None:
        """The trace, with what is noted, and with the hash of the ledger's entry, which shows an edit of it."""
        trace = super()._trace(change, actor)
        if trace is None:
            return None
        shown = {**(trace.after(0) if callable(trace.after) else trace.after), **self.noted(change)}

        def after(number: int) -> dict[str, Any]:
            entry = entry_of(change, number)
            return shown | ({"entry": entry.id, "entry_hash": entry.hash} if entry else {})

        return replace(trace, after=after)

    def _require_behind(self, change: X, entry_id: str) -> None:
        """Raises Conflicting when the ledger has the entry, and the campaign is as it was before the change."""
        found, present = snapshot(
            (ledger.LedgerEntryItem, ledger.entry_key(entry_id)), (self.items, (change.after.id, PART))
        )
        if found and _place(present) == _place(change.before):
            message = (
                f"The ledger has entry {entry_id} already, and {change.after.id} is as before it: one of their tables "
                "was restored or edited alone. An operator must restore both to the same moment"
            )
            raise Conflicting(message, "ledger_is_ahead")


def _place(campaign: Any) -> tuple[int, int] | None:
    """Where a campaign is: the number of its last audit entry too, because not every command bumps the step."""
    return (int(campaign.step), int(campaign.audit_number)) if campaign else None


def entry_of(change: MoneyChange[Any], number: int) -> Entry | None:
    """The ledger's entry of the money that a change moves: the same one at each call.

    Its cause is the entity, and the number of the audit entry of the change.
    """
    posting = change.posting
    return posting.entry(f"{change.after.id} {number}", change.after.updated_at) if posting else None
