"""`sluice sponsorships`: campaigns that pay streamers for impressions (S3)."""

from typing import Any

import click

from sluice_cli.boosts import holds_or_exits
from sluice_cli.client import Answer
from sluice_cli.following import Look, follow
from sluice_cli.session import Session
from sluice_cli.verbs import COUNT, Noun, every_option, given, id_argument, output_option, paged, yes_option

SPONSORSHIPS = "/api/v1/campaigns"
STATUSES = ("draft", "running", "paused", "closing", "closed", "cancelled")
_COLUMNS = ("id", "status", "name", "owner", "target_impressions=target", "rate", "budget", "ends_at=ends")
_STREAMERS = (
    "streamer",
    "status",
    "impressions",
    "target_impressions=target",
    "clicks",
    "earnings",
    "paid",
    "waiting_for=waits for",
)

command = Noun("sponsorships", "Campaigns that pay streamers for impressions.")


@command.verb("list", example="sluice sponsorships list --status running")
@click.option("--status", type=click.Choice(STATUSES), help="Only those of this status.")
@click.option("--mine", is_flag=True, help="Only your own, for operators.")
@paged
def list_(session: Session, status: str | None, mine: bool, limit: int | None, cursor: str | None) -> None:
    """List sponsorships, the newest first."""
    query = {"status": status, "mine": "true" if mine else None, "limit": limit, "cursor": cursor}
    session.show_page(session.get(SPONSORSHIPS, query), _COLUMNS)


@command.verb("show", example="sluice sponsorships show spn_01")
@id_argument()
def show(session: Session, id: str) -> None:
    """Show a sponsorship, and where its money is."""
    session.show(session.get(f"{SPONSORSHIPS}/{id}"))


@command.verb(
    "create",
    example="sluice sponsorships create --name Winter --target 2000 --rate 1.65 --currency USD "
    "--budget 330000 --until 2027-01-31T00:00:00Z",
)
@click.option("--name", required=True, metavar="TEXT", help="What you call it.")
@click.option("--target", type=COUNT, required=True, metavar="N", help="Impressions that a streamer is to reach.")
@click.option("--rate", required=True, metavar="AMOUNT", help="Pay for one impression, such as 1.65.")
@click.option("--currency", required=True, metavar="CODE", help="Such as USD.")
@click.option("--budget", type=COUNT, required=True, metavar="N", help="In minor units: 330000 is 3,300.00 USD.")
@click.option("--until", required=True, metavar="TIME", help="When it ends, such as 2027-01-31T00:00:00Z.")
@click.option("--viewers", type=click.Choice(("registered", "any")), help="Whose impressions count.")
@click.option("--period", type=click.Choice(("campaign", "day")), help="In what time a viewer counts once.")
@click.option("--at-end", type=click.Choice(("nothing", "pro_rata")), help="What who misses the target gets.")
@click.option("--hold-hours", type=click.IntRange(min=0), metavar="N", help="How long pay is held before it moves.")
@click.option("--keys", type=click.Choice(("none", "required")), help="Whether each streamer is promised a G-Key.")
def create(
    session: Session,
    name: str,
    target: int,
    rate: str,
    currency: str,
    budget: int,
    until: str,
    viewers: str | None,
    period: str | None,
    at_end: str | None,
    hold_hours: int | None,
    keys: str | None,
) -> None:
    """Create a draft; `start` takes its budget from your wallet."""
    body = {
        "name": name,
        "target_impressions": target,
        "rate": rate,
        "currency": currency,
        "budget": budget,
        "ends_at": until,
    }
    more = given(viewers=viewers, viewer_period=period, at_end=at_end, hold_hours=hold_hours, gkeys=keys)
    session.show(session.send("POST", SPONSORSHIPS, body | more))


@command.verb("start", example="sluice sponsorships start spn_01")
@id_argument()
def start(session: Session, id: str) -> None:
    """Start a draft; its whole budget moves out of the wallet."""
    session.show(session.send("POST", f"{SPONSORSHIPS}/{id}/start"))


@command.verb("watch", example="sluice sponsorships watch spn_01")
@id_argument()
@every_option
def watch(session: Session, id: str, every: float | None) -> None:
    """Follow the paid part of the budget until the sponsorship is closed."""

    def read() -> Answer:
        return session.get(f"{SPONSORSHIPS}/{id}")

    follow(session, read, _look, again=f"sluice sponsorships watch {id}", every=every)


@command.verb("pause", example="sluice sponsorships pause spn_01")
@id_argument()
def pause(session: Session, id: str) -> None:
    """Pause a sponsorship; it takes no impressions."""
    session.show(session.send("POST", f"{SPONSORSHIPS}/{id}/pause"))


@command.verb("resume", example="sluice sponsorships resume spn_01")
@id_argument()
def resume(session: Session, id: str) -> None:
    """Let a paused sponsorship go on."""
    session.show(session.send("POST", f"{SPONSORSHIPS}/{id}/resume"))


@command.verb("close", example="sluice sponsorships close spn_01 --yes")
@id_argument()
@yes_option
def close(session: Session, id: str, yes: bool) -> None:
    """End a sponsorship: pay settles, and what is left goes back."""
    session.confirm(f"End {id} for all its streamers?", yes=yes)
    session.show(session.send("POST", f"{SPONSORSHIPS}/{id}/close"))


@command.verb("cancel", example="sluice sponsorships cancel spn_01 --yes")
@id_argument()
@yes_option
def cancel(session: Session, id: str, yes: bool) -> None:
    """Cancel a draft."""
    session.confirm(f"Cancel {id}?", yes=yes)
    session.show(session.send("POST", f"{SPONSORSHIPS}/{id}/cancel"))


@command.verb("streamers", example="sluice sponsorships streamers spn_01")
@id_argument()
@paged
def streamers(session: Session, id: str, limit: int | None, cursor: str | None) -> None:
    """List who takes part, with impressions against the target."""
    query = {"limit": limit, "cursor": cursor}
    session.show_page(session.get(f"{SPONSORSHIPS}/{id}/participations", query), _STREAMERS)


@command.verb("streamer", example="sluice sponsorships streamer spn_01 nina")
@id_argument()
@id_argument("streamer")
def streamer(session: Session, id: str, streamer: str) -> None:
    """Show one streamer's part, with its live numbers."""
    session.show(session.get(f"{SPONSORSHIPS}/{id}/participations/{streamer}"))


@command.verb("statement", example="sluice sponsorships statement spn_01 nina")
@id_argument()
@id_argument("streamer")
def statement(session: Session, id: str, streamer: str) -> None:
    """Show what a streamer's part came to."""
    session.show(session.get(f"{SPONSORSHIPS}/{id}/participations/{streamer}/statement"))


@command.verb("evidence", example="sluice sponsorships evidence spn_01 nina -o evidence.csv")
@id_argument()
@id_argument("streamer")
@output_option
def evidence(session: Session, id: str, streamer: str, output: Any) -> None:
    """Write a streamer's impressions as CSV, a line for each viewer."""
    session.save(f"{SPONSORSHIPS}/{id}/participations/{streamer}/statement/evidence", output)


@command.verb("verify", example="sluice sponsorships verify spn_01")
@id_argument()
@click.option("--streamer", metavar="ID", help="Only this streamer's rows, statement and pay.")
def verify(session: Session, id: str, streamer: str | None) -> None:
    """Check a sponsorship's money against the ledger; exit 1 if it differs."""
    from urllib.parse import quote

    part = f"/participations/{quote(streamer, safe='')}" if streamer else ""
    holds_or_exits(session, session.get(f"{SPONSORSHIPS}/{id}{part}/verify"))


@command.verb("status", example="sluice sponsorships status")
def status(session: Session) -> None:
    """Show how completions are detected, and what waits."""
    session.show(session.get(f"{SPONSORSHIPS}/monitoring/status"))


@command.verb("check", example="sluice sponsorships check --deep")
@click.option("--deep", is_flag=True, help="Count the rows too, not the tallies alone.")
def check(session: Session, deep: bool) -> None:
    """Start a check of all participations."""
    session.show(session.send("POST", f"{SPONSORSHIPS}/monitoring/full-check", {"deep": deep}))


def _look(answer: Answer) -> Look:
    found = answer.json
    status, money = found["status"], found["money"] or {}
    good = True if status == "closed" else False if status == "cancelled" else None
    funded = money.get("funded")
    more = f"minor units of {found['currency']} paid"
    # What is not paid at the end goes back: then the whole of it is settled.
    return Look(status, money.get("paid", 0), funded, good, more, 1 if status == "closing" else 5)
