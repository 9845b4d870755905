"""Reads a CSV of counts: `type,id,count` in each line, with or without those names in the first. Maps nothing."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sluice_cli.errors import WrongUse

HEADER = ["type", "id", "count"]
CHUNK_ROWS = 500
MOST_VIEWS = 10**12
MOST_PROBLEMS = 20

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}")
_COUNT = re.compile(r"[0-9]{1,13}")


@dataclass(frozen=True)
class Line:
    """One count, and the number of its line."""

    number: int
    content_type: str
    content_id: str
    count: int

    def row(self) -> dict[str, str | int]:
        """As the API takes it."""
        return {"content_type": self.content_type, "content_id": self.content_id, "count": self.count}


def read(text: Iterable[str]) -> list[Line]:
    """Every count. Raises WrongUse, naming each wrong line by its number, when there is any."""
    lines: list[Line] = []
    problems: list[str] = []
    first: dict[tuple[str, str], int] = {}
    for number, fields in _records(text):
        if not lines and not problems and fields == HEADER:
            continue
        if problem := _problem(fields):
            problems.append(f"line {number}: {problem}")
            continue
        line = Line(number, fields[0], fields[1], int(fields[2]))
        content = (line.content_type, line.content_id)
        if first.setdefault(content, number) != number:
            problems.append(f"line {number}: {line.content_type} {line.content_id} is in line {first[content]} already")
        lines.append(line)
    if not lines and not problems:
        problems = ["there is no count in it"]
    if problems:
        raise nothing_imported(problems)
    return lines


def lines_of(file: Path) -> list[Line]:
    """The counts in a file. Raises WrongUse."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            return read(text)
    except UnicodeDecodeError as error:
        raise WrongUse(f"{file} is not UTF-8 text: {error}") from error


def nothing_imported(problems: list[str]) -> WrongUse:
    """With the first problems, one to a line, and how many more there are."""
    more = [f"and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []
    return WrongUse("Nothing was imported.", *problems[:MOST_PROBLEMS], *more)


def digest(lines: Iterable[Line]) -> str:
    """SHA-256, in hex, of the counts in their order: of the file, but for its header and blank lines."""
    of_counts = sha256()
    for line in lines:
        of_counts.update(f"{line.content_type},{line.content_id},{line.count}\n".encode())
    return of_counts.hexdigest()


def _records(text: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The fields of each line that is not blank, with its number."""
    reader = csv.reader(text, skipinitialspace=True, strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise nothing_imported([f"line {reader.line_num} is not CSV: {error}"]) from error
        if fields:
            yield reader.line_num, fields


def _problem(fields: list[str]) -> str | None:
    if len(fields) != len(HEADER):
        return f"it has {len(fields)} fields, not type,id,count"
    content_type, content_id, count = fields
    if not content_type:
        return "the type is missing"
    if not _ID.fullmatch(content_id):
        return f"the id {content_id[:60]!r} is not 1 to 128 letters, digits or . _ : ~ -, of which the first is no sign"
    if not _COUNT.fullmatch(count) or int(count) > MOST_VIEWS:
        return f"the count {count[:60]!r} is not a whole number from 0 to {MOST_VIEWS:,}"
    return None
