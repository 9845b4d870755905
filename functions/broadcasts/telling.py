"""What providers tell of messages: joined, and applied to rows. Pure (section 6).

Everything here may come in any order, late, and more than once: a row takes the highest that was told [B1].
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from broadcasts import meanings
from broadcasts.breaker import Answer
from broadcasts.campaign import Moved
from broadcasts.instance import Instance
from broadcasts.optouts import Wish
from broadcasts.ports import InboundEvent, StatusEvent
from broadcasts.row import Evidence, Failure, Row, RowKey, told

MOST_ROWS = 40
"""Rows of one transaction: with their counter, two events and an instance 44 actions of the 98 that it may hold."""


@dataclass(frozen=True)
class Said:
    """A status of a message, with the attempt that it is of; None when the provider names none."""

    evidence: Evidence
    at: datetime
    message_id: str
    attempt: str | None = None
    failure: Failure | None = None


def said_by(event: StatusEvent, attempt: str | None = None) -> Said:
    """What an event says."""
    failure = None
    if event.status is Evidence.FAILED:
        failure = Failure(event.code or "failed", event.text or "", event.retryable)
    return Said(event.status, event.at, event.message_id, attempt, failure)


def highest(said: Iterable[Said]) -> Said:
    """The one that stands of what was said of a message: the highest, and the earliest of several like it."""
    return max(said, key=lambda each: (each.evidence, -each.at.timestamp()))


@dataclass(frozen=True)
class Callback:
    """Which row a message is of, and which attempt: `brd_x/g1/r3/17342/<attempt>`."""

    campaign_id: str
    row: RowKey
    attempt: str | None

    @classmethod
    def parse(cls, text: str | None) -> "Callback | None":
        """None for a text that is no such thing: a provider gives back whatever it was given."""
        campaign_id, _, rest = (text or "").partition("/")
        key, _, attempt = rest.rpartition("/")
        try:
            row = RowKey.parse(key)
        except ValueError:
            return None
        return cls(campaign_id, row, attempt) if campaign_id and attempt else None


def applied(row: Row, said: Iterable[Said]) -> Moved | None:
    """A row after all that was said of it; None if nothing of it is new."""
    after = row

    def order(one: Said) -> tuple[bool, int, bool, datetime]:
        """Failures of other attempts first: that such a one was sent says nothing then. Then the lower ones first, so
        that each gives its time; of two alike that of the present attempt, and the earlier one.
        """
        is_other = one.attempt not in (None, row.attempt)
        return not (is_other and one.evidence is Evidence.FAILED), one.evidence, is_other, one.at

    for each in sorted(said, key=order):
        after = told(after, each.evidence, each.at, each.failure, each.attempt) or after
        if after.message_id is None and after is not row and each.attempt in (None, row.attempt):
            after = replace(after, message_id=each.message_id)
    return None if after is row else Moved(row, replace(after, v=row.v + 1))


def objection(failure: Failure | None) -> str | None:
    """Why a person is not written to any more, by what a message to them failed by; None for no reason."""
    return f"provider:{failure.code}" if failure and meanings.suppresses(failure.code) else None


def blocking(moved: Moved, said: Iterable[Said]) -> Failure | None:
    """What says, of a row that failed by it, that the whole number is in trouble: no copy of it says so again."""
    if moved.after.evidence is not Evidence.FAILED:
        return None
    failures = (each.failure for each in said if each.failure)
    return next((each for each in failures if meanings.blocks_instance(each.code)), None)


def blocked(instance: Instance, now: datetime) -> Instance | None:
    """An instance whose provider says that the number is in trouble; None while it is blocked already."""
    trouble = instance.trouble.after(Answer.INSTANCE_REFUSED, "", now, can_be_asked=True)
    return None if trouble == instance.trouble else replace(instance, trouble=trouble, v=instance.v + 1)


@dataclass(frozen=True)
class Inbound:
    """What a person wrote to an instance, of several messages: when last, and the last word about being written to."""

    phone: str
    at: datetime
    wish: Wish | None = None
    wished_at: datetime | None = None


def inbound(events: Sequence[InboundEvent], wish_in: Callable[[str], Wish | None]) -> Inbound:
    """What a person's messages come to. Of two wishes the later stands; of two at one time the one to stop."""
    last = max(events, key=lambda each: each.at)
    wishes = [(each.at, wish is Wish.STOP, wish) for each in events if (wish := wish_in(each.text))]
    if not wishes:
        return Inbound(last.sender, last.at)
    wished_at, _, wish = max(wishes, key=lambda each: each[:2])
    return Inbound(last.sender, last.at, wish, wished_at)
