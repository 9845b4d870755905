"""What a step of an import does: the context's part in the step chain."""

from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Logger

from sluice.campaign import State
from views.imports import campaign as imports
from views.imports.campaign import Import, ImportStatus
from views.imports.store import Store

logger = Logger(child=True)

_WORKER = "worker"


@dataclass(frozen=True)
class ImportBatches:
    """Reads a slice and which of its contents were imported before, and commits the others in one transaction."""

    store: Store

    def read(self, campaign_id: str, now: datetime) -> State[Import] | None:  # noqa: ARG002 - the chain's
        """The import, and whether the platform is stopped."""
        return self.store.read(campaign_id)

    def commit(self, state: State[Import], committed_by: str, now: datetime) -> Import | None:
        """Run one slice; None when a condition failed: for example, another import was faster with a content."""
        found = state.campaign
        chunk = self.store.chunk(found.id, found.chunk)
        imported = self.store.imported(imports.next_slice(found, chunk)) if chunk else ()
        change = imports.apply(found, chunk, imported, now)
        after = self.store.commit(change.run_by(committed_by), _WORKER, now)
        if after and after.status is ImportStatus.FAILED:
            logger.error("Import failed", reason=after.failure_reason)  # an alarm counts these lines
        elif after:
            logger.info("Slice imported", applied=len(change.applied), skipped=len(change.skipped))
        return after
