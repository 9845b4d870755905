"""What this wing asks of providers, and what they answer. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from broadcasts.instance import ProviderName


@dataclass(frozen=True)
class Line:
    """How an instance is reached."""

    provider: ProviderName
    address: str
    base_url: str | None
    secrets: Mapping[str, str]
    """By their names: `api_key`, `access_token`, ..."""

    def __repr__(self) -> str:
        """Without the secrets: a log may hold it."""
        return f"Line({self.provider}, {self.address!r}, {self.base_url!r})"


@dataclass(frozen=True)
class Checked:
    """Whether an instance's credentials work, and what the provider said; None: it cannot be asked."""

    works: bool | None
    message: str


@dataclass(frozen=True)
class Approved:
    """A template at its provider."""

    approval: str
    """`APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, ..."""
    category: str
    """In small letters: `marketing`."""
    language: str


@dataclass(frozen=True)
class Rejected:
    """The provider does not answer the question; the text is for people."""

    message: str


class Asker(Protocol):
    """Asks providers. Sends no message, follows no redirect, and ends within 15 s."""

    def allows(self, base_url: str) -> bool:
        """Whether a provider may be there: https and a public host; its addresses are checked at each connection."""

    def check(self, line: Line) -> Checked:
        """Whether the credentials of an instance work. Never raises."""

    def template(self, line: Line, account: str, name: str, language: str) -> Approved | Rejected | None:
        """A template of a WhatsApp business account; None if it has none of that name and language. Never raises."""
