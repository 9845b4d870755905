"""The steps of a delivery's chain: each claims an attempt, waits, or ends it; and the attempts themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from hooks import campaign as deliveries
from hooks import endpoint as endpoints
from hooks.campaign import CALL_SECONDS, PATIENCE, UNKNOWN, Change, Delivery, DeliveryStatus
from hooks.endpoint import Endpoint
from hooks.ports import Answered, Keys, Sink
from hooks.signature import derived, headers
from hooks.store import Store
from hooks.types import TEST
from sluice.campaign import Chained, State
from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.outward import Call, Done, NotTaken, Outcome, perform

logger = Logger(child=True)

WORKER = "worker"
_ATTEMPTS = 20
_LOOK_AGAIN_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class DeliveryBatches:
    """Reads a delivery and commits its next step."""

    store: Store
    keys: Keys

    def read(self, delivery_id: str, _now: datetime) -> State[Delivery] | None:
        return self.store.read(delivery_id)

    def commit(self, state: State[Delivery], committed_by: str, now: datetime) -> Delivery | None:
        endpoint = self.store.endpoint_in(state)
        change = _next(state.campaign, endpoint, now)
        if endpoint and change.after.status is DeliveryStatus.SENDING:
            _secrets(self.keys, endpoint, now)  # without them a claim would be an attempt that cannot be made
        return self.store.commit(change.run_by(committed_by), WORKER, now)


def _next(delivery: Delivery, endpoint: Endpoint | None, now: datetime) -> Change:
    if delivery.status is DeliveryStatus.SENDING:  # its worker is dead, and nobody knows what it did: try again
        return deliveries.record(delivery, UNKNOWN, now)
    if endpoint is None:
        return deliveries.drop(delivery, now)
    if not endpoint.is_enabled:
        return deliveries.hold(delivery, now)
    if delivery.is_exhausted:
        return deliveries.give_up(delivery, now)
    until = None if delivery.event_type == TEST else endpoint.waits_until(now)
    return deliveries.wait(delivery, until, now) if until else deliveries.claim(delivery, now)


@dataclass(frozen=True)
class Sending:
    """Makes the attempt whose claim a step committed, behind a fence, and records its outcome."""

    store: Store
    keys: Keys
    sink: Sink
    clock: Clock

    def __call__(self, committed: Chained, committed_by: str, now: datetime) -> Delivery | None:
        """The delivery with the outcome recorded; None when nothing was claimed, or it is settled already.

        What cannot be recorded is judged by the next step, after the claim's deadline: it is tried again.
        """
        if (
            not isinstance(committed, Delivery)
            or committed.status is not DeliveryStatus.SENDING
            or committed.call is None
        ):
            return None
        state = self.store.read(committed.id)  # the fence: what is answered before it is obeyed
        if state is None or state.campaign.step != committed.step:
            return None
        endpoint = self.store.endpoint_in(state)
        refusal = _fenced(state, endpoint, now)
        if endpoint is None or refusal is not None:
            change = refusal or deliveries.drop(state.campaign, now)
            # If others were faster, the delivery is settled, or its endpoint is enabled again: the fence says which.
            return self.store.commit(change.run_by(committed_by), WORKER, now) or self(committed, committed_by, now)
        answered = self._attempt(committed, committed.call, endpoint)
        now = self.clock.now()
        if answered is None:
            return self.store.commit(deliveries.put_back(state.campaign, now, now).run_by(committed_by), WORKER, now)
        if answered.is_gone:
            _disable(self.store, endpoint.id, endpoints.GONE, now, lambda present: present.url == endpoint.url)
        recorded = self.store.commit(deliveries.record(state.campaign, answered, now).run_by(committed_by), WORKER, now)
        if recorded is None:
            logger.info("Not recorded: the delivery is settled")
            return None
        logger.info("Attempted", hook_id=endpoint.id, outcome=answered.outcome, milliseconds=answered.milliseconds)
        if answered is not UNKNOWN:  # an error of ours is no failure of the endpoint's
            _note(self.store, endpoint, recorded, now)
        return recorded

    def _attempt(self, delivery: Delivery, call: Call, endpoint: Endpoint) -> Answered | None:
        """What came of it; None when there is no time left to make it."""
        came: list[Answered] = []

        def post(call: Call) -> Outcome:
            now = self.clock.now()
            signed = headers(delivery.event_id, now, body, _secrets(self.keys, endpoint, now))
            came.append(self.sink.post(endpoint.url, signed, body, _last_byte(call)))
            return Done(came[0].outcome)

        body = delivery.body.encode()
        if isinstance(perform(call, post, self.clock.now(), PATIENCE), NotTaken):
            return None
        return came[0] if came else UNKNOWN


def _secrets(keys: Keys, endpoint: Endpoint, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first. Raises Misconfigured, Unavailable."""
    return [derived(keys.master(master), endpoint.id, generation) for master, generation in endpoint.generations(now)]


def _last_byte(call: Call) -> datetime:
    """When the first byte of a request may leave at the latest, so that it ends before its claim does."""
    return call.deadline - timedelta(seconds=CALL_SECONDS)


def _fenced(state: State[Delivery], endpoint: Endpoint | None, now: datetime) -> Change | None:
    if endpoint and not endpoint.is_enabled:
        return deliveries.hold(state.campaign, now)
    if state.is_stopped:
        return deliveries.put_back(state.campaign, now + _LOOK_AGAIN_AFTER, now)
    return None


def _note(store: Store, endpoint: Endpoint, recorded: Delivery, now: datetime) -> None:
    """Note on the endpoint what came of an attempt, and disable it after five days of failures."""
    if recorded.status is DeliveryStatus.DELIVERED:
        store.note_success(endpoint, now)
        return
    after = endpoints.failed(endpoint, recorded.created_at, recorded.wake_at, now)
    store.note_failure(endpoint, after)

    def keeps_failing(endpoint: Endpoint) -> bool:
        return endpoints.keeps_failing(endpoint, recorded.created_at, now)

    if keeps_failing(after):
        _disable(store, endpoint.id, endpoints.KEEPS_FAILING, now, keeps_failing)


def _disable(store: Store, hook_id: str, reason: str, now: datetime, still: Callable[[Endpoint], bool]) -> None:
    """Disable an endpoint that is enabled, if it `still` should be: it may be repaired by now. Raises Unavailable."""
    for _ in range(_ATTEMPTS):
        present = store.endpoint(hook_id)
        if present is None or not present.is_enabled or not still(present):
            return
        if store.save_endpoint(present, endpoints.disabled(present, reason, now), "DISABLED", WORKER, now):
            logger.error("Endpoint disabled", hook_id=hook_id, reason=reason)  # an alarm counts these lines
            return
    raise Unavailable("Others kept changing the endpoint first")
