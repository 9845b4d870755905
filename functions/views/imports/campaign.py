"""Imports: counts of another system are added to the organic views, once for each content.

An import's rows come in chunks, in order. Once it is started they do not change, and a chain of steps applies them,
a slice of a chunk at a time.

pending -> running -> completed | failed
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sluice import campaign as engine
from sluice.campaign import Chained, max_steps
from sluice.errors import Conflicting
from views.content import Content

CHUNK_ROWS = 500
SLICE_ROWS = 50
"""Rows of one step: a total or a skipped row each, in a transaction of at most 100 actions."""
MOST_CHUNKS = 999_999
MOST_VIEWS = 10**12
PREFIX = "imp"
"""The prefix of an import's id."""


class ImportStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


LIVE = frozenset({ImportStatus.RUNNING})
"""The statuses in which an import has a next step."""


class Action(StrEnum):
    """The actions in the audit log."""

    CREATED = "VIEWS_IMPORT_CREATED"
    STARTED = "VIEWS_IMPORT_STARTED"
    COMPLETED = "VIEWS_IMPORT_COMPLETED"
    FAILED = "VIEWS_IMPORT_FAILED"


class SkipReason(StrEnum):
    """Why a row was not applied."""

    ALREADY_IMPORTED = "already_imported"
    """By another import, or by an earlier row of the same import."""


@dataclass(frozen=True)
class CountRow:
    """A content and its count in the other system."""

    content_type: str
    content_id: str
    views: int

    @property
    def content(self) -> Content:
        return self.content_type, self.content_id


@dataclass(frozen=True)
class Chunk:
    """The rows of one PUT; `number` counts an import's chunks from 1."""

    number: int
    rows: tuple[CountRow, ...]


@dataclass(frozen=True, kw_only=True)
class Import(Chained):
    """One import. Times are UTC."""

    name: str
    status: ImportStatus = ImportStatus.PENDING
    chunks: int = 0
    rows: int = 0
    applied: int = 0
    skipped: int = 0
    views: int = 0
    """Views of the applied rows."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure_reason: str | None = None

    chunk: int = 1
    """The chunk of the next slice, and how many of its rows are done."""
    chunk_done: int = 0

    @property
    def is_live(self) -> bool:
        return self.status in LIVE


@dataclass(frozen=True)
class SkippedRow(CountRow):
    """A row that was not applied; `number` counts the import's rows from 1."""

    number: int
    reason: SkipReason


@dataclass(frozen=True)
class SkippedPlace:
    """A place in the list of an import's skipped rows: after the row `number`."""

    number: int


@dataclass(frozen=True)
class Change(engine.Change[Import]):
    """A change of an import, with the rows that it puts, applies or skips."""

    chunk: Chunk | None = None
    applied: tuple[CountRow, ...] = ()
    skipped: tuple[SkippedRow, ...] = ()


def create(created: Import) -> Change:
    """Create an import, without rows."""
    return Change(None, created, Action.CREATED)


def put(found: Import, chunk: Chunk, present: Chunk | None, now: datetime) -> Change | None:
    """Put a chunk, or replace the chunk `present`, which has its number; None when they are equal.

    Raises Conflicting for a change after the start, and for a chunk whose predecessor is missing.
    """
    if chunk == present:
        return None
    if found.status is not ImportStatus.PENDING:
        raise Conflicting("The import was started: its rows can no longer be changed", "import_was_started")
    if chunk.number > found.chunks + 1:
        message = f"Put the chunks in order: the next one is rows/{found.chunks + 1}"
        raise Conflicting(message, "import_chunk_missing")
    rows = found.rows + len(chunk.rows) - (len(present.rows) if present else 0)
    after = replace(found.commanded(now), chunks=max(found.chunks, chunk.number), rows=rows)
    return Change(found, after, chunk=chunk)


def start(found: Import, now: datetime) -> Change | None:
    """Start an import; None if it is running. Raises Conflicting if it has ended, or has no rows."""
    match found.status:
        case ImportStatus.RUNNING:
            return None
        case ImportStatus.COMPLETED:
            raise Conflicting("The import is completed: a content's count is imported once", "import_is_completed")
        case ImportStatus.FAILED:
            message = "The import has failed: import its rows again, and those that are in already are skipped"
            raise Conflicting(message, "import_has_failed")
    if not found.chunks:
        raise Conflicting("The import has no rows: put rows/1 first", "import_has_no_rows")
    running = replace(
        found.commanded(now),
        status=ImportStatus.RUNNING,
        wake_at=now,
        started_at=now,
        max_steps=_max_steps(found),
    )
    return Change(found, running, Action.STARTED)


def next_slice(found: Import, chunk: Chunk) -> Sequence[CountRow]:
    """The rows of a running import's next step, from its present chunk."""
    return chunk.rows[found.chunk_done : found.chunk_done + SLICE_ROWS]


def apply(found: Import, chunk: Chunk | None, imported: Collection[tuple[str, str]], now: datetime) -> Change:
    """Run one step of a running import: its next slice. `imported`: contents of the slice that were imported before.

    Without its chunk, or after too many steps, the import fails.
    """
    # Imports that were started by a release without max_steps have none.
    stepped = replace(found, max_steps=found.max_steps or _max_steps(found)).stepped(now)
    if stepped.steps_done >= stepped.max_steps:
        return _fail(found, stepped, f"not done after {stepped.max_steps} steps", now)
    if chunk is None:
        return _fail(found, stepped, f"rows/{found.chunk} of {found.chunks} is gone", now)
    rows = next_slice(found, chunk)
    first = found.applied + found.skipped + 1
    skipped = tuple(
        SkippedRow(*row.content, row.views, number, SkipReason.ALREADY_IMPORTED)
        for number, row in enumerate(rows, first)
        if row.content in imported
    )
    applied = tuple(row for row in rows if row.content not in imported)
    after = replace(
        stepped,
        applied=found.applied + len(applied),
        skipped=found.skipped + len(skipped),
        views=found.views + sum(row.views for row in applied),
        chunk_done=found.chunk_done + len(rows),
        wake_at=now,
    )
    if after.chunk_done == len(chunk.rows):
        after = replace(after, chunk=found.chunk + 1, chunk_done=0)
    if after.chunk <= after.chunks:
        return Change(found, after, applied=applied, skipped=skipped, is_batch=True)
    done = replace(after, status=ImportStatus.COMPLETED, wake_at=None, ended_at=now)
    return Change(found, done, Action.COMPLETED, applied=applied, skipped=skipped, is_batch=True)


def _fail(found: Import, stepped: Import, reason: str, now: datetime) -> Change:
    """End an import that cannot go on. The rows that it applied stay."""
    failed = replace(stepped, status=ImportStatus.FAILED, failure_reason=reason, wake_at=None, ended_at=now)
    return Change(found, failed, Action.FAILED)


def _max_steps(found: Import) -> int:
    """The limit for its slices: each chunk may end in a slice that is not full."""
    return max_steps(found.rows // SLICE_ROWS + found.chunks)
