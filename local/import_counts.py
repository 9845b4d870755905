"""Imports counts of another system from a CSV of `type,id,count`, and follows the import to its end.

Interrupted and run again with the same file and name, it goes on where it was: the import's name holds a digest.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import batched
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from local import counts_file
from local.choice import add_stack_options, chosen_api
from local.counts_file import CHUNK_ROWS, Line
from local.errors import LocalError, run

IMPORTS = "/api/admin/views/imports"
TOKEN_HOURS = 12
MOST_NAME = 100
STILL_SECONDS = 600
"""How long an import may stand still: five attempts at a step, and a while."""
_ATTEMPTS = 6
_SECONDS_BETWEEN_LOOKS = 0.5

Show = Callable[[str, int, int], None]
"""Shows what is done: the word for it, how much, of how much."""


def import_counts(
    http: httpx.Client, lines: list[Line], name: str, show: Show, still_seconds: float = STILL_SECONDS
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The import when it is done, and the first rows that were skipped. Raises LocalError."""
    api = _Api(http)
    _check_types(api, lines)
    found = _find_or_create(api, f"{name} sha256:{counts_file.digest(lines)}")
    if found["status"] == "pending":
        _upload(api, found, lines, show)
    if found["status"] not in ("completed", "failed"):
        found = api.call("POST", f"{IMPORTS}/{found['id']}/execute", expected="import_is_completed") or found
    if found["status"] != "completed":
        found = _follow(api, found["id"], show, still_seconds)
    skipped = api.get(f"{IMPORTS}/{found['id']}/skipped", limit=counts_file.MOST_PROBLEMS)["items"]
    return found, skipped


def summary(found: dict[str, Any], skipped: list[dict[str, Any]], lines: list[Line]) -> str:
    """What an import did."""
    text = f"{found['id']} is done: {found['applied']:,} counts, {found['views']:,} views in all, are organic now"
    if not found["skipped"]:
        return f"{text}."
    told = [
        f"line {lines[each['number'] - 1].number}: {each['content_type']} {each['content_id']}: {each['reason']}"
        for each in skipped
    ]
    more = [f"and {found['skipped'] - len(told):,} more"] if found["skipped"] > len(told) else []
    return "\n  ".join([f"{text}; {found['skipped']:,} were skipped:", *told, *more])


class _Api:
    """Calls that may all be repeated: what is busy for a moment is asked again."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self.call("GET", path, params=query) or {}

    def call(self, method: str, path: str, *, expected: str = "", **more: Any) -> dict[str, Any] | None:
        """The answer; None when it is a refusal of the code `expected`. Raises LocalError for others."""
        for attempt in range(_ATTEMPTS):
            try:
                answer = self._http.request(method, path, **more)
            except httpx.TransportError as error:
                problem = f"The API was not reached: {error}"
            else:
                if answer.is_success:
                    body: dict[str, Any] = answer.json()
                    return body
                problem = f"The import was answered {answer.status_code}: {_reason(answer)}"
                if answer.status_code not in (429, 502, 503, 504):
                    if expected and _code(answer) == expected:
                        return None
                    raise LocalError(problem)
            if attempt < _ATTEMPTS - 1:
                time.sleep(0.2 * 2**attempt)
        raise LocalError(f"{problem}. Run it again: it goes on where it was.")


def _check_types(api: _Api, lines: list[Line]) -> None:
    """So that a type which the installation does not have is found before anything is uploaded."""
    examples: dict[str, Line] = {}
    for line in lines:
        examples.setdefault(line.content_type, line)
    problems = []
    for content_type, line in examples.items():
        body = {"items": [{"content_type": content_type, "content_id": line.content_id}]}
        if api.call("POST", "/api/admin/views/counts?source=database", expected="invalid", json=body) is None:
            problems.append(f"line {line.number}: the installation has no content type {content_type!r}")
    if problems:
        raise LocalError(f"Nothing was imported: {counts_file.told(problems)}")


def _find_or_create(api: _Api, name: str) -> dict[str, Any]:
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = api.get(IMPORTS, **query)
        for found in page["items"]:
            if found["name"] == name:
                return dict(found)
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    key = f"import-{sha256(name.encode()).hexdigest()}"  # a repeat after a lost answer makes no other
    return api.call("POST", IMPORTS, json={"name": name}, headers={"idempotency-key": key}) or {}


def _upload(api: _Api, found: dict[str, Any], lines: list[Line], show: Show) -> None:
    """The chunks that are not there yet: those that are have the same rows, as the digest is theirs."""
    show("uploaded", found["rows"], len(lines))
    for number, chunk in enumerate(batched(lines, CHUNK_ROWS, strict=False), 1):
        if number > found["chunks"]:
            path = f"{IMPORTS}/{found['id']}/rows/{number}"
            answer = api.call("PUT", path, json={"rows": [line.row() for line in chunk]}) or {}
            show("uploaded", answer["rows"], len(lines))


def _follow(api: _Api, import_id: str, show: Show, still_seconds: float) -> dict[str, Any]:
    done, moved_at = -1, time.monotonic()
    while True:
        found = api.get(f"{IMPORTS}/{import_id}")
        if found["applied"] + found["skipped"] != done:
            done, moved_at = found["applied"] + found["skipped"], time.monotonic()
            show("imported", done, found["rows"])
        if found["status"] == "completed":
            return found
        if found["status"] == "failed":
            raise LocalError(
                f"{import_id} has failed: {found['failure_reason']}. What it applied stays. "
                "Run this again with another NAME=: what is in already is skipped."
            )
        if time.monotonic() - moved_at > still_seconds:
            raise LocalError(
                f"{import_id} stands still. Is the platform stopped (GET /api/admin/stop)? Else `make logs` says why; "
                "when that is mended, run this again: it goes on from here."
            )
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:500]


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["code"])
    except (ValueError, KeyError, TypeError):
        return ""


@contextmanager
def progress_bars() -> Iterator[Show]:
    """A bar for each word, on stderr; no more than its end where that is no terminal."""
    columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def show(word: str, done: int, total: int) -> None:
            if word not in tasks:
                tasks[word] = progress.add_task(word, total=total)
            progress.update(tasks[word], completed=done)

        yield show


def lines_of(file: str) -> list[Line]:
    """The counts in a file. Raises LocalError."""
    try:
        with Path(file).open(encoding="utf-8-sig", newline="") as text:
            return counts_file.read(text)
    except OSError as error:
        raise LocalError(f"{file} cannot be read: {error.strerror}. Give FILE=<a CSV of type,id,count>.") from error
    except UnicodeDecodeError as error:
        raise LocalError(f"{file} is not UTF-8 text: {error}") from error


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.import_counts", description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--file", default="", help="a CSV of type,id,count")
    parser.add_argument("--name", default="", help="what to call the import (default: the file's name)")
    given = parser.parse_args()
    if not given.file:
        raise LocalError("Give FILE=<a CSV of type,id,count>.")
    lines = lines_of(given.file)
    name = (given.name or Path(given.file).name)[:MOST_NAME]
    with chosen_api(given, "admin", TOKEN_HOURS) as http, progress_bars() as show:
        found, skipped = import_counts(http, lines, name, show)
    print(summary(found, skipped, lines))


if __name__ == "__main__":
    run(main)
