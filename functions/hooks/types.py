"""The types of events, as receivers see them: `boost.completed` for `BoostCompleted`.

A type is its context's singular, a dot, and the name on the bus in snake case without the context's word.
"""

import re
from collections.abc import Collection

TEST = "hook.test"
"""The type of what `test` sends. No event on the bus has it."""

# By the beginning of a name; the first that fits. Some names on the bus come from the sources, and lack their context.
_CONTEXTS = (
    ("Boost", "boost"),
    ("Views", "view"),
    ("Content", "view"),
    ("Wallet", "wallet"),
    ("campaign.completion.check", "sponsorship"),
    ("CAMPAIGN_", "promotion"),
    ("Promotion", "promotion"),
    ("Broadcast", "broadcast"),
    ("campaign:", "broadcast"),
    ("message:", "broadcast"),
    ("quota:", "broadcast"),
    ("budget:", "broadcast"),
    ("Platform", "platform"),
    ("Hook", "hook"),
)
_WORDS = {"boost": "Boost", "view": "Views", "wallet": "Wallet", "sponsorship": "Sponsorship"}
_WORDS |= {"promotion": "Promotion", "broadcast": "Broadcast", "platform": "Platform", "hook": "Hook"}
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PATTERN = re.compile(r"[a-z]+\.([a-z0-9_]+|\*)")


def type_of(name: str) -> str:
    """The type of an event by its name on the bus. Names that begin with no other context's word are sponsorships'."""
    context = next((context for begin, context in _CONTEXTS if name.startswith(begin)), "sponsorship")
    rest = name.removeprefix(_WORDS[context])
    return f"{context}.{_CAPITAL.sub('_', rest).lower().replace(':', '_').replace('.', '_')}"


def is_filter(text: str) -> bool:
    """Whether a text is a type, or all types of a context: `boost.*`."""
    return _PATTERN.fullmatch(text) is not None


def wants(filters: Collection[str], kind: str) -> bool:
    """Whether an endpoint with these filters gets events of a type.

    Without filters it gets all but single messages, of which a campaign has a million, and what concerns endpoints.
    """
    if not filters:
        return not kind.startswith(("broadcast.message_", "hook."))
    return kind in filters or f"{kind.partition('.')[0]}.*" in filters
