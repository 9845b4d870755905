"""Where the imports' settings, tables, queue and clock meet. Redis is not among them: they have no part in it."""

from dataclasses import dataclass

from sluice import aws
from sluice.audit import EntryItem
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.outbox import EventItem
from sluice.totals import TotalItem
from sluice.wake import Wake
from views.imports.store import Store
from views.items import ViewsItem


@dataclass(frozen=True)
class ImportSettings:
    """What both functions of the imports read from the environment."""

    views_table: str
    totals_table: str
    audit_table: str
    outbox_table: str
    views_imports_queue_url: str
    views_imports_queue_arn: str
    schedule_group: str
    wake_role_arn: str


def database(settings: ImportSettings) -> Database:
    """Commits transactions on the tables that the models are now bound to."""
    bind(ViewsItem, settings.views_table)
    bind(TotalItem, settings.totals_table)
    bind(EntryItem, settings.audit_table)
    bind(EventItem, settings.outbox_table)
    return Database()


def store(settings: ImportSettings) -> Store:
    """The imports' part of the views table."""
    return Store(database(settings))


def wake(settings: ImportSettings) -> Wake:
    """Brings steps to the imports' queue."""
    return Wake(
        aws.client("sqs"),
        aws.client("scheduler"),
        SystemClock(),
        queue_url=settings.views_imports_queue_url,
        queue_arn=settings.views_imports_queue_arn,
        schedule_group=settings.schedule_group,
        role_arn=settings.wake_role_arn,
    )
