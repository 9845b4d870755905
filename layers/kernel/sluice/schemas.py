"""What the APIs of several contexts give."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from sluice import http
from sluice.errors import Invalid
from sluice.evidence import Check
from sluice.ids import is_id
from sluice.store import Place


class CheckResource(BaseModel):
    """One check of the numbers."""

    model_config = ConfigDict(from_attributes=True)

    claim: str
    expected: int
    found: int
    holds: bool


class VerificationResource(BaseModel):
    """A campaign's numbers against their evidence (S1-59)."""

    campaign_id: str
    valid: bool
    checks: list[CheckResource]

    @classmethod
    def of(cls, campaign_id: str, checks: Iterable[Check]) -> "VerificationResource":
        found = [CheckResource.model_validate(check) for check in checks]
        return cls(campaign_id=campaign_id, valid=all(check.holds for check in found), checks=found)


def cursor_of(after: Place | None) -> str | None:
    """The `next_cursor` of a list that goes on after a place; None at its end."""
    return http.write_cursor(vars(after) if after else None)


def place(cursor: str | None, prefix: str, *, of_index: bool) -> Place | None:
    """The place that a cursor stands for, in a list of campaigns whose ids have a prefix.

    `of_index`: whether the list is an index, which is read by time. Raises Invalid for the cursor of another list.
    """
    position = http.read_cursor(cursor, campaign_id=str, created_at=str)
    if position is None:
        return None
    of_its_list = _is_stored_time(position["created_at"]) if of_index else not position["created_at"]
    if not is_id(prefix, position["campaign_id"]) or not of_its_list:
        raise Invalid.of("cursor", "cursor must be a next_cursor of this list")
    return Place(**position)


def _is_stored_time(text: str) -> bool:
    """Whether a forged cursor's time is one that DynamoDB takes for a key of the index."""
    try:
        return bool(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z"))
    except ValueError:
        return False
