"""Where the boosts' settings, store and queue meet. What only one function needs is in its own module."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from boosts.items import BoostsItem
from boosts.store import Store
from boosts.usage import Limits
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.totals import TotalItem
from sluice.wake import Wake, WakeSettings, wake_of


@dataclass(frozen=True)
class BoostsSettings(CommitSettings, WakeSettings):
    boosts_table: str
    boosts_queue_url: str
    boosts_queue_arn: str
    totals_table: str
    time_zone: ZoneInfo
    max_per_day: int
    global_monthly_cap: int

    @property
    def limits(self) -> Limits:
        return Limits(self.max_per_day, self.global_monthly_cap)


def store(settings: BoostsSettings) -> Store:
    """The store, with its models bound to their tables."""
    bind(BoostsItem, settings.boosts_table)
    bind(TotalItem, settings.totals_table)
    return Store(database(settings), settings.limits, settings.time_zone)


def wake(settings: BoostsSettings) -> Wake:
    """Brings steps to the boosts' queue."""
    return wake_of(settings, settings.boosts_queue_url, settings.boosts_queue_arn)
