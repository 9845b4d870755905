"""Where the promotions' settings, store and queue meet. What only one function needs is in its own module."""

from dataclasses import dataclass

from promotions.items import PromotionsItem
from promotions.store import PromotionStore
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.ledger import LedgerItem
from sluice.wake import Wake, WakeSettings, wake_of


@dataclass(frozen=True)
class PromotionsSettings(CommitSettings, WakeSettings):
    promotions_table: str
    promotions_queue_url: str
    promotions_queue_arn: str
    ledger_table: str


def store(settings: PromotionsSettings) -> PromotionStore:
    """The store, with its models bound to their tables."""
    bind(PromotionsItem, settings.promotions_table)
    bind(LedgerItem, settings.ledger_table)
    return PromotionStore(database(settings))


def wake(settings: PromotionsSettings) -> Wake:
    """Brings steps to the promotions' queue."""
    return wake_of(settings, settings.promotions_queue_url, settings.promotions_queue_arn)
