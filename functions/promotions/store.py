"""Reading promotions, and committing changes to them with their events and the money that they move."""

from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from promotions import engagement, participants
from promotions.campaign import put_back
from promotions.items import KEPT, ListedItem, OperationItem, PromotionItem
from promotions.operation import Operation
from promotions.promotion import Action, Change, Promotion, PromotionStatus, Stage, Terms
from sluice import audit, outbox
from sluice.audit import EntryItem, Head
from sluice.chained import HALTED, PART, UNKNOWN_CALLS, unknown_call
from sluice.commit import Trace
from sluice.dynamodb import page_of, transient_as_unavailable
from sluice.outward import CallState
from sluice.paying import PayingStore
from sluice.store import Listing

_NO_EVENTS = dict.fromkeys(Action, "")
"""A change says which events it has; the first one is the audit entry's."""


class PromotionStore(PayingStore[Promotion, Change]):
    """Reads promotions and commits changes to them."""

    kind = Promotion
    items = PromotionItem
    events = _NO_EVENTS
    restored = "PROMOTION_RESTORED"

    def operation(self, promotion_id: str, number: int) -> Operation | None:
        """One publish, by a consistent read."""
        try:
            with transient_as_unavailable():
                item = OperationItem.get(*OperationItem.key(promotion_id, number), consistent_read=True)
        except DoesNotExist:
            return None
        return item.operation

    def operations(self, promotion_id: str) -> list[Operation]:
        """All publishes of a promotion, in their order, by a consistent read."""
        return page_of(OperationItem, lambda item: item.operation, promotion_id, "operation#", None, None)[0]

    def log(self, promotion_id: str, limit: int, after: int | None) -> tuple[list[audit.Entry], int | None]:
        """At most `limit` entries of the audit log, newest first, from before a number; and the number to go on from.

        Entries that were edited so that they cannot be read are left out: the trail says which.
        """
        last = {"entity": {"S": promotion_id}, "number": {"N": str(after)}} if after else None
        with transient_as_unavailable():
            rows = EntryItem.query(promotion_id, scan_index_forward=False, limit=limit, last_evaluated_key=last)
            items = list(rows)
        more = rows.last_evaluated_key is not None and bool(items)
        return [each.entry() for each in items if not each.unreadable], int(items[-1].number) if more else None

    def headed(self, change: Change, head: Head) -> Promotion:
        """The promotion as it is committed. If that bridges a restore, what was posted since then is in doubt."""
        after = super().headed(change, head)
        if change.before is None or head.number <= change.before.audit_number + 1:
            return after
        return put_back(change.before, after)

    def also(self, transaction: TransactWrite, change: Change, after: Promotion, now: datetime) -> None:
        """The owner's list, operation, engagement, participants, the events behind the first one, and the money."""
        before = change.before
        if before is None:
            transaction.save(ListedItem(f"owner#{after.created_by}", after.id))
        elif after.deleted_at:
            transaction.delete(ListedItem(f"owner#{after.created_by}", after.id))
        _list_halted(transaction, before, after)
        _list_unknown(transaction, before, after)
        if after.operation and (before is None or after.operation != before.operation):
            transaction.save(_operation_item(after, after.operation))
        if before and before.stage is not after.stage:
            if after.stage is Stage.RUNNING:
                engagement.begin(transaction, after)
            elif before.stage is Stage.RUNNING:
                engagement.end(transaction, after)
        for number, event in enumerate(change.events[1:], 1):
            outbox.write(transaction, event.name, _numbered(change, number), now)
        if after.final and before and before.final is None:
            engagement.finish(transaction, after.id, after.final)
        participants.write(transaction, change)
        self.post(transaction, change, after, change.balances)

    def terms(self, promotion: Promotion) -> dict[str, Any]:
        values = {each.name: getattr(promotion, each.name) for each in fields(Terms)}
        lists = {name: list(values[name]) for name in ("texts", "media", "weights")}
        return values | lists | {"auto_close": [vars(each) for each in promotion.auto_close]}

    def snapshot(self, promotion: Promotion) -> dict[str, Any]:
        ids = ("stage", "round", "tweet_id", "contract_id", "contract_status", "last_thread_tweet_id", "close_reason")
        names = (*ids, "promised", "paid", "refunded")
        found = {name: getattr(promotion, name) for name in names if getattr(promotion, name)}
        error = {"error": promotion.error.reason} if promotion.error else {}
        return {"status": promotion.status} | found | error

    def told(self, promotion: Promotion) -> dict[str, Any]:
        return promotion.card

    def noted(self, change: Change) -> dict[str, Any]:
        edited = self.terms(change.after) if change.action is Action.EDITED else {}
        return {**edited, **change.noted}

    def _trace(self, change: Change, actor: str) -> Trace | None:
        trace = super()._trace(change, actor)
        if trace and change.events:
            return replace(trace, event=change.events[0].name, told=_numbered(change, 0))
        return trace


def _list_halted(transaction: TransactWrite, before: Promotion | None, after: Promotion) -> None:
    """List a promotion as halted while it has an error."""
    was_halted = before is not None and before.error is not None
    if after.error and not was_halted:
        transaction.save(ListedItem(HALTED, after.id))
    elif was_halted and not after.error:
        transaction.delete(ListedItem(HALTED, after.id))


def _list_unknown(transaction: TransactWrite, before: Promotion | None, after: Promotion) -> None:
    """List the call of a promotion while its outcome is unknown."""
    was, now = (_unknown_part(each) for each in (before, after))
    if was and was != now:
        transaction.delete(ListedItem(UNKNOWN_CALLS, was))
    if now and was != now:
        transaction.save(ListedItem(UNKNOWN_CALLS, now))


def _unknown_part(promotion: Promotion | None) -> str | None:
    call = promotion.call if promotion else None
    if promotion is None or call is None or call.state not in (CallState.UNKNOWN, CallState.STUCK):
        return None
    return unknown_call(promotion.id, call.since)


def _operation_item(after: Promotion, operation: Operation) -> OperationItem:
    item = OperationItem(*OperationItem.key(after.id, operation.number), operation=operation)
    if operation.ended_at:
        closes_at = after.campaign_close_time if after.status is PromotionStatus.RUNNING else None
        item.expires_at = int(((closes_at or operation.ended_at) + KEPT).timestamp())
    return item


def _numbered(change: Change, number: int) -> dict[str, Any]:
    """The data of an event of a change, with its number among the promotion's events."""
    return {**change.events[number].data, "seq": change.after.seq - len(change.events) + 1 + number}


HALTED_LIST = Listing(ListedItem.query, HALTED)
"""Where the promotions that have halted are listed."""


def listed_by(status: PromotionStatus | None, owner: str | None) -> Listing:
    """Where the promotions of an owner are listed, or the promotions in a status, or all."""
    if owner is not None:
        return Listing(ListedItem.query, f"owner#{owner}")
    if status is not None:
        return Listing(ListedItem.by_status.query, status, "status")
    return Listing(ListedItem.by_creation.query, PART, "kind")
