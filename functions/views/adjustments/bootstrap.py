"""Where the adjustments' settings, tables and clock meet. They need no queue, no schedule and no Redis."""

from dataclasses import dataclass

from sluice.audit import EntryItem
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.outbox import EventItem
from sluice.requests import RequestItem
from sluice.totals import TotalItem
from views.adjustments.commands import Adjustments
from views.adjustments.store import AdjustmentStore
from views.items import ViewsItem


@dataclass(frozen=True)
class AdjustmentSettings:
    """What the function reads from the environment."""

    views_table: str
    totals_table: str
    audit_table: str
    outbox_table: str
    requests_table: str
    content_types: tuple[str, ...]


def adjustments(settings: AdjustmentSettings) -> Adjustments:
    """Makes and lists adjustments, with the models bound to their tables."""
    bind(ViewsItem, settings.views_table)
    bind(TotalItem, settings.totals_table)
    bind(EntryItem, settings.audit_table)
    bind(EventItem, settings.outbox_table)
    bind(RequestItem, settings.requests_table)
    return Adjustments(AdjustmentStore(Database()), SystemClock())
