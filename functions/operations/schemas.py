"""What the operations API gives."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field

from operations.trail import Place
from sluice import http
from sluice.audit import Entry


class EntryResource(BaseModel):
    """One audit entry. `hash` is the SHA-256 of all the rest, `previous_hash` that of the entity's entry before."""

    id: str
    entity: str
    number: int
    action: str
    actor: str
    at: str = Field(json_schema_extra={"format": "date-time"})
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    previous_hash: str
    hash: str


class EntryPage(BaseModel):
    """Audit entries, newest first."""

    items: list[EntryResource]
    next_cursor: str | None

    @classmethod
    def of(cls, entries: Iterable[Entry], after: Place | None) -> "EntryPage":
        items = [EntryResource(**vars(entry)) for entry in entries]
        return cls(items=items, next_cursor=http.write_cursor(vars(after) if after else None))


class Verification(BaseModel):
    """Whether a campaign's entries are as they were written."""

    entity: str
    valid: bool
    entries: int
    problem: str | None = Field(description="The first entry that was edited, removed or cut off; null if none.")


def place(cursor: str | None) -> Place | None:
    """The place that a cursor stands for. Raises Invalid for one that this API did not give."""
    position = http.read_cursor(cursor, id=str, entity=str, number=int)
    return Place(**position) if position else None
