"""Who is viewing, without keeping anything that says who: names are keyed digests (S2-37, decision 16).

Standard library only: this is the hot path. `sluice.tokens`, and PyJWT with it, is imported when there is a token.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address
from zoneinfo import ZoneInfo

from sluice.errors import Misconfigured, Untrusted
from views.bots import is_bot
from views.rules import BOT, DO_NOT_TRACK

MIN_SECRET_BYTES = 32
CLOCK_SKEW = timedelta(seconds=10)

_VIEWER = re.compile(r"(?:user|anon):[A-Za-z0-9_-]{22}")
_LITERAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127}")
_SESSION = re.compile(r"(?P<claims>v1\.(?P<viewer>.{1,133})\.(?P<start>[0-9]{1,12}))\.(?P<signature>[A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class ViewRequest:
    """What is looked at of a request. Header names are in lower case, as API Gateway gives them."""

    headers: Mapping[str, str]
    source_ip: str
    session: str = ""
    """The session token, from the cookie or from the field."""


@dataclass(frozen=True)
class Viewer:
    """A viewer by a key that tells nobody who it is, the session token to answer with, and when that ends."""

    key: str
    session: str
    session_ends: int
    """In seconds since 1970."""


class Viewers:
    """Recognises viewers. `secrets`: the current one signs and names; those after it are only still believed.

    `subject_of` answers whose token an `Authorization` header bears, or None when it is not to be believed.
    `names_users`: a token's bearer is `user:<subject>` in Redis, as the sources have it (S2-16); then what is kept
    there is as personal as the subjects are (decision 16).
    Raises Misconfigured for a secret that is too short.
    """

    def __init__(
        self,
        secrets: tuple[str, ...],
        zone: ZoneInfo,
        subject_of: Callable[[str], str | None],
        session_lifetime: timedelta = timedelta(hours=24),
        *,
        names_users: bool = False,
    ) -> None:
        if not secrets or any(len(secret.encode()) < MIN_SECRET_BYTES for secret in secrets):
            raise Misconfigured(f"each secret of the views must have {MIN_SECRET_BYTES} bytes or more")
        self._naming = _key(secrets[0], "viewers")
        self._signing = tuple(_key(secret, "sessions") for secret in secrets)
        self._zone = zone
        self._subject_of = subject_of
        self._lifetime = session_lifetime
        self._names_users = names_users
        self._salt = ("", b"")

    def recognise(self, request: ViewRequest, now: datetime) -> Viewer:
        """By a valid token; else by a valid session; else by day, address and user agent.

        A session keeps its start as long as it names the same viewer, so that using it does not make it last.
        """
        in_session = self._in_session(request.session, now)
        authorization = request.headers.get("authorization", "")
        subject = self._subject_of(authorization) if authorization else None
        if subject is not None:
            key = self._user(subject)
        else:
            key = in_session.key if in_session else self._anonymous(request, now)
        return in_session if in_session and in_session.key == key else self.issue(key, now)

    def issue(self, key: str, now: datetime) -> Viewer:
        """With a session that begins now: `v1.<viewer key>.<start, in seconds>.<signature>`."""
        start = int(now.timestamp())
        claims = f"v1.{key}.{start}"
        return self._viewer(key, f"{claims}.{_signature(self._signing[0], claims)}", start)

    def _viewer(self, key: str, session: str, start: int) -> Viewer:
        return Viewer(key, session, start + int(self._lifetime.total_seconds()))

    def _in_session(self, session: str, now: datetime) -> Viewer | None:
        """The viewer of a session that we signed and whose 24 h are not over; a wrong one counts as none."""
        found = _SESSION.fullmatch(session)
        if found is None or not self._is_key(found["viewer"]):
            return None
        given = found["signature"].encode()
        if not any(hmac.compare_digest(given, _signature(key, found["claims"]).encode()) for key in self._signing):
            return None
        age = timedelta(seconds=now.timestamp() - int(found["start"]))
        if not -CLOCK_SKEW <= age < self._lifetime:
            return None
        return self._viewer(found["viewer"], session, int(found["start"]))

    def _is_key(self, key: str) -> bool:
        if _VIEWER.fullmatch(key):
            return True
        return self._names_users and key.startswith("user:") and _LITERAL.fullmatch(key[5:]) is not None

    def _user(self, subject: str) -> str:
        if self._names_users and _LITERAL.fullmatch(subject):
            return f"user:{subject}"
        return f"user:{_digest(self._naming, 'user', subject)}"

    def _anonymous(self, request: ViewRequest, now: datetime) -> str:
        day = now.astimezone(self._zone).date().isoformat()
        if self._salt[0] != day:
            self._salt = (day, _digest(self._naming, "day", day).encode())
        return (
            f"anon:{_digest(self._salt[1], 'anon', network(request.source_ip), request.headers.get('user-agent', ''))}"
        )


def network(source_ip: str) -> str:
    """What stands for an address: itself; of IPv6 the first 64 bits, of which a subscriber has all the rest."""
    if ":" not in source_ip:
        return source_ip
    try:
        address = IPv6Address(source_ip)
    except ValueError:
        return source_ip
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


def reasons_not_to_count(request: ViewRequest, *, honours_do_not_track: bool) -> tuple[str, ...]:
    """Why a request is no view whatever the rules say: a bot; and, if honoured, `DNT: 1` or `Sec-GPC: 1`."""
    reasons = []
    if is_bot(request.headers.get("user-agent", "")):
        reasons.append(BOT)
    if honours_do_not_track and "1" in (request.headers.get("dnt"), request.headers.get("sec-gpc")):
        reasons.append(DO_NOT_TRACK)
    return tuple(reasons)


def subject_by(secrets: tuple[str, ...], audience: str) -> Callable[[str], str | None]:
    """A `subject_of` that believes viewers' tokens for `audience` signed by one of `secrets`, and no others."""

    def subject_of(authorization: str) -> str | None:
        from sluice import tokens

        try:
            return tokens.viewer_of(tokens.borne(authorization), secrets, audience)
        except Untrusted:
            return None

    return subject_of


def _key(secret: str, use: str) -> bytes:
    """One key for each use, so that what one gives out says nothing of the other."""
    return hmac.digest(secret.encode(), f"sluice views {use}".encode(), sha256)


def _digest(key: bytes, *parts: str) -> str:
    """128 bits in 22 characters. Lengths go in too, so that no two lists of parts are the same text."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return _base64(hmac.digest(key, text.encode(errors="surrogatepass"), sha256)[:16])


def _signature(key: bytes, claims: str) -> str:
    return _base64(hmac.digest(key, claims.encode(), sha256))


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
