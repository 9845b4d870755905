"""One factory per entity, with values that a test need not care about."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from boosts.campaign import PREFIX, Campaign, Terms
from boosts.plan import Pattern
from boosts.usage import Limits
from sluice.ids import new_id

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
LIMITS = Limits(max_per_day=100_000, global_monthly_cap=5_000_000)


def some_terms(**changes: Any) -> Terms:
    """2,500 views of one video in one day: three batches."""
    terms = {
        "video_ids": ("abc123",),
        "total_count": 2500,
        "duration_days": 1,
        "pattern": Pattern.STEADY,
        "daily_limit": 5000,
    }
    return Terms(**(terms | changes))


def a_boost(**changes: Any) -> Campaign:
    """A pending campaign on `some_terms`."""
    created = {"id": new_id(PREFIX, NOON), "created_at": NOON, "updated_at": NOON, "created_by": "alice"}
    return Campaign(**(vars(some_terms()) | created | changes))


class FixedClock:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime = NOON) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time
