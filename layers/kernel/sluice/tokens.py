"""Bearer tokens: JWTs signed with HS256 by one of two secrets, so that a secret can be rotated (RFC 7519, RFC 8725).

There are two kinds, and each has its own secret and audience. A token with a role opens the routes behind the
authorizer. A viewer's token has no role: it names its bearer on the public routes, and opens no route.

The only heavy import is PyJWT, because the hot path imports this module. It has no logger for the same reason.
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


def mint(secret: str, subject: str, role: Role | None, audience: str, lifetime: timedelta, now: datetime) -> str:
    """A token for `subject`; a viewer's without a role. Raises Misconfigured when the secret is too short."""
    long_enough("current", secret)
    claims = {"sub": subject, "aud": audience, "iat": now, "exp": now + lifetime}
    return jwt.encode(claims | ({"role": role} if role else {}), secret, ALGORITHM)


def verify(token: str, secrets: tuple[str, ...], audience: str) -> Principal:
    """The bearer of a token that one of `secrets` signed for `audience`. It is valid now, and has a known role.

    Raises Untrusted, whose message names the reason, and WrongSignature when another secret may have signed it.
    """
    claims = _verified(token, secrets, audience)
    if claims.get("role") not in list(Role):
        raise Untrusted("an unknown role, or none")
    return Principal(claims["sub"], Role(claims["role"]))


def viewer_of(token: str, secrets: tuple[str, ...], audience: str) -> str:
    """The subject of a viewer's token, checked as `verify` does, whatever its role. Raises Untrusted."""
    return str(_verified(token, secrets, audience)["sub"])


def _verified(token: str, secrets: tuple[str, ...], audience: str) -> dict[str, Any]:
    """The claims of a token that one of `secrets` signed for `audience`. It is valid now, and has a subject."""
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
        if not claims["sub"]:
            raise Untrusted("no subject")
        return claims
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
    """The token in an `Authorization` header. Raises Untrusted for another scheme."""
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise Untrusted("not a bearer token")
    return token.strip()
