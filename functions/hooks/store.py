"""Reading endpoints and deliveries, and committing changes to them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from hooks.campaign import KEPT, Action, Attempt, Change, Delivery, DeliveryStatus
from hooks.endpoint import MOST, Endpoint, HookStatus
from hooks.endpoint import PREFIX as ENDPOINT
from hooks.items import ATTEMPT, COUNT, HOOKS, AttemptItem, CountItem, DeliveryItem, EndpointItem, RowItem
from sluice.audit import Head
from sluice.campaign import State
from sluice.chained import PART
from sluice.clock import rfc3339
from sluice.commit import Trace, commit
from sluice.dynamodb import page_of, read_batch, setting, transient_as_unavailable, update_if
from sluice.requests import Keyed
from sluice.store import ChainStore, Listing

_LISTED = timedelta(days=75)
"""A delivery is live for days, and kept 30 days after it: its row outlasts it."""
_HEALTH = ("failing_since", "first_failing_event_at", "next_probe_at", "failures", "last_success_at")
_SUCCESSES_NOTED = timedelta(minutes=1)
_UNAUDITED = frozenset({"audit_number", "audit_hash", "request", "updated_at", *_HEALTH})


class Store(ChainStore[Delivery, Change]):
    """Reads deliveries and endpoints, and commits changes to them."""

    kind = Delivery
    items = DeliveryItem
    events: Mapping[Action, str] = {}
    restored = "HOOK_DELIVERY_RESTORED"

    def read(self, delivery_id: str) -> State[Delivery] | None:
        """A delivery, its endpoint, and whether the platform is stopped, in one consistent batch read."""
        found = self.get(delivery_id)
        return self.read_with(delivery_id, {(found.hook_id, PART): EndpointItem}) if found else None

    def endpoint_in(self, state: State[Delivery]) -> Endpoint | None:
        """The delivery's endpoint, as `read` found it; None if it is deleted."""
        item = state.beside.get((state.campaign.hook_id, PART))
        found: Endpoint | None = item.endpoint() if item else None
        return None if found is None or found.status is HookStatus.DELETED else found

    def also(self, transaction: TransactWrite, change: Change, after: Delivery, now: datetime) -> None:
        """The row in its endpoint's list, that of an attempt, and that of a held one."""
        before = change.before
        if before is None or before.replayed_by != after.replayed_by:
            expires_at = int((now + _LISTED).timestamp())
            transaction.save(RowItem(deliveries_of(after.hook_id), after.id, expires_at=expires_at))
        if change.attempt:
            transaction.save(_attempt_item(after.id, change.attempt, now))
        held = RowItem(held_of(after.hook_id), after.id, expires_at=after.expires_at)
        if after.status is DeliveryStatus.HELD:
            # Nothing is held once `enable` is answered, which counts what is: else nobody would replay it.
            disabled: Condition = EndpointItem.hook_status == HookStatus.DISABLED
            transaction.condition_check(EndpointItem, after.hook_id, PART, condition=disabled)
            transaction.save(held)
        elif before is not None and before.status is DeliveryStatus.HELD:
            transaction.delete(held)

    def snapshot(self, campaign: Delivery) -> dict[str, Any]:
        return {"status": campaign.status}

    def terms(self, campaign: Delivery) -> dict[str, Any]:
        return {"hook_id": campaign.hook_id, "event_id": campaign.event_id}

    def told(self, campaign: Delivery) -> dict[str, Any]:
        return self.terms(campaign)

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """The attempts of a delivery, the newest first."""
        return page_of(AttemptItem, lambda item: item.attempt(), delivery_id, ATTEMPT, None, None, newest_first=True)[0]

    def deliveries_between(
        self, hook_id: str, first: str, last: str, limit: int, after: str | None
    ) -> tuple[list[Delivery], str | None]:
        """At most `limit` deliveries of an endpoint with ids in a range, the oldest first; and where to go on."""
        partition = deliveries_of(hook_id)
        key = {"id": {"S": partition}, "part": {"S": after}} if after else None
        with transient_as_unavailable():
            rows = RowItem.query(
                partition, RowItem.part.between(first, last), limit=limit, last_evaluated_key=key, consistent_read=True
            )
            ids = [str(row.part) for row in rows]
            following = rows.last_evaluated_key
        return self.get_all(ids), following["part"]["S"] if following else None

    def held(self, hook_id: str, now: datetime) -> int:
        """How many deliveries of an endpoint are held. TTL deletes late, so their rows are compared with the time."""
        with transient_as_unavailable():
            is_kept = RowItem.expires_at > int(now.timestamp())
            return RowItem.count(held_of(hook_id), filter_condition=is_kept, consistent_read=True)

    # Endpoints

    def endpoint(self, hook_id: str) -> Endpoint | None:
        """An endpoint, by a consistent read, even if it is deleted."""
        return next(iter(read_batch(EndpointItem, [(hook_id, PART)], lambda item: item.endpoint())), None)

    def endpoints(self) -> list[Endpoint]:
        """All endpoints that are not deleted, the oldest first: there are few."""
        with transient_as_unavailable():
            ids = [
                str(row.part)
                for row in RowItem.query(HOOKS, RowItem.part.startswith(f"{ENDPOINT}_"), consistent_read=True)
            ]
        found = read_batch(EndpointItem, [(each, PART) for each in ids], lambda item: item.endpoint())
        return sorted((each for each in found if each.status is not HookStatus.DELETED), key=lambda each: each.id)

    def is_full(self) -> bool:
        """Whether there are as many endpoints as there may be."""
        found = read_batch(CountItem, [(HOOKS, COUNT)], lambda item: int(item.endpoints))
        return next(iter(found), 0) >= MOST

    def save_endpoint(
        self,
        before: Endpoint | None,
        after: Endpoint,
        action: str,
        actor: str,
        now: datetime,
        keyed: Keyed[Endpoint] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Endpoint | None:
        """Put an endpoint in place of the one as read, with an entry and an event. None when a condition failed.

        `more`: what the entry and the event say besides.
        """
        more = more or {}

        def write(transaction: TransactWrite, endpoint: Endpoint) -> None:
            if before is None:
                transaction.save(_endpoint_item(endpoint), EndpointItem.id.does_not_exist())
                transaction.save(RowItem(HOOKS, endpoint.id))
                none_yet, has_room = CountItem.endpoints.does_not_exist(), CountItem.endpoints < MOST
                _count(transaction, 1, none_yet | has_room)
                return
            changed = {name: value for name, value in _values(endpoint).items() if value != _values(before)[name]}
            as_read: Condition = EndpointItem.audit_number == before.audit_number
            transaction.update(EndpointItem(before.id, PART), setting(EndpointItem, changed), as_read)
            if endpoint.status is HookStatus.DELETED:
                transaction.delete(RowItem(HOOKS, endpoint.id))
                _count(transaction, -1, CountItem.endpoints > 0)

        trace = Trace(
            entity=after.id,
            action=f"HOOK_{action}",
            actor=actor,
            before=_audited(before) if before else None,
            after={**_audited(after), **more},
            event=f"Hook{action.title()}",
            told={"id": after.id, "status": after.status, **_because(after), **more},
            restored="HOOK_RESTORED",
        )
        head = Head(before.audit_number, before.audit_hash) if before else Head()
        return commit(self._database, head, trace, now, entity=partial(_headed, after), write=write, keyed=keyed)

    def answer_endpoint(self, found: Endpoint, now: datetime, keyed: Keyed[Endpoint]) -> Endpoint | None:
        """Store the answer of a keyed command that changes nothing; None when its key has an answer already."""
        return commit(self._database, Head(), None, now, entity=lambda _: found, write=lambda *_: None, keyed=keyed)

    def note_success(self, endpoint: Endpoint, now: datetime) -> None:
        """Note that an endpoint answered well: it fails no more. At most once a minute while it is healthy."""
        noted = endpoint.last_success_at
        if endpoint.failing_since is None and noted and now - noted < _SUCCESSES_NOTED:
            return
        values = dict.fromkeys(_HEALTH) | {"last_success_at": now}
        update_if(EndpointItem(endpoint.id, PART), setting(EndpointItem, values), EndpointItem.id.exists())

    def note_failure(self, before: Endpoint, after: Endpoint) -> None:
        """Note a failure, unless another came first, which then counts, or the requests go elsewhere now."""
        values = {name: getattr(after, name) for name in _HEALTH if getattr(after, name) != getattr(before, name)}
        if values:
            as_read = _same("failing_since", before) & _same("next_probe_at", before) & _same("url", before)
            update_if(EndpointItem(before.id, PART), setting(EndpointItem, values), as_read)


def listed_by(hook_id: str) -> Listing:
    """Where the deliveries of an endpoint are listed."""
    return Listing(RowItem.query, deliveries_of(hook_id))


def held_by(hook_id: str) -> Listing:
    """Where the held ones of them are listed."""
    return Listing(RowItem.query, held_of(hook_id))


def deliveries_of(hook_id: str) -> str:
    """The partition that lists the deliveries of an endpoint."""
    return f"deliveries#{hook_id}"


def held_of(hook_id: str) -> str:
    """The partition that lists the held deliveries of an endpoint."""
    return f"held#{hook_id}"


def _count(transaction: TransactWrite, more: int, condition: Condition) -> None:
    transaction.update(
        CountItem(HOOKS, COUNT), [CountItem.kind.set(CountItem), CountItem.endpoints.add(more)], condition
    )


def _same(name: str, endpoint: Endpoint) -> Condition:
    attribute, value = getattr(EndpointItem, name), getattr(endpoint, name)
    condition: Condition = attribute.does_not_exist() if value is None else attribute == value
    return condition


def _headed(endpoint: Endpoint, head: Head) -> Endpoint:
    return replace(endpoint, audit_number=head.number, audit_hash=head.hash)


def _values(endpoint: Endpoint) -> dict[str, Any]:
    values = dict(vars(endpoint))
    return {"hook_status": values.pop("status"), **values}


def _endpoint_item(endpoint: Endpoint) -> EndpointItem:
    values = _values(endpoint)
    return EndpointItem(values.pop("id"), PART, **values)


def _audited(endpoint: Endpoint) -> dict[str, Any]:
    """What an entry shows: the terms and the generation, and never a secret."""
    values = {name: value for name, value in vars(endpoint).items() if name not in _UNAUDITED and value is not None}
    plain = {name: rfc3339(value) if isinstance(value, datetime) else value for name, value in values.items()}
    return plain | {"events": list(endpoint.events)}


def _because(endpoint: Endpoint) -> dict[str, str]:
    return {"reason": endpoint.disabled_reason} if endpoint.disabled_reason else {}


def _attempt_item(delivery_id: str, attempt: Attempt, now: datetime) -> AttemptItem:
    values = {name: value for name, value in vars(attempt).items() if name != "number"}
    expires_at = int((now + KEPT).timestamp())
    return AttemptItem(delivery_id, f"{ATTEMPT}{attempt.number:03d}", expires_at=expires_at, **values)
