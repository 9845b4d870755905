"""An owner's limits, words and alerts, as an operator sets them (section 8, S5-55, S5-58). Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from broadcasts.gate import Cap, Rules

EVERYBODY = "*"
"""All owners, in a list that an operator asks for (amendment 29)."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """What an operator set for an owner; the defaults when nobody did. `audit_*`: the head of its audit chain."""

    owner: str
    time_zone: str = "UTC"
    """Whose midnight begins a day of the quota."""
    daily_limit: int | None = None
    """Messages a day, over all campaigns and instances; None for no limit."""
    cap: Cap | None = None
    requires_consent: bool = False
    opt_out_words: tuple[str, ...] = ()
    """Beside the words that always count."""
    audit_number: int = 0
    audit_hash: str = ""

    @property
    def rules(self) -> Rules:
        """What the owner requires of every message."""
        return Rules(self.requires_consent, self.cap)

    def day(self, now: datetime) -> str:
        """The day of the quota: `2026-11-26`."""
        return f"{now.astimezone(ZoneInfo(self.time_zone)):%Y-%m-%d}"
