"""Phones from a file, sent by the thousand, and what became of them."""

import csv
import io
from typing import IO, Any

import click

from sluice_cli.client import Json
from sluice_cli.errors import WrongUse
from sluice_cli.session import Session

MOST = 1000
FILE = click.File("rb")


def phones_of(file: IO[bytes]) -> list[str]:
    """The first column of a CSV, without a heading, so that an export can be imported. Raises WrongUse for none."""
    try:
        rows = list(csv.reader(io.StringIO(file.read().decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise WrongUse(f"{file.name} is no text of phones, one a line.") from error
    found = [row[0].strip() for row in rows if row and row[0].strip()]
    found = found[1:] if found[:1] == ["phone"] else found
    if not found:
        raise WrongUse(f"{file.name} has no phone.")
    return found


def send_all(session: Session, method: str, path: str, phones: list[str], body: Json) -> None:
    """Send them by the thousand, and show the sum; as JSON, an answer a line. Exit 1 if some are no phones."""
    total: dict[str, int] = {"changed": 0, "unchanged": 0}
    refused: list[dict[str, Any]] = []
    for begin in range(0, len(phones), MOST):
        some = phones[begin : begin + MOST]
        answer = session.send(method, path, {"phones": some, **body}, part=f"-{begin}")
        if session.json:
            session.raw(answer.body)
        found = answer.json
        refused += [{"phone": some[each["row"]], "message": each["message"]} for each in found["refused"]]
        for name in total:
            total[name] += found[name]
    if not session.json:
        for line in session.words.facts({**total, "refused": refused}):
            session.echo(line)
    if refused:
        click.get_current_context().exit(1)
