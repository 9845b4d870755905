"""The caps: how many boosted views a day and a month may hold, over all campaigns (S1-3, S1-4, S1-31). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

BATCH_SIZE = 1000  # S1-5
BATCH_DELAY_SECONDS = 1  # S1-6


@dataclass(frozen=True)
class Limits:
    """The caps of this installation, in views (S1-44)."""

    max_per_day: int
    global_monthly_cap: int


@dataclass(frozen=True)
class Usage:
    """A month's use, in views. `allotted`: promised to campaigns or executed. `days`: executed by day of the month."""

    month: str
    allotted: int = 0
    executed: int = 0
    days: Mapping[int, int] = field(default_factory=dict)

    @property
    def reserved(self) -> int:
        """Views that are promised to campaigns and not yet executed."""
        return self.allotted - self.executed

    def left(self, limits: Limits) -> int:
        """Views that campaigns can still get in this month."""
        return max(0, limits.global_monthly_cap - self.allotted)


@dataclass(frozen=True)
class Today:
    """The caps, and the use of the present month and day."""

    limits: Limits
    usage: Usage
    today_total: int


@dataclass(frozen=True)
class UsageChange:
    """What a transaction adds to a month's use: `allotted` may be negative; `executed` goes to the month and `day`.

    `taken_back` goes to `day` alone, and to no cap.
    """

    month: str
    allotted: int = 0
    executed: int = 0
    taken_back: int = 0
    day: int = 0

    def fits(self, limits: Limits) -> bool:
        """Whether it fits an unused month. If not, the bound of its condition would be negative."""
        return (
            self.allotted <= limits.global_monthly_cap
            and self.executed <= limits.global_monthly_cap
            and self.executed <= limits.max_per_day
        )


def moved(old: Mapping[str, int], new: Mapping[str, int]) -> tuple[UsageChange, ...]:
    """The changes that turn the promise `old` into `new`; both map months to views."""
    differences = {month: new.get(month, 0) - old.get(month, 0) for month in sorted({*old, *new})}
    return tuple(UsageChange(month, allotted=views) for month, views in differences.items() if views)
