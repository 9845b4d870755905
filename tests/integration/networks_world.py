"""A network for each adapter, which its tests drive alike: the sandbox in its table, the others over real HTTP."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from local.fakes.http import TOKEN, FakeServer
from local.fakes.in_process import InProcessPublisher
from local.fakes.mastodon import FakeMastodon
from local.fakes.network import FakeNetwork, Fault, Operation
from local.fakes.x import FakeX
from promotions.networks.mastodon import MastodonPublisher
from promotions.networks.sandbox import Sandbox, SandboxPublisher, Switch
from promotions.networks.x import XPublisher, hosts_of
from promotions.ports import Account, Kind, Metrics, SocialPublisher
from sluice.egress import Hosts
from tests.account import Account as Aws
from tests.factories import FixedClock

PRIVATE = ("127.0.0.0/8",)
SECONDS = 8.0
AUTHOR = "1001"
_SWITCHES = {
    Fault.LOST: Switch.LOST,
    Fault.UNREADABLE: Switch.UNREADABLE,
    Fault.LATER: Switch.INFLIGHT,
    Fault.HIDDEN: Switch.HIDDEN,
    Fault.HANG: Switch.HANG,
    Fault.LIMITED: Switch.LIMITED,
    Fault.LIMITED_BARE: Switch.LIMITED_BARE,
    Fault.EXPIRED: Switch.EXPIRED,
    Fault.REFUSED: Switch.REFUSED,
}


class World(Protocol):
    """A network, and its client."""

    publisher: SocialPublisher
    clock: FixedClock
    retry_seconds: int

    def text(self, fault: Fault) -> str:
        """A text whose post meets the fault."""

    def made(self, text: str) -> int:
        """How many posts with a text were ever made."""

    def script(self, operation: Operation, *faults: Fault) -> None:
        """The next requests of an operation go wrong."""

    def engage(self, post_id: str, engaged: Mapping[Kind, Sequence[str]], metrics: Metrics | None = None) -> None:
        """Set who engaged with a post."""

    def set_account(self, account: Account) -> None:
        """Set an account, by its handle."""


@dataclass
class OverHttp:
    """A client, and the fake that it talks to."""

    publisher: SocialPublisher
    clock: FixedClock
    network: FakeNetwork
    retry_seconds: int = 60

    def text(self, fault: Fault) -> str:
        self.network.script(Operation.POST, fault)
        return f"Buy this now, it is {fault} #ad prm7-1"

    def made(self, text: str) -> int:
        return self.network.made(text)

    def script(self, operation: Operation, *faults: Fault) -> None:
        self.network.script(operation, *faults)

    def engage(self, post_id: str, engaged: Mapping[Kind, Sequence[str]], metrics: Metrics | None = None) -> None:
        self.network.engage(post_id, engaged, metrics)

    def set_account(self, account: Account) -> None:
        self.network.accounts[account.handle.lower()] = replace(account, id=self.network.account(account.handle).id)


@dataclass
class InTable:
    """The sandbox."""

    publisher: SocialPublisher
    clock: FixedClock
    sandbox: Sandbox
    aws: Aws
    table: str
    retry_seconds: int = 2

    def text(self, fault: Fault) -> str:
        return f"Buy this now [sandbox:{_SWITCHES[fault]}] #ad prm7-1"

    def made(self, text: str) -> int:
        now = self.clock.now()
        rows = [each for each in self.aws.items(self.table) if each.get("text") == text]
        return sum(each["made_at"] <= f"{now:%Y-%m-%dT%H:%M:%S.%f}+0000" for each in rows)

    def script(self, operation: Operation, *faults: Fault) -> None:
        raise NotImplementedError

    def engage(self, post_id: str, engaged: Mapping[Kind, Sequence[str]], metrics: Metrics | None = None) -> None:
        assert self.sandbox.set_engagement(post_id, engaged, metrics)

    def set_account(self, account: Account) -> None:
        self.sandbox.set_account(account)


def hosts(*servers: FakeServer) -> Hosts:
    return Hosts.of([each.host for each in servers], PRIVATE)


@contextmanager
def mastodon(clock: FixedClock, seconds: float = SECONDS, token: str = TOKEN) -> Iterator[OverHttp]:
    fake = FakeMastodon(clock)
    with fake.running() as host:
        yield OverHttp(MastodonPublisher(host, token, AUTHOR, hosts(fake), clock, seconds), clock, fake.network)


@contextmanager
def x(clock: FixedClock, seconds: float = SECONDS, token: str = TOKEN, **more: Any) -> Iterator[OverHttp]:
    fake = FakeX(clock, **more)
    with fake.running() as host:
        base_url = f"http://{host}"
        publisher = XPublisher(token, AUTHOR, hosts_of(base_url, PRIVATE), clock, base_url, seconds)
        yield OverHttp(publisher, clock, fake.network)


@contextmanager
def in_process(clock: FixedClock, seconds: float = SECONDS) -> Iterator[OverHttp]:
    network = FakeNetwork(clock)
    yield OverHttp(InProcessPublisher(network), clock, network)


@contextmanager
def sandbox(clock: FixedClock, aws: Aws) -> Iterator[InTable]:
    logical_id = "PromotionsTable" if "PromotionsTable" in aws.resources else "SponsorshipsTable"
    found = Sandbox(aws.ref(logical_id), clock)
    yield InTable(SandboxPublisher(found, clock, AUTHOR), clock, found, aws, logical_id)


def later(world: World, seconds: float = 100) -> None:
    """Time passes."""
    world.clock.time += timedelta(seconds=seconds)
