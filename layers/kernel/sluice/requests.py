"""Requests: what was answered to an Idempotency-Key, so that a repeat is answered the same (design section 8).

A command puts the row of its key into its own transaction, on condition that there is none: so a key commits one
command. Nothing is read first. When the transaction fails, or the command is refused, the row is looked up, and a
repeat gets the stored answer, however much has happened since.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from sluice.clock import Clock
from sluice.dynamodb import Bound, transient_as_unavailable
from sluice.errors import Conflicting, Refused, Unavailable

_KEPT = timedelta(hours=24)
# Each attempt lost against another commit: a batch, or another command.
_ATTEMPTS = 20


@dataclass(frozen=True)
class KeyedRequest:
    """A keyed request: `key` stands for caller and Idempotency-Key; `fingerprint` for what was asked."""

    key: str
    fingerprint: str

    @classmethod
    def of(cls, subject: str, idempotency_key: str | None, fingerprint: str) -> "KeyedRequest | None":
        """A caller's keys are their own. None for a request without one."""
        if not idempotency_key:
            return None
        return cls(sha256(f"{subject}\n{idempotency_key}".encode()).hexdigest(), fingerprint)


@dataclass(frozen=True)
class Answer:
    """What was answered: the HTTP status and the body."""

    status: int
    body: dict[str, Any]
    entity: str = ""
    """What the command changed or made. Empty in rows that were written before it was stored."""
    version: int = 0
    """The entity's then: the step of a campaign, or else the number of the entity's last audit entry."""


@dataclass(frozen=True)
class Keyed[E]:
    """A request with an Idempotency-Key, and how to answer it once what it makes is known."""

    request: KeyedRequest
    answer: Callable[[E], Answer]
    replaces: Answer | None = None
    """The answer that the key has, when it is of a time that was rolled back."""

    def about(self, place: Callable[[E], tuple[str, int]]) -> "Keyed[E]":
        """The same, with the entity and its version in the answer, as `place` returns them."""

        def answer(made: E) -> Answer:
            entity, version = place(made)
            return replace(self.answer(made), entity=entity, version=version)

        return replace(self, answer=answer)


@dataclass(frozen=True)
class Requester:
    """Who gives a command, in which request of the gateway, and under which key, if any."""

    subject: str
    request_id: str
    keyed: Keyed[Any] | None = None


class RequestItem(Bound):
    """An answered request. TTL deletes late, so `expires_at` (Unix seconds) is compared on every read."""

    class Meta(Bound.Meta):
        pass

    key = UnicodeAttribute(hash_key=True)
    fingerprint = UnicodeAttribute()
    status = NumberAttribute()
    body = JSONAttribute()
    entity = UnicodeAttribute(default="")
    version = NumberAttribute(default=0)
    expires_at = NumberAttribute()


def find(request: KeyedRequest, now: datetime) -> Answer | None:
    """What was answered to this request before. Raises Conflicting when its key was used for another one."""
    try:
        with transient_as_unavailable():
            item = RequestItem.get(request.key, consistent_read=True)
    except DoesNotExist:
        return None
    if item.expires_at <= now.timestamp():
        return None
    if item.fingerprint != request.fingerprint:
        message = "This Idempotency-Key was used for another request: use a new key for each"
        raise Conflicting(message, "idempotency_key_reused")
    return Answer(int(item.status), item.body, item.entity, int(item.version))


def write[E](transaction: TransactWrite, keyed: Keyed[E], made: E, now: datetime) -> None:
    """Store the answer, in the transaction of what the request did; its condition fails for a repeat."""
    request, answer = keyed.request, keyed.answer(made)
    item = RequestItem(
        request.key,
        fingerprint=request.fingerprint,
        status=answer.status,
        body=answer.body,
        entity=answer.entity,
        version=answer.version,
        expires_at=ceil((now + _KEPT).timestamp()),
    )
    transaction.save(item, condition=_as_read(keyed, now))


def _as_read[E](keyed: Keyed[E], now: datetime) -> Condition:
    """No row, or an expired one; or the row that is replaced, if no other repeat has replaced it yet.

    That it is of the same entity is enough: of two repeats at once, the entity itself lets one commit.
    """
    if keyed.replaces:
        as_found: Condition = RequestItem.entity == keyed.replaces.entity
        return as_found
    expired = RequestItem.expires_at <= int(now.timestamp())
    free: Condition = RequestItem.key.does_not_exist() | expired
    return free


def carry_out[E](
    attempt: Callable[[Keyed[E] | None, datetime], E | None],
    keyed: Keyed[E] | None,
    stands: Callable[[Answer], bool],
    clock: Clock,
    busy: str,
) -> E | Answer:
    """Attempt a command until it commits: what it made, or the answer that its key got before.

    `attempt` returns None when its transaction failed, and raises what refuses the command. `stands` is asked about the
    answer that is found: False when the answer's entity is gone or has a lower version, so that the answer is of a time
    that was rolled back. Raises Unavailable, which says `busy`, after too many attempts.
    """
    for _ in range(_ATTEMPTS):
        now = clock.now()
        refusal: Refused | None = None
        try:
            made = attempt(keyed, now)
            if made is not None:
                return made
        except Refused as error:
            refusal = error
        if keyed:
            before = find(keyed.request, now)
            # After the row: an entity that was read before it may be older, and not rolled back.
            if before and (not before.entity or stands(before)):
                return before
            keyed = replace(keyed, replaces=before)
        if refusal:
            raise refusal
    raise Unavailable(busy)
