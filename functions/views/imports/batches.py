"""What a step of an import does: the context's part in the step chain."""

from datetime import datetime

from aws_lambda_powertools import Logger

from views.imports import campaign
from views.imports.campaign import Import
from views.imports.store import ImportStore, State

logger = Logger(child=True)

_WORKER = "worker"


class ImportBatches:
    """Reads the rows of a slice and which of them are in already, and commits the rest in one transaction."""

    def __init__(self, store: ImportStore) -> None:
        self._store = store

    def read(self, campaign_id: str, now: datetime) -> State | None:  # noqa: ARG002 - the chain's
        """The import, and whether the platform is stopped."""
        return self._store.read(campaign_id)

    def commit(self, state: State, message_id: str, now: datetime) -> Import | None:
        """One slice; None when a condition failed, such as that of a content which another import took meanwhile."""
        found = state.campaign
        chunk = self._store.chunk(found.id, found.chunk)
        assert chunk, f"chunk {found.chunk} of {found.chunks} is gone"
        imported = self._store.imported(campaign.next_slice(found, chunk))
        change = campaign.apply(found, chunk, imported, message_id, now)
        after = self._store.commit(change, _WORKER, now)
        if after:
            logger.info("Slice imported", applied=len(change.applied), skipped=len(change.skipped))
        return after
