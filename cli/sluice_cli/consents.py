"""`sluice consents`: people who have said that they may be written to."""

from typing import Any

import click

from sluice_cli.phones import FILE, phones_of, send_all
from sluice_cli.session import Session
from sluice_cli.verbs import Noun, yes_option

CONSENTS = "/api/consents"

command = Noun("consents", "People who have agreed to be written to.")

_PEOPLE = click.argument("phones", nargs=-1, metavar="[PHONE]...")
_FILE = click.option("--file", type=FILE, metavar="FILE", help="More phones, one a line; - is stdin.")


def _phones(phones: tuple[str, ...], file: Any) -> list[str]:
    found = [*phones, *(phones_of(file) if file is not None else ())]
    if not found:
        raise click.UsageError("Give a phone, or --file.")
    return found


@command.verb("add", example='sluice consents add 5511987654321 --source "the form of 2026-11-01"')
@_PEOPLE
@_FILE
@click.option("--source", required=True, metavar="TEXT", help="Where the consent comes from.")
def add(session: Session, phones: tuple[str, ...], file: Any, source: str) -> None:
    """Note that people have consented, and where; exit 1 if some are no phones."""
    send_all(session, "POST", CONSENTS, _phones(phones, file), {"source": source})


@command.verb("remove", example="sluice consents remove 5511987654321 --yes")
@_PEOPLE
@_FILE
@yes_option
def remove(session: Session, phones: tuple[str, ...], file: Any, yes: bool) -> None:
    """Note that people have taken their consent back; exit 1 if some are no phones."""
    found = _phones(phones, file)
    session.confirm(f"Take back the consent of {len(found):,}?", yes=yes)
    send_all(session, "DELETE", CONSENTS, found, {})
