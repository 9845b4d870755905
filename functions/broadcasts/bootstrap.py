"""Where the broadcasts' settings, store, providers, texts and queue meet."""

from dataclasses import dataclass
from functools import partial

from broadcasts import threads
from broadcasts.broadcasting import BroadcastBatches
from broadcasts.bucket import list_bucket
from broadcasts.calls import Begun, Calls
from broadcasts.campaign import Broadcast
from broadcasts.contacts import ContactStore
from broadcasts.credentials import Credentials
from broadcasts.frozen import Texts
from broadcasts.instance import Instance
from broadcasts.items import BroadcastsItem, MessagesItem
from broadcasts.laying import Laying
from broadcasts.looks import Looks
from broadcasts.media import media_bucket
from broadcasts.memory import SandboxMemory
from broadcasts.ports import Patience, Provider
from broadcasts.providers.factory import ProviderFactory
from broadcasts.regions import region_of
from broadcasts.store import BroadcastStore
from broadcasts.webhooks.queue import events_queue
from sluice.clock import SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.steps import StepChain
from sluice.wake import Wake, WakeSettings, wake_of


@dataclass(frozen=True)
class StoreSettings(CommitSettings):
    """What a function reads that changes broadcasts."""

    broadcasts_table: str
    messages_table: str


@dataclass(frozen=True)
class ChainSettings(StoreSettings, WakeSettings):
    """What a function reads that moves broadcasts on."""

    broadcasts_queue_url: str
    broadcasts_queue_arn: str
    broadcasts_bucket: str


@dataclass(frozen=True)
class StepSettings(ChainSettings):
    """What the function reads that sends."""

    broadcasts_events_queue_url: str
    instances_path: str
    private_ranges: tuple[str, ...]


def store(settings: StoreSettings) -> BroadcastStore:
    """The store, with its models bound to their tables."""
    bind(BroadcastsItem, settings.broadcasts_table)
    bind(MessagesItem, settings.messages_table)
    return BroadcastStore(database(settings))


def wake(settings: ChainSettings) -> Wake:
    """Brings steps to the broadcasts' queue."""
    return wake_of(settings, settings.broadcasts_queue_url, settings.broadcasts_queue_arn)


def factory(settings: StepSettings) -> ProviderFactory:
    """The providers, and where the sandbox puts its events."""
    queue = events_queue(settings.broadcasts_events_queue_url)
    clock = SystemClock()
    return ProviderFactory(SandboxMemory(clock), lambda of: partial(queue.put, of), clock, settings.private_ranges)


def chain(settings: StepSettings, run: threads.Run = threads.run) -> StepChain[Broadcast]:
    """The chain of the broadcasts. `run` makes the calls of a group."""
    clock, broadcasts = SystemClock(), store(settings)
    providers, credentials = factory(settings), Credentials(settings.instances_path, clock)
    texts = Texts(broadcasts)
    begun: dict[str, Begun] = {}

    def provider(instance: Instance) -> Provider:
        return providers.provider(instance, credentials.read(instance).given)

    def patience(instance: Instance) -> Patience:
        return providers.provider(instance, {}).patience

    laying = Laying(broadcasts, list_bucket(settings.broadcasts_bucket).rows)
    batches = BroadcastBatches(broadcasts, texts, laying, patience, region_of, credentials.read, begun)
    contacts = ContactStore(database(settings))
    link = media_bucket(settings.broadcasts_bucket).link
    calls = Calls(broadcasts, provider, texts, contacts, link, Looks(broadcasts, texts, clock), run, clock, begun=begun)
    return StepChain(batches, wake(settings), clock, calls)
