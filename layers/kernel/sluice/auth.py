"""Who gets in: the gate that decides on bearer tokens. Its secret may be rotated while it stands.

Imports neither pydantic nor the resolver: the authorizer runs before every request.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sluice.clock import Clock
from sluice.errors import Misconfigured, Untrusted
from sluice.keyring import usable
from sluice.log import logger
from sluice.roles import Principal
from sluice.tokens import WrongSignature, borne, verify

REFRESH_PERIOD = timedelta(seconds=30)


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
        token = borne(authorization)
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
