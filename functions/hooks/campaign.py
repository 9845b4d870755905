"""A delivery: one event on its way to one endpoint. Pure.

    waiting -claim-> sending -2xx-> delivered
                     sending -any other answer, or none-> waiting, or failed after ten attempts
    waiting -the endpoint is disabled-> held     waiting -the endpoint is deleted-> dropped
    delivered, failed, held, waiting -replay-> waiting

It writes neither audit entries nor events: an event of a delivery would be delivered.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from hooks.backoff import ATTEMPTS, delay_after
from hooks.ports import Answered
from sluice import campaign
from sluice.errors import Conflicting
from sluice.outward import Call, Patience, begin

PREFIX = "dlv"
CALL_SECONDS = 15.0
PATIENCE = Patience(call_seconds=CALL_SECONDS, settle_seconds=0, attempts=ATTEMPTS)
WORKER_SECONDS = 30
"""The worker's timeout: an invocation that commits a claim now is dead after it. A test compares the template."""
KEPT = timedelta(days=30)
"""How long a delivery that is not live is kept, and so how long it can be replayed."""
MAX_STEPS = 2_000
"""A delivery that waits for others' attempts takes a step for each."""
UNKNOWN = Answered("unknown")


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    HELD = "held"
    DROPPED = "dropped"


LIVE = frozenset({DeliveryStatus.WAITING, DeliveryStatus.SENDING})


class Action(StrEnum):
    """Deliveries leave no audit entries."""


@dataclass(frozen=True, kw_only=True)
class Delivery(campaign.Chained):
    """A delivery. Times are UTC."""

    status: DeliveryStatus
    hook_id: str
    event_id: str
    event_type: str
    event_at: datetime
    body: str
    """The text that each attempt sends, byte by byte."""
    attempts: int = 0
    """How many were made, over all replays."""
    call: Call | None = None
    """The last attempt since it was made or replayed."""
    ended_at: datetime | None = None
    replayed_by: str | None = None
    """The replay that it was last in: a repeat of that replay passes it by."""
    expires_at: int | None = None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE


@dataclass(frozen=True)
class Attempt:
    """One attempt, as the log shows it."""

    number: int
    at: datetime
    outcome: str
    """An HTTP status, or what went wrong: `timeout`, `blocked`, `refused`, `lost`, `unknown`."""
    milliseconds: int = 0
    excerpt: str = ""


@dataclass(frozen=True)
class Change(campaign.Change[Delivery]):
    """A change of a delivery, and the attempt that it logs."""

    attempt: Attempt | None = field(default=None, kw_only=True)


def create(delivery: Delivery, *, is_enabled: bool, now: datetime) -> Change:
    """A new delivery: due now, or held while its endpoint is disabled."""
    if is_enabled:
        return Change(None, replace(delivery, wake_at=now, max_steps=MAX_STEPS))
    return Change(None, _ended(replace(delivery, max_steps=MAX_STEPS), DeliveryStatus.HELD, now))


def claim(delivery: Delivery, now: datetime) -> Change:
    """The intent of an attempt. If its worker dies, the next step is due when that worker is surely dead."""
    ends = now + timedelta(seconds=CALL_SECONDS)
    call = begin(delivery.call, "deliver", delivery.event_id, now, ends, PATIENCE)
    after = replace(
        delivery.stepped(now),
        status=DeliveryStatus.SENDING,
        attempts=delivery.attempts + 1,
        call=call,
        wake_at=call.deadline,
    )
    return Change(delivery, after, is_batch=True)


def wait(delivery: Delivery, until: datetime, now: datetime) -> Change:
    """The delivery, which waits for another's attempt."""
    return Change(delivery, replace(delivery.stepped(now), wake_at=until))


def put_back(delivery: Delivery, until: datetime, now: datetime) -> Change:
    """The delivery, whose attempt was not made: the platform was stopped after the claim, or time ran out."""
    after = replace(_unmade(delivery.commanded(now)), status=DeliveryStatus.WAITING, wake_at=until)
    return Change(delivery, after)


def hold(delivery: Delivery, now: datetime) -> Change:
    """The delivery, which waits until its endpoint is enabled."""
    return Change(delivery, _ended(_unmade(delivery.commanded(now)), DeliveryStatus.HELD, now))


def drop(delivery: Delivery, now: datetime) -> Change:
    """The delivery, whose endpoint is deleted."""
    return Change(delivery, _ended(_unmade(delivery.commanded(now)), DeliveryStatus.DROPPED, now))


def give_up(delivery: Delivery, now: datetime) -> Change:
    """The delivery after too many steps."""
    return Change(delivery, _ended(delivery.stepped(now), DeliveryStatus.FAILED, now))


def record(delivery: Delivery, answered: Answered, now: datetime) -> Change:
    """The delivery after an attempt: delivered, tried again later, or failed after the last."""
    call = delivery.call
    number = call.attempt if call else ATTEMPTS
    attempt = Attempt(
        delivery.attempts, call.begun_at if call else now, answered.outcome, answered.milliseconds, answered.excerpt
    )
    after = delivery.commanded(now)
    if answered.is_success:
        after = _ended(after, DeliveryStatus.DELIVERED, now)
    elif number >= ATTEMPTS:
        after = _ended(after, DeliveryStatus.FAILED, now)
    else:
        wake_at = now + delay_after(number, answered.retry_after)
        after = replace(after, status=DeliveryStatus.WAITING, wake_at=wake_at)
    return Change(delivery, after, attempt=attempt)


def replay(delivery: Delivery, replay_id: str, now: datetime, *, again: bool) -> Change | None:
    """The delivery, sent again with its first id and bytes. None when it is under way, or this replay had it.

    One that waits for its next attempt is due now. Raises Conflicting for a delivered one without `again`, and for a
    dropped one.
    """
    if delivery.status is DeliveryStatus.SENDING or delivery.replayed_by == replay_id:
        return None
    if delivery.status is DeliveryStatus.WAITING:
        if delivery.wake_at is None or delivery.wake_at <= now:
            return None
        return Change(delivery, replace(delivery.commanded(now), wake_at=now, replayed_by=replay_id))
    if delivery.status is DeliveryStatus.DROPPED:
        raise Conflicting("The endpoint is deleted", "hook_deleted")
    if delivery.status is DeliveryStatus.DELIVERED and not again:
        raise Conflicting('It was delivered: send {"again": true} to deliver it once more', "already_delivered")
    after = replace(
        delivery.commanded(now),
        status=DeliveryStatus.WAITING,
        wake_at=now,
        call=None,
        ended_at=None,
        expires_at=None,
        steps_done=0,
        replayed_by=replay_id,
    )
    return Change(delivery, after)


def _unmade(delivery: Delivery) -> Delivery:
    """The delivery without the attempt that it claims, which is not made: it counts to no ten, and leaves no number."""
    if delivery.status is not DeliveryStatus.SENDING or delivery.call is None:
        return delivery
    call = replace(delivery.call, attempt=delivery.call.attempt - 1)
    return replace(delivery, attempts=delivery.attempts - 1, call=call)


def _ended(delivery: Delivery, status: DeliveryStatus, now: datetime) -> Delivery:
    expires_at = int((now + KEPT).timestamp())
    return replace(delivery, status=status, wake_at=None, ended_at=now, expires_at=expires_at)
