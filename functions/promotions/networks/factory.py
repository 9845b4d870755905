"""The networks by their names. An adapter is imported when its network is used, because the libraries are slow."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from promotions.accounts import Token
from promotions.networks.metered import Metered
from promotions.networks.policies import POLICIES
from promotions.networks.sandbox import Sandbox, SandboxPublisher
from promotions.outside import NotConnected
from promotions.ports import NetworkPolicy, SocialPublisher
from sluice.clock import Clock
from sluice.errors import Invalid

MASTODON, X = "mastodon", "x"


class Secrets(Protocol):
    """The tokens of connections."""

    def get(self, user: str, network: str) -> Token | None: ...


@dataclass(frozen=True)
class Servers:
    """Where networks may be reached."""

    mastodon_hosts: tuple[str, ...]
    x_base_url: str
    private_ranges: tuple[str, ...]


@dataclass(frozen=True)
class NetworkFactory:
    """As `Networks`; and clients of accounts that nobody has connected yet."""

    secrets: Secrets
    revoke: Callable[[str, str], None]
    table: str
    """The table that the sandbox is in."""
    servers: Servers
    clock: Clock

    def policy(self, network: str) -> NetworkPolicy:
        """As `Networks.policy`."""
        if network not in POLICIES:
            message = f"network must be one of {', '.join(sorted(POLICIES))}"
            raise Invalid.of("network", message, "network_unknown")
        return POLICIES[network]

    def all(self) -> list[tuple[NetworkPolicy, tuple[str, ...]]]:
        """What each network allows, and at which servers it can be reached, where there are several."""
        hosts = {MASTODON: self.servers.mastodon_hosts}
        return [(policy, hosts.get(network, ())) for network, policy in POLICIES.items()]

    def publisher(self, network: str, owner: str, host: str, account_id: str | None = None) -> SocialPublisher:
        """As `Networks.publisher`."""
        token = self.secrets.get(owner, network)
        if token is None or token.host != host or account_id not in (None, token.account_id):
            raise NotConnected
        return self.client(network, token)

    def revoked(self, network: str, owner: str) -> None:
        """As `Networks.revoked`."""
        self.revoke(owner, network)

    def host(self, network: str, host: str | None) -> str:
        """The server of an account, as it is known by: the network's own name where there is but one.

        Raises Invalid (`network_unknown`, `host_not_allowed`).
        """
        self.policy(network)
        if network != MASTODON:
            if host not in (None, network):
                raise Invalid.of("host", f"{network} has no other servers: leave host out", "host_not_allowed")
            return network
        if host is None or host.lower() not in self.servers.mastodon_hosts:
            raise Invalid.of("host", "Connections to this server are not allowed", "host_not_allowed")
        return host.lower()

    def client(self, network: str, token: Token) -> SocialPublisher:
        """A client with a token, which asks the request budget first; without a secret it reads what all may read."""
        return Metered(self._client(network, token), network, token.host, self.clock)

    def _client(self, network: str, token: Token) -> SocialPublisher:
        if network == MASTODON:
            from promotions.networks.mastodon import MastodonPublisher
            from sluice.egress import Hosts

            hosts = Hosts.of(self.servers.mastodon_hosts, self.servers.private_ranges)
            return MastodonPublisher(token.host, token.secret, token.account_id, hosts, self.clock)
        if network == X:
            from promotions.networks.x import XPublisher, hosts_of

            base_url = self.servers.x_base_url
            hosts = hosts_of(base_url, self.servers.private_ranges)
            return XPublisher(token.secret, token.account_id, hosts, self.clock, base_url)
        return SandboxPublisher(Sandbox(self.table, self.clock), self.clock, token.secret)
