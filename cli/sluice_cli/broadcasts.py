"""`sluice broadcasts`: a message to many people (S5)."""

import json
import time
from pathlib import Path
from typing import Any

import click

from sluice_cli.client import Answer
from sluice_cli.errors import WrongUse
from sluice_cli.following import Look, follow
from sluice_cli.output import counted, visible
from sluice_cli.session import Session
from sluice_cli.verbs import (
    COUNT,
    ID,
    Noun,
    every_option,
    given,
    id_argument,
    output_option,
    paged,
    watch_option,
    yes_option,
)

BROADCASTS = "/api/campaigns"
STATUSES = ("DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "FAILED", "COMPLETED")
_COLUMNS = (
    "id",
    "status",
    "name",
    "totalRecipients=total",
    "sentCount=sent",
    "deliveredCount=delivered",
    "failedCount=failed",
    "unknownCount=unknown",
    "createdAt=created",
)
_ROW_STATUSES = ("PENDING", "SENDING", "UNKNOWN", "SENT", "DELIVERED", "READ", "FAILED", "SKIPPED")
_LONG_SECONDS = 5

command = Noun("broadcasts", "A message to many people, each once.")


@command.verb("list", example="sluice broadcasts list --status RUNNING")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only those of this status.")
@click.option("--instance", type=ID, metavar="ID", help="Only those of this instance.")
@click.option("--search", metavar="TEXT", help="Only those with this in their name.")
@click.option("--owner", metavar="NAME", help="Those of this owner, for operators; * is all.")
@paged
def list_(
    session: Session,
    status: str | None,
    instance: str | None,
    search: str | None,
    owner: str | None,
    limit: int | None,
    cursor: str | None,
) -> None:
    """List broadcasts, the newest first."""
    query = {
        "status": status,
        "instanceId": instance,
        "search": search,
        "owner": owner,
        "limit": limit,
        "cursor": cursor,
    }
    session.show_page(session.get(BROADCASTS, query), _COLUMNS)


@command.verb("show", example="sluice broadcasts show brd_01")
@id_argument()
def show(session: Session, id: str) -> None:
    """Show a broadcast."""
    session.show(session.get(f"{BROADCASTS}/{id}"))


@command.verb("progress", example="sluice broadcasts progress brd_01")
@id_argument()
def progress(session: Session, id: str) -> None:
    """Show how far a broadcast is, and what it waits for."""
    session.show(session.get(f"{BROADCASTS}/{id}/progress"))


@command.verb(
    "create",
    example='sluice broadcasts create --name Winter --instance ins_01 --message "Winter is here" --to 5511987654321',
)
@click.option("--name", required=True, metavar="TEXT", help="What you call it.")
@click.option("--instance", type=ID, required=True, metavar="ID", help="The number that it is sent from.")
@click.option("--message", metavar="TEXT", help="The text; {{name}} is a recipient's variable.")
@click.option("--template", type=ID, metavar="ID", help="A template, instead of a text.")
@click.option("--media", type=ID, metavar="ID", help="An uploaded picture, film or document.")
@click.option(
    "--to", "phones", multiple=True, metavar="PHONE", help="A recipient; give several. For many, `import` a file."
)
@click.option(
    "--recipients", type=click.File("rb"), metavar="FILE", help="Recipients as a JSON list of {phone, variables}."
)
@click.option("--rate", type=COUNT, metavar="N", help="At most N messages a minute.")
@click.option("--retries", type=click.IntRange(min=0), metavar="N", help="How often what failed is tried again.")
@click.option("--budget", type=COUNT, metavar="N", help="The most it may cost, in the currency's smallest units.")
@click.option("--time-zone", metavar="ZONE", help="Such as America/Sao_Paulo.")
@click.option(
    "--window",
    "windows",
    multiple=True,
    metavar="[DAYS ]HH:MM-HH:MM",
    help='When it may send, such as "mon,tue 09:00-18:00".',
)
@click.option("--at", metavar="TIME", help="When it starts by itself, such as 2027-01-31T09:00:00Z.")
def create(
    session: Session,
    name: str,
    instance: str,
    message: str | None,
    template: str | None,
    media: str | None,
    phones: tuple[str, ...],
    recipients: Any,
    rate: int | None,
    retries: int | None,
    budget: int | None,
    time_zone: str | None,
    windows: tuple[str, ...],
    at: str | None,
) -> None:
    """Create a broadcast; it sends nothing before `start`."""
    if phones and recipients is not None:
        raise WrongUse("Give --to or --recipients, not both.")
    listed: object = [{"phone": phone} for phone in phones] or None
    if recipients is not None:
        try:
            listed = json.loads(recipients.read())
        except ValueError as error:
            raise WrongUse(f"The recipients are not JSON: {error}") from error
    body = {"name": name, "instanceId": instance} | given(
        message=message,
        templateId=template,
        mediaId=media,
        recipients=listed,
        rateLimit=rate,
        maxRetries=retries,
        budget=budget,
        timeZone=time_zone,
        windows=[_window(each) for each in windows] or None,
        scheduledFor=at,
    )
    session.show(session.send("POST", BROADCASTS, body))


@command.verb("import", example="sluice broadcasts import brd_01 people.csv --phone-column phone")
@id_argument()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--phone-column", metavar="NAME", help="The column of phones, by name, or by number from 0.")
@click.option("--zone-column", metavar="NAME", help="The column of time zones.")
@click.option(
    "--variable", "variables", multiple=True, metavar="NAME", help="A column that is a variable; all others otherwise."
)
@click.option("--no-header", is_flag=True, help="The first line is a recipient too.")
@every_option
def import_(
    session: Session,
    id: str,
    file: Path,
    phone_column: str | None,
    zone_column: str | None,
    variables: tuple[str, ...],
    no_header: bool,
    every: float | None,
) -> None:
    """Replace a broadcast's recipients with those of a CSV file, and wait until they are in."""
    body = {"hasHeader": not no_header} | given(
        phoneColumn=_column(phone_column), timezoneColumn=_column(zone_column), variableColumns=list(variables) or None
    )
    form = session.send("POST", f"{BROADCASTS}/{id}/recipients/import", body, part="-form").json
    session.client.upload(form["upload"]["url"], form["upload"]["fields"], file)
    path = f"{BROADCASTS}/{id}/imports/{form['id']}"
    session.send("POST", f"{path}/start", part="-start")
    while (answer := session.get(path)).json["status"] in ("AWAITING_FILE", "CHECKING", "IMPORTING"):
        time.sleep(every if every is not None else 1)
    session.show(answer)
    if answer.json["status"] != "DONE":
        click.get_current_context().exit(1)


@command.verb("simulate", example="sluice broadcasts simulate brd_01")
@id_argument()
@click.option("--line", "lines", type=COUNT, multiple=True, metavar="N", help="Show the message of this line too.")
def simulate(session: Session, id: str, lines: tuple[int, ...]) -> None:
    """Show who would get what, when it would end and what it would cost; send nothing."""
    session.show(session.send("POST", f"{BROADCASTS}/{id}/simulate", given(lines=list(lines) or None)))


def _start(session: Session, id: str, plan: str, yes: bool, watch: bool, every: float | None) -> None:
    if not yes:
        found = session.get(f"{BROADCASTS}/{id}").json
        people = counted(found["totalRecipients"], "person", ["people"])
        session.confirm(f"Send {visible(found['name'])!r} to {people}?", yes=False)
    answer = session.send("POST", f"{BROADCASTS}/{id}/actions", {"action": "start"}, if_match=plan)
    _then(session, id, answer, watch, every)


def _starting(run: Any) -> Any:
    for option in (every_option, watch_option, yes_option):
        run = option(run)
    run = click.option("--plan", default="", metavar="HASH", help="Only if `simulate` still says this planHash.")(run)
    return id_argument()(run)


@command.verb("start", example="sluice broadcasts start brd_01 --yes --watch")
@_starting
def start(session: Session, **options: Any) -> None:
    """Send a broadcast to its recipients."""
    _start(session, **options)


@command.verb("send", example="sluice broadcasts send brd_01 --yes")
@_starting
def send(session: Session, **options: Any) -> None:
    """Send a broadcast to its recipients, as `start` does."""
    _start(session, **options)


@command.verb("watch", example="sluice broadcasts watch brd_01")
@id_argument()
@every_option
def watch(session: Session, id: str, every: float | None) -> None:
    """Follow a broadcast to its end; exit 1 if it ends otherwise than completed."""
    _watch(session, id, every)


@command.verb("pause", example="sluice broadcasts pause brd_01")
@id_argument()
def pause(session: Session, id: str) -> None:
    """Pause a broadcast; no message begins after the answer."""
    session.show(_act(session, id, {"action": "pause"}))


@command.verb("resume", example="sluice broadcasts resume brd_01 --watch")
@id_argument()
@watch_option
@every_option
def resume(session: Session, id: str, watch: bool, every: float | None) -> None:
    """Let a paused broadcast go on."""
    _then(session, id, _act(session, id, {"action": "resume"}), watch, every)


@command.verb("cancel", example="sluice broadcasts cancel brd_01 --yes")
@id_argument()
@yes_option
def cancel(session: Session, id: str, yes: bool) -> None:
    """Cancel a broadcast; who has not got it will not."""
    session.confirm(f"Cancel {id}? Who has not got the message will not get it.", yes=yes)
    session.show(_act(session, id, {"action": "cancel"}))


@command.verb("retry", example="sluice broadcasts retry brd_01")
@id_argument()
@click.option("--unknown", is_flag=True, help="Also those of whom nobody knows: some may get it twice.")
@click.option("--final", is_flag=True, help="Also those whose error will hardly go away.")
@yes_option
@watch_option
@every_option
def retry(session: Session, id: str, unknown: bool, final: bool, yes: bool, watch: bool, every: float | None) -> None:
    """Send again to exactly those that failed."""
    if unknown:
        session.confirm("Some may get the message twice. Go on?", yes=yes)
    answer = _act(session, id, {"action": "retry", "include_unknown": unknown, "include_final": final})
    _then(session, id, answer, watch, every)


@command.verb("recipients", example="sluice broadcasts recipients brd_01 --status FAILED")
@id_argument()
@click.option("--status", type=click.Choice(_ROW_STATUSES, case_sensitive=False), help="Only those of this status.")
@click.option("--phone", metavar="PHONE", help="Only this one.")
@paged
def recipients(
    session: Session, id: str, status: str | None, phone: str | None, limit: int | None, cursor: str | None
) -> None:
    """List a broadcast's recipients, and what became of each."""
    query = {"status": status, "phone": phone, "limit": limit, "cursor": cursor}
    columns = (
        "line",
        "recipient=phone",
        "status",
        "retryCount=retries",
        "sentAt=sent",
        "deliveredAt=delivered",
        "error.text=error",
    )
    session.show_page(session.get(f"{BROADCASTS}/{id}/recipients", query), columns)


@command.verb("report", example="sluice broadcasts report brd_01 -o report.csv")
@id_argument()
@output_option
def report(session: Session, id: str, output: Any) -> None:
    """Write what became of each recipient as CSV."""
    session.save(f"{BROADCASTS}/{id}/report.csv", output)


@command.verb("delete", example="sluice broadcasts delete brd_01 --yes")
@id_argument()
@yes_option
def delete(session: Session, id: str, yes: bool) -> None:
    """Delete a draft, or a broadcast that has ended."""
    session.confirm(f"Delete {id} and its recipients?", yes=yes)
    session.show(session.send("DELETE", f"{BROADCASTS}/{id}"))


def _act(session: Session, id: str, body: dict[str, Any]) -> Answer:
    return session.send("POST", f"{BROADCASTS}/{id}/actions", body)


def _then(session: Session, id: str, answer: Answer, watch: bool, every: float | None) -> None:
    if watch:
        _watch(session, id, every)
    else:
        session.show(answer)


def _watch(session: Session, id: str, every: float | None) -> None:
    def read() -> Answer:
        return session.get(f"{BROADCASTS}/{id}/progress")

    follow(session, read, _look, again=f"sluice broadcasts watch {id}", every=every)


def _look(answer: Answer) -> Look:
    found = answer.json
    status = found["status"]
    good = True if status == "COMPLETED" else False if status in ("FAILED", "deleted") else None
    told = [
        f"{found[f'{name}Count']:,} {name}"
        for name in ("delivered", "failed", "unknown", "skipped")
        if found[f"{name}Count"]
    ]
    if good is None:
        waits = "stop" if found["platformStopped"] else found["pauseReason"] or found["waitingFor"]
        told += [f"waits for {waits}"] if waits else []
    elif found["failureReason"]:
        told.append(found["failureReason"])
    settled = found["totalRecipients"] - found["pendingCount"] - found["inFlight"]
    pause = found["nextPollSeconds"] if status != "PAUSED" else _LONG_SECONDS
    return Look(status, settled, found["totalRecipients"], good, ", ".join(told), pause)


def _window(text: str) -> dict[str, Any]:
    days, _, hours = text.strip().rpartition(" ")
    begin, dash, end = hours.partition("-")
    if not dash:
        raise WrongUse(f'A window is [DAYS ]HH:MM-HH:MM, such as "mon,tue 09:00-18:00": {text!r}')
    named = {"weekdays": days.lower().split(",")} if days else {}
    return {"from": begin, "to": end, **named}


def _column(name: str | None) -> str | int | None:
    return int(name) if name is not None and name.isdecimal() and name.isascii() else name
