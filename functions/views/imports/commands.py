"""An admin's commands and queries. Each command commits at once, or is refused with the reason."""

from datetime import datetime

from sluice.clock import Clock
from sluice.commands import ChainCommands
from sluice.ids import new_id
from sluice.requests import Answer, Requester
from sluice.store import Place
from sluice.wake import Wake
from views.imports import campaign as imports
from views.imports.campaign import Change, Chunk, Import, SkippedPlace, SkippedRow
from views.imports.store import LISTED, Store


class Commands(ChainCommands[Import, Change]):
    noun = "import"
    prefix = imports.PREFIX

    def __init__(self, store: Store, wake: Wake, clock: Clock) -> None:
        super().__init__(store, wake, clock)
        self._store = store

    def create(self, name: str, requester: Requester) -> Import | Answer:
        """Create an import, or return the earlier answer of its Idempotency-Key."""

        def change(now: datetime) -> Change:
            new_import = new_id(imports.PREFIX, now)
            by = requester.subject
            return imports.create(Import(id=new_import, name=name, created_at=now, created_by=by, updated_at=now))

        return self.create_by(change, requester)

    def page(self, limit: int, after: Place | None) -> tuple[list[Import], Place | None]:
        """Imports, newest first, and the place of the next page."""
        return self._store.page(LISTED, limit, after)

    def skipped(
        self, import_id: str, limit: int, after: SkippedPlace | None
    ) -> tuple[list[SkippedRow], SkippedPlace | None]:
        """The rows that were not applied, in order, and the place of the next page. Raises NotFound."""
        return self._store.skipped(self.get(import_id).id, limit, after)

    def put(self, import_id: str, chunk: Chunk, requester: Requester) -> Import | Answer:
        """Put a chunk of rows; a repeat changes nothing. Raises NotFound, Conflicting."""

        def change(found: Import, now: datetime) -> Change | None:
            return imports.put(found, chunk, self._store.chunk(found.id, chunk.number), now)

        return self.command(f"put {chunk.number}", import_id, requester, change)

    def execute(self, import_id: str, requester: Requester) -> Import | Answer:
        """Start an import. If it runs, its step is sent again, which is harmless. Raises NotFound, Conflicting."""
        return self.command("execute", import_id, requester, imports.start)
