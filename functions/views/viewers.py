"""Who is viewing, without keeping anything that says who: names are keyed digests (S2-37, decision 16).

Standard library only: this is the hot path.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from sluice import visitors
from sluice.errors import Misconfigured
from sluice.visitors import network
from views import keys
from views.beside import ALONE, Beside
from views.rules import BOT, DO_NOT_TRACK, Calendar, Rules

MIN_SECRET_BYTES = 32
CLOCK_SKEW = timedelta(seconds=10)
DAY_SECONDS = 86_400

_VIEWER = re.compile(r"(?:user:|anon:(?:[0-9]{2})?)[A-Za-z0-9_-]{22}")
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
    beside: Beside = ALONE


class Viewers:
    """Recognises viewers. `secrets`: the current one signs and names; those after it are only still believed.

    `subject_of` answers whose token an `Authorization` header bears, or None when it is not to be believed.
    `names_users`: a token's bearer is `user:<subject>` in Redis, as the sources have it (S2-16); then what is kept
    there is as personal as the subjects are (decision 16). `rules` say how long a session lasts, and which other names
    of a viewer they ask; `shards` is the number of parts that viewers are spread over.
    Raises Misconfigured for a secret that is too short.
    """

    def __init__(
        self,
        secrets: tuple[str, ...],
        zone: ZoneInfo,
        subject_of: Callable[[str], str | None],
        rules: Rules = Rules(),  # noqa: B008 - it is frozen
        shards: int = keys.DEFAULT_SHARDS,
        *,
        names_users: bool = False,
    ) -> None:
        if not secrets or any(len(secret.encode()) < MIN_SECRET_BYTES for secret in secrets):
            raise Misconfigured(f"each secret of the views must have {MIN_SECRET_BYTES} bytes or more")
        self._naming = _key(secrets[0], "viewers")
        self._signing = tuple(_key(secret, "sessions") for secret in secrets)
        self._zone = zone
        self._subject_of = subject_of
        self._calendar = Calendar(zone)
        self._lifetime = timedelta(seconds=rules.session_seconds or DAY_SECONDS)
        self._carry_over = rules.carry_over_seconds * 1000
        self._limits_networks = rules.network_limit > 0
        self._shards = shards
        self._names_users = names_users
        self._day: date | None = None
        self._salts = (b"", b"")

    def recognise(self, request: ViewRequest, now: datetime) -> Viewer:
        """By a valid token; else by a valid session; else by day, address and user agent.

        A session keeps its start as long as it names the same viewer, so that using it does not make it last.
        """
        in_session = self._in_session(request.session, now)
        authorization = request.headers.get("authorization", "")
        subject = self._subject_of(authorization) if authorization else None
        if subject is not None:
            key = self._user(subject)
            return in_session if in_session and in_session.key == key else self.issue(key, now)
        if in_session is None:
            key = self._anonymous(request, now)
            return self.issue(key, now, self._beside(key, request, now, int(now.timestamp())))
        if not in_session.key.startswith("anon:"):
            return in_session
        began = in_session.session_ends - int(self._lifetime.total_seconds())
        return replace(in_session, beside=self._beside(in_session.key, request, now, began))

    def issue(self, key: str, now: datetime, beside: Beside = ALONE) -> Viewer:
        """With a session that begins now: `v1.<viewer key>.<start, in seconds>.<signature>`."""
        start = int(now.timestamp())
        claims = f"v1.{key}.{start}"
        return self._viewer(key, f"{claims}.{_signature(self._signing[0], claims)}", start, beside)

    def _viewer(self, key: str, session: str, start: int, beside: Beside = ALONE) -> Viewer:
        return Viewer(key, session, start + int(self._lifetime.total_seconds()), beside)

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

    def _anonymous(self, request: ViewRequest, now: datetime, days_ago: int = 0) -> str:
        """The viewer's name on a day. Of what it is made of, the shard's number alone outlives that day."""
        who = (network(request.source_ip), request.headers.get("user-agent", ""))
        digest = _digest(self._salt(now, days_ago), "anon", *who)
        # One shard for all viewers of a network, where they are counted together.
        shard = _mac(self._naming, "shard", *(who[:1] if self._limits_networks else who))
        return keys.anonymous(int.from_bytes(shard[:8]) % self._shards, digest)

    def _beside(self, key: str, request: ViewRequest, now: datetime, began: int) -> Beside:
        """What is asked besides an anonymous viewer's `key`, whose session began at `began`, in seconds."""
        moment = self._calendar.moment(now)
        is_todays = moment.day_start <= began * 1000 < moment.day_end
        carries_over = moment.now - moment.day_start < self._carry_over
        limited = _digest(self._salt(now), "network", network(request.source_ip)) if self._limits_networks else ""
        if is_todays and not carries_over:
            return Beside(network=limited)
        today = self._anonymous(request, now)
        if (is_todays and today != key) or not _share_a_shard(today, key):
            return Beside(network=limited)  # the session began at another address
        yesterday = self._anonymous(request, now, 1) if carries_over else ""
        return Beside("" if today == key else today, "" if yesterday == key else yesterday, limited)

    def _salt(self, now: datetime, days_ago: int = 0) -> bytes:
        """That of the day of `now`, or of the day before it."""
        today = now.astimezone(self._zone).date()
        if self._day != today:
            days = (today.isoformat(), (today - timedelta(days=1)).isoformat())
            self._salts = (
                _digest(self._naming, "day", days[0]).encode(),
                _digest(self._naming, "day", days[1]).encode(),
            )
            self._day = today
        return self._salts[days_ago]


def reasons_not_to_count(request: ViewRequest, *, honours_do_not_track: bool) -> tuple[str, ...]:
    """Why a request is no view whatever the rules say: a bot; and, if honoured, `DNT: 1` or `Sec-GPC: 1`."""
    reasons = []
    if visitors.is_bot(request.headers):
        reasons.append(BOT)
    if honours_do_not_track and visitors.asks_not_to_be_tracked(request.headers):
        reasons.append(DO_NOT_TRACK)
    return tuple(reasons)


def _key(secret: str, use: str) -> bytes:
    """One key for each use, so that what one gives out says nothing of the other."""
    return hmac.digest(secret.encode(), f"sluice views {use}".encode(), sha256)


def _share_a_shard(name: str, key: str) -> bool:
    """Whether two keys name the same shard. A key of the older form names none."""
    return (name[:7], len(name)) == (key[:7], len(key))


def _digest(key: bytes, *parts: str) -> str:
    """128 bits in 22 characters."""
    return _base64(_mac(key, *parts)[:16])


def _mac(key: bytes, *parts: str) -> bytes:
    """Lengths go in too, so that no two lists of parts are the same text."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.digest(key, text.encode(errors="surrogatepass"), sha256)


def _signature(key: bytes, claims: str) -> str:
    return _base64(hmac.digest(key, claims.encode(), sha256))


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
