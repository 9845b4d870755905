"""Ids: a prefix for the kind of thing, then a ULID, so that ids sort by creation."""

import re
from collections.abc import Callable
from datetime import datetime
from secrets import token_bytes

from ulid import ULID

AUDIT = "aud"

_ULID = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
_SUFFIX = r":[A-Za-z0-9_-]{1,64}"


def new_id(prefix: str, now: datetime, random: Callable[[int], bytes] = token_bytes) -> str:
    """`bst_01JD...`: 48 bits of time in ms and 80 random bits (https://github.com/ulid/spec)."""
    milliseconds = int(now.timestamp() * 1000)
    return f"{prefix}_{ULID(milliseconds.to_bytes(6, 'big') + random(10))}"


def nonce(random: Callable[[int], bytes] = token_bytes) -> str:
    """16 random hex digits: they distinguish the invocations of one message."""
    return random(8).hex()


def is_id(prefix: str, text: str, *, suffixed: bool = False) -> bool:
    """Whether `text` is an id of that prefix.

    `suffixed`: an id with a name behind it, such as `spn_01JD...:nina`, the participation of nina in a campaign.
    """
    head, _, tail = text.partition("_")
    return head == prefix and re.fullmatch(_ULID + _SUFFIX if suffixed else _ULID, tail) is not None
