"""Requests: what was answered to an Idempotency-Key, so that a repeat is answered the same (design section 8)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from sluice.dynamodb import Bound, transient_as_unavailable
from sluice.errors import Conflicting

_KEPT = timedelta(hours=24)


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


@dataclass(frozen=True)
class Keyed[E]:
    """A request with an Idempotency-Key, and how to answer it once what it makes is known."""

    request: KeyedRequest
    answer: Callable[[E], Answer]


class RequestItem(Bound):
    """An answered request. TTL deletes late, so `expires_at` (Unix seconds) is compared on every read."""

    class Meta(Bound.Meta):
        pass

    key = UnicodeAttribute(hash_key=True)
    fingerprint = UnicodeAttribute()
    status = NumberAttribute()
    body = JSONAttribute()
    expires_at = NumberAttribute()


def find(request: KeyedRequest, now: datetime) -> Answer | None:
    """What was answered to this request before. Raises Conflicting when its key was used with another body."""
    try:
        with transient_as_unavailable():
            item = RequestItem.get(request.key, consistent_read=True)
    except DoesNotExist:
        return None
    if item.expires_at <= now.timestamp():
        return None
    if item.fingerprint != request.fingerprint:
        message = "This Idempotency-Key was used with another body: use a new key for a new request"
        raise Conflicting(message, "idempotency_key_reused")
    return Answer(int(item.status), item.body)


def write(transaction: TransactWrite, request: KeyedRequest, answer: Answer, now: datetime) -> None:
    """Remember the answer, in the transaction of what the request did; its condition fails for a repeat."""
    item = RequestItem(
        request.key,
        fingerprint=request.fingerprint,
        status=answer.status,
        body=answer.body,
        expires_at=ceil((now + _KEPT).timestamp()),
    )
    expired = RequestItem.expires_at <= int(now.timestamp())
    transaction.save(item, condition=RequestItem.key.does_not_exist() | expired)
