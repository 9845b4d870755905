"""The check of an uploaded file: one invocation reads it as a stream and lays its clean rows into the bucket.

It may run again, also beside itself: each run writes under a prefix of its own, and one of them commits. The same file
gives the same rows at the same places.
"""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Any

from aws_lambda_powertools import Logger

from broadcasts import importing, regions
from broadcasts.bucket import Found, ListBucket
from broadcasts.campaign import GONE, Broadcast, Text
from broadcasts.csv_file import Rejected, entries
from broadcasts.import_store import ImportStore
from broadcasts.importing import MOST_LISTED, Import, ListImportStatus, Tally
from broadcasts.lanes import Lane
from broadcasts.recipients import CleanRow
from broadcasts.roll import SHOWN, Fault, Roll
from broadcasts.secret import ContactsSecret
from sluice.clock import Clock
from sluice.errors import Conflicting, Invalid, Refused, Unavailable
from sluice.wake import Wake

logger = Logger(child=True)

_IN_MEMORY = 1 << 20
"""Bytes of the list of faults; more of them lie in a temporary file."""
_OF_A_ROW = 2
"""Faults of a row that are listed; a million rows of them are some 260 MB, and a function has 512."""
_CHECKS = 3
"""How often a file is checked when edits of the text come between."""
_COMMITS = 20


@dataclass
class Report:
    """What a check found. All faults go into a file; the report itself has the first ones."""

    file: Any = field(default_factory=lambda: SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - closed by `close`
    faults: list[Fault] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    rendered: list[dict[str, Any]] = field(default_factory=list)
    warned: int = 0

    def __post_init__(self) -> None:
        self._text = io.TextIOWrapper(self.file, "utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text)
        self._rows.writerow(("line", "field", "code", "message"))

    def add(self, *faults: Fault) -> None:
        """Note why a row is rejected: by two of its faults, so that a million rows fit a function's disk."""
        for fault in faults[:_OF_A_ROW]:
            self._rows.writerow((fault.line, fault.field, fault.code, fault.message))
            if len(self.faults) < MOST_LISTED:
                self.faults.append(fault)

    def accept(self, roll: Roll, row: CleanRow) -> None:
        """Note what is doubtful about a row, and the text of the first ones."""
        if warning := roll.warning(row):
            self.warned += 1
            if len(self.warnings) < MOST_LISTED:
                self.warnings.append(dict(vars(warning)))
        if len(self.rendered) < SHOWN and (text := roll.rendered(row)) is not None:
            self.rendered.append({"line": row.line, "text": text})

    def save(self, bucket: ListBucket, found: Import) -> None:
        """Keep it in the bucket."""
        self._text.flush()
        self.file.seek(0)
        errors = [vars(each) for each in self.faults]
        report = {"errors": errors, "warnings": self.warnings, "rendered": self.rendered}
        bucket.save_report(found.campaign_id, found.id, report, self.file)

    def close(self) -> None:
        self._text.close()


@dataclass(frozen=True)
class Checked:
    """A file that was read to its end: the rows that count are in the bucket."""

    tally: Tally
    source: str
    lanes: tuple[Lane, ...]


class _Unusable(Exception):
    """The file as a whole is refused."""

    def __init__(self, refusal: Refused, tally: Tally) -> None:
        super().__init__(refusal.code)
        self.refusal, self.tally = refusal, tally


@dataclass(frozen=True)
class Checks:
    """Checks imports."""

    store: ImportStore
    bucket: ListBucket
    secret: ContactsSecret
    wake: Wake
    clock: Clock
    most_rows: int

    def run(self, campaign_id: str, import_id: str) -> None:
        """Check one import, and give its campaign the rows. Returns when the message can be acknowledged.

        Raises Unavailable when it must be delivered again.
        """
        found = self.store.importing(campaign_id, import_id)
        if found is None or not self.store.take(found, self.clock.now()):
            logger.info("Dropped: the import is not to be checked")
            return
        for _ in range(_CHECKS):
            campaign = self.store.get(campaign_id)
            text = self.store.text(campaign_id)
            if campaign is None or campaign.status in GONE:
                self._fail(found, Conflicting("The campaign was deleted", "campaign_not_found"), Tally())
                return
            if text is None or text.version != campaign.text_version:
                continue  # an edit came between the two reads
            try:
                checked = self._check(found, campaign, text)
            except _Unusable as unusable:
                self._fail(found, unusable.refusal, unusable.tally)
                return
            if self._accept(found, checked, text.version):
                return
        self._fail(found, Conflicting("The text was edited during each check: import again", "text_edited"), Tally())

    def _check(self, found: Import, campaign: Broadcast, text: Text) -> Checked:
        """Read the file to its end, and lay its rows into the bucket. Raises _Unusable."""
        roll = Roll(campaign.owner, self.secret.key(), text, self._zone(campaign), regions)
        source = self.bucket.new_source(campaign.id, self.clock.now())
        with closing(Report()) as report:
            refusal: Refused | None = None
            try:
                self.bucket.write_all(source, self._clean(found, roll, report))
                if not roll.accepted:
                    refusal = Invalid.of("file", "No row of the file is accepted", "nothing_accepted")
            except Refused as refused:
                refusal = refused
            report.save(self.bucket, found)
            tally = Tally(roll.rows, roll.accepted, roll.rejected, roll.duplicates, report.warned)
        logger.info("Checked", rows=tally.rows, accepted=tally.accepted, code=refusal.code if refusal else None)
        if refusal:
            raise _Unusable(refusal, tally)
        return Checked(tally, source, roll.lanes())

    def _clean(self, found: Import, roll: Roll, report: Report) -> Iterator[CleanRow]:
        """The rows that count. Raises Invalid, Conflicting when the file as a whole is refused."""
        file = Found(str(found.etag), found.size or 0)
        with self.bucket.open(found.campaign_id, found.id, file) as stream:
            for entry in entries(stream, found.options):
                if roll.rows >= self.most_rows:
                    message = f"The file has more than {self.most_rows} rows"
                    raise Invalid.of("file", message, "too_many_rows")
                if isinstance(entry, Rejected):
                    roll.reject()
                    report.add(*entry.faults)
                    continue
                taken = roll.take(entry)
                if isinstance(taken, CleanRow):
                    report.accept(roll, taken)
                    yield taken
                elif taken is None:
                    report.add(Fault(entry.line, "phone", "duplicate", "An earlier line has this person"))
                else:
                    report.add(*taken)

    def _zone(self, campaign: Broadcast) -> str:
        """The zone of recipients whose own nobody knows."""
        if campaign.time_zone:
            return campaign.time_zone
        instance = self.store.instance(campaign.instance_id)
        return instance.time_zone if instance else "UTC"

    def _accept(self, found: Import, checked: Checked, text_version: int) -> bool:
        """Put the rows in place of the campaign's list; False when the text was edited: then they are judged again."""
        for _ in range(_COMMITS):
            now = self.clock.now()
            campaign = self.store.get(found.campaign_id)
            if campaign is None:
                self._fail(found, Conflicting("The campaign was deleted", "campaign_not_found"), checked.tally)
                return True
            if campaign.text_version != text_version:
                return False
            try:
                change = importing.listed(campaign, found, checked.tally, checked.source, checked.lanes, now)
            except Conflicting as refusal:
                self._fail(found, refusal, checked.tally)
                return True
            committed = self.store.commit(change, found.created_by, now)
            if committed is not None:
                self._wake(committed)
                return True
            if self._is_judged(found):
                return True
        raise Unavailable("Others kept committing first")

    def _fail(self, found: Import, refusal: Refused, tally: Tally) -> None:
        """The import fails; and with it a campaign that runs without a list."""
        for _ in range(_COMMITS):
            now = self.clock.now()
            campaign = self.store.get(found.campaign_id)
            after = found.failed(refusal.code, refusal.message, tally, now)
            change = importing.given_up(campaign, (found, after), now) if campaign else None
            done = self.store.commit(change, found.created_by, now) if change else self.store.move(found, after, now)
            if done is not None or self._is_judged(found):
                return
        raise Unavailable("Others kept committing first")

    def _is_judged(self, found: Import) -> bool:
        """Whether another run was first."""
        present = self.store.importing(found.campaign_id, found.id)
        return present is None or present.status is not ListImportStatus.CHECKING

    def _wake(self, campaign: Broadcast) -> None:
        try:
            self.wake(campaign.id, campaign.step, campaign.wake_at or self.clock.now())
        except Unavailable:
            # The rows are committed, so the check is done; the sweeper sends the step.
            logger.exception("Not woken: left to the sweeper", campaign_id=campaign.id, step=campaign.step)
