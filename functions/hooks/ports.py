"""The receivers of webhooks, and where the masters of their secrets are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

TIMEOUT = "timeout"
BLOCKED = "blocked"
REFUSED = "refused"
LOST = "lost"
GONE = "410"


@dataclass(frozen=True)
class Answered:
    """What came of one request: an HTTP status as text, or what went wrong."""

    outcome: str
    milliseconds: int = 0
    excerpt: str = ""
    """The first characters of the answer, without control characters."""
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        return len(self.outcome) == 3 and self.outcome.startswith("2")

    @property
    def is_gone(self) -> bool:
        """Whether the receiver asked never to be called again."""
        return self.outcome == GONE


class Keys(Protocol):
    """Where masters are kept."""

    def newest(self) -> int:
        """The number of the master that new secrets are derived from. Raises Unavailable, Misconfigured."""

    def master(self, number: int) -> str:
        """A master by its number. Raises Misconfigured when it was taken out, Unavailable."""


class Sink(Protocol):
    """Sends requests to endpoints, through the guard."""

    def problem(self, url: str) -> str | None:
        """Why requests to a URL are not allowed; None if they are."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes, deadline: datetime) -> Answered:
        """Send one request, of which nothing leaves after `deadline`. It never raises."""
