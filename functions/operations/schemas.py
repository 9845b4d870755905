"""What the operations API takes and gives."""

import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from operations.chains import CALLERS, CHAINS, OUTBOX_DEAD_LETTERS, QUEUES
from operations.trail import Listed, TrailPlace, Verified
from sluice import http
from sluice.http import Moment
from sluice.ids import AUDIT, is_id
from sluice.journal import is_user
from sluice.platform import PlatformStatus
from sluice.roles import Role
from sluice.schemas import Page, Resource

if TYPE_CHECKING:
    from operations.checkup import Checkup

_ENTITY = re.compile(r"[!-~]{1,255}")
MAX_TOKEN_HOURS = 12
MAX_SUBJECT_CHARACTERS = 128
_QUEUES: Any = [queue.name for queue in QUEUES]


class EntryResource(BaseModel):
    """One audit entry. `hash` is the SHA-256 of its other fields; `previous_hash` is the hash of the entry before."""

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
        description="Fields that were edited and can no longer be read. The entry shows them as empty or null."
    )

    @classmethod
    def of(cls, listed: Listed) -> "EntryResource":
        """The entry, with the names of its unreadable fields."""
        shown: dict[str, Any] = {name: "" if value is None else value for name, value in vars(listed.entry).items()}
        shown |= {"before": listed.entry.before, "after": listed.entry.after}
        return cls(**shown, unreadable=list(listed.unreadable))


class EntryPage(Page[EntryResource]):
    """Audit entries, newest first."""


class RolledBack(BaseModel):
    """Entries whose changes a restore of the tables took back."""

    first: int = Field(serialization_alias="from", description="The number of the first entry.")
    last: int = Field(serialization_alias="to", description="The number of the last entry.")
    bridged_by: int = Field(description="The number of the entry that was written after the restore, and says so.")


class Verification(BaseModel):
    """Whether the audit entries of an entity are as they were written."""

    entity: str
    valid: bool
    entries: int
    problem: str | None = Field(
        description="The first entry that was edited, removed, added or cut off. Null if there is none."
    )
    rolled_back: list[RolledBack] = Field(
        description="What restores rolled back, in the order of the restores. Such entries do not make a trail invalid."
    )

    @classmethod
    def of(cls, entity: str, verified: Verified) -> "Verification":
        problem = verified.problem
        rolled_back = [
            RolledBack(first=bridge.head.number + 1, last=bridge.found.number, bridged_by=bridge.number)
            for bridge in verified.bridges
        ]
        valid, entries = problem is None, verified.entries
        return cls(entity=entity, valid=valid, entries=entries, problem=problem, rolled_back=rolled_back)


class NewPlatformStatus(BaseModel):
    """The body of a stop and of a resume."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: http.Reason = Field(
        description="The reason, for the audit trail: one line.", examples=["The counts of video abc123 look wrong"]
    )


class PlatformResource(Resource):
    """Whether the platform is stopped. The other fields are null if it was never stopped."""

    status: PlatformStatus
    reason: str | None
    actor: str | None = Field(description="Who stopped or resumed the platform last.")
    since: Moment | None


def _queue(name: str) -> str:
    if name not in _QUEUES:
        raise ValueError(f"There is no such queue: give one of {', '.join(_QUEUES)}")
    return name


def _subject(text: str) -> str:
    if not is_user(text):
        raise ValueError(f"A subject is 1 to {MAX_SUBJECT_CHARACTERS} visible ASCII characters without #")
    return text


class NewRedrive(BaseModel):
    """The body of a redrive."""

    model_config = ConfigDict(extra="forbid", strict=True)

    queue: Annotated[
        str,
        AfterValidator(_queue),
        Field(description="The queue whose dead letters are put back on it.", json_schema_extra={"enum": _QUEUES}),
    ]


class RedriveResource(Resource):
    """What a redrive did."""

    queue: str
    moved: int = Field(description="Dead letters that were put back on the queue: at most 100 in a call.")
    left: int = Field(
        description="About how many dead letters are left: too many for one call, or held for a minute by a call that "
        "was interrupted."
    )


class NewBearerToken(BaseModel):
    """The body of a request for a token."""

    model_config = ConfigDict(extra="forbid")

    role: Role = Field(description="What the token lets its bearer do: at most what the caller may.")
    subject: Annotated[str, AfterValidator(_subject)] = Field(
        min_length=1,
        max_length=MAX_SUBJECT_CHARACTERS,
        description="Who bears the token, for the audit trail: visible ASCII characters without `#`.",
        examples=["ada"],
    )
    hours: int = Field(1, ge=1, le=MAX_TOKEN_HOURS, strict=True, description="Hours until it expires.")


class BearerTokenResource(Resource):
    """A token, and what it says."""

    token: str = Field(description="It is shown once, and stored nowhere.")
    subject: str
    role: Role
    expires_at: Moment


class TicketResource(BaseModel):
    """What opens a socket: `{url}?ticket={ticket}`."""

    url: str = Field(examples=["wss://abc123.execute-api.us-east-1.amazonaws.com/live"])
    ticket: str = Field(description="It opens one connection, within a minute.")
    expires_at: Moment


class Alive(BaseModel):
    """The API answers."""

    status: Literal["ok"] = "ok"


class QueueDepth(BaseModel):
    """The approximate number of messages in a queue."""

    waiting: int = Field(description="Messages that are due and wait for a worker.")
    in_flight: int = Field(description="Messages that a worker has received and not acknowledged yet.")
    delayed: int = Field(description="Messages that are not due yet.")


class AnswerResource(Resource):
    """What another side answered last."""

    of: str = Field(description="Who answered: `escrow`.")
    answer: str = Field(
        description="To a call: `Done`, `Refused`, `NotTaken`, `Unknown`. To a look: `Found`, `Absent`, `CannotTell`."
    )
    reason: str | None
    at: Moment


class _Whole(BaseModel):
    status: Literal["ok", "degraded"]
    problems: list[str] = Field(description="The problems, and what to do about each.")
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
    counted = ". At most 100 of each status are counted: there may be more."
    for chain in CHAINS:
        about = f"{chain.whose.capitalize()} that are late by more than usual{counted}"
        yield chain.overdue, (int | None, Field(description=about))
        counted = ". They are counted in the same way."
    for chain in CALLERS:
        about = f"{chain.whose.capitalize()} that have halted: a person has to look. At most 100 are counted."
        yield chain.halted, (int | None, Field(description=about))
        about = f"The age of the oldest call of {chain.whose} with an unknown outcome. Null if there is none."
        yield chain.oldest_unknown, (float | None, Field(description=about))
        about = f"What the other sides of {chain.whose} answered last, such as the escrow; empty before the first call."
        yield chain.last_answers, (list[AnswerResource] | None, Field(description=about))
    about = "The age of the oldest event that is not on the bus yet. Null if there is none."
    yield "oldest_pending_event_seconds", (float | None, Field(description=about))


_Parts: Any = create_model("_Parts", __base__=_Whole, **dict(_parts()))


class Health(_Parts):  # type: ignore[misc]  # Its fields are made from the rows of chains.py.
    """The health of the platform. A field is null if it could not be read; `problems` then says so."""

    @classmethod
    def of(cls, checkup: "Checkup") -> "Health":
        parts = {name: vars(part) if is_dataclass(part) else part for name, part in checkup.parts.items()}
        return cls(
            status="degraded" if checkup.problems else "ok",
            problems=checkup.problems,
            database_reachable=checkup.parts["platform"] is not None,
            **parts,
        )


def place(cursor: str | None, entity: str | None) -> TrailPlace | None:
    """The place in a cursor of an entity's list, or of the whole list. Raises Invalid for another list's cursor."""

    def is_of_list(place: TrailPlace) -> bool:
        is_place = is_id(AUDIT, place.id) and _ENTITY.fullmatch(place.entity) and place.number > 0
        return bool(is_place) and entity in (None, place.entity)

    return http.place_of(cursor, TrailPlace, is_of_list)
