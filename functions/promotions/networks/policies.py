"""What each network allows and costs, by its documentation of 2026-08. Pure: no library of a network is imported."""

import re
from collections.abc import Mapping
from decimal import Decimal
from unicodedata import normalize

from promotions.ports import Kind, NetworkPolicy

_URL = re.compile(r"https?://\S+")
_URL_OR_DOMAIN = re.compile(r"https?://\S+|(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?:/\S*)?")
_MENTION = re.compile(r"(?<!\w)(@\w+)@[\w.-]+\w")
_URL_LENGTH = 23
_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
"""The code points that X counts as one; every other one counts as two."""

_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})


def x_length(text: str) -> int:
    """The weighted characters of a text: 23 a URL, 2 for CJK and emoji. Never less than X counts.

    An emoji of several code points is 2 to X, and more here. So is a bare domain of more than 23 characters.
    """
    text = normalize("NFC", text)
    urls = sum(
        _URL_LENGTH if "://" in found[0] else max(_URL_LENGTH, len(found[0])) for found in _URL_OR_DOMAIN.finditer(text)
    )
    rest = _URL_OR_DOMAIN.sub("", text)
    return urls + sum(1 if any(first <= ord(each) <= last for first, last in _LIGHT) else 2 for each in rest)


def mastodon_length(text: str) -> int:
    """The characters of a text: 23 a URL, and a mention without its host."""
    return len(_MENTION.sub(r"\1", _URL.sub("_" * _URL_LENGTH, text)))


SANDBOX = NetworkPolicy(
    network="sandbox",
    rewards=True,
    kinds=frozenset(Kind),
    length=len,
    text_limit=500,
    media_types=_PICTURES | {"image/gif"},
    media_count=4,
    media_bytes=5 << 20,
    links=True,
    post_price=Decimal(0),
    link_price=Decimal(0),
    batch=100,
    call_seconds=5,
    settle_seconds=5,
)

MASTODON = NetworkPolicy(
    network="mastodon",
    rewards=True,
    kinds=frozenset(Kind),
    length=mastodon_length,
    text_limit=500,
    media_types=_PICTURES | {"image/gif"},
    media_count=4,
    media_bytes=8 << 20,
    links=True,
    post_price=Decimal(0),
    link_price=Decimal(0),
    batch=20,  # check_statuses_limit of the server's API answers 422 above it
    call_seconds=20,
    settle_seconds=120,
)

X = NetworkPolicy(
    network="x",
    rewards=False,  # by X's developer policy since January 2026
    kinds=frozenset(),
    length=x_length,
    text_limit=280,
    media_types=_PICTURES,
    media_count=4,
    media_bytes=5 << 20,
    links=False,
    post_price=Decimal("0.015"),
    link_price=Decimal("0.200"),
    batch=100,
    call_seconds=20,
    settle_seconds=120,
)

POLICIES: Mapping[str, NetworkPolicy] = {each.network: each for each in (SANDBOX, MASTODON, X)}
"""The policies by the network's name."""
