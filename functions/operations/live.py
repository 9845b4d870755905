"""Hints: which topics a change is about, and what a page may watch. Pure.

A hint says that something changed and never what: whoever gets one reads it over HTTP, with a token.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from operations.chains import CHAINS
from sluice.errors import Unreadable

PLATFORM = "platform"
MOST_TOPICS = 20
"""Of one connection."""
MOST_CONNECTIONS = 5
"""Of one subject."""
TICKET_SECONDS = 60
CONNECTION_SECONDS = 2 * 3600 + 600
"""API Gateway ends a connection after two hours; what is remembered of one outlasts it."""

_CONTEXTS = {prefix: chain.name for chain in CHAINS for prefix in chain.prefixes}
_TOPIC = re.compile(r"[a-z_]{3,30}|[a-z]{3}_[0-9A-Z]{26}(:[A-Za-z0-9_-]{1,64})?")


@dataclass(frozen=True)
class Watch:
    """What a page wants to hear of, in place of what it wanted before."""

    topics: tuple[str, ...]


def topics_of(ids: Iterable[str]) -> list[str]:
    """What the rows of a batch are about, each once: a campaign, its context, and the platform."""
    return list(dict.fromkeys(topic for each in ids for topic in _topics_of(each)))


def _topics_of(row_id: str) -> list[str]:
    if row_id == PLATFORM:
        return [PLATFORM]
    context = _CONTEXTS.get(row_id.partition("_")[0])
    if context is None:
        return []  # a row that is no campaign's: the last entry of the tokens, for one
    return list(dict.fromkeys((context, row_id.partition(":")[0], row_id)))


def parse(body: str) -> Watch | None:
    """What a page says: `{"action": "watch", "topics": [...]}`; None for `{"action": "ping"}`. Raises Unreadable."""
    try:
        said = json.loads(body)
        action, topics = said["action"], said.get("topics")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable("A message of a page is JSON with an action") from error
    if action == "ping":
        return None
    if action != "watch" or not isinstance(topics, list) or len(topics) > MOST_TOPICS:
        raise Unreadable(f"A page watches at most {MOST_TOPICS} topics, or pings")
    if not all(isinstance(each, str) and _TOPIC.fullmatch(each) for each in topics):
        raise Unreadable("A topic is a context, the platform, or the id of a campaign")
    return Watch(tuple(dict.fromkeys(topics)))


def digest_of(ticket: str) -> str:
    """By which a ticket is known: the table does not hold the ticket."""
    return sha256(ticket.encode()).hexdigest()


def hint(topic: str, at: str) -> str:
    """The message of a hint."""
    return json.dumps({"type": "changed", "topic": topic, "at": at})
