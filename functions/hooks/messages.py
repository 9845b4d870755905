"""What comes to HooksEventsQueue: events from the bus, and the rest of a long replay.

A test and a replay begin with an event too: `HookTested` and `HookReplayed` are in the transaction that audits them.
So nothing is sent that is not in the audit log, and what is in it is sent, whichever process dies.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from hooks.campaign import DeliveryStatus
from hooks.types import TEST, type_of
from sluice.clock import rfc3339
from sluice.errors import Unreadable
from sluice.ids import new_id
from sluice.plain import from_json, to_json

MOST_BYTES = 20_000
"""A larger event is sent as its id alone: receivers read it from the API."""
TESTED, REPLAYED = "hook.tested", "hook.replayed"
"""The types of the events that ask for a test and for a replay."""


@dataclass(frozen=True)
class Event:
    """An event, and the text that is sent for it: fixed here, so each attempt sends equal bytes."""

    id: str
    type: str
    at: datetime
    body: str
    told: Mapping[str, Any]


@dataclass(frozen=True)
class ReplayAsked:
    """A replay of what came in a range of time, from where its last message ended."""

    id: str
    hook_id: str
    begin: datetime
    end: datetime
    status: DeliveryStatus
    left: int
    after: str | None = None


type Message = Event | ReplayAsked


def parse(body: str) -> Message:
    """A message. Raises Unreadable."""
    try:
        message = json.loads(body)
        if "replay" in message:
            return from_json(ReplayAsked, json.dumps(message["replay"]))
        detail = message["detail"]
        return event(detail["id"], type_of(message["detail-type"]), detail["at"], detail["data"])
    except (ValueError, TypeError, KeyError) as error:
        raise Unreadable("The message is neither an event nor a replay") from error


def test_of(asked: Event) -> Event:
    """The event that a test sends. Its id follows from that of `HookTested`, which others may get under its own."""
    test_id = new_id("evt", asked.at, lambda size: sha256(f"test#{asked.id}".encode()).digest()[:size])
    return event(test_id, TEST, rfc3339(asked.at), {"hook_id": asked.told["id"]})


def replay_of(asked: Event) -> ReplayAsked:
    """The replay that `HookReplayed` asks for."""
    told = asked.told
    begin, end = datetime.fromisoformat(told["from"]), datetime.fromisoformat(told["to"])
    return ReplayAsked(asked.id, told["id"], begin, end, DeliveryStatus(told["replayed"]), told["most"])


def event(event_id: str, kind: str, at: str, told: Any) -> Event:
    """An event with its text."""
    body = _text(kind, at, told)
    if len(body.encode()) > MOST_BYTES:
        body = _text(kind, at, {"id": event_id, "truncated": True})
    return Event(event_id, kind, datetime.fromisoformat(at), body, told)


def message_of(asked: ReplayAsked) -> str:
    """The body of a message that asks for the rest of a replay."""
    return f'{{"replay":{to_json(asked)}}}'


def _text(kind: str, at: str, told: Any) -> str:
    parts = {"type": kind, "timestamp": at, "data": told}
    return json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
