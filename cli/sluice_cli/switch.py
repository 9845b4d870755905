"""`sluice health`, `stop`, `resume` and `redrive`: the whole platform."""

import click

from sluice_cli import output
from sluice_cli.client import Json
from sluice_cli.session import Session
from sluice_cli.verbs import reason_option, verb, yes_option

_HEALTH = "/api/admin/health"
_DEAD_LETTERS = "_dead_letters"
"""How the part of Health ends that counts a queue's dead letters."""
_NOT_REDRIVEN = "outbox"
"""The sweeper publishes these events."""


def _show_health(session: Session, found: Json) -> None:
    """The queues as one table."""
    queues, rest = [], {}
    for name, value in found.items():
        queue, dead = name.removesuffix("_queue"), name.removesuffix(_DEAD_LETTERS)
        if queue != name:
            queues.append({"queue": queue.replace("_", " "), **value, "dead": found.get(queue + _DEAD_LETTERS)})
        elif dead == name or f"{dead}_queue" not in found:
            rest[name] = value
    for line in session.words.facts({**rest, "queues": queues}):
        session.echo(line)


@verb("health", example="sluice health")
def health(session: Session) -> None:
    """Say whether everything works; exit 1 if something does not."""
    answer = session.get(_HEALTH)
    if session.json:
        session.raw(answer.body)
    else:
        _show_health(session, answer.json)
    if answer.json["status"] != "ok":
        click.get_current_context().exit(1)


@verb("ping", example="sluice ping")
def ping(session: Session) -> None:
    """Say whether the API answers; it checks nothing behind it, and takes no token."""
    session.show(session.get("/health"))


@verb("stopped", example="sluice stopped")
def stopped(session: Session) -> None:
    """Say whether the platform is stopped, since when, by whom and why."""
    session.show(session.get("/api/admin/stop"))


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


@verb("redrive", example="sluice redrive boosts")
@click.argument("queue", required=False)
def redrive(session: Session, queue: str | None) -> None:
    """Put dead letters back on their QUEUE, or without QUEUE on all; exit 1 if some are left."""
    names = [queue] if queue is not None else _queues_with_dead_letters(session)
    if not names:
        session.note("There are no dead letters.")
    left = sum(_redrive(session, name) for name in names)
    if left:
        session.note(
            f"{output.counted(left, 'dead letter')} left: another call holds them for up to a minute, or they came "
            "back at once. See why in the functions' logs, and run it again."
        )
        click.get_current_context().exit(1)


def _queues_with_dead_letters(session: Session) -> list[str]:
    """Those of which Health counts some, or cannot say how many."""
    parts = session.get(_HEALTH).json
    names = [name.removesuffix(_DEAD_LETTERS) for name in parts if name.endswith(_DEAD_LETTERS)]
    return [name for name in names if name != _NOT_REDRIVEN and parts[name + _DEAD_LETTERS] != 0]


def _redrive(session: Session, queue: str) -> int:
    """Call until nothing is left, and return how many are. What came back meanwhile is not moved again."""
    moved, first = 0, None
    while True:
        answer = session.send("POST", "/api/admin/redrive", {"queue": queue}, part=f"-{queue}-{moved}")
        found = answer.json
        moved, left = moved + found["moved"], found["left"]
        first = moved + left if first is None else first
        if session.json:
            session.raw(answer.body)
        if not left or not found["moved"] or moved >= first:
            break
    if not session.json:
        session.echo(f"{queue}  {moved:,} moved, {left:,} left")
    return int(left)
