"""`sluice hooks`: endpoints for webhooks, their deliveries, and the check of a signature (S1-62)."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, Any

import click

from sluice_cli.client import Answer, Json
from sluice_cli.errors import WrongUse
from sluice_cli.output import counted
from sluice_cli.session import Session
from sluice_cli.verbs import PAGE, Field, Noun, Word, id_argument, table

HOOKS = "/api/admin/hooks"
SECRET = "SLUICE_HOOK_SECRET"
MOST_REPLAYED = 1_000
STATUSES = ("waiting", "sending", "delivered", "failed", "held", "dropped")
_ONE = f"{HOOKS}/{{id}}"
_DELIVERY = f"{_ONE}/deliveries/{{delivery}}"

command = Noun("hooks", "Webhooks: events, sent to your own servers by signed requests.")


def _no_filter(context: click.Context, parameter: click.Parameter, value: Any) -> list[str] | None:
    return [] if value else None


_EVENTS = Field(
    "events",
    "--event",
    "TYPE",
    "Only events of this type, such as boost.completed or boost.*; give several. Otherwise all but broadcast.message_* "
    "and hook.*.",
    multiple=True,
)
_DESCRIPTION = Field("description", "--description", "TEXT", "Whose it is, for people.")


def _in_words(found: Json) -> Json:
    """An endpoint as people read it: no filter is all events, and an old secret that signs no longer is not named."""
    until = found.get("old_signs_until")
    is_over = until is not None and datetime.fromisoformat(until) <= datetime.now(UTC)
    return {**found, "events": found.get("events") or ["all"], "old_signs_until": None if is_over else until}


def _saying(answer: Answer, body: Json) -> Answer:
    return replace(answer, body=json.dumps(body).encode())


def _show(session: Session, answer: Answer) -> None:
    """Show an endpoint."""
    session.show(answer if session.json else _saying(answer, _in_words(answer.json)))


def _show_secret(session: Session, answer: Answer) -> None:
    """Show an endpoint with its secret, and say on stderr what to do with it."""
    _show(session, answer)
    found = answer.json
    if not found.get("secret"):
        session.note(
            "This is an earlier answer: the secret was rotated twice since, and the one of then no longer signs."
        )
        return
    session.note(
        "The secret is not shown again. Store it where the receiver reads its secrets, and check each request with it: "
        "docs/webhooks.md."
    )
    if found.get("old_signs_until"):
        until = _in_words(found)["old_signs_until"]
        along = f"signs too until {session.words.moment(until)}" if until else "signs nothing any more"
        session.note(f"The secret before {along}.")


def _show_list(session: Session, answer: Answer) -> None:
    found = answer.json
    said = _saying(answer, {**found, "items": [_in_words(each) for each in found.get("items") or []]})
    session.show_page(
        answer if session.json else said,
        ("id", "status", "url", "events", "last_success_at=last success", "failing_since", "master"),
    )
    if not session.json and (masters := found.get("masters_in_use")):
        session.note(f"Masters of HooksSecret in use: {', '.join(map(str, masters))}")


def _show_asked(session: Session, answer: Answer) -> None:
    """What was asked for is under way: the API answers with the endpoint alone."""
    if session.json:
        session.raw(answer.body)
        return
    session.echo("accepted")
    session.note(f"See it arrive by: sluice hooks deliveries {answer.json['id']}")


command.call(
    "list", f"GET {HOOKS}", "List the endpoints, and the masters that their secrets come from.", "", show=_show_list
)
command.call(
    "show",
    f"GET {_ONE}",
    "Show an endpoint, and how much is held for it; its secret is never shown again.",
    "hok_01",
    show=_show,
)
command.call(
    "create",
    f"POST {HOOKS}",
    "Create an endpoint, and print its secret, once.",
    "https://example.com/hooks --event 'boost.*' --event platform.stopped --description 'the shop'",
    Word("url", "receiver"),
    _EVENTS,
    _DESCRIPTION,
    show=_show_secret,
)
command.call(
    "update",
    f"PATCH {_ONE}",
    "Change where an endpoint's requests go, or which events it gets.",
    "hok_01 --event boost.completed",
    Field("url", "--move-to", "URL", "Where requests go: https, port 443, a public address."),
    _EVENTS,
    Field(
        "events", "--all-events", "", "All again, as without --event at `create`.", is_flag=True, callback=_no_filter
    ),
    Field("description", "--description", "TEXT", "Whose it is, for people; '' takes it away."),
    show=_show,
)
command.call(
    "delete",
    f"DELETE {_ONE}",
    "Delete an endpoint; what is on its way is dropped.",
    "hok_01 --yes",
    ask="Delete {id}, and drop what is on its way to it?",
    show=_show,
)
command.call(
    "rotate",
    f"POST {_ONE}/rotate",
    "Make a new secret, and print it, once; the one before signs too for a while, and one before that no longer.",
    "hok_01 --overlap 48",
    Field(
        "overlap_hours",
        "--overlap",
        "HOURS",
        "How long the secret before signs too; 24 otherwise, and 0 if it was leaked.",
        type=click.IntRange(0, 168),
    ),
    show=_show_secret,
)
command.call(
    "disable",
    f"PATCH {_ONE}",
    "Send an endpoint nothing more; its events are held for 30 days.",
    "hok_01",
    body={"status": "disabled"},
    show=_show,
)


@command.verb("enable", example="sluice hooks enable hok_01 --replay-held")
@id_argument()
@click.option("--replay-held", is_flag=True, help="Then send what was held, at most 1,000 events.")
def enable(session: Session, id: str, replay_held: bool) -> None:
    """Send to an endpoint again, and say how many events were held for it."""
    enabled = session.send("POST", f"{_ONE.format(id=id)}/enable")
    _show(session, enabled)
    found = enabled.json
    if not found["held"]:
        return
    # An event may be older than its endpoint, or wait for days before it is held.
    held = {"from": "1970-01-01T00:00:00Z", "to": found["updated_at"], "status": "held"}
    if not replay_held:
        session.note(
            f"To send them: sluice hooks replay-range {id} --from {held['from']} --to {held['to']} --status held"
        )
        return
    session.send("POST", f"{_ONE.format(id=id)}/replay", held, part="-replay")
    if found["held"] > MOST_REPLAYED:
        session.note(f"The oldest {MOST_REPLAYED:,} of them are on their way; run it again for the rest.")
    else:
        session.note(f"{counted(found['held'], 'delivery is', ('deliveries are',))} on the way.")
    session.note(f"See what comes of it: sluice hooks deliveries {id}")


command.call(
    "test",
    f"POST {_ONE}/test",
    "Send an endpoint the event hook.test, by the way that all events take.",
    "hok_01",
    show=_show_asked,
)

command.section("Deliveries")
command.call(
    "deliveries",
    f"GET {_ONE}/deliveries",
    "List an endpoint's deliveries, the newest first.",
    "hok_01 --status failed",
    Field("status", "--status", "", "Only those of this status.", type=click.Choice(STATUSES)),
    *PAGE,
    show=table("id", "status", "event_type=event", "event_at", "attempts", "wake_at=next", "event_id=webhook-id"),
)
command.call(
    "delivery",
    f"GET {_DELIVERY}",
    "Show a delivery, its body, and each of its attempts.",
    "hok_01 dlv_01",
)
command.call(
    "replay",
    f"POST {_DELIVERY}/replay",
    "Send a delivery again, with its first id and the same bytes.",
    "hok_01 dlv_01 --again",
    Field(
        "again",
        "--again",
        "",
        "Also if it was delivered: the receiver gets it once more.",
        is_flag=True,
        flag_value=True,
    ),
)
command.call(
    "replay-range",
    f"POST {_ONE}/replay",
    "Send again the events of a range of time, at most 1,000, with their first ids.",
    "hok_01 --from 2026-11-01T00:00:00Z --to 2026-11-02T00:00:00Z --status held",
    Field("from", "--from", "TIME", "Events from this time on.", required=True),
    Field("to", "--to", "TIME", "Events before this time.", required=True),
    Field(
        "status",
        "--status",
        "",
        "Only those of this status; failed otherwise. What is waiting is tried now.",
        type=click.Choice(("failed", "held", "delivered", "waiting")),
    ),
    show=_show_asked,
)

command.section("Receivers")


@command.verb(
    "verify-signature",
    example="sluice hooks verify-signature body.json --secret secret.txt --id evt_01 --timestamp 1795827200 "
    "--signature v1,MFOm0B9xiqxdoa20LIOwAgNlXfjkHLlxvG4Zy7ToKCY= --any-age",
)
@click.argument("body", type=click.File("rb"))
@click.option("--id", "event_id", metavar="TEXT", required=True, help="The header webhook-id.")
@click.option("--timestamp", metavar="SECONDS", required=True, help="The header webhook-timestamp.")
@click.option("--signature", metavar="TEXT", required=True, help="The header webhook-signature.")
@click.option(
    "--secret",
    type=click.File("r"),
    metavar="FILE",
    help=f"A file with the secret, whsec_...; otherwise {SECRET} has it, or you type it unseen.",
)
@click.option("--any-age", is_flag=True, help="Do not look at the age: for requests that were recorded.")
def verify_signature(
    session: Session,
    body: IO[bytes],
    event_id: str,
    timestamp: str,
    signature: str,
    secret: IO[str] | None,
    any_age: bool,
) -> None:
    """Check the signature of a request by its body as it came, - for stdin; exit 1 if it does not hold."""
    import json
    import time

    from sluice_cli import signature as signatures

    try:
        given = secret.read() if secret else os.environ.get(SECRET)
    except UnicodeDecodeError as error:
        raise WrongUse(f"{secret.name if secret else SECRET} is no text: a secret begins with whsec_") from error
    if given is None:
        given = session.required(None, f"--secret or {SECRET}", "Secret", hide=True)
    request = signatures.Request(event_id, timestamp, signature, body.read())
    found = signatures.judged(request, given.strip(), None if any_age else time.time())
    told = {"valid": not found.problem, "age_seconds": int(time.time()) - request.seconds, "problem": found.problem}
    for line in [json.dumps(told)] if session.json else session.words.facts(told):
        session.echo(line)
    for line in found.advice:
        session.note(line)
    if found.problem:
        click.get_current_context().exit(1)
