"""Reading imports, and what their transactions write beside the engine's own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pynamodb.transactions import TransactWrite

from sluice.campaign import State
from sluice.dynamodb import page_of, transient_as_unavailable
from sluice.store import ChainStore, Listing
from sluice.totals import read_all
from views import totals
from views.content import Content
from views.imports.campaign import Action, Change, Chunk, CountRow, Import, SkippedPlace, SkippedRow, SkipReason
from views.imports.items import ChunkItem, ImportItem, ListedImportItem, SkippedItem

_ROWS = "rows#"
_SKIPPED = "skipped#"
_LIST = "imports"

EVENTS = {
    Action.CREATED: "ViewsImportCreated",
    Action.STARTED: "ViewsImportStarted",
    Action.COMPLETED: "ViewsImportCompleted",
    Action.FAILED: "ViewsImportFailed",
}
LISTED = Listing(ListedImportItem.query, _LIST)
"""Where all imports are listed."""


class Store(ChainStore[Import, Change]):
    kind = Import
    items = ImportItem
    events = EVENTS
    restored = "VIEWS_IMPORT_RESTORED"

    def read(self, import_id: str) -> State[Import] | None:
        """An import, and whether the platform is stopped, in one consistent batch read."""
        return self.read_with(import_id)

    def chunk(self, import_id: str, number: int) -> Chunk | None:
        """A chunk, by a consistent read."""
        with transient_as_unavailable():
            items = list(ChunkItem.batch_get([(import_id, _rows_part(number))], consistent_read=True))
        return Chunk(number, tuple(CountRow(*values) for values in items[0].rows)) if items else None

    def imported(self, rows: Sequence[CountRow]) -> set[Content]:
        """The contents whose count was imported before, by a consistent read."""
        found = read_all(row.content for row in rows)
        return {content for content, total in found.items() if total.imported is not None}

    def skipped(
        self, import_id: str, limit: int, after: SkippedPlace | None
    ) -> tuple[list[SkippedRow], SkippedPlace | None]:
        """At most `limit` rows that were not applied, from after a place; and the place of the next page, if any."""
        last = _skipped_part(after.number) if after else None
        found, following = page_of(SkippedItem, _skipped, import_id, _SKIPPED, limit, last)
        return found, SkippedPlace(_number_of(following)) if following else None

    def also(self, transaction: TransactWrite, change: Change, after: Import, now: datetime) -> None:  # noqa: ARG002
        """Write a PUT's rows; and a batch's counts, each on condition that its content was not imported before."""
        if change.before is None:
            transaction.save(ListedImportItem(_LIST, after.id))
        if change.chunk:
            transaction.save(_chunk_item(after.id, change.chunk))
        for row in change.applied:
            totals.add_imported(transaction, row.content_type, row.content_id, row.views)
        for skipped in change.skipped:
            transaction.save(_skipped_item(after.id, skipped))

    def terms(self, campaign: Import) -> dict[str, Any]:
        return {"name": campaign.name}

    def snapshot(self, campaign: Import) -> dict[str, Any]:
        counts = {name: getattr(campaign, name) for name in ("rows", "applied", "skipped", "views")}
        reason = {"failure_reason": campaign.failure_reason} if campaign.failure_reason else {}
        return {"status": campaign.status} | counts | reason

    def told(self, campaign: Import) -> dict[str, Any]:
        return {"import_id": campaign.id, "name": campaign.name} | self.snapshot(campaign)


def _chunk_item(import_id: str, chunk: Chunk) -> ChunkItem:
    rows = [[row.content_type, row.content_id, row.views] for row in chunk.rows]
    return ChunkItem(import_id, _rows_part(chunk.number), rows=rows)


def _skipped_item(import_id: str, skipped: SkippedRow) -> SkippedItem:
    item = SkippedItem(import_id, _skipped_part(skipped.number), reason=skipped.reason.value, views=skipped.views)
    item.content_type, item.content_id = skipped.content
    return item


def _skipped(item: SkippedItem) -> SkippedRow:
    content, number = (item.content_type, item.content_id), _number_of(item.part)
    return SkippedRow(*content, int(item.views), number, SkipReason(item.reason))


def _number_of(part: str) -> int:
    return int(part.removeprefix(_SKIPPED))


def _rows_part(number: int) -> str:
    return f"{_ROWS}{number:06}"


def _skipped_part(number: int) -> str:
    return f"{_SKIPPED}{number:09}"
