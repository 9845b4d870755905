"""What admins do with endpoints and deliveries."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hooks import campaign as deliveries
from hooks import endpoint as endpoints
from hooks.campaign import PREFIX as DELIVERY
from hooks.campaign import Attempt, Delivery, DeliveryStatus
from hooks.endpoint import MOST, PREFIX, Endpoint, HookStatus
from hooks.ports import Keys, Sink
from hooks.signature import derived
from hooks.store import Store, held_by, listed_by
from sluice.clock import Clock, rfc3339
from sluice.commands import ChainCommands
from sluice.errors import Conflicting, Invalid, NotFound, Unavailable
from sluice.ids import is_id, new_id
from sluice.requests import Answer, Keyed, Requester, carry_out
from sluice.store import Place
from sluice.wake import Wake

MOST_REPLAYED = 1_000
_PAGE, _MOST_PAGES = 100, 10
_BUSY = "Other requests are changing it at the same time: retry"


class Deliveries(ChainCommands[Delivery, deliveries.Change]):
    """Deliveries of endpoints."""

    prefix = DELIVERY
    noun = "delivery"

    def __init__(self, store: Store, wake: Wake, clock: Clock) -> None:
        super().__init__(store, wake, clock)
        self._store = store

    def page(
        self, hook_id: str, status: DeliveryStatus | None, limit: int, after: Place | None
    ) -> tuple[list[Delivery], Place | None]:
        """At most `limit` deliveries of an endpoint, newest first; and the place of the next page, if any.

        With a status they may be fewer: at most 1,000 are looked at. An endpoint may have a million, and none of
        them failed.
        """
        if status in (None, DeliveryStatus.HELD):
            listing = held_by(hook_id) if status else listed_by(hook_id)
            return self._store.page(listing, limit, after, status)
        found: list[Delivery] = []
        for _ in range(_MOST_PAGES):
            some, after = self._store.page(listed_by(hook_id), _PAGE, after)
            found += [each for each in some if each.status is status]
            if len(found) >= limit:
                return found[:limit], Place(found[limit - 1].id)
            if after is None:
                break
        return found, after

    def of(self, hook_id: str, delivery_id: str) -> tuple[Delivery, list[Attempt]]:
        """A delivery of an endpoint, and its attempts, newest first. Raises NotFound."""
        found = self.get(delivery_id)
        if found.hook_id != hook_id:
            raise NotFound("Delivery not found", "delivery_not_found")
        return found, self._store.attempts(delivery_id)

    def replay(self, hook_id: str, delivery_id: str, requester: Requester, *, again: bool) -> Delivery | Answer:
        """Send a delivery again, with its first id and bytes. Raises NotFound, Conflicting."""

        def change(delivery: Delivery, now: datetime) -> deliveries.Change | None:
            endpoint = self._store.endpoint(hook_id)
            if delivery.hook_id != hook_id or endpoint is None or endpoint.status is HookStatus.DELETED:
                raise NotFound("Delivery not found", "delivery_not_found")
            if not endpoint.is_enabled:
                raise Conflicting("The endpoint is disabled: enable it first", "hook_disabled")
            return deliveries.replay(delivery, requester.request_id, now, again=again)

        return self.command("replay", delivery_id, requester, change)

    def held(self, hook_id: str) -> int:
        """How many deliveries of an endpoint are held."""
        return self._store.held(hook_id, self.clock.now())


@dataclass(frozen=True)
class Hooks:
    """Endpoints."""

    store: Store
    keys: Keys
    sink: Sink
    clock: Clock

    def all(self) -> list[Endpoint]:
        """All endpoints, the oldest first."""
        return self.store.endpoints()

    def get(self, hook_id: str) -> Endpoint:
        """An endpoint. Raises NotFound."""
        return _there(self._find(hook_id))

    def masters_in_use(self, found: Iterable[Endpoint]) -> list[int]:
        """The numbers of the masters that these endpoints name."""
        return endpoints.masters_in_use(found, self.clock.now())

    def secret(self, hook_id: str, generation: int) -> str | None:
        """The secret of a generation; None when the endpoint has forgotten it. Raises Unavailable."""
        found = self.store.endpoint(hook_id)
        master = found.master_of(generation) if found else None
        return None if master is None else derived(self.keys.master(master), hook_id, generation)

    def create(self, given: dict[str, Any], requester: Requester) -> Endpoint | Answer:
        """Create an endpoint. Raises Invalid, Conflicting (`too_many_hooks`), Unavailable."""
        self._check(given["url"])
        master = self.keys.newest()

        def attempt(keyed: Keyed[Endpoint] | None, now: datetime) -> Endpoint | None:
            if self.store.is_full():
                raise Conflicting(f"There are {MOST} endpoints: delete one first", "too_many_hooks")
            made = Endpoint(
                id=new_id(PREFIX, now),
                created_at=now,
                created_by=requester.subject,
                updated_at=now,
                master=master,
                **given,
            )
            created = self.store.save_endpoint(None, made, "CREATED", requester.subject, now, keyed)
            if created is None and keyed is None:
                # The answer of a commit may be lost: without a key another attempt could make a second endpoint.
                raise Unavailable("The endpoint could not be created")
            return created

        return self._carry_out(attempt, requester)

    def change(self, hook_id: str, given: dict[str, Any], requester: Requester) -> Endpoint | Answer:
        """Change an endpoint's terms. Raises NotFound, Invalid, Unavailable."""
        if "url" in given:
            self._check(given["url"])

        terms = {name: value for name, value in given.items() if name != "status"}

        def changed(found: Endpoint, now: datetime) -> Endpoint | None:
            after = endpoints.changed(found, terms, now)
            if "status" in given and found.is_enabled:
                return endpoints.disabled(after, endpoints.BY_HAND, now)
            return None if replace(after, updated_at=found.updated_at) == found else after

        return self._command("update", "CHANGED", hook_id, changed, requester)

    def delete(self, hook_id: str, requester: Requester) -> Endpoint | Answer:
        """Delete an endpoint: what is on its way is dropped. Raises NotFound, Unavailable."""
        return self._command("delete", "DELETED", hook_id, endpoints.deleted, requester)

    def rotate(self, hook_id: str, overlap: timedelta, requester: Requester) -> Endpoint | Answer:
        """Give an endpoint a new secret; the one before signs too for `overlap`. Raises NotFound, Unavailable."""
        master = self.keys.newest()

        def rotated(found: Endpoint, now: datetime) -> Endpoint:
            return endpoints.rotated(found, master, overlap, now)

        return self._command("rotate", "ROTATED", hook_id, rotated, requester)

    def enable(self, hook_id: str, requester: Requester) -> Endpoint | Answer:
        """Enable an endpoint. Raises NotFound, Unavailable."""

        def enabled(found: Endpoint, now: datetime) -> Endpoint | None:
            return None if found.is_enabled else endpoints.enabled(found, now)

        return self._command("enable", "ENABLED", hook_id, enabled, requester)

    def test(self, hook_id: str, requester: Requester) -> Endpoint | Answer:
        """Send an endpoint a test, by the way that events take. Raises NotFound, Conflicting, Unavailable."""

        def tested(found: Endpoint, _now: datetime) -> Endpoint:
            if not found.is_enabled:
                raise Conflicting("The endpoint is disabled: enable it first", "hook_disabled")
            self._check(found.url)
            return found

        return self._command("test", "TESTED", hook_id, tested, requester)

    def replay(
        self, hook_id: str, begin: datetime, end: datetime, status: DeliveryStatus, requester: Requester
    ) -> Endpoint | Answer:
        """Send again what came in a range, at most 1,000. Raises NotFound, Invalid, Conflicting, Unavailable."""
        if not begin < end:
            raise Invalid.of("to", "to must be after from")

        def replayed(found: Endpoint, _now: datetime) -> Endpoint:
            if not found.is_enabled:
                raise Conflicting("The endpoint is disabled: enable it first", "hook_disabled")
            return found

        asked = {"from": rfc3339(begin), "to": rfc3339(end), "replayed": status, "most": MOST_REPLAYED}
        return self._command("replay", "REPLAYED", hook_id, replayed, requester, asked)

    def _find(self, hook_id: str) -> Endpoint | None:
        return self.store.endpoint(hook_id) if is_id(PREFIX, hook_id) else None

    def _check(self, url: str) -> None:
        if problem := self.sink.problem(url):
            raise Invalid.of("url", problem, "url_not_allowed")

    def _command(
        self,
        name: str,
        action: str,
        hook_id: str,
        change: Callable[[Endpoint, datetime], Endpoint | None],
        requester: Requester,
        more: Mapping[str, Any] | None = None,
    ) -> Endpoint | Answer:
        request = f"{name} {requester.request_id}"

        def attempt(keyed: Keyed[Endpoint] | None, now: datetime) -> Endpoint | None:
            found = self._find(hook_id)  # once: a copy of this request may commit at any time
            if found is not None and found.request == request:
                return found  # a copy has committed
            found = _there(found)
            after = change(found, now)
            if after is None:
                return self.store.answer_endpoint(found, now, keyed) if keyed else found
            is_disabled = found.is_enabled and after.status is HookStatus.DISABLED
            after = replace(after, request=request)
            name = "DISABLED" if is_disabled else action
            return self.store.save_endpoint(found, after, name, requester.subject, now, keyed, more)

        return self._carry_out(attempt, requester)

    def _carry_out(
        self, attempt: Callable[[Keyed[Endpoint] | None, datetime], Endpoint | None], requester: Requester
    ) -> Endpoint | Answer:
        keyed = requester.keyed and requester.keyed.about(lambda made: (made.id, made.audit_number))
        return carry_out(attempt, keyed, self._stands, self.clock, _BUSY)

    def _stands(self, answer: Answer) -> bool:
        found = self.store.endpoint(answer.entity)
        return found is not None and found.audit_number >= answer.version


def _there(found: Endpoint | None) -> Endpoint:
    """An endpoint that is there, and not deleted. Raises NotFound."""
    if found is None or found.status is HookStatus.DELETED:
        raise NotFound("There is no such endpoint", "hook_not_found")
    return found
