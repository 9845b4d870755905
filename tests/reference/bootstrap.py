"""Where the reference's settings, store and queue meet. In the template it takes the place of the boosts."""

from dataclasses import dataclass

from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.wake import Wake, WakeSettings, wake_of
from tests.reference.items import CampaignItem
from tests.reference.store import Store


@dataclass(frozen=True)
class ReferenceSettings(CommitSettings, WakeSettings):
    """What every function of the context reads from the environment."""

    boosts_table: str
    boosts_queue_url: str
    boosts_queue_arn: str


def store(settings: ReferenceSettings) -> Store:
    """The store, with its model bound to its table."""
    bind(CampaignItem, settings.boosts_table)
    return Store(database(settings))


def wake(settings: ReferenceSettings) -> Wake:
    """Brings steps to the queue."""
    return wake_of(settings, settings.boosts_queue_url, settings.boosts_queue_arn)
