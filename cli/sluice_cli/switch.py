"""`sluice health`, `stop` and `resume`: the whole platform."""

import click

from sluice_cli.session import Session
from sluice_cli.verbs import reason_option, verb, yes_option


@verb("health", example="sluice health")
def health(session: Session) -> None:
    """Say whether everything works; exit 1 if something does not."""
    answer = session.get("/api/admin/health")
    session.show(answer)
    if answer.json["status"] != "ok":
        click.get_current_context().exit(1)


@verb("stop", example='sluice stop --reason "wrong prices" --yes')
@reason_option
@yes_option
def stop(session: Session, reason: str | None, yes: bool) -> None:
    """Stop every campaign of every kind."""
    why = session.required(reason, "--reason", "Why")
    session.confirm("Stop every campaign of every kind?", yes=yes)
    session.show(session.send("POST", "/api/admin/stop", {"reason": why}))


@verb("resume", example='sluice resume --reason "prices are right again"')
@reason_option
def resume(session: Session, reason: str | None) -> None:
    """Let the stopped platform go on."""
    why = session.required(reason, "--reason", "Why")
    session.show(session.send("POST", "/api/admin/resume", {"reason": why}))
