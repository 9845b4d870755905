"""Where the sponsorships' settings, stores, keys and queue meet. What only one function needs is in its own module."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aws_lambda_powertools.utilities.parameters import SecretsProvider

from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.ledger import LedgerItem
from sluice.wake import Wake, WakeSettings, wake_of
from sponsorships.impressions import ImpressionKeys
from sponsorships.items import SponsorshipsItem
from sponsorships.store import CampaignStore, ParticipationStore

SECRET_CACHE_SECONDS = 300


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


def impression_keys(settings: CheckSettings) -> ImpressionKeys:
    """All keys that ever signed an impression: rows are verified again before money moves."""
    return ImpressionKeys.parse(str(SecretsProvider().get(settings.impression_secret_arn, SECRET_CACHE_SECONDS)))
