"""`sluice api`: any route of docs/openapi.json."""

import json
from typing import Any

import click

from sluice_cli.errors import WrongUse
from sluice_cli.session import Session
from sluice_cli.verbs import verb

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@verb("api", example="sluice api POST /api/admin/views/sync -f force=true")
@click.argument("method", type=click.Choice(_METHODS, case_sensitive=False))
@click.argument("path")
@click.option(
    "-f",
    "--field",
    "fields",
    multiple=True,
    metavar="K=V",
    help="A field of the body, of a GET's query. V is JSON, or else text.",
)
@click.option("--input", "file", type=click.File("rb"), metavar="FILE", help="The body as JSON; - is stdin.")
@click.option("--key", default="", metavar="KEY", help="An Idempotency-Key. With it a lost answer is asked for again.")
def command(session: Session, method: str, path: str, fields: tuple[str, ...], file: Any, key: str) -> None:
    """Call any route, and print its answer."""
    if not path.startswith("/"):
        raise WrongUse(f"A path begins with a slash, such as /api/admin/health: {path!r}")
    named = dict(_field(each) for each in fields)
    if file is not None and named:
        raise WrongUse("Give --field or --input, not both.")
    body: object = named or None
    if file is not None:
        try:
            body = json.loads(file.read())
        except ValueError as error:
            raise WrongUse(f"The input is not JSON: {error}") from error
    query = named if method == "GET" else None
    if method == "GET":
        body = None
        if file is not None:
            raise WrongUse("A GET has no body: give --field for its query.")
    answer = session.client.call(method, path, body=body, query=_words(query), key=key)
    if answer.body and 200 <= answer.status < 300:
        session.raw(answer.body)
    session.checked(answer)


def _field(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise WrongUse(f"A field is NAME=VALUE: {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _words(query: dict[str, Any] | None) -> dict[str, object] | None:
    """True and false as a URL has them."""
    if query is None:
        return None
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
