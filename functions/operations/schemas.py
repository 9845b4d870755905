"""What the operations API takes and gives."""

import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from operations.chains import CHAINS, OUTBOX_DEAD_LETTERS, QUEUES
from operations.trail import Listed, Place
from sluice import http
from sluice.http import Moment
from sluice.ids import AUDIT, is_id
from sluice.platform import PlatformStatus
from sluice.schemas import Page

if TYPE_CHECKING:
    from operations.checkup import Checkup

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
    unreadable: list[str] = Field(
        description="Fields that were tampered with so that they cannot be shown; here they are empty, or null."
    )

    @classmethod
    def of(cls, listed: Listed) -> "EntryResource":
        """The entry, with what cannot be read of it named."""
        shown: dict[str, Any] = {name: "" if value is None else value for name, value in vars(listed.entry).items()}
        shown |= {"before": listed.entry.before, "after": listed.entry.after}
        return cls(**shown, unreadable=list(listed.unreadable))


class EntryPage(Page[EntryResource]):
    """Audit entries, newest first."""


class Verification(BaseModel):
    """Whether a campaign's entries are as they were written."""

    entity: str
    valid: bool
    entries: int
    problem: str | None = Field(description="The first entry that was edited, removed or cut off; null if none.")


class NewPlatformStatus(BaseModel):
    """The body of a stop and of a resume."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: Annotated[str, Field(min_length=1, max_length=500), http.OneLine] = Field(
        description="Why, for the audit trail: one line.", examples=["The counts of video abc123 look wrong"]
    )


class PlatformResource(BaseModel):
    """Whether the platform is stopped. The rest is null while it never was."""

    model_config = ConfigDict(from_attributes=True)

    status: PlatformStatus
    reason: str | None
    actor: str | None = Field(description="Who stopped or resumed it last.")
    since: Moment | None


class Alive(BaseModel):
    """That the API answers."""

    status: Literal["ok"] = "ok"


class QueueDepth(BaseModel):
    """Messages of a queue, about."""

    waiting: int = Field(description="Due, and taken by nobody yet.")
    in_flight: int = Field(description="Taken by a worker, and not acknowledged yet.")
    delayed: int = Field(description="Not due yet.")


class _Whole(BaseModel):
    status: Literal["ok", "degraded"]
    problems: list[str] = Field(description="What is wrong, and what to do.")
    database_reachable: bool
    platform: PlatformStatus | None


def _parts() -> Iterator[tuple[str, Any]]:
    """A field for each part of a Checkup but the platform."""
    for queue in QUEUES:
        # The name of a chain's queue says whose steps are in it.
        about = None if queue in CHAINS else f"The steps of {queue.whose}."
        yield queue.depth, (QueueDepth | None, Field(description=about))
        yield queue.dead_letters, (int | None, ...)
    yield OUTBOX_DEAD_LETTERS, (int | None, ...)
    counted = ". Counted up to 100 of each status: then there may be more."
    for chain in CHAINS:
        about = f"{chain.whose.capitalize()} late by more than is usual{counted}"
        yield chain.overdue, (int | None, Field(description=about))
        counted = f", counted as the {CHAINS[0].campaigns} are."
    about = "Age of the oldest event that is not on the bus yet; null when there is none."
    yield "oldest_pending_event_seconds", (float | None, Field(description=about))


_Parts: Any = create_model("_Parts", __base__=_Whole, **dict(_parts()))


class Health(_Parts):  # type: ignore[misc]  # Its fields are made from the rows of chains.py.
    """How it goes. What is null could not be read, unless it says otherwise; `problems` then says so."""

    @classmethod
    def of(cls, checkup: "Checkup") -> "Health":
        parts = {name: vars(part) if is_dataclass(part) else part for name, part in checkup.parts.items()}
        return cls(
            status="degraded" if checkup.problems else "ok",
            problems=checkup.problems,
            database_reachable=checkup.parts["platform"] is not None,
            **parts,
        )


def place(cursor: str | None, entity: str | None) -> Place | None:
    """The place that a cursor stands for in the list of an entity, or of all. Raises Invalid for any other cursor."""

    def is_of_list(place: Place) -> bool:
        is_place = is_id(AUDIT, place.id) and _ENTITY.fullmatch(place.entity) and place.number > 0
        return bool(is_place) and entity in (None, place.entity)

    return http.place_of(cursor, Place, is_of_list)
