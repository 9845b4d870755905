"""Where the promotions' settings, store, networks, escrow and queue meet."""

from dataclasses import dataclass

from promotions.connections import ConnectionStore
from promotions.escrow.hedera import HederaEscrow
from promotions.escrow.ledger import LedgerEscrow
from promotions.items import AnswerItem, PromotionsItem
from promotions.media import MediaBucket, media_bucket
from promotions.networks.factory import NetworkFactory, Servers
from promotions.networks.sandbox import Sandbox
from promotions.outside import Outside
from promotions.ports import Escrow
from promotions.store import PromotionStore
from promotions.tokens import Tokens, tokens
from sluice import answers
from sluice.clock import SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.ledger import LedgerItem
from sluice.outward import Outcome, Seen
from sluice.wake import Wake, WakeSettings, wake_of


@dataclass(frozen=True)
class NetworkSettings(CommitSettings):
    """What a function reads that talks to networks."""

    promotions_table: str
    connections_path: str
    mastodon_hosts: tuple[str, ...]
    x_base_url: str
    private_ranges: tuple[str, ...]


@dataclass(frozen=True)
class ChainSettings(NetworkSettings, WakeSettings):
    """What a function reads that changes promotions, and moves no money."""

    promotions_queue_url: str
    promotions_queue_arn: str


@dataclass(frozen=True)
class PromotionsSettings(ChainSettings):
    """What a function reads that moves promotions on."""

    ledger_table: str
    media_bucket: str


@dataclass(frozen=True)
class StepSettings(PromotionsSettings):
    """What a function reads that makes a promotion's calls."""

    escrow: str
    escrow_function: str
    hedera_account: str


def store_without_money(settings: ChainSettings) -> PromotionStore:
    """The store, for changes that move no money."""
    bind(PromotionsItem, settings.promotions_table)
    return PromotionStore(database(settings))


def store(settings: PromotionsSettings) -> PromotionStore:
    """The store, with its models bound to their tables."""
    bind(LedgerItem, settings.ledger_table)
    return store_without_money(settings)


def wake(settings: ChainSettings) -> Wake:
    """Brings steps to the promotions' queue."""
    return wake_of(settings, settings.promotions_queue_url, settings.promotions_queue_arn)


def connections(settings: NetworkSettings) -> ConnectionStore:
    """Connections, links and exceptions, with their models bound to the table."""
    bind(PromotionsItem, settings.promotions_table)
    return ConnectionStore(database(settings))


def secrets(settings: NetworkSettings) -> Tokens:
    """The tokens of connections."""
    return tokens(settings.connections_path)


def networks(settings: NetworkSettings) -> NetworkFactory:
    """The networks, each by its name."""
    servers = Servers(settings.mastodon_hosts, settings.x_base_url, settings.private_ranges)
    revoke = connections(settings).revoke
    return NetworkFactory(secrets(settings), revoke, settings.promotions_table, servers, SystemClock())


def media(settings: PromotionsSettings) -> MediaBucket:
    """The media of promotions."""
    return media_bucket(settings.media_bucket)


def escrow(settings: StepSettings) -> Escrow:
    """The escrow that the stack was deployed with."""
    if settings.escrow == "hedera":
        return HederaEscrow(settings.escrow_function, settings.hedera_account)
    return LedgerEscrow()


def outside(settings: StepSettings) -> Outside:
    """What a promotion does outside the platform."""
    clock = SystemClock()

    def heard(answer: Outcome | Seen) -> None:
        answers.note(AnswerItem, "escrow", answer, clock.now())

    return Outside(networks(settings), escrow(settings), media(settings), heard)


def sandbox(settings: NetworkSettings) -> Sandbox:
    """The sandbox, as an operator sets it."""
    return Sandbox(settings.promotions_table, SystemClock())
