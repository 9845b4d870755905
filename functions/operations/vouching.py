"""What an ID token says of a person: who they are, and which role their groups have here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt

from sluice import tokens
from sluice.clock import Clock
from sluice.errors import Forbidden, Misconfigured, Untrusted
from sluice.journal import is_user
from sluice.roles import Role

LONGEST = timedelta(minutes=5)
"""Since the provider made the token: the page exchanges it at once, and one that was found later opens nothing."""
_SAME = ("iss", "sub")


@dataclass(frozen=True)
class Vouched:
    """A person, by the provider's own name for them, and their role here."""

    subject: str
    role: Role


def roles_of(text: str) -> dict[str, Role]:
    """The groups that have a role, of `sluice-ops=operator,sluice-admins=admin`. Raises Misconfigured."""
    found: dict[str, Role] = {}
    for each in text.split(","):
        group, _, role = (part.strip() for part in each.rpartition("="))
        if not group or role not in list(Role):
            raise Misconfigured(f"OidcRoles: {each!r} is no <group>=<role>, with a role of {', '.join(Role)}")
        found[group] = Role(role)
    return found


@dataclass(frozen=True)
class Client:
    """This platform as a client of the identity provider. `roles` has the role of each group that has one."""

    issuer: str
    audience: str
    claim: str
    roles: Mapping[str, Role]
    clock: Clock

    def vouched(self, authorization: str, checked: Mapping[str, Any]) -> Vouched:
        """Whom the token in an `Authorization` header is about. Raises Forbidden, whose message says why.

        `checked`: the claims that the gateway passed on, after it checked the token's signature.
        """
        claims = self._claims(authorization)
        if not checked or any(str(claims.get(name)) != checked.get(name) for name in _SAME):
            raise Forbidden("The gateway did not check this token", "not_checked")
        subject = claims["sub"]
        if not is_user(subject):
            raise Forbidden("The token's sub is not 1 to 128 visible ASCII characters without #", "subject_unusable")
        return Vouched(subject, self._role(claims))

    def _claims(self, authorization: str) -> dict[str, Any]:
        """All is checked again but the signature, for which a function would have to carry 16 MB and ask for keys."""
        now = self.clock.now()
        try:
            token = tokens.borne(authorization)
            claims: dict[str, Any] = jwt.decode(
                token,
                audience=self.audience,
                issuer=self.issuer,
                leeway=tokens.CLOCK_SKEW,
                options={
                    "verify_signature": False,
                    "verify_aud": True,
                    "verify_iss": True,
                    "verify_exp": True,
                    "verify_iat": True,
                    "verify_sub": True,
                    "require": ["aud", "exp", "iat", "iss", "sub"],
                },
            )
        except (jwt.InvalidTokenError, Untrusted) as error:
            # The name only: messages may quote the token.
            raise Forbidden(
                f"This is no ID token for this platform ({type(error).__name__})", "not_an_id_token"
            ) from error
        if claims.get("azp", self.audience) != self.audience:
            # https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation: it was given to another client.
            raise Forbidden("This is no ID token for this platform (azp)", "not_an_id_token")
        if now.timestamp() - int(claims["iat"]) > LONGEST.total_seconds():
            raise Forbidden(f"The ID token is older than {LONGEST.total_seconds():.0f} seconds", "token_too_old")
        return claims

    def _role(self, claims: Mapping[str, Any]) -> Role:
        groups = set(_groups(claims.get(self.claim)))
        found = [role for group, role in self.roles.items() if group in groups]
        if not found:
            known = ", ".join(f"{group} ({role})" for group, role in sorted(self.roles.items()))
            raise Forbidden(
                f"The identity provider names no group of yours that has a role here. Those that have one: {known}",
                "no_role",
            )
        return max(found, key=list(Role).index)


def _groups(claim: Any) -> Iterator[str]:
    """The groups of a claim: a list of texts, or one text, which is one group."""
    for each in claim if isinstance(claim, list) else [claim]:
        if isinstance(each, str):
            yield each
