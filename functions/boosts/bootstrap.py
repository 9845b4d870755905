"""Where the boosts' settings, store, queue and clock meet; what is particular to one function is in its own module."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from boosts.items import BoostsItem
from boosts.store import Store
from boosts.usage import Limits
from sluice import aws
from sluice.audit import EntryItem
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.outbox import EventItem
from sluice.totals import TotalItem
from sluice.wake import Wake


@dataclass(frozen=True)
class BoostsSettings:
    """What every function of the context reads from the environment."""

    boosts_table: str
    boosts_queue_url: str
    boosts_queue_arn: str
    schedule_group: str
    wake_role_arn: str
    audit_table: str
    outbox_table: str
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
    bind(EntryItem, settings.audit_table)
    bind(EventItem, settings.outbox_table)
    bind(TotalItem, settings.totals_table)
    return Store(Database(), settings.limits, settings.time_zone)


def wake(settings: BoostsSettings) -> Wake:
    """Brings steps to the boosts' queue."""
    return Wake(
        aws.client("sqs"),
        aws.client("scheduler"),
        SystemClock(),
        queue_url=settings.boosts_queue_url,
        queue_arn=settings.boosts_queue_arn,
        schedule_group=settings.schedule_group,
        role_arn=settings.wake_role_arn,
    )
