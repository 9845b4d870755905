"""The providers by their names. An adapter is imported when its provider is used, because the libraries are slow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from broadcasts.instance import Instance, ProviderName
from broadcasts.ports import PATIENT, QUICK, Deliver, Memory, Patience, Provider
from broadcasts.providers.answers import Asked, Post
from broadcasts.providers.meta import BASE_URL, Meta
from broadcasts.providers.sandbox import Sandbox
from sluice.clock import Clock

CREDENTIALS: Mapping[ProviderName, frozenset[str]] = {
    ProviderName.SANDBOX: frozenset(),
    ProviderName.EVOLUTION: frozenset({"api_key", "jwt_key"}),
    ProviderName.META: frozenset({"access_token", "app_secret", "verify_token"}),
    ProviderName.AWS: frozenset(),
}
"""What each provider needs."""
_LOOPBACK = ("127.", "localhost", "::1")


@dataclass(frozen=True)
class ProviderFactory:
    """Makes a client of an instance. A client may be kept, and used by several threads."""

    memory: Memory
    deliver: Callable[[str], Deliver]
    """Where the sandbox puts the events of an instance, by its id."""
    clock: Clock
    private_ranges: tuple[str, ...] = ()
    """Addresses at which a host with a port, `127.0.0.1:4810`, may be reached, by http too: for fakes."""

    def provider(self, instance: Instance, credentials: Mapping[str, str]) -> Provider:
        """A client; a credential that is missing is empty, and the provider refuses it."""
        keys = {name: credentials.get(name, "") for name in CREDENTIALS[instance.provider]}
        match instance.provider:
            case ProviderName.SANDBOX:
                return Sandbox(self.memory, self.deliver(instance.id), self.clock)
            case ProviderName.EVOLUTION:
                from broadcasts.providers.evolution import Evolution

                url = instance.base_url or ""
                post, patience = self._post(url), self._patience(url)
                return Evolution(instance.address, url, keys["api_key"], keys["jwt_key"], post, patience)
            case ProviderName.META:
                url = instance.base_url or BASE_URL
                post, patience = self._post(url), self._patience(url)
                return Meta(instance.address, keys["access_token"], keys["app_secret"], post, url, patience)
            case ProviderName.AWS:
                from broadcasts.providers.aws import Aws, connect

                client = connect()
                url = str(client.meta.endpoint_url)
                return Aws(instance.address, self._post(url), self._patience(url), lambda: client)

    def allows(self, url: str) -> bool:
        """Whether a provider may be at a URL; its addresses are checked at each connection."""
        from sluice.egress import Hosts, NotAllowed

        try:
            Hosts.of([_host(url)], self.private_ranges).check(url)
        except NotAllowed:
            return False
        return True

    def _post(self, url: str) -> Post:
        """Of a function that reads webhooks alone, no request is made, and no library loaded."""

        @cache
        def wire() -> Post:
            from broadcasts.providers.wire import Wire
            from sluice.egress import Hosts

            return Wire(Hosts.of([_host(url)], self.private_ranges), self.clock)

        def post(to: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Asked:
            return wire()(to, headers, body, deadline)

        return post

    def _patience(self, url: str) -> Patience:
        """A fake on this machine answers at once, or never."""
        is_fake = self.private_ranges and (urlsplit(url).hostname or "").startswith(_LOOPBACK)
        return QUICK if is_fake else PATIENT


def _host(url: str) -> str:
    return urlsplit(url).netloc
