"""Movements: money that came into a user's wallet from outside, or went there."""

from dataclasses import dataclass

ENTITY = "wallet"
"""The kind of the audited entity: `wallet:nina` is the log of all wallets of nina."""
MOST_LINES = 10**12 - 1
"""The number of the last line that an account can have: it has twelve digits."""


@dataclass(frozen=True)
class Movement:
    """What is to be moved. `amount` is in minor units, and above 0."""

    user: str
    amount: int
    currency: str
    reference: str
    """What it is known by outside, such as the bank's."""


@dataclass(frozen=True)
class Moved:
    """A movement that is in the ledger."""

    movement: Movement
    entry: str
    """The id of its entry."""
    kind: str
    actor: str
    at: str
    balance: int
    """What the wallet has."""
    audit_number: int
    """The last audit entry of the user's wallets, and its hash."""
    audit_hash: str


@dataclass(frozen=True)
class Place:
    """A place in a statement: after the line of this number."""

    number: int
