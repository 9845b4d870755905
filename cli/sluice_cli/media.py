"""`sluice media`: files that broadcasts carry."""

from pathlib import Path

import click

from sluice_cli.session import Session
from sluice_cli.verbs import Noun, file_argument, uploaded

command = Noun("media", "Files that broadcasts carry.")


@command.verb("upload", example="sluice media upload winter.png")
@file_argument
@click.option("--type", "kind", metavar="TYPE", help="Such as image/png; by its name otherwise.")
def upload(session: Session, file: Path, kind: str | None) -> None:
    """Upload a file for `broadcasts create --media`; it is kept for 30 days."""
    uploaded(session, "/api/media", file, kind, "contentType", "mediaId")
