"""Accounts at networks: of owners who post, of participants who prove them, and what operators say of one. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LINK_PREFIX = "lnk"
"""The prefix of a link's id."""


@dataclass(frozen=True)
class Connection:
    """A network that a user connected: promotions are posted with this account."""

    network: str
    host: str
    """The server that the account is at; the network itself where there is but one."""
    account_id: str
    """The network's stable id."""
    handle: str
    connected_at: datetime
    is_revoked: bool = False
    """Whether the network has refused its token since."""


@dataclass(frozen=True)
class Token:
    """The token of a connection, with the account that it belongs to: it is sent to no other host."""

    host: str
    account_id: str
    secret: str

    def __repr__(self) -> str:
        """Without the secret: a log may hold it."""
        return f"Token({self.host!r}, {self.account_id!r})"


class LinkState(StrEnum):
    """Where the proof of an account stands."""

    PENDING = "pending"
    PROVEN = "proven"


@dataclass(frozen=True)
class Link:
    """An account that a user says is theirs, or has proven to be: its profile had the code."""

    id: str
    network: str
    host: str
    handle: str
    code: str
    state: LinkState
    asked_at: datetime
    valid_until: datetime
    """Until when the code proves anything."""
    account_id: str | None = None
    """The network's stable id, which the link is bound to: a handle may pass to someone else."""
    proven_at: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """An operator's word about an account: it stands above the rules of who is eligible."""

    host: str
    account_id: str
    eligible: bool | None
    """None: the operator took it back, and the rules decide."""
    reason: str
    by: str
    updated_at: datetime
    audit_number: int = 0
    audit_hash: str = ""

    @property
    def entity(self) -> str:
        """Whose audit log it is."""
        return f"exception:{self.host}:{self.account_id}"
