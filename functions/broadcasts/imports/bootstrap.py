"""Where the check's settings, tables, bucket and queue meet."""

from dataclasses import dataclass

from broadcasts.bucket import list_bucket
from broadcasts.import_store import ImportStore
from broadcasts.imports.checking import Checks
from broadcasts.items import BroadcastsItem, MessagesItem
from broadcasts.secret import ContactsSecret
from sluice.clock import SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.wake import WakeSettings, wake_of


@dataclass(frozen=True)
class CheckSettings(CommitSettings, WakeSettings):
    """What the check reads."""

    broadcasts_table: str
    messages_table: str
    broadcasts_queue_url: str
    broadcasts_queue_arn: str
    broadcasts_bucket: str
    contacts_secret_arn: str
    max_recipients: int


def checks(settings: CheckSettings) -> Checks:
    """The check of files, with the models bound to their tables."""
    bind(BroadcastsItem, settings.broadcasts_table)
    bind(MessagesItem, settings.messages_table)
    return Checks(
        ImportStore(database(settings)),
        list_bucket(settings.broadcasts_bucket),
        ContactsSecret(settings.contacts_secret_arn),
        wake_of(settings, settings.broadcasts_queue_url, settings.broadcasts_queue_arn),
        SystemClock(),
        settings.max_recipients,
    )
