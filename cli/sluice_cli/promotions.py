"""`sluice promotions`: posts at a network, and rewards (S4)."""

from typing import Any

import click

from sluice_cli.boosts import holds_or_exits
from sluice_cli.client import Answer
from sluice_cli.following import Look, follow
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
    reason_option,
    watch_option,
    yes_option,
)

PROMOTIONS = "/v2/campaigns"
STATUSES = ("CampaignDraft", "CampaignPending", "CampaignRunning", "CampaignClosed")
_COLUMNS = ("id", "status", "title", "network", "stage", "budget", "paid", "created_at=created")

command = Noun("promotions", "Posts at a network, and rewards for who engaged with them.")


@command.verb("list", example="sluice promotions list --status CampaignRunning")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only those of this status.")
@click.option("--network", metavar="NAME", help="Only those of this network.")
@click.option("--mine", is_flag=True, help="Only your own, for operators.")
@paged
def list_(
    session: Session, status: str | None, network: str | None, mine: bool, limit: int | None, cursor: str | None
) -> None:
    """List promotions, the newest first."""
    query = {"status": status, "network": network, "mine": "true" if mine else None, "limit": limit, "cursor": cursor}
    session.show_page(session.get(PROMOTIONS, query), _COLUMNS)


@command.verb("show", example="sluice promotions show prm_01")
@id_argument()
def show(session: Session, id: str) -> None:
    """Show a promotion, and where its money is."""
    session.show(session.get(f"{PROMOTIONS}/{id}"))


@command.verb(
    "create",
    example='sluice promotions create --title Winter --network sandbox --text "Look" --text "All of it" '
    "--budget 330000 --currency USD --minutes 1440",
)
@click.option("--title", required=True, metavar="TEXT", help="The title, also in the contract.")
@click.option("--network", required=True, metavar="NAME", help="Where it is posted; `networks` lists them.")
@click.option(
    "--text", "texts", multiple=True, required=True, metavar="TEXT", help="The first post; given again, the second."
)
@click.option("--budget", type=COUNT, required=True, metavar="N", help="In minor units: 330000 is 3,300.00 USD.")
@click.option("--currency", required=True, metavar="CODE", help="Such as USD.")
@click.option("--minutes", type=COUNT, required=True, metavar="N", help="How long it runs.")
@click.option("--type", "kind", type=click.Choice(("rewarded", "awareness")), help="Whether participants are rewarded.")
@click.option("--share", type=click.Choice(("equal", "weighted")), help="Whether all get the same.")
@click.option("--max-each", type=COUNT, metavar="N", help="The most that one participant gets.")
@click.option("--claim-hours", type=click.IntRange(min=0), metavar="N", help="How long a share can be claimed.")
def create(
    session: Session,
    title: str,
    network: str,
    texts: tuple[str, ...],
    budget: int,
    currency: str,
    minutes: int,
    kind: str | None,
    share: str | None,
    max_each: int | None,
    claim_hours: int | None,
) -> None:
    """Create a draft; `publish` funds it, and posts it."""
    body = {
        "title": title,
        "network": network,
        "texts": list(texts),
        "budget": budget,
        "currency": currency,
        "duration_minutes": minutes,
    }
    more = given(type=kind, share=share, max_per_participant=max_each, claim_window_hours=claim_hours)
    session.show(session.send("POST", PROMOTIONS, body | more))


@command.verb("publish", example="sluice promotions publish prm_01 --yes --watch")
@id_argument()
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and what it costs.")
@yes_option
@watch_option
@every_option
def publish(session: Session, id: str, dry_run: bool, yes: bool, watch: bool, every: float | None) -> None:
    """Publish a draft: take its budget, and post it."""
    if dry_run:
        session.show(session.send("POST", f"{PROMOTIONS}/{id}/publish", query={"dry_run": "true"}))
        return
    session.confirm(f"Take the budget of {id}, and post it?", yes=yes)
    answer = session.send("POST", f"{PROMOTIONS}/{id}/publish")
    if watch:
        _watch(session, id, every, until_running=True)
    else:
        session.show(answer)


@command.verb("watch", example="sluice promotions watch prm_01")
@id_argument()
@every_option
def watch(session: Session, id: str, every: float | None) -> None:
    """Follow a promotion until it is closed and settled; exit 1 if it ends otherwise or halts."""
    _watch(session, id, every, until_running=False)


@command.verb("cancel", example="sluice promotions cancel prm_01 --yes")
@id_argument()
@yes_option
def cancel(session: Session, id: str, yes: bool) -> None:
    """Cancel a publish: posts are deleted, and the budget goes back."""
    session.confirm(f"Cancel the publish of {id}?", yes=yes)
    session.show(session.send("POST", f"{PROMOTIONS}/{id}/cancel"))


@command.verb("close", example="sluice promotions close prm_01 --yes --watch")
@id_argument()
@yes_option
@watch_option
@every_option
def close(session: Session, id: str, yes: bool, watch: bool, every: float | None) -> None:
    """Close a running promotion now, and reward its participants."""
    session.confirm(f"Close {id} now?", yes=yes)
    answer = session.send("POST", f"{PROMOTIONS}/{id}/close")
    if watch:
        _watch(session, id, every, until_running=False)
    else:
        session.show(answer)


@command.verb("resume", example="sluice promotions resume prm_01")
@id_argument()
def resume(session: Session, id: str) -> None:
    """Let a promotion that has halted go on at the same stage."""
    session.show(session.send("POST", f"{PROMOTIONS}/{id}/resume"))


@command.verb("abandon", example='sluice promotions abandon prm_01 --reason "the network is gone" --yes')
@id_argument()
@reason_option
@yes_option
def abandon(session: Session, id: str, reason: str | None, yes: bool) -> None:
    """Give up a promotion that has halted; its posts stay."""
    why = session.required(reason, "--reason", "Why")
    session.confirm(f"Give up {id}?", yes=yes)
    session.show(session.send("POST", f"{PROMOTIONS}/{id}/abandon", {"reason": why}))


@command.verb(
    "resolve", example='sluice promotions resolve prm_01 --attempt att_01 --outcome sent --reason "it is there"'
)
@id_argument()
@click.option("--attempt", type=ID, required=True, metavar="ID", help="The attempt whose outcome is unknown.")
@click.option("--outcome", type=click.Choice(("sent", "not_sent")), required=True, help="What became of it.")
@click.option("--result", metavar="ID", help="The id of what was made.")
@reason_option
def resolve(session: Session, id: str, attempt: str, outcome: str, result: str | None, reason: str | None) -> None:
    """Say what became of a call whose outcome is unknown."""
    why = session.required(reason, "--reason", "Why")
    body = {"attempt_id": attempt, "outcome": outcome, "reason": why} | given(result=result)
    session.show(session.send("POST", f"{PROMOTIONS}/{id}/resolve", body))


@command.verb("delete", example="sluice promotions delete prm_01 --yes")
@id_argument()
@yes_option
def delete(session: Session, id: str, yes: bool) -> None:
    """Delete a draft."""
    session.confirm(f"Delete {id}?", yes=yes)
    session.show(session.send("DELETE", f"{PROMOTIONS}/{id}"))


@command.verb("engagement", example="sluice promotions engagement prm_01")
@id_argument()
def engagement(session: Session, id: str) -> None:
    """Show the metrics of the posts, as they were read last."""
    session.show(session.get(f"{PROMOTIONS}/{id}/engagement"))


@command.verb("rewards", example="sluice promotions rewards prm_01")
@id_argument()
@paged
def rewards(session: Session, id: str, limit: int | None, cursor: str | None) -> None:
    """List the participants with what each gets, or why not."""
    query = {"limit": limit, "cursor": cursor}
    columns = ("handle", "network", "kinds", "weight", "eligible", "state", "amount", "reason")
    session.show_page(session.get(f"{PROMOTIONS}/{id}/rewards", query), columns)


@command.verb("events", example="sluice promotions events prm_01")
@id_argument()
@paged
def events(session: Session, id: str, limit: int | None, cursor: str | None) -> None:
    """List what happened to a promotion, the newest first."""
    query = {"limit": limit, "cursor": cursor}
    session.show_page(session.get(f"{PROMOTIONS}/{id}/events", query), ("at", "actor", "action", "number"))


@command.verb("operations", example="sluice promotions operations prm_01")
@id_argument()
def operations(session: Session, id: str) -> None:
    """List the publishes of a promotion."""
    columns = ("number", "state", "began_at=began", "ended_at=ended", "stages")
    session.show_page(session.get(f"{PROMOTIONS}/{id}/operations"), columns)


@command.verb("statement", example="sluice promotions statement prm_01 -o statement.csv")
@id_argument()
@output_option
def statement(session: Session, id: str, output: Any) -> None:
    """Write what moved in and out of a promotion as CSV."""
    session.save(f"{PROMOTIONS}/{id}/statement/export", output)


@command.verb("verify", example="sluice promotions verify prm_01")
@id_argument()
def verify(session: Session, id: str) -> None:
    """Check a promotion's numbers against the ledger; exit 1 if they differ."""
    holds_or_exits(session, session.get(f"{PROMOTIONS}/{id}/verify"))


@command.verb("networks", example="sluice promotions networks")
def networks(session: Session) -> None:
    """Show where promotions can be published, and what that costs."""
    session.show(session.get("/v2/networks"))


def _watch(session: Session, id: str, every: float | None, *, until_running: bool) -> None:
    def read() -> Answer:
        return session.get(f"{PROMOTIONS}/{id}")

    def look(answer: Answer) -> Look:
        return _look(answer, until_running)

    follow(session, read, look, again=f"sluice promotions watch {id}", every=every)


def _look(answer: Answer, until_running: bool) -> Look:
    """The budget's part that is paid or given back; a halt ends it, as a human has to decide."""
    found = answer.json
    status, stage, error = found["status"], found["stage"], found["error"]
    halted = (found["operation"] or {}).get("state") == "halted"
    good: bool | None = None
    if halted or status == "CampaignDraft":
        good = False
    elif (until_running and status in ("CampaignRunning", "CampaignClosed")) or (
        status == "CampaignClosed" and stage in (None, "settled")
    ):
        good = True
    told = f"stage {stage}".replace("_", " ") if stage else ""
    if good is False and error is not None:
        told = f"{told}  {error['reason']}".strip()
    money = found["money"]
    return Look(status, money["paid"] + money["refunded"], money["funded"] or found["budget"], good, told, 1)
