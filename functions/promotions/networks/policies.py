"""What each network allows and costs, by its documentation of 2026-08. Pure: no library of a network is imported."""

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from unicodedata import category, normalize

from promotions.ports import Kind, NetworkPolicy

_URL = re.compile(r"https?://[!-~]+")
"""Mastodon takes letters beyond ASCII for parts of a URL, too; counted here as they are, a text is never too long."""
_X_URL = re.compile(r"(?<![\w-])(?:https?://)?(?:[\w-]++\.)+[^\W\d_]{2,}(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
"""What X reads as a URL, and bills as one: a domain is enough. X knows the top-level domains, and this does not: it
takes a few words for URLs that X does not."""
_MENTION = re.compile(r"(?<!\w)(@\w+)@[\w.-]+\w")
_URL_LENGTH = 23
_JOINER = "\u200d"
_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
"""The code points that X counts as one; every other one counts as two."""

_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})


def x_length(text: str) -> int:
    """The weighted characters of a text: 23 a URL, 2 for CJK and emoji. Never less than X counts.

    An emoji of several code points is 2 to X, and more here. So is a bare domain of more than 23 characters.
    """
    text = normalize("NFC", text)
    urls = sum(
        _URL_LENGTH if "://" in found[0] else max(_URL_LENGTH, _weight(found[0])) for found in _X_URL.finditer(text)
    )
    return urls + _weight(_X_URL.sub("", text))


def x_has_url(text: str) -> bool:
    """Whether X bills a text as one with a URL. Never False for a text that X does."""
    return _X_URL.search(normalize("NFC", text)) is not None


def _weight(text: str) -> int:
    return sum(1 if any(first <= ord(each) <= last for first, last in _LIGHT) else 2 for each in text)


def mastodon_length(text: str) -> int:
    """The characters of a text as people see them: 23 a URL, a mention without its host, a letter with its marks.

    An emoji of several code points is one to Mastodon, and more here.
    """
    text = _MENTION.sub(r"\1", _URL.sub("_" * _URL_LENGTH, text))
    return sum(not _is_joined(before, each) for before, each in pairwise(" " + text))


def _is_joined(before: str, each: str) -> bool:
    """Whether a code point is part of the character before it: a mark, or what joins emoji."""
    return (category(each) in ("Mn", "Me") or each == _JOINER) and not before.isspace()


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
    has_url=lambda _: False,
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
    has_url=lambda _: False,
    # app/controllers/api/v1/statuses_controller.rb: more than DEFAULT_STATUSES_LIMIT is a ValidationError (v4.5.3).
    batch=20,
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
    has_url=x_has_url,
    batch=100,
    call_seconds=20,
    settle_seconds=120,
)

POLICIES: Mapping[str, NetworkPolicy] = {each.network: each for each in (SANDBOX, MASTODON, X)}
"""The policies by the network's name."""
