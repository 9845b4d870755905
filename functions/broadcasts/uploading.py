"""What owners do with imports. The routes have found the campaign, and know that the caller may command it."""

from dataclasses import dataclass
from datetime import datetime

from broadcasts import importing
from broadcasts.bucket import ListBucket
from broadcasts.campaign import Broadcast
from broadcasts.checks_queue import ChecksQueue
from broadcasts.csv_file import Options
from broadcasts.import_store import ImportStore
from broadcasts.importing import PREFIX, Import, ListImportStatus, Standing
from broadcasts.uploads import Form
from sluice.clock import Clock
from sluice.errors import Conflicting, NotFound
from sluice.ids import is_id, new_id
from sluice.requests import Answer, Keyed, Requester, carry_out


@dataclass(frozen=True)
class Imports:
    """Imports of recipients. Raises Unavailable."""

    store: ImportStore
    bucket: ListBucket
    queue: ChecksQueue
    clock: Clock

    def begin(self, campaign: Broadcast, options: Options, by: str) -> tuple[Import, Form]:
        """A new import, and the form by which its file is uploaded. Raises Conflicting (`not_editable`).

        It takes no Idempotency-Key: an answer that is kept for 24 hours must not hold a form, and an import that nobody
        starts does nothing.
        """
        now = self.clock.now()
        made = importing.begin(new_id(PREFIX, now), campaign, options, by, now)
        self.store.begin(made)
        return made, self.bucket.form(campaign.id, made.id, now)

    def start(self, campaign: Broadcast, import_id: str, requester: Requester) -> Import | Answer:
        """Begin the check of the file as it lies in the bucket now; a repeat sends a check again that nobody does.

        Raises NotFound, Conflicting (`file_missing`, `import_started`, `import_expired`, `not_editable`).
        """

        def attempt(keyed: Keyed[Import] | None, now: datetime) -> Import | None:
            found = self._found(campaign, import_id)
            if found.status is ListImportStatus.CHECKING:
                return self.store.answered(found, now, keyed) if keyed else found
            file = self.bucket.uploaded(campaign.id, found.id)
            started = found.started(file.etag if file else "", file.size if file else 0, now)
            if file is None:
                raise Conflicting("Nothing was uploaded yet: POST the file to the form first", "file_missing")
            importing.require_open(campaign)
            return self.store.move(found, started, now, keyed)

        done = carry_out(attempt, requester.keyed, lambda _: True, self.clock, "The import is changing too fast")
        # After a stored answer too: whoever committed it may have died before the message was sent.
        present = self.store.importing(campaign.id, import_id)
        if present and present.is_stuck(self.clock.now()):
            self.queue.send(campaign.id, import_id)
        return done

    def find(self, campaign: Broadcast, import_id: str) -> Standing:
        """How an import stands. Raises NotFound."""
        found = self._found(campaign, import_id)
        status = found.shown(campaign, self.clock.now())
        report = self.bucket.report(campaign.id, found.id) if found.checked_at else None
        url = self.bucket.faults_url(campaign.id, found.id) if report else None
        return Standing(found, status, report, url)

    def _found(self, campaign: Broadcast, import_id: str) -> Import:
        found = self.store.importing(campaign.id, import_id) if is_id(PREFIX, import_id) else None
        if found is None:
            raise NotFound("Import not found", "import_not_found")
        return found
