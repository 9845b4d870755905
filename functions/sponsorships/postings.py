"""Money that a change moves, and the accounts of a sponsorship. Pure: the store makes an entry of a posting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What an entry is for (sponsorships section 9)."""

    FUND = "fund"
    RESERVE = "reserve"
    RELEASE = "release"
    PAY = "pay"
    CLAWBACK = "clawback"
    REFUND = "refund"


@dataclass(frozen=True)
class Posting:
    """An entry of the ledger to put with a change.

    `legs` are amounts by account, + comes in, - goes out; they sum to 0. `id` is made of what the entry is for
    (`pay#spn_...:nina`), so that it can exist only once.
    """

    id: str
    kind: Kind
    currency: str
    legs: Mapping[str, int]
    actor: str
    memo: Mapping[str, str] = field(default_factory=dict)


def transfer(kind: Kind, entry_id: str, currency: str, source: str, target: str, amount: int, actor: str) -> Posting:
    """A posting of two legs."""
    return Posting(entry_id, kind, currency, {source: -amount, target: amount}, actor)


def wallet(currency: str, user: str) -> str:
    """The account of a person in a currency."""
    return f"wallet#{currency}#{user}"


def budget(campaign_id: str) -> str:
    """The account of what a campaign has left."""
    return f"budget#{campaign_id}"


def reserved(campaign_id: str) -> str:
    """The account of what a campaign has set aside for its streamers."""
    return f"reserved#{campaign_id}"
