"""Bearer tokens: JWTs signed with HS256 by one of two secrets, so that a secret can be rotated (RFC 7519, RFC 8725).

Imports PyJWT and nothing else that is heavy: the hot path does without a logger.
"""

from datetime import datetime, timedelta
from typing import Any

import jwt

from sluice.errors import Untrusted
from sluice.keyring import long_enough
from sluice.roles import Principal, Role

ALGORITHM = "HS256"
MAX_TOKEN_CHARACTERS = 4096  # also keeps a nested header below what json can take
CLOCK_SKEW = timedelta(seconds=10)


class WrongSignature(Untrusted):
    """Raised when none of the secrets signed the token."""


def mint(secret: str, subject: str, role: Role, audience: str, lifetime: timedelta, now: datetime) -> str:
    """A token for `subject`. Raises Misconfigured when the secret is too short to be accepted."""
    long_enough("current", secret)
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


def borne(authorization: str) -> str:
    """The token in an `Authorization` header. Raises Untrusted when it is of another scheme."""
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise Untrusted("not a bearer token")
    return token.strip()
