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
_NAMES = {
    "boost": "cancelled completed created failed paused resumed revert_started reverted started",
    "broadcast": (
        "budget_reached budget_warning campaign_completed cancelled cancelling created deleted edited failed "
        "instance_changed instance_created instance_deleted limits_changed message_failed message_sent paused pausing "
        "quota_reached quota_warning resumed retried started template_changed template_created template_deleted"
    ),
    "hook": "changed created deleted disabled enabled replayed rotated tested",
    "platform": "resumed stopped",
    "promotion": (
        "campaign_budget_refund campaign_close_operation campaign_closed campaign_closing_error "
        "campaign_contract_error campaign_publish_content campaign_publish_do_sm_transaction campaign_publish_error "
        "campaign_publish_second_content campaign_rate_updated cancelled created exception_made exception_removed "
        "resumed rolled_back settled started"
    ),
    "sponsorship": (
        "adjustment_approved adjustment_proposed adjustment_rejected campaign_completion_check cancelled closed "
        "closing created detector_gap_found impressions_voided key_unlocked keys_loaded participation_completed "
        "participation_expired participation_held participation_joined participation_rejected participation_review "
        "participation_settling paused refund_paid refund_proposed rejection_proposed resumed started tally_corrected"
    ),
    "view": "adjusted content_changed content_registered import_completed import_created import_failed import_started",
    "wallet": "deposited withdrawn",
}
TYPES = frozenset(f"{context}.{name}" for context, names in _NAMES.items() for name in names.split())
"""All types of events on the bus. A test compares them with docs/architecture.md."""
_FILTERS = TYPES | {TEST} | {f"{context}.*" for context in _NAMES}


def type_of(name: str) -> str:
    """The type of an event by its name on the bus. Names that begin with no other context's word are sponsorships'."""
    context = next((context for begin, context in _CONTEXTS if name.startswith(begin)), "sponsorship")
    rest = name.removeprefix(_WORDS[context])
    return f"{context}.{_CAPITAL.sub('_', rest).lower().replace(':', '_').replace('.', '_')}"


def is_filter(text: str) -> bool:
    """Whether a text is a type, or all types of a context: `boost.*`."""
    return text in _FILTERS


def meant_by(text: str) -> str | None:
    """The filter that was probably meant by a text that is none."""
    import difflib  # of a refusal alone

    return next(iter(difflib.get_close_matches(text.lower(), sorted(_FILTERS), n=1)), None)


def wants(filters: Collection[str], kind: str) -> bool:
    """Whether an endpoint with these filters gets events of a type.

    Without filters it gets all but single messages, of which a campaign has a million, and what concerns endpoints.
    """
    if not filters:
        return not kind.startswith(("broadcast.message_", "hook."))
    return kind in filters or f"{kind.partition('.')[0]}.*" in filters
