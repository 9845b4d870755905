"""`sluice login` and `sluice profiles`."""

import click

from sluice_cli import profiles as kept
from sluice_cli.client import Client, checked
from sluice_cli.errors import WrongUse
from sluice_cli.session import Session
from sluice_cli.verbs import verb


@verb("login", example="sluice login --profile prod --url https://api.example.com --with-token < token.txt")
@click.option("--with-token", is_flag=True, help="Read the token from stdin.")
@click.option("--token-command", metavar="LINE", help="Keep a command that prints a token, instead of a token.")
def command(session: Session, with_token: bool, token_command: str | None) -> None:
    """Keep an address and a token in a profile."""
    name = kept.checked_name(session.profile or "default")
    if with_token and token_command:
        raise WrongUse("Give --with-token or --token-command, not both.")
    url = session.required(session.url or None, "--url", "Address of the API")
    if token_command:
        profile = kept.Profile(url, token_command=token_command)
    elif session.token and not with_token:
        profile = kept.Profile(url, token=session.token.strip())
    else:
        profile = kept.Profile(url, token=session.secret(with_token, "--with-token or --token-command", "Token"))
    answer = Client(url, profile.bearer(), session.note if session.verbose else lambda line: None).call(
        "GET", "/api/v1/wallets/me"
    )
    if not (answer.status == 403 and answer.json.get("code")):  # a good token, of a role that has no wallet
        checked(answer)
    known = kept.read()
    known.by_name[name] = profile
    known.default = known.default or name
    kept.write(known)
    session.note(f"Kept as {name!r} in {kept.path()}.")


@verb("profiles", example="sluice profiles")
def profiles(session: Session) -> None:
    """List the profiles."""
    known = kept.read()
    rows = [
        {
            "name": name,
            "url": each.url,
            "token": "command" if each.token_command else "kept",
            "default": name == known.default,
        }
        for name, each in known.by_name.items()
    ]
    if session.json:
        import json

        session.echo(json.dumps({"items": rows}))
        return
    for line in session.words.table(rows, ("name", "url", "token", "default")) if rows else []:
        session.echo(line)
    if not rows:
        session.note("There is no profile yet. `sluice login` makes one.")
