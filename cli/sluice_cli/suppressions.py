"""`sluice suppressions`: people whom no broadcast writes to."""

from typing import Any

import click

from sluice_cli.phones import FILE, phones_of, send_all
from sluice_cli.session import Session
from sluice_cli.verbs import OWNER, PAGE, Noun, Word, reason_option, table

SUPPRESSIONS = "/api/suppressions"

command = Noun("suppressions", "People whom no broadcast writes to.")

command.call(
    "list",
    f"GET {SUPPRESSIONS}",
    "List who is suppressed, in no order.",
    "",
    OWNER,
    *PAGE,
    show=table("phone", "reason", "at=since"),
)
command.call(
    "add",
    f"POST {SUPPRESSIONS}",
    "Write to this person no more.",
    '5511987654321 --reason "asked by phone"',
    Word("phone", "phone"),
    why=True,
)
command.call(
    "remove",
    f"DELETE {SUPPRESSIONS}",
    "Write to this person again.",
    "5511987654321 --yes",
    Word("phone", "phone"),
    ask="May broadcasts write to {phone} again?",
)


@command.verb("import", example='sluice suppressions import blocked.csv --reason "the old system"')
@click.argument("file", type=FILE)
@reason_option
def import_(session: Session, file: Any, reason: str | None) -> None:
    """Suppress all in a file, a phone a line; - is stdin. Exit 1 if some are no phones."""
    why = session.required(reason, "--reason", "Why")
    send_all(session, "POST", f"{SUPPRESSIONS}/import", phones_of(file), {"reason": why})


command.export("export", f"{SUPPRESSIONS}/export", "Write who is suppressed as CSV.", "-o blocked.csv", OWNER)
