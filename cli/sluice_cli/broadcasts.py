"""`sluice broadcasts`: a message to many people (S5)."""

from pathlib import Path
from typing import Any

import click

from sluice_cli.client import Answer, Json
from sluice_cli.following import Look, follow, wait
from sluice_cli.output import counted, visible
from sluice_cli.session import Session
from sluice_cli.verbs import (
    COUNT,
    ID,
    PAGE,
    Field,
    Noun,
    body_of,
    edited,
    every_option,
    file_argument,
    given,
    id_argument,
    json_file,
    pair,
    table,
    watch_option,
    yes_option,
)

BROADCASTS = "/api/campaigns"
STATUSES = ("DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "FAILED", "COMPLETED")
_ONE = f"{BROADCASTS}/{{id}}"
_IMPORT = f"{_ONE}/imports/{{import_id}}"
_ROW_STATUSES = ("PENDING", "SENDING", "UNKNOWN", "SENT", "DELIVERED", "READ", "FAILED", "SKIPPED")
_LONG_SECONDS = 5

command = Noun("broadcasts", "A message to many people, each once.")


def _watch(session: Session, id: str, every: float | None) -> None:
    def read() -> Answer:
        return session.get(f"{_ONE.format(id=id)}/progress")

    follow(session, read, _look, again=f"sluice broadcasts watch {id}", every=every)


def _recipient(phone: str) -> Json:
    """A type of options: a phone."""
    return {"phone": phone}


def _window(text: str) -> Json:
    """A type of options: `[DAYS ]HH:MM-HH:MM`."""
    days, _, hours = text.strip().rpartition(" ")
    begin, dash, end = hours.partition("-")
    if not dash:
        raise click.BadParameter(f'it is [DAYS ]HH:MM-HH:MM, such as "mon,tue 09:00-18:00": {text!r}')
    named = {"weekdays": days.lower().split(",")} if days else {}
    return {"from": begin, "to": end, **named}


def _column(text: str) -> str | int:
    """A type of options: a name, or a number."""
    return int(text) if text.isdecimal() and text.isascii() else text


_TERMS = (
    Field("name", "--name", "TEXT", "What you call it.", required=True),
    Field("instanceId", "--instance", "ID", "The number that it is sent from.", required=True),
    Field("message", "--message", "TEXT", "The text; {{name}} is a recipient's variable."),
    Field("templateId", "--template", "ID", "A template, instead of a text."),
    Field("mediaId", "--media", "ID", "A file of `sluice media upload`."),
    Field("mediaUrl", "--media-url", "URL", "A file on the web, instead."),
    Field(
        "mediaType", "--media-type", "", "What the file is.", type=click.Choice(("image", "video", "audio", "document"))
    ),
    Field(
        "recipients",
        "--to",
        "PHONE",
        "A recipient; give several. For many, `import` a file.",
        multiple=True,
        type=_recipient,
    ),
    Field(
        "recipients",
        "--recipients",
        "FILE",
        "Recipients as a JSON list of {phone, variables}; - is stdin.",
        type=json_file,
    ),
    Field("rateLimit", "--rate", "N", "At most N messages a minute.", type=COUNT),
    Field("maxRetries", "--retries", "N", "How often what failed is tried again.", type=click.IntRange(min=0)),
    Field(
        "budget",
        "--budget",
        "N",
        "The most it may cost, in 1/1,000,000 of the currency: 5000000 is 5.00 USD.",
        type=COUNT,
    ),
    Field("timeZone", "--time-zone", "ZONE", "Such as America/Sao_Paulo."),
    Field(
        "windows",
        "--window",
        "[DAYS ]HH:MM-HH:MM",
        'When it may send, such as "mon,tue 09:00-18:00".',
        multiple=True,
        type=_window,
    ),
    Field("scheduledFor", "--at", "TIME", "When it starts by itself, such as 2027-01-31T09:00:00Z."),
)
_LINES = Field("lines", "--line", "N", "Show the message of this line too.", type=COUNT, multiple=True)

command.call(
    "list",
    f"GET {BROADCASTS}",
    "List broadcasts, the newest first.",
    "--status RUNNING",
    Field("status", "--status", "", "Only those of this status.", type=click.Choice(STATUSES, case_sensitive=False)),
    Field("instanceId", "--instance", "ID", "Only those of this instance."),
    Field("search", "--search", "TEXT", "Only those with this in their name."),
    Field("owner", "--owner", "NAME", "Those of this owner, for operators; * is all."),
    Field(
        "sortBy",
        "--sort",
        "",
        "By what to sort.",
        type=click.Choice(("createdAt", "updatedAt", "name", "status", "scheduledFor")),
    ),
    Field("sortOrder", "--order", "", "Which end comes first.", type=click.Choice(("asc", "desc"))),
    Field("offset", "--offset", "N", "Leave out the first N.", type=click.IntRange(min=0)),
    *PAGE,
    show=table(
        "id",
        "status",
        "name",
        "totalRecipients=total",
        "sentCount=sent",
        "deliveredCount=delivered",
        "failedCount=failed",
        "unknownCount=unknown",
        "createdAt=created",
    ),
)
command.call(
    "stats",
    f"GET {BROADCASTS}/stats",
    "Show totals over your broadcasts.",
    "",
    Field("owner", "--owner", "NAME", "Over those of this owner, for operators; * is all."),
)
command.call("show", f"GET {_ONE}", "Show a broadcast.", "brd_01")
command.call(
    "create",
    f"POST {BROADCASTS}",
    "Create a broadcast; it sends nothing before `start`, or --at.",
    '--name Winter --instance ins_01 --message "Winter is here" --to 5511987654321',
    *_TERMS,
)
command.call(
    "update",
    f"PUT {_ONE}",
    "Change a broadcast that has not started; what is not given stays, recipients are replaced.",
    "brd_01 --rate 30 --clear at",
    *edited(_TERMS, "message", "template", "media", "media-url", "budget", "time-zone", "window", "at"),
)
command.call(
    "delete",
    f"DELETE {_ONE}",
    "Delete a draft, or a broadcast that has ended.",
    "brd_01 --yes",
    ask="Delete {id} and its recipients?",
)


@command.verb("import", example="sluice broadcasts import brd_01 people.csv --phone-column phone")
@id_argument()
@file_argument
@click.option("--phone-column", type=_column, metavar="NAME", help="The column of phones, by name, or number from 1.")
@click.option("--zone-column", type=_column, metavar="NAME", help="The column of time zones.")
@click.option(
    "--variable", "variables", multiple=True, metavar="NAME", help="A column that is a variable; all others otherwise."
)
@click.option("--no-header", is_flag=True, help="The first line is a recipient too.")
@every_option
def import_(
    session: Session,
    id: str,
    file: Path,
    phone_column: str | int | None,
    zone_column: str | int | None,
    variables: tuple[str, ...],
    no_header: bool,
    every: float | None,
) -> None:
    """Replace a broadcast's recipients with those of a CSV file, and wait until they are in."""
    body = {"hasHeader": not no_header} | given(
        phoneColumn=phone_column, timezoneColumn=zone_column, variableColumns=list(variables) or None
    )
    form = session.send("POST", f"{BROADCASTS}/{id}/recipients/import", body, part="-form").json
    session.client.upload(form["upload"]["url"], form["upload"]["fields"], file)
    session.send("POST", f"{_IMPORT.format(id=id, import_id=form['id'])}/start", part="-start")
    _wait(session, id, form["id"], every)


def _wait(session: Session, id: str, import_id: str, every: float | None) -> None:
    def read() -> Answer:
        return session.get(_IMPORT.format(id=id, import_id=import_id))

    again = f"sluice broadcasts imported {id} {import_id} --watch"
    answer = wait(session, read, _look_import, again=again, every=every)
    _show_import(session, answer)
    if answer.json["status"] != "DONE":
        click.get_current_context().exit(1)


def _show_import(session: Session, answer: Answer) -> None:
    rest = ("rows", "accepted", "rejected", "duplicates", "warnings", "firstErrors", "firstWarnings", "errorsUrl")
    session.show(answer, only=("id", "status", "reason", *rest))


command.call(
    "imported",
    f"GET {_IMPORT}",
    "Show how an import stands, and the first rows that were rejected.",
    "brd_01 imp_01",
    show=_show_import,
    watch=_wait,
)


@command.verb(
    "simulate",
    *(each.optional() for each in _TERMS),
    _LINES,
    example='sluice broadcasts simulate --instance ins_01 --message "Winter is here" --to 5511987654321',
)
@click.argument("id", type=ID, required=False)
def simulate(session: Session, id: str | None, **values: Any) -> None:
    """Show who would get what, when, at what cost; of what `create` would make, or what is left of ID."""
    if id is None:
        session.show(session.send("POST", f"{BROADCASTS}/simulate", body_of([*_TERMS, _LINES], values)))
        return
    if body_of(_TERMS, values):
        raise click.UsageError("Give ID, or the terms of a new one; with ID there is --line alone.")
    session.show(session.send("POST", f"{BROADCASTS}/{id}/simulate", body_of([_LINES], values)))


@command.verb("test", example="sluice broadcasts test brd_01 5511987654321 --variable name=Mia")
@id_argument()
@click.argument("phone")
@click.option(
    "--variable", "variables", type=pair, multiple=True, metavar="NAME=TEXT", help="Instead of the first recipient's."
)
@watch_option
@every_option
def test(session: Session, id: str, phone: str, variables: Any, watch: bool, every: float | None) -> None:
    """Send a broadcast's message to one phone now."""
    body = {"phone": phone} | ({"variables": dict(variables)} if variables else {})
    answer = session.send("POST", f"{BROADCASTS}/{id}/test", body)
    _then(session, answer.json["id"] if watch else id, answer, watch, every)


command.section("Sending")


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


command.watch("watch", _watch, "Follow a broadcast to its end; exit 1 if it ends otherwise than completed.", "brd_01")
command.call("progress", f"GET {_ONE}/progress", "Show how far a broadcast is, and what it waits for.", "brd_01")
command.call(
    "pause",
    f"POST {_ONE}/actions",
    "Pause a broadcast; no message begins after the answer.",
    "brd_01",
    body={"action": "pause"},
)
command.call(
    "resume",
    f"POST {_ONE}/actions",
    "Let a paused broadcast go on.",
    "brd_01 --watch",
    body={"action": "resume"},
    watch=_watch,
)
command.call(
    "cancel",
    f"POST {_ONE}/actions",
    "Cancel a broadcast; who has not got it will not.",
    "brd_01 --yes",
    body={"action": "cancel"},
    ask="Cancel {id}? Who has not got the message will not get it.",
)


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
    body = {"action": "retry", "include_unknown": unknown, "include_final": final}
    _then(session, id, session.send("POST", f"{BROADCASTS}/{id}/actions", body), watch, every)


command.section("Recipients")
command.call(
    "recipients",
    f"GET {_ONE}/recipients",
    "List a broadcast's recipients, and what became of each.",
    "brd_01 --status FAILED",
    Field(
        "status", "--status", "", "Only those of this status.", type=click.Choice(_ROW_STATUSES, case_sensitive=False)
    ),
    Field("phone", "--phone", "PHONE", "Only this one."),
    Field("statuses", "--four", "", "Say PENDING, SENT, DELIVERED or FAILED alone.", is_flag=True, flag_value="source"),
    *PAGE,
    show=table(
        "line",
        "recipient=phone",
        "status",
        "retryCount=retries",
        "sentAt=sent",
        "deliveredAt=delivered",
        "error.text=error",
        "key",
    ),
)
command.call(
    "recipient",
    f"GET {_ONE}/recipients/{{key}}",
    "Show one recipient, with each attempt and the error.",
    "brd_01 row_01",
)
command.export("report", f"{_ONE}/report.csv", "Write what became of each recipient as CSV.", "brd_01 -o report.csv")


def _then(session: Session, id: str, answer: Answer, watch: bool, every: float | None) -> None:
    if watch:
        _watch(session, id, every)
    else:
        session.show(answer)


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


def _look_import(answer: Answer) -> Look:
    found = answer.json
    status = found["status"]
    good = None if status in ("AWAITING_FILE", "CHECKING", "IMPORTING") else status == "DONE"
    more = ", ".join(f"{found[name]:,} {name}" for name in ("rejected", "duplicates") if found[name])
    return Look(status, found["accepted"], found["rows"] or None, good, more, 1)
