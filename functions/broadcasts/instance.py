"""An instance: one sending number at one provider, which paces every campaign on it (sections 2, 8, 10). Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from broadcasts.breaker import Trouble
from broadcasts.prices import Price
from broadcasts.quotas import Hours

PREFIX = "ins"
"""The prefix of an instance's id."""


class ProviderName(StrEnum):
    """Who sends."""

    SANDBOX = "sandbox"
    EVOLUTION = "evolution"
    META = "meta"
    AWS = "aws"


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A number as its item keeps it. `v` is one more with each write of what the chain paces by [B16, B21]."""

    id: str
    owner: str
    name: str
    provider: ProviderName
    address: str
    """Evolution: the instance's name; Meta, AWS: the id of the phone number; sandbox: any text."""
    base_url: str | None = None
    time_zone: str = "UTC"
    rate_limit: int = 60
    """Messages a minute, over all its campaigns (S5-56)."""
    daily_limit: int | None = None
    """Messages in any 24 hours; None for no limit."""
    prices: tuple[Price, ...] = ()
    price_per_message: int | None = None
    """In 1/1,000,000 of the currency, where `prices` has none."""
    currency: str = "USD"
    credentials: int = 0
    """The version of its secrets in Parameter Store; 0 for none."""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    v: int = 0
    tat: datetime | None = None
    """When its next free slot begins."""
    throttled_until: datetime | None = None
    """Until then its provider wants nothing: slots that campaigns hold are not used either [B21]."""
    hours: Hours = field(default_factory=Hours)
    """What it sent in each of the last 25 hours."""
    trouble: Trouble = field(default_factory=Trouble)
    lookup_proven_at: datetime | None = None
    """When a look-up last found a message that was known to be sent (section 7)."""
    audit_number: int = 0
    audit_hash: str = ""
    request: str | None = None
