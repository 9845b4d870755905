"""The gate: it decides on bearer tokens. Its secret may be rotated while it runs.

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
    """Decides on `Authorization` headers. `fetch(fresh)` returns the stored secret, past any cache if `fresh`."""

    fetch: Callable[[bool], str]
    audience: str
    clock: Clock
    _refreshed_at: datetime | None = field(default=None, init=False)

    def admit(self, authorization: str) -> Principal | None:
        """The bearer of a valid token; None, with the reason in the log, for any other token."""
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
            # The secret may have been rotated since it was read. Bounded, or each bad token would cost a call.
            if not self._may_refresh():
                raise
        return verify(token, usable(self.fetch(True)), self.audience)

    def _may_refresh(self) -> bool:
        now = self.clock.now()
        if self._refreshed_at is not None and now - self._refreshed_at < REFRESH_PERIOD:
            return False
        self._refreshed_at = now
        return True
