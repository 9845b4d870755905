"""What the operations API gives."""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field

from operations.trail import Place
from sluice import http
from sluice.audit import Entry
from sluice.errors import Invalid
from sluice.ids import AUDIT, is_id

_ENTITY = re.compile(r"[!-~]{1,255}")


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


def place(cursor: str | None, entity: str | None) -> Place | None:
    """The place that a cursor stands for in the list of an entity, or of all. Raises Invalid for any other cursor."""
    position = http.read_cursor(cursor, id=str, entity=str, number=int)
    if position is None:
        return None
    found = Place(**position)
    is_place = is_id(AUDIT, found.id) and _ENTITY.fullmatch(found.entity) and found.number > 0
    if not is_place or entity not in (None, found.entity):
        raise Invalid.of("cursor", "cursor is not one that this list gave")
    return found
