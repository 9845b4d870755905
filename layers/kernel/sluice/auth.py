"""Bearer tokens: JWTs signed with HS256 by one of two secrets, so that a secret can be rotated (RFC 7519, RFC 8725).

Imports neither pydantic nor the resolver: the authorizer runs before every request.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
from aws_lambda_powertools import Logger

from sluice.clock import Clock
from sluice.errors import Misconfigured, Untrusted
from sluice.roles import Principal, Role

ALGORITHM = "HS256"
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2: a key as long as the hash, or longer
MAX_TOKEN_CHARACTERS = 4096  # also keeps a nested header below what json can take
CLOCK_SKEW = timedelta(seconds=10)
REFRESH_PERIOD = timedelta(seconds=30)

logger = Logger()


class WrongSignature(Untrusted):
    """Raised when none of the secrets signed the token."""


def mint(secret: str, subject: str, role: Role, audience: str, lifetime: timedelta, now: datetime) -> str:
    """A token for `subject`. Raises Misconfigured when the secret is too short to be accepted."""
    _long_enough("current", secret)
    claims = {"sub": subject, "role": role, "aud": audience, "iat": now, "exp": now + lifetime}
    return jwt.encode(claims, secret, ALGORITHM)


def verify(token: str, secrets: tuple[str, ...], audience: str) -> Principal:
    """Who bears the token: signed by one of `secrets`, for `audience`, in its time, with a subject and a known role.

    Raises Untrusted, whose message names the reason; WrongSignature when another secret might do.
    """
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise Untrusted("too long, or not ASCII")
    for secret in secrets:
        try:
            claims = _claims(token, secret, audience)
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            # The name only: messages may quote the token.
            raise Untrusted(type(error).__name__) from error
        subject, role = claims["sub"], claims.get("role")
        if not subject or role not in list(Role):
            raise Untrusted("no subject, or an unknown role")
        return Principal(subject, Role(role))
    raise WrongSignature("signed with neither secret")


def _claims(token: str, secret: str, audience: str) -> dict[str, Any]:
    return jwt.decode(
        token,
        secret,
        algorithms=[ALGORITHM],
        audience=audience,
        leeway=CLOCK_SKEW,
        options={"require": ["exp", "sub", "aud"]},
    )


def usable(secret: str) -> tuple[str, ...]:
    """The secrets in the JSON `{"current": ..., "previous": ...}`, the current one first; `previous` may be empty.

    Raises Misconfigured, saying what to do, when it is no such object, or when a secret is shorter than 32 bytes.
    """
    try:
        parts = dict(json.loads(secret))
    except (ValueError, TypeError) as error:
        # Without the error's text, which may quote the secret.
        raise Misconfigured('the token secret must be JSON: {"current": "...", "previous": ""}') from error
    names = ["current", "previous"] if parts.get("previous") else ["current"]
    return tuple(_long_enough(name, parts.get(name)) for name in names)


def _long_enough(name: str, secret: object) -> str:
    if isinstance(secret, str) and len(secret.encode()) >= MIN_SECRET_BYTES:
        return secret
    raise Misconfigured(
        f"the token secret's `{name}` is shorter than {MIN_SECRET_BYTES} bytes: put a longer random value into it"
    )


@dataclass
class Gate:
    """Decides on `Authorization` headers. `fetch(fresh)` answers the secret as stored, past any cache when `fresh`."""

    fetch: Callable[[bool], str]
    audience: str
    clock: Clock
    _refreshed_at: datetime | None = field(default=None, init=False)

    def admit(self, authorization: str) -> Principal | None:
        """The bearer of a valid token; None, with the reason in the log, when it is to be refused."""
        try:
            return self._admit(authorization)
        except Untrusted as error:
            logger.info("Token refused", reason=str(error))
        except Misconfigured as error:
            logger.error("Nobody is let in", reason=str(error))
        return None

    def _admit(self, authorization: str) -> Principal:
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise Untrusted("not a bearer token")
        token = token.strip()
        try:
            return verify(token, usable(self.fetch(False)), self.audience)
        except WrongSignature:
            # Perhaps signed with a secret rotated in since the last look. Bounded, or each bad token would cost a call.
            if not self._may_refresh():
                raise
        return verify(token, usable(self.fetch(True)), self.audience)

    def _may_refresh(self) -> bool:
        now = self.clock.now()
        if self._refreshed_at is not None and now - self._refreshed_at < REFRESH_PERIOD:
            return False
        self._refreshed_at = now
        return True
