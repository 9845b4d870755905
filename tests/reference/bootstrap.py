"""Where the reference's settings, store, queue and clock meet. In the template it takes the place of the boosts."""

from dataclasses import dataclass

from sluice import aws
from sluice.audit import EntryItem
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.outbox import EventItem
from sluice.wake import Wake
from tests.reference.items import CampaignItem
from tests.reference.store import Store


@dataclass(frozen=True)
class ReferenceSettings:
    """What every function of the context reads from the environment."""

    boosts_table: str
    boosts_queue_url: str
    boosts_queue_arn: str
    schedule_group: str
    wake_role_arn: str
    audit_table: str
    outbox_table: str


def store(settings: ReferenceSettings) -> Store:
    """The store, with its models bound to their tables."""
    bind(CampaignItem, settings.boosts_table)
    bind(EntryItem, settings.audit_table)
    bind(EventItem, settings.outbox_table)
    return Store(Database())


def wake(settings: ReferenceSettings) -> Wake:
    """Brings steps to the queue."""
    return Wake(
        aws.client("sqs"),
        aws.client("scheduler"),
        SystemClock(),
        queue_url=settings.boosts_queue_url,
        queue_arn=settings.boosts_queue_arn,
        schedule_group=settings.schedule_group,
        role_arn=settings.wake_role_arn,
    )
