"""`sluice token create`: tokens for people and services."""

from typing import Any

import click

from sluice_cli.session import Session
from sluice_cli.verbs import Field, Noun, body_of

command = Noun("token", "Tokens for people and services.")

_ROUTE = "/api/admin/tokens"
_FIELDS = (
    Field(
        "role",
        "--role",
        "",
        "What it lets its bearer do.",
        type=click.Choice(("user", "service", "operator", "admin")),
        required=True,
    ),
    Field("subject", "--subject", "NAME", "Who bears it, for the audit trail.", required=True),
    Field("hours", "--hours", "N", "Hours until it expires; 1 otherwise, at most 12.", type=click.IntRange(1, 12)),
)


@command.verb("create", *_FIELDS, example="sluice token create --role operator --subject ada --hours 8")
def create(session: Session, **values: Any) -> None:
    """Print a new token, of a role that is not above your own."""
    # Without a key, and so not repeated: the answer of a key would be stored, and the token with it.
    answer = session.checked(session.client.call("POST", _ROUTE, body=body_of(_FIELDS, values)))
    if session.json:
        session.raw(answer.body)
        return
    found = answer.json
    session.echo(str(found["token"]))
    session.note(
        f"{found['role']} for {found['subject']} until {session.words.moment(found['expires_at'])}. "
        "Whoever has it is let in until then."
    )
