"""Requests: the stored answer of each Idempotency-Key, so that a repeat gets the same answer (design section 8).

A command puts the row of its key into its own transaction, on condition that the row does not exist: so a key commits
one command. Nothing is read first. When the transaction fails, or the command is refused, the row is looked up, and a
repeat gets the stored answer, however much has changed since.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
# An attempt fails when another commit came first: a batch, or another command.
_ATTEMPTS = 20


@dataclass(frozen=True)
class KeyedRequest:
    """A keyed request: `key` is a hash of caller and Idempotency-Key, `fingerprint` identifies the request."""

    key: str
    fingerprint: str

    @classmethod
    def of(cls, subject: str, idempotency_key: str | None, fingerprint: str) -> "KeyedRequest | None":
        """Callers do not share keys. None for a request without a key."""
        if not idempotency_key:
            return None
        return cls(sha256(f"{subject}\n{idempotency_key}".encode()).hexdigest(), fingerprint)


@dataclass(frozen=True)
class Answer:
    """An answer: the HTTP status, the body, and the headers that a repeat must have too."""

    status: int
    body: dict[str, Any]
    entity: str = ""
    """What the command changed or made. Empty in rows that were written before it was stored."""
    version: int = 0
    """The entity's version in the answer: a campaign's step, or else the number of the entity's last audit entry."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Keyed[E]:
    """A request with an Idempotency-Key, and how to answer it once what it makes is known."""

    request: KeyedRequest
    answer: Callable[[E], Answer]
    replaces: Answer | None = None
    """The stored answer of the key, when a restore rolled it back."""

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
    headers = JSONAttribute(null=True)
    expires_at = NumberAttribute()


def find(request: KeyedRequest, now: datetime) -> Answer | None:
    """The stored answer to this request. Raises Conflicting when its key was used for another request."""
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
    return Answer(int(item.status), item.body, item.entity, int(item.version), item.headers or {})


def write[E](transaction: TransactWrite, keyed: Keyed[E], made: E, now: datetime) -> None:
    """Store the answer, in the transaction of the request's change. The condition fails for a repeat."""
    request, answer = keyed.request, keyed.answer(made)
    item = RequestItem(
        request.key,
        fingerprint=request.fingerprint,
        status=answer.status,
        body=answer.body,
        entity=answer.entity,
        version=answer.version,
        headers=dict(answer.headers) or None,
        expires_at=ceil((now + _KEPT).timestamp()),
    )
    transaction.save(item, condition=_as_read(keyed, now))


def _as_read[E](keyed: Keyed[E], now: datetime) -> Condition:
    """The row does not exist or has expired; or it is the row that is replaced, and no other repeat has replaced it.

    The same entity is enough: of two repeats at once, the condition on the entity itself lets one commit.
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
    """Attempt a command until it commits. Returns the entity that it changed, or the stored answer of its key.

    `attempt` returns None when its transaction failed, and raises Refused. `stands` returns whether a stored answer
    still holds: False when the answer's entity is gone or has a lower version, because a restore rolled it back. Raises
    Unavailable with the message `busy` after too many attempts.
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
            # `stands` reads the entity after the row: read before it, an entity may be older without a restore.
            if before and (not before.entity or stands(before)):
                return before
            keyed = replace(keyed, replaces=before)
        if refusal:
            raise refusal
    raise Unavailable(busy)
