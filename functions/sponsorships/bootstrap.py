"""Where the sponsorships' settings, stores, keys and queue meet. What only one function needs is in its own module."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sluice.clock import SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.ledger import LedgerItem
from sluice.wake import Wake, WakeSettings, wake_of
from sponsorships.items import SponsorshipsItem
from sponsorships.secret import ImpressionSecret
from sponsorships.store import CampaignStore, ParticipationStore


@dataclass(frozen=True)
class CheckSettings(CommitSettings, WakeSettings):
    """What a function reads that checks participations, and settles them."""

    sponsorships_table: str
    sponsorships_queue_url: str
    sponsorships_queue_arn: str
    ledger_table: str
    impression_secret_arn: str


@dataclass(frozen=True)
class SponsorshipsSettings(CheckSettings):
    time_zone: ZoneInfo
    max_daily_earnings: int


def stores(settings: CheckSettings) -> tuple[CampaignStore, ParticipationStore]:
    """The stores, with their models bound to their tables."""
    bind(SponsorshipsItem, settings.sponsorships_table)
    bind(LedgerItem, settings.ledger_table)
    shared = database(settings)
    return CampaignStore(shared), ParticipationStore(shared)


def wake(settings: CheckSettings) -> Wake:
    """Brings steps to the sponsorships' queue."""
    return wake_of(settings, settings.sponsorships_queue_url, settings.sponsorships_queue_arn)


def secret(settings: CheckSettings) -> ImpressionSecret:
    """All keys that ever signed an impression: rows are verified again before money moves."""
    return ImpressionSecret(settings.impression_secret_arn, SystemClock())
