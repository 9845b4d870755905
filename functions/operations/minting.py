"""Tokens that the API mints: for an admin, or for whom the identity provider vouches.

Each leaves an entry that says for whom and until when, never the token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.heads import AuditLog
from sluice import tokens
from sluice.audit import Head
from sluice.clock import Clock, rfc3339
from sluice.errors import Forbidden
from sluice.keyring import usable
from sluice.requests import Keyed, carry_out
from sluice.roles import Principal, Role

RESTORED = "TOKENS_RESTORED"
SESSION = timedelta(hours=1)
"""How long whom the identity provider vouched for is let in, whatever becomes of them there."""
_CREATED = "TOKEN_CREATED"
_OPENED = "SESSION_OPENED"
_BUSY = "Other requests create tokens at the same time: retry"


@dataclass(frozen=True)
class Minted:
    """A token, and what it says. It is shown once, and stored nowhere."""

    token: str
    subject: str
    role: Role
    expires_at: datetime


@dataclass(frozen=True)
class Mint:
    """Mints tokens that the authorizer accepts. `fetch` returns the stored secret as it is now, past any cache."""

    fetch: Callable[[], str]
    audience: str
    audit_log: AuditLog
    clock: Clock

    def mint(self, admin: Principal, subject: str, role: Role, lifetime: timedelta) -> Minted:
        """A token for `subject`. Raises Forbidden for a role above the caller's, and Unavailable.

        A stop of the platform does not matter: who has to look at it may need a token.
        """
        if not admin.role.includes(role):
            raise Forbidden(f"A token of the role {role} is above yours, which is {admin.role}", "forbidden")
        return self._minted(_CREATED, admin.subject, subject, role, lifetime)

    def open(self, subject: str, role: Role) -> Minted:
        """A token for whom the identity provider vouches. Raises Unavailable."""
        return self._minted(_OPENED, subject, subject, role, SESSION)

    def _minted(self, action: str, actor: str, subject: str, role: Role, lifetime: timedelta) -> Minted:
        now = self.clock.now().replace(microsecond=0)  # a token counts whole seconds
        current, *_ = usable(self.fetch())
        minted = Minted(
            tokens.mint(current, subject, role, self.audience, lifetime, now), subject, role, now + lifetime
        )
        self._record(action, actor, minted)
        return minted

    def _record(self, action: str, actor: str, minted: Minted) -> None:
        """Before anybody has the token, so that no token is without an entry."""
        after = {"subject": minted.subject, "role": minted.role.value, "expires_at": rfc3339(minted.expires_at)}

        def attempt(_keyed: Keyed[Head] | None, now: datetime) -> Head | None:
            return self.audit_log.record(action, actor, after, now)

        carry_out(attempt, None, lambda _: True, self.clock, _BUSY)
