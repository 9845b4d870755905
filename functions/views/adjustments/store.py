"""Reading adjustments, and committing them."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from sluice.audit import Head
from sluice.commit import Trace, commit
from sluice.dynamodb import Database, page_of, transient_as_unavailable
from sluice.requests import Keyed
from views import totals
from views.adjustments.adjustment import PREFIX, Adjusted, Adjustment, Place
from views.adjustments.items import HeadItem
from views.content import Content
from views.items import DAYS, AdjustedItem, PlatformDayItem, id_of

ACTION = "VIEWS_ADJUSTED"
_EVENT = "ViewsAdjusted"
_RESTORED = "VIEWS_ADJUSTMENTS_RESTORED"
_ROW = "adjusted#"
_HEAD = "adjustments"


@dataclass(frozen=True)
class AdjustmentStore:
    database: Database
    zone: ZoneInfo

    def head(self, content: Content) -> Head:
        """The last audit entry of a content's adjustments."""
        with transient_as_unavailable():
            items = list(HeadItem.batch_get([(id_of(content), _HEAD)], consistent_read=True))
        return items[0].audit_head if items else Head()

    def page(self, content: Content, limit: int, after: Place | None) -> tuple[list[Adjustment], Place | None]:
        """At most `limit` adjustments, newest first, from after a place; and the place of the next page, if any."""
        last = _part(after.id) if after else None
        found, following = page_of(AdjustedItem, _adjustment, id_of(content), _ROW, limit, last, newest_first=True)
        return found, Place(_name(following)) if following else None

    def commit(self, adjusted: Adjusted, head: Head, keyed: Keyed[Adjusted] | None) -> bool:
        """Commit an adjustment, all of it or nothing: False when the total or the audit chain changed meanwhile."""
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
            restored=_RESTORED,
        )
        row = AdjustedItem(id_of(content), _part(adjustment.id), views=adjustment.views, reason=adjustment.reason)
        row.actor, row.at = adjustment.actor, adjustment.at

        def write(transaction: TransactWrite, new: Head) -> None:
            totals.adjust_organic(transaction, *content, adjustment.views, before)
            transaction.save(row, condition=AdjustedItem.id.does_not_exist())
            day = adjustment.at.astimezone(self.zone).date().isoformat()
            transaction.update(PlatformDayItem(DAYS, day), actions=[PlatformDayItem.adjusted.add(adjustment.views)])
            item = HeadItem(id_of(content), _HEAD, audit_number=new.number, audit_hash=new.hash)
            transaction.save(item, condition=_is(head))

        answered = _about(adjusted, keyed) if keyed else None
        done = commit(self.database, head, trace, adjustment.at, entity=lambda new: new, write=write, keyed=answered)
        return done is not None


def _about(adjusted: Adjusted, keyed: Keyed[Adjusted]) -> Keyed[Head]:
    """The answer to an adjustment, which is known before its audit entry; and that entry's number."""
    answered = Keyed[Head](keyed.request, lambda _: keyed.answer(adjusted), keyed.replaces)
    return answered.about(lambda head: (entity_of(adjusted.content), head.number))


def entity_of(content: Content) -> str:
    """The entity of a content's adjustments in the audit log."""
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
    return Adjustment(_name(item.part), int(item.views), item.reason, item.actor, item.at)


def _name(part: str) -> str:
    return f"{PREFIX}_{part.removeprefix(_ROW)}"


def _part(adjustment_id: str) -> str:
    return f"{_ROW}{adjustment_id.removeprefix(f'{PREFIX}_')}"
