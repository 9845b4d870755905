"""Where the imports' settings, tables and queue meet. Imports do not use Redis."""

from dataclasses import dataclass

from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.totals import TotalItem
from sluice.wake import Wake, WakeSettings, wake_of
from views.imports.store import Store
from views.items import ViewsItem


@dataclass(frozen=True)
class ImportSettings(CommitSettings, WakeSettings):
    views_table: str
    totals_table: str
    views_imports_queue_url: str
    views_imports_queue_arn: str


def store(settings: ImportSettings) -> Store:
    """The imports' part of the views table, with the models bound to their tables."""
    bind(ViewsItem, settings.views_table)
    bind(TotalItem, settings.totals_table)
    return Store(database(settings))


def wake(settings: ImportSettings) -> Wake:
    """Brings steps to the imports' queue."""
    return wake_of(settings, settings.views_imports_queue_url, settings.views_imports_queue_arn)
