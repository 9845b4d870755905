"""Impressions: who saw the advertisement, the token that proves it, and the signature of the row that it becomes.

Standard library only. `imp1.<base64url JSON>.<HMAC>` is the only thing that can become an `Impression`, and `verify`
is the only function that makes one: no boosted, synced or imported number can (S3-20).
"""

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from secrets import token_bytes
from typing import Any
from zoneinfo import ZoneInfo

from sluice.clock import rfc3339
from sluice.errors import Misconfigured, Untrusted
from sluice.keyring import long_enough

SLOTS = "0123456789abcdef"
"""The rows of a participation have 16 partition keys: by the first hex digit of their viewers."""
IMPRESSION, CLICK = "imp1", "clk1"
"""What tokens begin with."""
CLICK_LIFETIME = timedelta(hours=24)
BY_VIEWER = "viewer"
MAX_TOKEN_CHARACTERS = 1024
_AGENT_KINDS = 3
"""A network has at most this many anonymous viewers, whatever user agents it invents."""

_KEY_ID = re.compile(r"k([1-9][0-9]{0,5})")
_TOKEN = re.compile(r"(?P<signed>(?P<kind>imp1|clk1)\.(?P<claims>[A-Za-z0-9_-]+))\.(?P<signature>[A-Za-z0-9_-]{43})")


class Reason(StrEnum):
    """Why an impression or a click is not counted, in the order in which it is asked."""

    TOKEN_INVALID = "token_invalid"
    WRONG_CAMPAIGN = "wrong_campaign"
    TOO_EARLY = "too_early"
    TOKEN_EXPIRED = "token_expired"
    BOT = "bot"
    DO_NOT_TRACK = "do_not_track"
    OWN_VIEW = "own_view"
    PLATFORM_STOPPED = "platform_stopped"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_ENDED = "campaign_ended"
    NOT_PARTICIPATING = "not_participating"
    TARGET_REACHED = "target_reached"
    TOKEN_USED = "token_used"
    VIEWER_COUNTED = "viewer_counted"
    VOIDED = "voided"
    """Of a click: the impression was voided."""


class ViewerPeriod(StrEnum):
    """How often a viewer counts: once a campaign, or once a day."""

    CAMPAIGN = "campaign"
    DAY = "day"


@dataclass(frozen=True)
class ImpressionKeys:
    """Keys by their ids, `k1`, `k2`, ...: the current one signs. Those before it stay readable as long as rows are."""

    current: str
    keys: Mapping[str, str]

    @classmethod
    def parse(cls, secret: str) -> "ImpressionKeys":
        """From `{"current": "k2", "keys": {"k1": "...", "k2": "..."}}`.

        A key may also stand beside `current`: CloudFormation generates the first one there. Raises Misconfigured.
        """
        try:
            parts = dict(json.loads(secret))
            found = {**parts, **parts.pop("keys", {})}
        except (ValueError, TypeError) as error:
            # Without the error's text, which may quote the secret.
            raise Misconfigured('the impression secret must be JSON: {"current": "k1", "keys": {"k1": ""}}') from error
        keys = {name: long_enough(name, key, "impression secret") for name, key in found.items() if _number(name)}
        current = parts.get("current")
        if not isinstance(current, str) or current not in keys:
            raise Misconfigured("the impression secret's `current` must name one of its keys, such as `k1`")
        return cls(current, keys)

    @property
    def newest(self) -> "ImpressionKeys":
        """The current key, the one before it, and those after it: recording believes no others.

        A rotation adds a key minutes before it makes it the current one, which functions learn one after the other.
        """
        in_order = sorted(self.keys, key=_number)
        first = max(0, in_order.index(self.current) - 1)
        return ImpressionKeys(self.current, {name: self.keys[name] for name in in_order[first:]})

    def sign(self, key_id: str, text: str) -> str:
        """HMAC-SHA256 in 43 characters of base64url. Raises KeyError for an unknown key."""
        return _base64(hmac.digest(self.keys[key_id].encode(), text.encode(errors="surrogatepass"), sha256))

    def has_signed(self, key_id: str, text: str, signature: str) -> bool:
        """Whether the key of that id signed the text; an unknown id signed nothing."""
        if key_id not in self.keys:
            return False
        return hmac.compare_digest(self.sign(key_id, text).encode(), signature.encode(errors="replace"))


# Viewers: 128 bits in 32 hex digits. The campaign's salt is deleted 30 days after its end; then they are nobody's.


def registered(salt: str, subject: str) -> str:
    """The viewer whom a token of the viewers' secret names."""
    return _viewer(salt, "user", subject)


def named_by(service: str, salt: str, viewer_id: str) -> str:
    """The viewer whom a service names; two services name two viewers by one name."""
    return _viewer(salt, "service", service, viewer_id)


def anonymous(salt: str, network: str, user_agent: str) -> str:
    """One of a network's three viewers (`sluice.visitors.network`)."""
    agent = int.from_bytes(sha256(user_agent.encode(errors="surrogatepass")).digest()[:8]) % _AGENT_KINDS
    return _viewer(salt, "anonymous", network, str(agent))


def is_own(salt: str, streamer: str, viewer: str, by: str) -> bool:
    """Whether the viewer is the streamer: by a token of their own, or as a service names them."""
    names = [registered(salt, streamer)]
    if by != BY_VIEWER:
        names.append(named_by(by.removeprefix("service:"), salt, streamer))
    return viewer in names


def by_service(subject: str) -> str:
    """What `by` is of a token that a service asked for."""
    return f"service:{subject}"


# Where things lie in SponsorshipsTable.


def participation_id(campaign_id: str, streamer: str) -> str:
    return f"{campaign_id}:{streamer}"


def row_id(participation: str, viewer: str) -> str:
    """The partition key of a viewer's rows; of `viewer` the first hex digit is looked at."""
    return f"imp#{participation}#{viewer[0]}"


def row_part(viewer: str, day: str = "") -> str:
    """The sort key of a viewer's row: one a campaign, or one a day."""
    return f"{viewer}#{day}" if day else viewer


def tally_id(participation: str, k: int) -> str:
    return f"tally#{participation}#{k}"


def refused_key(participation: str, now: datetime, reason: str) -> tuple[str, str]:
    """`id` and `part` of the counter of an hour's refusals: `refused#P`, `2026-11-27T10#bot`."""
    return f"refused#{participation}", f"{now.astimezone(UTC):%Y-%m-%dT%H}#{reason}"


# Tokens.


@dataclass(frozen=True)
class Token:
    """The claims of an impression token that one of our keys signed, whatever its time."""

    participation: str
    viewer: str
    issued_at: datetime
    nonce: str
    key_id: str
    by: str

    @property
    def campaign_id(self) -> str:
        return self.participation.partition(":")[0]

    @property
    def streamer(self) -> str:
        return self.participation.partition(":")[2]


@dataclass(frozen=True)
class Impression:
    """A viewer saw the advertisement, by a token in its time. `verify` makes it, and nothing else does."""

    participation: str
    viewer: str
    part: str
    """The sort key of its row."""
    nonce: str
    issued_at: str
    key_id: str
    by: str

    @property
    def id(self) -> str:
        return row_id(self.participation, self.viewer)


class NotUsable(Untrusted):
    """Raised when a token is outside its time."""

    def __init__(self, reason: Reason, retry_after_seconds: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


def mint(
    keys: ImpressionKeys,
    participation: str,
    viewer: str,
    now: datetime,
    by: str = BY_VIEWER,
    random: Callable[[int], bytes] = token_bytes,
) -> str:
    """An impression token, for `registered`, `named_by` or `anonymous` to see the advertisement of a participation.

    `by`: `viewer`, or `by_service(subject)`. It is usable from `now` + min_seconds to `now` + token_seconds.
    """
    claims = {"p": participation, "v": viewer, "t": rfc3339(now), "n": random(8).hex(), "k": keys.current, "b": by}
    return _signed(IMPRESSION, claims, keys)


def mint_named(keys: ImpressionKeys, participation: str, salt: str, service: str, viewer_id: str, now: datetime) -> str:
    """An impression token for a viewer whom a service names (`POST /{id}/impressions/tokens`)."""
    return mint(keys, participation, named_by(service, salt, viewer_id), now, by_service(service))


def has_shape(kind: str, text: str) -> bool:
    """Whether a text looks like a token of this kind, whoever signed it."""
    return _matched(kind, text) is not None


def opened(text: str, keys: ImpressionKeys) -> Token:
    """The claims of an impression token. Raises Untrusted when none of the keys signed it."""
    claims = _claims(IMPRESSION, text, keys)
    return Token(claims["p"], claims["v"], _moment(claims["t"]), claims["n"], claims["k"], claims["b"])


def verify(
    token: Token, now: datetime, *, min_seconds: int, token_seconds: int, period: ViewerPeriod, zone: ZoneInfo
) -> Impression:
    """The impression that a token proves `now`. Raises NotUsable before and after its time.

    With `period` day the day is that of the token's issue in `zone`: a token has one row, whenever it arrives.
    """
    usable_at = token.issued_at + timedelta(seconds=min_seconds)
    if now < usable_at:
        raise NotUsable(Reason.TOO_EARLY, max(1, -int((now - usable_at).total_seconds() // 1)))
    if now > token.issued_at + timedelta(seconds=token_seconds):
        raise NotUsable(Reason.TOKEN_EXPIRED)
    day = token.issued_at.astimezone(zone).date().isoformat() if period == ViewerPeriod.DAY else ""
    part, issued_at = row_part(token.viewer, day), rfc3339(token.issued_at)
    return Impression(token.participation, token.viewer, part, token.nonce, issued_at, token.key_id, token.by)


@dataclass(frozen=True)
class Click:
    """The row that was clicked, and the tally that it was counted in."""

    participation: str
    part: str
    nonce: str
    k: int

    @property
    def id(self) -> str:
        return row_id(self.participation, self.part)

    @property
    def campaign_id(self) -> str:
        return self.participation.partition(":")[0]


def mint_click(keys: ImpressionKeys, click: Click, accepted_at: str) -> str:
    """The token of an impression's click, good for 24 h. A repeat gives the same one."""
    claims = {"p": click.participation, "r": click.part, "n": click.nonce, "c": click.k, "t": accepted_at}
    return _signed(CLICK, claims | {"k": keys.current}, keys)


def verify_click(text: str, keys: ImpressionKeys, now: datetime) -> Click:
    """The click that a token allows. Raises Untrusted when none of the keys signed it, NotUsable after 24 h."""
    claims = _claims(CLICK, text, keys)
    if now >= _moment(claims["t"]) + CLICK_LIFETIME:
        raise NotUsable(Reason.TOKEN_EXPIRED)
    return Click(claims["p"], claims["r"], claims["n"], claims["c"])


# Rows.


@dataclass(frozen=True)
class Row:
    """An impression as it lies in the table. Times are RFC 3339 text, as `sluice.clock.rfc3339` writes it."""

    id: str
    part: str
    nonce: str
    issued_at: str
    accepted_at: str
    key_id: str
    by: str
    signature: str


def row(keys: ImpressionKeys, impression: Impression, accepted_at: str) -> Row:
    """The row of an impression that is accepted, signed by the current key."""
    it, key_id = impression, keys.current
    text = _row_text(it.participation, it.part, it.nonce, it.issued_at, accepted_at, it.by)
    return Row(it.id, it.part, it.nonce, it.issued_at, accepted_at, key_id, it.by, keys.sign(key_id, text))


def is_genuine(keys: ImpressionKeys, participation: str, row: Row) -> bool:
    """Whether recording wrote this row, for this participation and this viewer (day included), as it is.

    Not signed are `k`, `clicked_at` and `voided`, which change, or move no money: a void only ever takes a row out.
    """
    text = _row_text(participation, row.part, row.nonce, row.issued_at, row.accepted_at, row.by)
    return row.id == row_id(participation, row.part) and keys.has_signed(row.key_id, text, row.signature)


def _row_text(participation: str, part: str, nonce: str, issued_at: str, accepted_at: str, by: str) -> str:
    """No part but the last can contain a `|`."""
    return "|".join(("row1", participation, part, nonce, issued_at, accepted_at, by))


def _number(key_id: str) -> int:
    """A key's number: they are used in their order. 0 of what is no key's id."""
    found = _KEY_ID.fullmatch(key_id)
    return int(found[1]) if found else 0


def _signed(kind: str, claims: Mapping[str, object], keys: ImpressionKeys) -> str:
    text = f"{kind}.{_base64(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{text}.{keys.sign(keys.current, text)}"


def _matched(kind: str, text: str) -> re.Match[str] | None:
    found = _TOKEN.fullmatch(text) if len(text) <= MAX_TOKEN_CHARACTERS else None
    return found if found and found["kind"] == kind else None


def _claims(kind: str, text: str, keys: ImpressionKeys) -> dict[str, Any]:
    """The claims of a token of this kind. Raises Untrusted."""
    found = _matched(kind, text)
    if found is None:
        raise Untrusted("no such token")
    try:
        claims = dict(json.loads(urlsafe_b64decode(found["claims"] + "==")))
        key_id = str(claims["k"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Untrusted("unreadable claims") from error
    if not keys.has_signed(key_id, found["signed"], found["signature"]):
        raise Untrusted("not signed by a key that is accepted")
    return claims


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _viewer(salt: str, *parts: str) -> str:
    """Lengths go in too, so that no two lists of parts are the same text."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.digest(salt.encode(), text.encode(errors="surrogatepass"), sha256)[:16].hex()


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
