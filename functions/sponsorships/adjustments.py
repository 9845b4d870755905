"""Adjustments in the table: edits that were found, proposals, and who approved them."""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from sluice.clock import rfc3339
from sluice.dynamodb import page_of, transient_as_unavailable
from sponsorships.items import AdjustmentItem, ListedItem
from sponsorships.participation import Adjustment, AdjustmentState

OPEN = "adjustments"
"""The partition that lists the open ones, the oldest first."""
_PART = "adjustment#"


def find(participation_id: str, number: int) -> Adjustment | None:
    """An adjustment, by a consistent read."""
    try:
        with transient_as_unavailable():
            return _read(AdjustmentItem.get(participation_id, _part(number), consistent_read=True))
    except DoesNotExist:
        return None


def of(participation_id: str) -> list[Adjustment]:
    """All adjustments of a participation, the oldest first, by a consistent read."""
    return page_of(AdjustmentItem, _read, participation_id, _PART, None, None)[0]


def granted(participation_id: str) -> int:
    """The impressions that two people approved, whatever the participation's document says, by a consistent read."""
    return sum(each.delta for each in of(participation_id) if each.state is AdjustmentState.GRANTED)


def count_open(most: int) -> int:
    """How many are open, counted up to `most`."""
    with transient_as_unavailable():
        return len(list(ListedItem.query(OPEN, limit=most, consistent_read=True)))


def oldest_open() -> tuple[datetime, str] | None:
    """When the oldest open one was made, and of which participation it is; None if none is open."""
    with transient_as_unavailable():
        for oldest in ListedItem.query(OPEN, limit=1, consistent_read=True):
            made_at, participation_id, _ = oldest.part.split("#")
            return datetime.fromisoformat(made_at), participation_id
    return None


def write(transaction: TransactWrite, participation_id: str, after: Adjustment) -> None:
    """Write an adjustment as it is after a change.

    A new one on condition that its step has none. An open one that is approved or rejected, on condition that nobody
    decided it and that this person has not approved it: two approvals are not two people.
    """
    if after.decided_by is None:
        item = AdjustmentItem(participation_id, _part(after.number), made_at=rfc3339(after.created_at))
        for name in ("delta", "found_by", "state", "reason", "proposer"):
            setattr(item, name, getattr(after, name))
        item.before, item.after, item.approvers = dict(after.before), dict(after.after), set(after.approvers) or None
        transaction.save(item, condition=AdjustmentItem.id.does_not_exist())
        if after.state is AdjustmentState.OPEN:
            transaction.save(_listed(participation_id, after))
    else:
        _decide(transaction, participation_id, after, after.decided_by)


def _decide(transaction: TransactWrite, participation_id: str, after: Adjustment, who: str) -> None:
    changes: list[Action] = [AdjustmentItem.state.set(after.state), AdjustmentItem.decided_by.set(who)]
    as_read = AdjustmentItem.state == AdjustmentState.OPEN
    if after.state is not AdjustmentState.REJECTED:
        changes.append(AdjustmentItem.approvers.add({who}))
        as_read &= ~AdjustmentItem.approvers.contains(who)
    transaction.update(AdjustmentItem(participation_id, _part(after.number)), changes, as_read)
    if after.state is not AdjustmentState.OPEN:
        transaction.delete(_listed(participation_id, after))


def _listed(participation_id: str, after: Adjustment) -> ListedItem:
    return ListedItem(OPEN, f"{rfc3339(after.created_at)}#{participation_id}#{after.number:06d}")


def _read(item: AdjustmentItem) -> Adjustment:
    return Adjustment(
        number=int(item.part.removeprefix(_PART)),
        delta=int(item.delta),
        found_by=item.found_by,
        created_at=datetime.fromisoformat(item.made_at),
        state=item.state,
        before=item.before,
        after=item.after,
        reason=item.reason,
        proposer=item.proposer,
        approvers=frozenset(item.approvers or ()),
        decided_by=item.decided_by,
    )


def _part(number: int) -> str:
    return f"{_PART}{number:06d}"
