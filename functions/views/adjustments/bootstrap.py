"""Where the adjustments' settings, tables and clock meet. Adjustments need no queue, no schedule and no Redis."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sluice.clock import SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.requests import RequestItem
from sluice.totals import TotalItem
from views.adjustments.commands import Adjustments
from views.adjustments.store import AdjustmentStore
from views.items import ViewsItem


@dataclass(frozen=True)
class AdjustmentSettings(CommitSettings):
    views_table: str
    totals_table: str
    requests_table: str
    time_zone: ZoneInfo
    content_types: tuple[str, ...]


def adjustments(settings: AdjustmentSettings) -> Adjustments:
    """Makes and lists adjustments, with the models bound to their tables."""
    bind(ViewsItem, settings.views_table)
    bind(TotalItem, settings.totals_table)
    bind(RequestItem, settings.requests_table)
    return Adjustments(AdjustmentStore(database(settings), settings.time_zone), SystemClock())
