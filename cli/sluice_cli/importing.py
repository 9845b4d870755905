"""`sluice views import`: counts of another system, from a CSV of `type,id,count`.

Interrupted and run again with the same file and name, it goes on where it was: the import's name holds a digest.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from sluice_cli import counts_file, output
from sluice_cli.client import Answer, Json
from sluice_cli.counts_file import CHUNK_ROWS, Line
from sluice_cli.errors import NotReached
from sluice_cli.following import Look, Still, follow
from sluice_cli.session import Session

IMPORTS = "/api/admin/views/imports"
MOST_NAME = 100
_ENDED = ("completed", "failed")


def import_counts(session: Session, file: Path, name: str | None, still: Still, every: float | None) -> None:
    """Import the counts of a file, and follow it to its end. Raises CliError."""
    lines = counts_file.lines_of(file)
    again = f"sluice views import {file}" + (f" --name {name}" if name else "")
    try:
        _check_types(session, lines)
        found = _find_or_create(session, f"{(name or file.name)[:MOST_NAME]} sha256:{counts_file.digest(lines)}")
        path = f"{IMPORTS}/{found['id']}"
        if found["status"] == "pending":
            _upload(session, path, found["chunks"], lines, again)
        if found["status"] not in _ENDED:
            session.send("POST", f"{path}/execute", expected="import_is_completed")
        follow(session, lambda: session.get(path), _look, again=again, every=every, still=still)
        if not session.json:
            _show_skipped(session, path, lines)
    except NotReached as error:
        raise NotReached(error.message, *error.more, "Run it again: it goes on where it was.") from error


def _check_types(session: Session, lines: list[Line]) -> None:
    """So that a type which the installation does not have is found before anything is uploaded."""
    examples: dict[str, Line] = {}
    for line in lines:
        examples.setdefault(line.content_type, line)
    problems = []
    for content_type, line in examples.items():
        body = {"items": [{"content_type": content_type, "content_id": line.content_id}]}
        query = {"source": "database"}
        answer = session.send("POST", "/api/admin/views/counts", body, query, expected="invalid")
        if answer.status == 400:
            problems.append(f"line {line.number}: the installation has no content type {content_type!r}")
    if problems:
        raise counts_file.nothing_imported(problems)


def _find_or_create(session: Session, name: str) -> Json:
    cursor = None
    while True:
        page = session.get(IMPORTS, {"limit": 200, "cursor": cursor}).json
        for found in page["items"]:
            if found["name"] == name:
                return dict(found)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    # One for the name: a second run that begins meanwhile makes no other import.
    key = f"import-{sha256(name.encode()).hexdigest()}"
    return session.send("POST", IMPORTS, {"name": name}, key=key).json


def _upload(session: Session, path: str, uploaded: int, lines: list[Line], again: str) -> None:
    """The chunks that are not there yet: those that are have the same rows, as the digest is theirs."""
    answers = _chunks(session, path, uploaded, lines)

    def look(answer: Answer) -> Look:
        rows = answer.json["rows"]
        return Look("uploaded", rows, len(lines), True if rows == len(lines) else None)

    if uploaded * CHUNK_ROWS < len(lines):
        follow(session, lambda: next(answers), look, again=again, every=0, state="not started yet")


def _chunks(session: Session, path: str, uploaded: int, lines: list[Line]) -> Iterator[Answer]:
    for begin in range(uploaded * CHUNK_ROWS, len(lines), CHUNK_ROWS):
        rows = [line.row() for line in lines[begin : begin + CHUNK_ROWS]]
        number = begin // CHUNK_ROWS + 1
        yield session.send("PUT", f"{path}/rows/{number}", {"rows": rows}, part=f"-{number}")


def _look(answer: Answer) -> Look:
    found = answer.json
    good = {"completed": True, "failed": False}.get(found["status"])
    more = f"{output.counted(found['views'], 'view')} imported"
    if found["skipped"]:
        more += f", {found['skipped']:,} skipped"
    if found["status"] == "failed":
        more = f"{found['failure_reason']}. What was applied stays: run it again with another --name, which skips that"
    return Look(found["status"], found["applied"] + found["skipped"], found["rows"], good, more)


def _show_skipped(session: Session, path: str, lines: list[Line]) -> None:
    """The first rows that were skipped, by the lines of the file."""
    page = session.get(f"{path}/skipped", {"limit": counts_file.MOST_PROBLEMS}).json
    rows = [{**each, "line": lines[each["number"] - 1].number} for each in page["items"]]
    if rows:
        for line in session.words.table(rows, ("line", "content_type=type", "content_id=id", "reason")):
            session.echo(line)
    if page["next_cursor"]:
        session.note(f"There is more: sluice api GET {path}/skipped")
