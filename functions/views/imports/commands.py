"""What an admin can do to imports. Each command commits at once or is refused with the reason."""

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
    """The commands and queries of the admin API."""

    noun = "import"
    prefix = imports.PREFIX

    def __init__(self, store: Store, wake: Wake, clock: Clock) -> None:
        super().__init__(store, wake, clock)
        self._store = store

    def create(self, name: str, requester: Requester) -> Import | Answer:
        """Create an import, or return the answer that its Idempotency-Key got before, as all commands do."""

        def change(now: datetime) -> Change:
            new_import = new_id(imports.PREFIX, now)
            by = requester.subject
            return imports.create(Import(id=new_import, name=name, created_at=now, created_by=by, updated_at=now))

        return self.create_by(change, requester)

    def page(self, limit: int, after: Place | None) -> tuple[list[Import], Place | None]:
        """Imports, newest first, and the place to go on after."""
        return self._store.page(LISTED, limit, after)

    def skipped(
        self, import_id: str, limit: int, after: SkippedPlace | None
    ) -> tuple[list[SkippedRow], SkippedPlace | None]:
        """The rows that were not applied, in order, and the place to go on after. Raises NotFound."""
        return self._store.skipped(self.get(import_id).id, limit, after)

    def put(self, import_id: str, chunk: Chunk, requester: Requester) -> Import | Answer:
        """Put a chunk of rows; the same one again changes nothing. Raises NotFound, Conflicting."""

        def change(found: Import, now: datetime) -> Change | None:
            return imports.put(found, chunk, self._store.chunk(found.id, chunk.number), now)

        return self.command(f"put {chunk.number}", import_id, requester, change)

    def execute(self, import_id: str, requester: Requester) -> Import | Answer:
        """Start an import; a running one is sent its step again, which is harmless. Raises NotFound, Conflicting."""
        return self.command("execute", import_id, requester, imports.start)
