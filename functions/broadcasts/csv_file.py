"""A CSV file of recipients, read as a stream. Pure.

UTF-8 with or without a byte order mark; fields divided by comma, semicolon or tab; any line breaks, also in quotes. A
row is rejected with its line and a reason, and reading goes on behind it. Memory: one record of 65,536 characters.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from broadcasts.phones import BadPhone, phone_in
from broadcasts.roll import Entry, Fault, unreadable
from broadcasts.texts import is_variable
from sluice.errors import Invalid

LONGEST = 65_536
"""Characters of a record; longer ones are rejected."""
MOST_VARIABLES = 300
"""Columns that are variables because nothing else is said: a row with more is over its 2 KB, even if all are blank."""
PHONE, TIME_ZONE = "phone", "timezone"
"""The columns' names when the options name none."""
_DELIMITERS = ",;\t"
_QUOTED = re.compile('"[^"]*"?')

type Column = str | int
"""The name of a column in the header; or its number, from 1."""


@dataclass(frozen=True)
class Options:
    """How a file is read (S5-9)."""

    has_header: bool = True
    phone_column: Column = PHONE
    variable_columns: Mapping[str, Column] | None = None
    """The column of each variable; None for all columns whose name is a variable's."""
    time_zone_column: Column | None = None
    """None for the column `timezone`, if the header has it."""


@dataclass(frozen=True)
class Rejected:
    """A row that is no entry, and why."""

    faults: tuple[Fault, ...]


def entries(file: IO[bytes], options: Options) -> Iterator[Entry | Rejected]:
    """The rows of a file, without blank ones.

    Raises Invalid when the file as a whole cannot be read: `file_empty`, `not_utf8`, `column_missing`,
    `column_ambiguous`, `too_many_columns`.
    """
    records = _records(_Lines(file))
    first = next(records, None)
    if first is None:
        raise Invalid.of("file", "The file has no rows", "file_empty")
    if not options.has_header:
        columns = _Columns.numbered(options, len(first.cells) if isinstance(first, _Record) else 0)
        yield columns.entry(first)
    elif isinstance(first, _Record):
        columns = _Columns.named(options, first.cells)
    else:
        raise Invalid.of("file", f"The header cannot be read: {first.faults[0].message}", first.faults[0].code)
    yield from map(columns.entry, records)


@dataclass(frozen=True)
class _Record:
    line: int
    cells: Sequence[str]


@dataclass(frozen=True)
class _Columns:
    """Where in a record each thing is, from 0."""

    phone: int
    variables: Mapping[str, int]
    time_zone: int | None
    width: int

    @classmethod
    def named(cls, options: Options, header: Sequence[str]) -> "_Columns":
        """By the names of a header: without regard to case, and to spaces around them."""
        names = [name.strip().casefold() for name in header]

        def place(field: str, column: Column) -> int:
            if isinstance(column, int):
                return _within(field, column, len(names))
            name = column.strip().casefold()
            if name not in names:
                raise Invalid.of(field, f"The header has no column {column}", "column_missing")
            if names.count(name) > 1:
                raise Invalid.of(field, f"The header has the column {column} more than once", "column_ambiguous")
            return names.index(name)

        phone = place("phoneColumn", options.phone_column)
        zone = options.time_zone_column
        if zone is None and TIME_ZONE in names:
            zone = TIME_ZONE
        time_zone = place("timezoneColumn", zone) if zone is not None else None
        chosen = options.variable_columns
        if chosen is None:
            taken = {phone, time_zone}
            chosen = {name: name for at, name in enumerate(names) if is_variable(name) and at not in taken}
            if len(chosen) > MOST_VARIABLES:
                message = f"The header has more than {MOST_VARIABLES} columns: name those that the text needs"
                raise Invalid.of("variableColumns", message, "too_many_columns")
        return cls(
            phone, {name: place("variableColumns", each) for name, each in chosen.items()}, time_zone, len(names)
        )

    @classmethod
    def numbered(cls, options: Options, width: int) -> "_Columns":
        """By numbers, where there is no header. The phone is in the first column when nothing else is named."""

        def place(field: str, column: Column) -> int:
            if isinstance(column, str) and not column.isdecimal():
                message = f"Without a header a column is named by its number, from 1, not {column}"
                raise Invalid.of(field, message, "column_missing")
            return _within(field, int(column), width)

        phone = 0 if options.phone_column == PHONE else place("phoneColumn", options.phone_column)
        zone = options.time_zone_column
        time_zone = place("timezoneColumn", zone) if zone is not None else None
        chosen = options.variable_columns or {}
        return cls(phone, {name: place("variableColumns", each) for name, each in chosen.items()}, time_zone, width)

    def entry(self, record: _Record | Rejected) -> Entry | Rejected:
        """What a record says."""
        if isinstance(record, Rejected):
            return record
        line, cells = record.line, record.cells
        faults = []
        if any(cell.strip() for cell in cells[self.width :]):
            message = f"The row has {len(cells)} fields, and {self.width} are expected: put quotes around commas"
            faults.append(Fault(line, "row", "too_many_fields", message))
        text = self._cell(cells, self.phone)
        phone = phone_in(text)
        if fault := unreadable(line, "phone", text):  # first, because some control characters count as spaces
            faults.insert(0, fault)
        elif isinstance(phone, BadPhone):
            faults.insert(0, Fault(line, "phone", phone.code, phone.message))
        if faults or isinstance(phone, BadPhone):
            return Rejected(tuple(faults))
        variables = {name: self._cell(cells, at).replace("\r\n", "\n") for name, at in self.variables.items()}
        zone = self._cell(cells, self.time_zone).strip() if self.time_zone is not None else ""
        return Entry(line, phone, variables, zone or None)

    @staticmethod
    def _cell(cells: Sequence[str], at: int) -> str:
        """A field; what a short row leaves out is blank."""
        return cells[at] if at < len(cells) else ""


def _within(field: str, column: int, width: int) -> int:
    if not 1 <= column <= width:
        raise Invalid.of(field, f"The first row has {width} columns, so there is no column {column}", "column_missing")
    return column - 1


class _TooLong(Exception):
    """A record has more characters than one may have."""


class _Lines(Iterator[str]):
    """The lines of a file, with their ends. Bytes that are no UTF-8 become surrogates, which `unreadable` finds."""

    def __init__(self, file: IO[bytes]) -> None:
        self._text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
        self._ahead: str | None = None
        self._left = LONGEST
        self.number = 0
        """Of the line that was read last, from 1."""

    def begin(self) -> None:
        """The next line begins a record."""
        self._left = LONGEST

    def peek(self) -> str:
        """The first line that is not blank, or an empty text; blank ones before it are passed by."""
        while self._ahead is None:
            line = self._text.readline(LONGEST)
            if line and not line.strip():
                self.number += 1
            else:
                self._ahead = line
        return self._ahead

    def __next__(self) -> str:
        line = self._text.readline(LONGEST) if self._ahead is None else self._ahead
        self._ahead = None
        if not line:
            raise StopIteration
        self.number += 1
        self._left -= len(line)
        if self._left < 0 or (len(line) == LONGEST and line[-1] not in "\r\n"):
            while line and line[-1] not in "\r\n":
                line = self._text.readline(LONGEST)
            raise _TooLong
        return line


def _records(lines: _Lines) -> Iterator[_Record | Rejected]:
    first = lines.peek()
    if first.startswith(("\udcff\udcfe", "\udcfe\udcff")):
        raise Invalid.of("file", "The file is not UTF-8 text: save it as UTF-8", "not_utf8")
    outside = _QUOTED.sub("", first)
    delimiter = max(_DELIMITERS, key=outside.count)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        before = lines.number
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            message = "The quotes do not match: double a quote inside quotes"
            yield _unread(before, lines.number, "quotes", message)
        except _TooLong:
            yield _unread(before, lines.number, "row_too_long", f"A row may have {LONGEST} characters")
        else:
            if any(cell.strip() for cell in cells):
                yield _Record(before + 1, cells)


def _unread(before: int, last: int, code: str, message: str) -> Rejected:
    of = f"Lines {before + 1} to {last}: " if last > before + 1 else ""
    return Rejected((Fault(before + 1, "row", code, of + message),))
