"""A list of recipients while it is read: who is on it already, which rows are wrong, and where each row lies. Pure.

A list in a request and a file are read by the same rules. Memory: at most 36 bytes a person.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from broadcasts.campaign import Text
from broadcasts.lanes import Lane, Places
from broadcasts.persons import Persons
from broadcasts.phones import contact_key, is_phone, person_of
from broadcasts.recipients import CleanRow, Doubt
from broadcasts.row import Row, RowKey
from broadcasts.texts import is_variable, render
from broadcasts.zones import Zones, is_zone

ROWS = 2000
"""Rows of an object in the bucket; the last of a list may have fewer."""
MOST_BYTES = 2048
"""Of the variables of a row, as JSON."""
SHOWN = 50
"""Rendered texts that a report shows."""

# Controls but for tab and line breaks; and surrogates, which are how bytes that are no UTF-8 are decoded.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Entry:
    """A recipient as it is read: a phone of digits, its variables, and its zone if the owner knows it."""

    line: int
    phone: str
    variables: Mapping[str, str]
    time_zone: str | None = None


@dataclass(frozen=True)
class Fault:
    """Why a row is rejected: `field` is `phone`, `time_zone` or `variables.<name>`. No message quotes the row."""

    line: int
    field: str
    code: str
    message: str


class Plans(Protocol):
    """The numbering plans of the world."""

    def zones_of(self, phone: str, /) -> Zones: ...

    def warning_of(self, phone: str, /) -> str | None: ...


class Roll:
    """Takes the rows of one list in their order. The same rows in the same order get the same places.

    `text` is what they are to be sent, or None when that is judged elsewhere. `time_zone` is of those whose own nobody
    knows.
    """

    def __init__(
        self,
        owner: str,
        key: bytes,
        text: Text | None,
        time_zone: str,
        plans: Plans,
    ) -> None:
        self._owner, self._key, self._text = owner, key, text
        self._zones, self._plans = (time_zone,), plans
        self._places = Places()
        self._met = Persons()
        self.rejected = 0
        self.duplicates = 0

    @property
    def accepted(self) -> int:
        return len(self._met)

    @property
    def rows(self) -> int:
        """All rows taken: accepted, rejected and duplicates."""
        return self.accepted + self.rejected + self.duplicates

    def lanes(self) -> tuple[Lane, ...]:
        """The lanes of the rows that were accepted."""
        return self._places.lanes()

    def take(self, entry: Entry) -> CleanRow | tuple[Fault, ...] | None:
        """The clean row; why the row is rejected; None when the person is on the list already."""
        if faults := (*faults_of(entry), *text_faults(entry.line, self._text, entry.variables)):
            self.rejected += 1
            return faults
        # A 1 in front keeps leading zeros apart.
        if not self._met.add(int(f"1{person_of(entry.phone)}")):
            self.duplicates += 1
            return None
        zones = (entry.time_zone,) if entry.time_zone else self._plans.zones_of(entry.phone) or self._zones
        lane, number = self._places.place(zones)
        return CleanRow(entry.line, entry.phone, self.contact(entry), lane, number, dict(entry.variables))

    def contact(self, entry: Entry) -> str:
        """The key of the person among the owner's contacts."""
        return contact_key(self._owner, entry.phone, self._key)

    def reject(self) -> None:
        """Count a row that is no entry at all."""
        self.rejected += 1

    def warning(self, row: CleanRow) -> Doubt | None:
        """What is doubtful about an accepted row."""
        message = self._plans.warning_of(row.phone)
        return Doubt(row.line, "phone_doubtful", message) if message else None

    def rendered(self, row: CleanRow) -> str | None:
        """The text of an accepted row; None when the list has no text."""
        if self._text is None:
            return None
        text = render(self._text.message, row.variables)
        return text if isinstance(text, str) else None


def faults_of(entry: Entry) -> list[Fault]:
    """What is wrong with a row, whatever it is to be sent."""
    found = []
    if not is_phone(entry.phone):
        found.append(Fault(entry.line, "phone", "phone_length", "The phone must be 10 to 15 digits"))
    if entry.time_zone is not None and not is_zone(entry.time_zone):
        message = "The time zone must be a name such as America/Sao_Paulo"
        found.append(Fault(entry.line, "time_zone", "time_zone_unknown", message))
    for name, value in entry.variables.items():
        if not is_variable(name):
            message = "A variable's name is a small letter, then at most 31 small letters, digits and _"
            found.append(Fault(entry.line, "variables", "variable_name", message))
        elif fault := unreadable(entry.line, f"variables.{name}", value):
            found.append(fault)
    if not found and (size := len(_json(entry.variables).encode())) > MOST_BYTES:
        message = f"The variables have {size} bytes; {MOST_BYTES} are allowed"
        found.append(Fault(entry.line, "variables", "variables_too_large", message))
    return found


def unreadable(line: int, field: str, value: str) -> Fault | None:
    """Why a value is no text that can be sent: a control character, or bytes that are no UTF-8."""
    found = _UNREADABLE.search(value)
    if found is None:
        return None
    if "\ud800" <= found[0] <= "\udfff":
        return Fault(line, field, "not_utf8", "The value is not UTF-8 text: save the file as UTF-8")
    return Fault(line, field, "control_character", "The value has a control character")


def text_faults(line: int, text: Text | None, variables: Mapping[str, str]) -> list[Fault]:
    """Why a text cannot be sent to a recipient: a variable that is missing, or more than 4,096 characters."""
    if text is None:
        return []
    filled = (*text.template.header, *text.template.parameters) if text.template else ()
    problems = [
        each for each in (render(one, variables) for one in (text.message, *filled)) if not isinstance(each, str)
    ]
    found = [
        Fault(line, f"variables.{name}", "variable_missing", f"The text needs a value for {name}")
        for name in dict.fromkeys(name for each in problems for name in each.variables)
    ]
    return found + [Fault(line, "variables", each.code, each.message) for each in problems if not each.variables]


def line_of(row: CleanRow) -> str:
    """A row as a line of its object: `{"line":1,"phone":"5511...","contact":"<hex>","lane":0,"number":0,...}`."""
    return _json(vars(row))


def row_of(line: str, campaign_id: str, generation: int) -> Row:
    """The row of a line that `line_of` wrote, as it is laid down. Raises ValueError, KeyError for anything else."""
    found = json.loads(line)
    return Row(
        campaign_id=campaign_id,
        key=RowKey(generation, found["lane"], found["number"]),
        phone=found["phone"],
        contact=found["contact"],
        line=found["line"],
        variables=found["variables"],
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)
