"""Reading imports, and committing changes to them.

| id       | part              |                                                                          |
|----------|-------------------|--------------------------------------------------------------------------|
| imp_...  | campaign          | the import itself: a campaign, as the step chain and the sweeper know it |
| imp_...  | rows#000001       | a chunk of its rows                                                      |
| imp_...  | skipped#000000042 | its 42nd row, which was not applied, and why                             |
| imports  | imp_...           | so that imports are listed, newest first                                 |
| platform | campaign          | whether the platform is stopped (the kernel's)                           |
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.update import Action as UpdateAction
from pynamodb.transactions import TransactWrite

from sluice import audit, outbox, platform, requests, totals
from sluice.chained import PART
from sluice.dynamodb import Database, transient_as_unavailable
from sluice.platform import PlatformStatus
from views.imports.campaign import Action, Change, Chunk, Import, ImportStatus, Row, SkippedRow, SkipReason
from views.items import ViewsItem

_ROWS = "rows#"
_SKIPPED = "skipped#"
_LIST = "imports"

_EVENTS = {
    Action.CREATED: "ViewsImportCreated",
    Action.STARTED: "ViewsImportStarted",
    Action.COMPLETED: "ViewsImportCompleted",
}


class ImportItem(ViewsItem):
    """An import, or the platform's copy read beside it; each attribute is the field of that name."""

    name = UnicodeAttribute()
    created_at = UTCDateTimeAttribute()
    created_by = UnicodeAttribute()
    updated_at = UTCDateTimeAttribute()
    status = UnicodeAttribute()
    chunks = NumberAttribute()
    rows = NumberAttribute()
    applied = NumberAttribute()
    skipped = NumberAttribute()
    views = NumberAttribute()
    started_at = UTCDateTimeAttribute(null=True)
    ended_at = UTCDateTimeAttribute(null=True)
    chunk = NumberAttribute()
    chunk_done = NumberAttribute()
    step = NumberAttribute()
    wake_at = UTCDateTimeAttribute(null=True)
    committed_by = UnicodeAttribute(null=True)
    sweeps = NumberAttribute()
    audit_number = NumberAttribute()
    audit_hash = UnicodeAttribute()

    @classmethod
    def of(cls, found: Import) -> "ImportItem":
        values = {field.name: getattr(found, field.name) for field in fields(Import)} | {"status": found.status.value}
        return cls(values.pop("id"), PART, **values)

    def found(self) -> Import:
        values = {field.name: getattr(self, field.name) for field in fields(Import)}
        return Import(**values | {"status": ImportStatus(self.status)})


class ChunkItem(ViewsItem):
    """Rows, as `[["story", "123", 50], ...]`."""

    rows = JSONAttribute()


class SkippedItem(ViewsItem):
    """A row that was not applied."""

    content_type = UnicodeAttribute()
    content_id = UnicodeAttribute()
    views = NumberAttribute()
    reason = UnicodeAttribute()


class ListedItem(ViewsItem):
    """That there is an import."""


@dataclass(frozen=True)
class State:
    """What a step looks at first."""

    campaign: Import
    is_stopped: bool = False


@dataclass(frozen=True)
class Keyed:
    """A request with an Idempotency-Key, and how to answer it once the import is known."""

    request: requests.Request
    answer: Callable[[Import], requests.Answer]


class ImportStore:
    """Reads imports and commits changes to them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._platform = platform.items_in(ViewsItem.Meta.table_name)

    def get(self, import_id: str) -> Import | None:
        """An import, by a consistent read."""
        return next(iter(self._imports([import_id])), None)

    def read(self, import_id: str) -> State | None:
        """An import, and whether the platform is stopped, in one consistent batch read."""
        keys = [(import_id, PART), (platform.ENTITY, platform.PART)]
        with transient_as_unavailable():
            items = {item.id: item for item in ImportItem.batch_get(keys, consistent_read=True)}
        if import_id not in items:
            return None
        stop = items.get(platform.ENTITY)
        return State(items[import_id].found(), stop is not None and stop.status == PlatformStatus.STOPPED)

    def page(self, limit: int, after: str | None) -> tuple[list[Import], str | None]:
        """At most `limit` imports, newest first, beginning after an id; and the id to go on after, if any."""
        last = {"id": {"S": _LIST}, "part": {"S": after}} if after else None
        with transient_as_unavailable():
            rows = ListedItem.query(
                _LIST, scan_index_forward=False, limit=limit, last_evaluated_key=last, consistent_read=True
            )
            ids = [row.part for row in rows]
            following = rows.last_evaluated_key
        return self._imports(ids), following["part"]["S"] if following else None

    def chunk(self, import_id: str, number: int) -> Chunk | None:
        """A chunk, by a consistent read."""
        with transient_as_unavailable():
            items = list(ChunkItem.batch_get([(import_id, _rows_part(number))], consistent_read=True))
        return Chunk(number, tuple(Row(*values) for values in items[0].rows)) if items else None

    def imported(self, rows: Sequence[Row]) -> set[tuple[str, str]]:
        """Those contents whose count was imported before, by a consistent read."""
        found = totals.read_all(row.content for row in rows)
        return {content for content, total in found.items() if total.imported is not None}

    def skipped(self, import_id: str, limit: int, after: int | None) -> tuple[list[SkippedRow], int | None]:
        """At most `limit` rows that were not applied, beginning after a number; and that to go on after, if any."""
        last = {"id": {"S": import_id}, "part": {"S": _skipped_part(after)}} if after is not None else None
        with transient_as_unavailable():
            of_skipped = SkippedItem.part.startswith(_SKIPPED)
            items = SkippedItem.query(import_id, of_skipped, limit=limit, last_evaluated_key=last, consistent_read=True)
            found = [_skipped(item) for item in items]
            following = items.last_evaluated_key
        return found, found[-1].number if found and following else None

    def commit(self, change: Change, actor: str, now: datetime, keyed: Keyed | None = None) -> Import | None:
        """Commit a change, all of it or nothing: the import as it is then, or None when a condition failed.

        The conditions: the import's step and status are as they were before, the key is new, and for a batch the
        platform is open and nothing that it applies was imported before.
        """
        after = change.after
        entry = _entry(change, actor, now)
        if entry:
            after = replace(after, audit_number=entry.number, audit_hash=entry.hash)

        def fill(transaction: TransactWrite) -> None:
            if change.before is None:
                transaction.save(ImportItem.of(after), condition=ImportItem.id.does_not_exist())
                transaction.save(ListedItem(_LIST, after.id))
            else:
                as_read = (ImportItem.step == change.before.step) & (ImportItem.status == change.before.status.value)
                transaction.update(ImportItem.of(change.before), _differences(change.before, after), as_read)
            if change.chunk:
                transaction.save(_chunk_item(after.id, change.chunk))
            if change.is_batch:
                platform.require_open(transaction, self._platform)
            for row in change.applied:
                totals.add_imported(transaction, row.content_type, row.content_id, row.views)
            for skipped in change.skipped:
                transaction.save(_skipped_item(after.id, skipped))
            if entry and change.action:
                audit.write(transaction, entry)
                outbox.write(transaction, _EVENTS[change.action], _event(after), now)
            if keyed:
                requests.write(transaction, keyed.request, keyed.answer(after), now)

        return after if self._database.commit(fill) else None

    def _imports(self, ids: Iterable[str]) -> list[Import]:
        order = list(ids)
        with transient_as_unavailable():
            items = ImportItem.batch_get([(each, PART) for each in order], consistent_read=True)
            found = {item.id: item.found() for item in items}
        return [found[each] for each in order if each in found]


def _differences(before: Import, after: Import) -> list[UpdateAction]:
    """Sets what changed; and always `sweeps`, which the sweeper may have raised since it was read."""
    actions: list[UpdateAction] = []
    for field in fields(Import):
        value = getattr(after, field.name)
        if field.name == "sweeps" or value != getattr(before, field.name):
            attribute = getattr(ImportItem, field.name)
            actions.append(attribute.remove() if value is None else attribute.set(value))
    return actions


def _chunk_item(import_id: str, chunk: Chunk) -> ChunkItem:
    rows = [[row.content_type, row.content_id, row.views] for row in chunk.rows]
    return ChunkItem(import_id, _rows_part(chunk.number), rows=rows)


def _skipped_item(import_id: str, skipped: SkippedRow) -> SkippedItem:
    row = skipped.row
    item = SkippedItem(import_id, _skipped_part(skipped.number), reason=skipped.reason.value, views=row.views)
    item.content_type, item.content_id = row.content_type, row.content_id
    return item


def _skipped(item: SkippedItem) -> SkippedRow:
    number = int(item.part.removeprefix(_SKIPPED))
    return SkippedRow(number, Row(item.content_type, item.content_id, int(item.views)), SkipReason(item.reason))


def _rows_part(number: int) -> str:
    return f"{_ROWS}{number:06}"


def _skipped_part(number: int) -> str:
    return f"{_SKIPPED}{number:09}"


def _entry(change: Change, actor: str, now: datetime) -> audit.Entry | None:
    if change.action is None:
        return None
    after = change.after
    return audit.follow(
        audit.Head(after.audit_number, after.audit_hash),
        entity=after.id,
        action=change.action,
        actor=actor,
        now=now,
        before=_snapshot(change.before) if change.before else None,
        after=_snapshot(after) if change.before else {"name": after.name} | _snapshot(after),
    )


def _snapshot(found: Import) -> dict[str, Any]:
    counts = {name: getattr(found, name) for name in ("rows", "applied", "skipped", "views")}
    return {"status": found.status} | counts


def _event(found: Import) -> dict[str, Any]:
    return {"import_id": found.id, "name": found.name} | _snapshot(found)
