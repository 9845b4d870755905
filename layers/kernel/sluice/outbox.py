"""Outbox: an event is a row written in the transaction that caused it, then put on the bus (design section 4)."""

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from sluice import aws
from sluice.clock import Clock, SystemClock, rfc3339
from sluice.dynamodb import Bound, bind, passed_by, readable, update_if
from sluice.errors import Unavailable, Unreadable
from sluice.ids import new_id
from sluice.outbox_row import PENDING

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

logger = logging.getLogger(f"sluice.{__name__}")

SOURCE = "sluice"
PROCESSED = "processed"
UNREADABLE = "unreadable"
"""Of a row that a person has to repair, and to set to `pending` again."""

# Consumers that de-duplicate by event id need not remember longer than rows are kept.
_KEPT = timedelta(days=7)


class _ByEventStatus(GlobalSecondaryIndex["EventItem"]):
    class Meta:
        index_name = "by_status"
        projection = KeysOnlyProjection()

    status = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class EventItem(Bound):
    """An event in the outbox table. `expires_at` (Unix seconds) is set once it is published."""

    class Meta(Bound.Meta):
        pass

    id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    data = JSONAttribute()
    status = UnicodeAttribute(default=PENDING)
    created_at = UnicodeAttribute()
    expires_at = NumberAttribute(null=True)
    by_status = _ByEventStatus()


def write(transaction: TransactWrite, name: str, data: dict[str, Any], now: datetime) -> None:
    """Put an event, in the transaction that causes it. `name` is past tense, such as `BoostCompleted`."""
    event = EventItem(new_id("evt", now), name=name, data=data, created_at=rfc3339(now))
    transaction.save(event, condition=EventItem.id.does_not_exist())


def oldest_pending() -> datetime | None:
    """When the oldest unpublished event was written, by the index; None if all are published."""
    oldest = next(iter(EventItem.by_status.query(PENDING, limit=1)), None)
    return datetime.fromisoformat(oldest.created_at) if oldest else None


@dataclass(frozen=True)
class Relay:
    """Puts events on the bus. At least once: consumers de-duplicate by `detail.id`."""

    events: "EventBridgeClient"
    bus: str
    clock: Clock

    def publish(self, event_id: str) -> None:
        """Publish an event, unless it is published or deleted. Raises Unavailable when the bus refuses it.

        A row that cannot be read is logged, for an alarm, and marked, so that it blocks no other and is not read again.
        """
        try:
            event = EventItem.get(event_id, consistent_read=True)
        except DoesNotExist:
            return
        except Unreadable as error:
            passed_by(error)
            update_if(EventItem(event_id), [EventItem.status.set(UNREADABLE)], EventItem.status == PENDING)
            return
        if event.status != PENDING:
            return
        answer = self.events.put_events(
            Entries=[
                {
                    "EventBusName": self.bus,
                    "Source": SOURCE,
                    "DetailType": event.name,
                    "Detail": json.dumps({"id": event.id, "at": event.created_at, "data": event.data}),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            raise Unavailable(f"The event bus refused an event: {answer['Entries'][0].get('ErrorCode')}")
        self._mark_processed(event)

    def publish_overdue(self, older_than: timedelta, limit: int) -> int:
        """Publish rows that have been pending for longer than `older_than`; returns how many.

        An event that the bus refuses does not block the others: Unavailable is raised after the last.
        """
        before = rfc3339(self.clock.now() - older_than)
        overdue = EventItem.by_status.query(PENDING, EventItem.created_at < before, limit=limit)
        ids = list(readable(overdue, lambda event: str(event.id)))
        failures: list[Exception] = []
        for event_id in ids:
            try:
                self.publish(event_id)
            except Exception as error:  # whatever is wrong with this one
                logger.exception("Not published", extra={"event_id": event_id})
                failures.append(error)
        if failures:
            raise Unavailable(f"{len(failures)} of {len(ids)} overdue events were not published") from failures[0]
        return len(ids)

    def _mark_processed(self, event: EventItem) -> None:
        expires_at = int((self.clock.now() + _KEPT).timestamp())
        processed = [EventItem.status.set(PROCESSED), EventItem.expires_at.set(expires_at)]
        update_if(event, processed, EventItem.status == PENDING)


def relay_of(settings: Any) -> Relay:
    """Puts the events of the table `settings.outbox_table` on `settings.event_bus`."""
    bind(EventItem, settings.outbox_table)
    return Relay(aws.client("events"), settings.event_bus, SystemClock())
