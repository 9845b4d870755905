"""What an admin can do to imports. Each command commits at once or is refused with the reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Logger

from sluice import requests
from sluice.clock import Clock
from sluice.errors import NotFound, Unavailable
from sluice.ids import IMPORT, is_id, new_id
from sluice.wake import Wake
from views.imports import campaign
from views.imports.campaign import Change, Chunk, Import, SkippedRow
from views.imports.store import ImportStore, Keyed

logger = Logger(child=True)

# Each attempt lost against another commit: a step, or another command.
_ATTEMPTS = 20


@dataclass(frozen=True)
class Imports:
    """The commands and queries of the admin API."""

    store: ImportStore
    wake: Wake
    clock: Clock

    def create(self, name: str, actor: str, keyed: Keyed | None) -> Import | requests.Answer:
        """Create an import, or give the answer that its Idempotency-Key got before. Raises Conflicting."""
        now = self.clock.now()
        new = Import(new_id(IMPORT, now), name, created_at=now, created_by=actor, updated_at=now)
        if created := self.store.commit(campaign.create(new), actor, now, keyed):
            return created
        answer = requests.find(keyed.request, now) if keyed else None
        if answer is None:
            raise Unavailable("The import could not be created")
        return answer

    def get(self, import_id: str) -> Import:
        """One import. Raises NotFound."""
        found = self.store.get(import_id) if is_id(IMPORT, import_id) else None
        if found is None:
            raise NotFound("Import not found", "import_not_found")
        return found

    def page(self, limit: int, after: str | None) -> tuple[list[Import], str | None]:
        """Imports, newest first, and the id to go on after."""
        return self.store.page(limit, after)

    def skipped(self, import_id: str, limit: int, after: int | None) -> tuple[list[SkippedRow], int | None]:
        """The rows that were not applied, in order, and the number to go on after. Raises NotFound."""
        return self.store.skipped(self.get(import_id).id, limit, after)

    def put(self, import_id: str, chunk: Chunk, actor: str) -> Import:
        """Put a chunk of rows; the same one again changes nothing. Raises NotFound, Conflicting."""

        def change(found: Import, now: datetime) -> Change | None:
            return campaign.put(found, chunk, self.store.chunk(found.id, chunk.number), now)

        return self._command(import_id, actor, change)

    def execute(self, import_id: str, actor: str) -> Import:
        """Start an import; one that runs is sent its step again, which is harmless. Raises NotFound, Conflicting."""
        started = self._command(import_id, actor, campaign.start)
        try:
            self.wake(started.id, started.step, started.wake_at or self.clock.now())
        except Unavailable:
            # The command is done, and is answered so: what is committed and was not sent is the sweeper's.
            logger.exception("Not woken: left to the sweeper", campaign_id=started.id, step=started.step)
        return started

    def _command(self, import_id: str, actor: str, change: Callable[[Import, datetime], Change | None]) -> Import:
        for _ in range(_ATTEMPTS):
            found = self.get(import_id)
            now = self.clock.now()
            wanted = change(found, now)
            if wanted is None:
                return found
            if committed := self.store.commit(wanted, actor, now):
                return committed
        raise Unavailable("The import is changing too fast")
