"""Where the settings, tables, secrets, providers and bucket of this wing meet."""

from dataclasses import dataclass

from broadcasts.contacts import ContactStore
from broadcasts.credentials import Credentials
from broadcasts.items import BroadcastsItem, MessagesItem
from broadcasts.lists.asking import ProviderAsker
from broadcasts.lists.commands import Instances, Limits, Templates
from broadcasts.lists.store import ListsStore
from broadcasts.lists.suppressions import Suppressions
from broadcasts.media import MediaBucket, media_bucket
from broadcasts.providers.factory import CREDENTIALS
from broadcasts.secret import ContactsSecret
from sluice.clock import SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.requests import RequestItem


@dataclass(frozen=True)
class ListsSettings(CommitSettings):
    broadcasts_table: str
    messages_table: str
    requests_table: str
    instances_path: str
    private_ranges: tuple[str, ...]
    max_rate_per_minute: int
    contacts_secret_arn: str
    broadcasts_bucket: str


@dataclass(frozen=True)
class Services:
    """What the routes need."""

    store: ListsStore
    instances: Instances
    templates: Templates
    limits: Limits
    suppressions: Suppressions
    media: MediaBucket
    clock: SystemClock


def services(settings: ListsSettings) -> Services:
    """What the routes need, with the models bound to their tables."""
    bind(BroadcastsItem, settings.broadcasts_table)
    bind(MessagesItem, settings.messages_table)
    bind(RequestItem, settings.requests_table)
    shared, clock = database(settings), SystemClock()
    store = ListsStore(shared)
    vault, asker = Credentials(settings.instances_path, clock), ProviderAsker(settings.private_ranges)
    instances = Instances(store, vault, asker, clock, settings.max_rate_per_minute, CREDENTIALS)
    secret = ContactsSecret(settings.contacts_secret_arn)
    return Services(
        store,
        instances,
        Templates(store, instances, clock),
        Limits(store, clock),
        Suppressions(ContactStore(shared), secret.key, clock),
        media_bucket(settings.broadcasts_bucket),
        clock,
    )
