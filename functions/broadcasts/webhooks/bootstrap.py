"""Where the settings, secrets, providers, store and queue of the webhooks meet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from broadcasts.contacts import ContactStore, contact_of
from broadcasts.credentials import Credentials, Secrets
from broadcasts.instance import Instance, ProviderName
from broadcasts.items import BroadcastsItem, MessagesItem
from broadcasts.ports import Event, Untrusted
from broadcasts.providers.answers import Asked, json_object, text_in
from broadcasts.providers.cloud import entry_of, events_of
from broadcasts.secret import ContactsSecret
from broadcasts.store import BroadcastStore
from broadcasts.webhooks.applying import Applier
from broadcasts.webhooks.hearing import Hearing
from broadcasts.webhooks.messages import Told
from broadcasts.webhooks.queue import events_queue
from broadcasts.webhooks.store import instances_of
from sluice.clock import Clock, SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import Database, bind


@dataclass(frozen=True)
class HearingSettings:
    """What the function reads that hears webhooks."""

    broadcasts_table: str
    instances_path: str
    broadcasts_events_queue_url: str


@dataclass(frozen=True)
class EventsSettings(CommitSettings):
    """What the function reads that applies what was heard."""

    broadcasts_table: str
    messages_table: str
    contacts_secret_arn: str


@dataclass(frozen=True)
class Providers:
    """The providers that have webhooks: they are asked nothing, so they have no tokens."""

    clock: Clock

    def events(self, instance: Instance, secrets: Secrets, body: bytes, headers: Mapping[str, str]) -> list[Event]:
        """The events of a request. Raises Untrusted."""
        now = self.clock.now()
        match instance.provider:
            case ProviderName.EVOLUTION:
                from broadcasts.providers.evolution import Evolution

                evolution = Evolution(instance.address, "", "", secrets.jwt_key or "", _no_request)
                return evolution.parse_events(body, headers, now)
            case ProviderName.META:
                from broadcasts.providers.meta import Meta

                return Meta(instance.address, "", secrets.app_secret or "", _no_request).parse_events(
                    body, headers, now
                )
        raise Untrusted("The provider has no webhooks")

    def challenge(self, secrets: Secrets, query: Mapping[str, str]) -> str:
        """What a subscription is answered. Raises Untrusted."""
        from broadcasts.providers.meta import challenge

        return challenge(query, secrets.verify_token or "")


def _no_request(url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Asked:
    raise NotImplementedError("A webhook's function makes no requests")


def hearing(settings: HearingSettings) -> Hearing:
    """Hears webhooks, with the models bound to their table."""
    bind(BroadcastsItem, settings.broadcasts_table)
    clock = SystemClock()
    credentials = Credentials(settings.instances_path, clock)
    queue = events_queue(settings.broadcasts_events_queue_url)
    return Hearing(BroadcastStore(Database()).instance, credentials, Providers(clock), queue.put)


def applier(settings: EventsSettings) -> Applier:
    """Applies what was heard, with the models bound to their tables."""
    bind(BroadcastsItem, settings.broadcasts_table)
    bind(MessagesItem, settings.messages_table)
    committing, secret = database(settings), ContactsSecret(settings.contacts_secret_arn)

    def contact(owner: str, phone: str) -> str:
        return contact_of(owner, phone, secret.key())

    return Applier(BroadcastStore(committing), ContactStore(committing), contact, notified, SystemClock())


def notified(body: str, now: datetime) -> Told | None:
    """What a message of SNS tells; None if its number is no instance's. Raises Unavailable."""
    from broadcasts.providers.aws import numbers_of

    found = instances_of(ProviderName.AWS, numbers_of(body.encode()))
    if not found:
        return None
    entry = entry_of(text_in(json_object(body), "whatsAppWebhookEntry"))
    return Told(found[0], tuple(events_of(entry, now)))
