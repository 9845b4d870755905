"""Fan-out: one delivery for each endpoint that wants an event; and replays of ranges."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from aws_lambda_powertools import Logger

from hooks import campaign as deliveries
from hooks.campaign import PREFIX, Delivery, DeliveryStatus
from hooks.endpoint import Endpoint, HookStatus
from hooks.messages import REPLAYED, TESTED, Event, Message, ReplayAsked, replay_of, test_of
from hooks.store import Store
from hooks.types import wants
from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.ids import new_id
from sluice.wake import Wake

logger = Logger(child=True)

FANOUT = "fanout"
_AT_ONCE = 100
_ATTEMPTS = 20
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class FanOut:
    """Takes messages of HooksEventsQueue. Each may come twice: ids of deliveries follow from those of events."""

    store: Store
    wake: Wake
    ask: Callable[[ReplayAsked], None]
    clock: Clock

    def take(self, message: Message) -> None:
        """Raises Unavailable: then the message is delivered again."""
        if isinstance(message, ReplayAsked):
            self._replay(message)
            return
        for endpoint in self.store.endpoints():
            if wants(endpoint.events, message.type):
                self._deliver(message, endpoint)
        if message.type == TESTED:
            self._test(message)
        elif message.type == REPLAYED:
            self._replay(replay_of(message))

    def _test(self, asked: Event) -> None:
        endpoint = self.store.endpoint(asked.told["id"])
        if endpoint is not None and endpoint.is_enabled:
            self._deliver(test_of(asked), endpoint)

    def _deliver(self, event: Event, endpoint: Endpoint) -> None:
        for _ in range(_ATTEMPTS):
            made = self._made(event, endpoint)
            if made is not None:
                if made.is_live:
                    self.wake(made.id, made.step, made.wake_at or self.clock.now())
                return
            found = self.store.endpoint(endpoint.id)  # it was enabled meanwhile: then nothing is held
            if found is None or found.status is HookStatus.DELETED:
                return
            endpoint = found
        raise Unavailable("The endpoint is enabled and disabled all the time")

    def _made(self, event: Event, endpoint: Endpoint) -> Delivery | None:
        """The delivery, made now or by an earlier copy of the message, which may have died before it woke it."""
        now = self.clock.now()
        made = Delivery(
            id=delivery_id(endpoint.id, event.id, event.at),
            status=DeliveryStatus.WAITING,
            created_at=now,
            created_by=FANOUT,
            updated_at=now,
            hook_id=endpoint.id,
            event_id=event.id,
            event_type=event.type,
            event_at=event.at,
            body=event.body,
        )
        change = deliveries.create(made, is_enabled=endpoint.is_enabled, now=now)
        return self.store.commit(change, FANOUT, now) or self.store.get(made.id)

    def _replay(self, asked: ReplayAsked) -> None:
        first, last = ids_between(asked.begin, asked.end)
        found, after = self.store.deliveries_between(asked.hook_id, first, last, _AT_ONCE, asked.after)
        # What an earlier copy of this message replayed counts too: two copies replay no more than one.
        its = [each for each in found if each.status is asked.status or each.replayed_by == asked.id][: asked.left]
        for each in its:
            self._replay_one(each, asked.id)
        logger.info("Replayed", hook_id=asked.hook_id, replay_id=asked.id, deliveries=len(its))
        left = asked.left - len(its)
        if after and left > 0:
            self.ask(replace(asked, after=after, left=left))

    def _replay_one(self, delivery: Delivery, replay_id: str) -> None:
        now = self.clock.now()
        change = deliveries.replay(delivery, replay_id, now, again=True)
        after = self.store.commit(change, FANOUT, now) if change else delivery
        if after is not None and after.is_live:  # else somebody changed it meanwhile
            self.wake(after.id, after.step, after.wake_at or now)


def delivery_id(hook_id: str, event_id: str, at: datetime) -> str:
    """The id of a delivery, by which an event that comes twice is known. It sorts by the event's time."""
    return new_id(PREFIX, at, lambda size: sha256(f"{hook_id}#{event_id}".encode()).digest()[:size])


def ids_between(begin: datetime, end: datetime) -> tuple[str, str]:
    """The lowest and the highest id of deliveries whose events came from `begin` until before `end`."""
    lowest = new_id(PREFIX, begin, bytes)
    return lowest, new_id(PREFIX, max(begin, end - _MILLISECOND), lambda size: b"\xff" * size)
