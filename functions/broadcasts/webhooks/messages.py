"""The messages of BroadcastsEventsQueue: events of an instance, or what AWS tells by SNS. Pure.

    {"instance": "ins_x", "events": [
        {"status": "DELIVERED", "id": "wamid.x", "at": "2026-11-27T22:00:00+00:00", "callback": "brd_x/g1/r0/7/01K.."},
        {"inbound": "5511987654321", "id": "wamid.y", "at": "2026-11-27T22:00:01+00:00", "text": "SAIR"}]}

A message of SNS, raw, has `whatsAppWebhookEntry` in place of these.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadcasts.ports import LONGEST_CODE, Event, InboundEvent, StatusEvent, is_id
from broadcasts.row import Evidence
from sluice.errors import Unreadable

MOST_EVENTS = 100
MOST_BYTES = 200_000
"""Of a message: SQS takes 256 KiB."""


@dataclass(frozen=True)
class Told:
    """Events that an instance's provider told."""

    instance_id: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Notified:
    """A message of SNS, as it came: it names the number, and not the instance."""

    body: str


type Message = Told | Notified


def bodies(instance_id: str, events: Iterable[Event]) -> Iterator[str]:
    """The messages for events of an instance, in their order: at most 100 events each, and no larger than SQS takes.

    Events with an id that no provider has are left out.
    """
    some: list[str] = []
    size = 0
    for each in events:
        if not is_id(each.message_id):
            continue
        text = _encode(_fields(each))
        longer = len(text) + 1
        if some and (len(some) == MOST_EVENTS or size + longer > MOST_BYTES):
            yield _body(instance_id, some)
            some, size = [], 0
        some.append(text)
        size += longer
    if some:
        yield _body(instance_id, some)


def parse(body: str) -> Message:
    """The message of a `body`. Raises Unreadable."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("The message is no JSON") from error
    match found:
        case {"whatsAppWebhookEntry": str()}:
            return Notified(body)
        case {"instance": str(instance_id), "events": list(events)}:
            try:
                return Told(instance_id, tuple(_event(each) for each in events))
            except (KeyError, TypeError, ValueError) as error:
                raise Unreadable("An event of the message cannot be read") from error
    raise Unreadable("The message has no events")


def _body(instance_id: str, events: Sequence[str]) -> str:
    return f'{{"instance":{json.dumps(instance_id)},"events":[{",".join(events)}]}}'


# In ASCII: SQS rejects a message with one of some characters.
_encode = json.JSONEncoder(separators=(",", ":")).encode


def _fields(event: Event) -> dict[str, Any]:
    common = {"id": event.message_id, "at": event.at.isoformat()}
    if isinstance(event, InboundEvent):
        return {"inbound": event.sender, "text": event.text} | common
    said: dict[str, Any] = {"status": event.status.name} | common
    callback = event.callback if event.callback and is_id(event.callback) else None
    code = event.code[:LONGEST_CODE] if event.code else None
    said |= {"callback": callback, "code": code, "text": event.text}
    said |= {"retryable": True} if event.retryable else {}
    return {name: value for name, value in said.items() if value is not None}


def _event(fields: Mapping[str, Any]) -> Event:
    at, message_id = datetime.fromisoformat(fields["at"]), str(fields["id"])
    if "inbound" in fields:
        return InboundEvent(str(fields["inbound"]), str(fields["text"]), at, message_id)
    return StatusEvent(
        Evidence[fields["status"]],
        message_id,
        fields.get("callback"),
        at,
        code=fields.get("code"),
        text=fields.get("text"),
        retryable=bool(fields.get("retryable")),
    )
