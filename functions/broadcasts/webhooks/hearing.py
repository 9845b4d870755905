"""What a provider's request tells: once it is certain that it is the provider's, it goes on the queue (section 6)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from broadcasts.credentials import Credentials, Secrets
from broadcasts.instance import PREFIX, Instance, ProviderName
from broadcasts.ports import Event, Untrusted
from sluice.errors import NotFound, Unauthorized


class Proving(Protocol):
    """What tells a provider's requests from anybody's; both raise Untrusted."""

    def events(self, instance: Instance, secrets: Secrets, body: bytes, headers: Mapping[str, str]) -> list[Event]:
        """The events of a request."""

    def challenge(self, secrets: Secrets, query: Mapping[str, str]) -> str:
        """What a subscription is answered."""


class Hearing:
    """Hears the webhooks of all instances. It reads no item but the instance's."""

    def __init__(
        self,
        instance_of: Callable[[str], Instance | None],
        credentials: Credentials,
        proving: Proving,
        put: Callable[[str, Iterable[Event]], None],
    ) -> None:
        """`put` puts events of an instance on the queue; it raises Unavailable."""
        self._instance_of = instance_of
        self._credentials = credentials
        self._proving = proving
        self._put = put

    def hear(self, provider: ProviderName, instance_id: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Put the events of a request on the queue; returns how many. Raises NotFound, Unauthorized, Unavailable."""
        instance = self._instance(provider, instance_id)
        events = self._proven(instance, lambda secrets: self._proving.events(instance, secrets, body, headers))
        self._put(instance.id, events)
        return len(events)

    def challenged(self, provider: ProviderName, instance_id: str, query: Mapping[str, str]) -> str:
        """The answer to a subscription. Raises NotFound, Unauthorized, Unavailable."""
        instance = self._instance(provider, instance_id)
        return self._proven(instance, lambda secrets: self._proving.challenge(secrets, query))

    def _instance(self, provider: ProviderName, instance_id: str) -> Instance:
        # Any text may stand in the path: of the table the function may read instances alone.
        instance = self._instance_of(instance_id) if instance_id.startswith(f"{PREFIX}_") else None
        if instance is None or instance.deleted_at or instance.provider is not provider:
            raise NotFound("No instance has this webhook", "not_found")
        return instance

    def _proven[T](self, instance: Instance, prove: Callable[[Secrets], T]) -> T:
        secrets = self._credentials.read(instance)
        try:
            return prove(secrets)
        except Untrusted as error:
            again = self._credentials.read_again(instance)
            if again == secrets:
                raise _unauthorized() from error
        try:
            return prove(again)
        except Untrusted as error:
            raise _unauthorized() from error


def _unauthorized() -> Unauthorized:
    return Unauthorized("Nothing proves that this is the provider's", "unauthorized")
