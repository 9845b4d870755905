"""Adjustments: corrections of a content's organic views, each signed, with its reason, and never silent.

| id                 | part              |                                                        |
|--------------------|-------------------|--------------------------------------------------------|
| content#story#123  | adjusted#01K...   | one adjustment                                         |
| content#story#123  | adjustments       | the head of the content's chain of audit entries       |
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from sluice import requests, totals
from sluice.audit import Head
from sluice.clock import Clock
from sluice.commit import Trace, commit
from sluice.dynamodb import Database, transient_as_unavailable
from sluice.errors import Conflicting, Unavailable
from sluice.ids import new_id
from sluice.requests import Keyed
from views.items import AdjustedItem, ViewsItem

PREFIX = "adj"
"""Of an adjustment's id."""
ACTION = "VIEWS_ADJUSTED"
MOST_VIEWS = 10**9
_EVENT = "ViewsAdjusted"
_ROW = "adjusted#"
_HEAD = "adjustments"
# Each attempt lost against the sync, an import or another adjustment of the same content.
_ATTEMPTS = 20

type Content = tuple[str, str]


class HeadItem(ViewsItem):
    """The last audit entry of a content's adjustments."""

    audit_number = NumberAttribute()
    audit_hash = UnicodeAttribute()


@dataclass(frozen=True)
class Adjustment:
    """Views that were added to a content's organic ones; below 0: taken from them."""

    id: str
    views: int
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True)
class Adjusted:
    """An adjustment, and the organic views in the database with it."""

    content: Content
    adjustment: Adjustment
    organic: int


class Adjustments:
    """Makes and lists adjustments."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def adjust(
        self, content: Content, views: int, reason: str, actor: str, keyed: Keyed[Adjusted]
    ) -> Adjusted | requests.Answer:
        """Adjust a content's organic views, or give the answer that its Idempotency-Key got before.

        Raises Conflicting when they would fall below zero.
        """
        for _ in range(_ATTEMPTS):
            now = self._clock.now()
            before = totals.read(*content).organic
            # After the views: those that a copy of this request has taken are no reason to refuse it.
            if answer := requests.find(keyed.request, now):
                return answer
            if before + views < 0:
                message = f"{content[0]} {content[1]} has {before} organic views in the database, fewer than {-views}"
                raise Conflicting(message, "views_below_zero")
            adjustment = Adjustment(new_id(PREFIX, now), views, reason, actor, now)
            adjusted = Adjusted(content, adjustment, before + views)
            if self._commit(adjusted, self._head(content), keyed):
                return adjusted
        raise Unavailable("The content's views are changing too fast")

    def page(self, content: Content, limit: int, after: str | None) -> tuple[list[Adjustment], str | None]:
        """At most `limit` adjustments, newest first, beginning after an id; and the id to go on after, if any."""
        of_content = _id(content)
        last = {"id": {"S": of_content}, "part": {"S": _part(after)}} if after else None
        with transient_as_unavailable():
            items = AdjustedItem.query(
                of_content,
                AdjustedItem.part.startswith(_ROW),
                scan_index_forward=False,
                limit=limit,
                last_evaluated_key=last,
                consistent_read=True,
            )
            found = [_adjustment(item) for item in items]
            following = items.last_evaluated_key
        return found, found[-1].id if found and following else None

    def _commit(self, adjusted: Adjusted, head: Head, keyed: Keyed[Adjusted]) -> bool:
        """Commit an adjustment, all of it or nothing: False when the total or the chain went on meanwhile."""
        content, adjustment = adjusted.content, adjusted.adjustment
        before = adjusted.organic - adjustment.views
        trace = Trace(
            entity=entity_of(content),
            action=ACTION,
            actor=adjustment.actor,
            before={"organic": before},
            after={"organic": adjusted.organic} | _told(adjustment),
            event=_EVENT,
            told=_event(adjusted),
        )
        row = AdjustedItem(_id(content), _part(adjustment.id), views=adjustment.views, reason=adjustment.reason)
        row.actor, row.at = adjustment.actor, adjustment.at

        def write(transaction: TransactWrite, new_head: Head) -> None:
            totals.adjust_organic(transaction, *content, adjustment.views, before)
            transaction.save(row, condition=AdjustedItem.id.does_not_exist())
            item = HeadItem(_id(content), _HEAD, audit_number=new_head.number, audit_hash=new_head.hash)
            transaction.save(item, condition=_is(head))

        answered = Keyed[Head](keyed.request, lambda _: keyed.answer(adjusted))
        new_head = commit(
            self._database, head, trace, adjustment.at, entity=lambda head: head, write=write, keyed=answered
        )
        return new_head is not None

    def _head(self, content: Content) -> Head:
        with transient_as_unavailable():
            items = list(HeadItem.batch_get([(_id(content), _HEAD)], consistent_read=True))
        return Head(int(items[0].audit_number), items[0].audit_hash) if items else Head()


def entity_of(content: Content) -> str:
    """What the audit log calls the adjustments of a content."""
    return ":".join((_HEAD, *content))


def _is(head: Head) -> Condition:
    condition: Condition = HeadItem.audit_number == head.number
    return condition if head.number else HeadItem.id.does_not_exist()


def _told(adjustment: Adjustment) -> dict[str, Any]:
    return {"adjustment_id": adjustment.id, "views": adjustment.views, "reason": adjustment.reason}


def _event(adjusted: Adjusted) -> dict[str, Any]:
    content_type, content_id = adjusted.content
    content = {"content_type": content_type, "content_id": content_id, "organic": adjusted.organic}
    return content | _told(adjusted.adjustment) | {"actor": adjusted.adjustment.actor}


def _adjustment(item: AdjustedItem) -> Adjustment:
    name = f"{PREFIX}_{item.part.removeprefix(_ROW)}"
    return Adjustment(name, int(item.views), item.reason, item.actor, item.at)


def _id(content: Content) -> str:
    return "#".join(("content", *content))


def _part(adjustment_id: str) -> str:
    return f"{_ROW}{adjustment_id.removeprefix(f'{PREFIX}_')}"
