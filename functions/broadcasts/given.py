"""Lists in requests: cleaned, and laid into the bucket. Raises Unavailable."""

from collections.abc import Sequence
from dataclasses import dataclass

from broadcasts import regions
from broadcasts.bucket import ListBucket
from broadcasts.recipients import MOST_IN_A_REQUEST, Accepted, CleanList, CleanRow, Doubt, Duplicate, Recipient
from broadcasts.roll import Entry, Fault, Roll
from broadcasts.secret import ContactsSecret
from sluice import envelope
from sluice.clock import Clock
from sluice.errors import FieldError, Invalid


@dataclass(frozen=True)
class GivenLists:
    """The `Lists` of the commands."""

    bucket: ListBucket
    secret: ContactsSecret
    clock: Clock

    def clean(self, owner: str, recipients: Sequence[Recipient], time_zone: str | None) -> CleanList:
        """Drop duplicates, and sort the rest into lanes; what their text lacks is judged by the caller.

        Raises Invalid, naming each wrong row and field, as `recipients.3.phone` (S5-6, S5-43).
        """
        if not 1 <= len(recipients) <= MOST_IN_A_REQUEST:
            message = f"A list has 1 to {MOST_IN_A_REQUEST} recipients; import more as a file"
            raise Invalid.of("recipients", message, "too_many_recipients" if recipients else "no_recipients")
        roll = Roll(owner, self.secret.key(), None, time_zone or "UTC", regions)
        rows: list[CleanRow] = []
        wrong: list[FieldError] = []
        duplicates: list[Duplicate] = []
        warnings: list[Doubt] = []
        first: dict[str, int] = {}
        for line, each in enumerate(recipients, 1):
            entry = Entry(line, each.phone, each.variables, each.time_zone)
            match roll.take(entry):
                case CleanRow() as row:
                    rows.append(row)
                    first[row.contact] = line
                    warnings += [found] if (found := roll.warning(row)) else []
                case None:
                    duplicates.append(Duplicate(line, first[roll.contact(entry)]))
                case faults:
                    wrong += map(_named, faults)
        if wrong:
            raise envelope.named(wrong)
        return CleanList(tuple(rows), roll.lanes(), tuple(duplicates), tuple(warnings))

    def accept(self, campaign_id: str, found: CleanList) -> Accepted:
        """Write the rows to the bucket, under a new prefix of this campaign."""
        source = self.bucket.new_source(campaign_id, self.clock.now())
        self.bucket.write_all(source, found.rows)
        return Accepted(source, found.lanes, len(found.rows), len(found.duplicates), found.warnings)


def _named(fault: Fault) -> FieldError:
    return FieldError(f"recipients.{fault.line - 1}.{fault.field}", fault.message)
