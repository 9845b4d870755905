"""What another side answered last, for health: an escrow, a provider. Each has one row in the table of its context."""

from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Logger
from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute

from sluice.dynamodb import Bound, setting, transient_as_unavailable, update_if
from sluice.errors import Unavailable
from sluice.outward import Outcome, Seen

ANSWERS = "answers"
"""The id of the rows of a table; the part of a row says who answered."""

logger = Logger(child=True)


@dataclass(frozen=True)
class LastAnswer:
    """What another side answered last."""

    of: str
    """Who answered: `escrow`."""
    answer: str
    """The name of an outcome or of a finding: `Done`, `Unknown`, `CannotTell`."""
    reason: str | None
    """Why it is not done, as the other side said."""
    at: datetime


class AnswerItem(Bound):
    """One row; a context's own has its table's Meta."""

    id = UnicodeAttribute(hash_key=True, default=ANSWERS)
    part = UnicodeAttribute(range_key=True)
    answer = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    answered_at = UTCDateTimeAttribute()


def note(items: type[AnswerItem], who: str, answer: Outcome | Seen, now: datetime) -> None:
    """Keep an answer, unless a later one is kept. A row that cannot be written is logged: the answer counts anyway."""
    values = {"answer": type(answer).__name__, "reason": getattr(answer, "reason", None), "answered_at": now}
    is_newer = items.answered_at.does_not_exist() | (items.answered_at <= now)
    try:
        update_if(items(part=who), setting(items, values), is_newer)
    except Unavailable:
        logger.warning("The last answer is not kept", of=who, exc_info=True)


def last(items: type[AnswerItem]) -> list[LastAnswer]:
    """The last answers that a table has, by who answered. Raises Unavailable."""
    with transient_as_unavailable():
        return [LastAnswer(each.part, each.answer, each.reason, each.answered_at) for each in items.query(ANSWERS)]
