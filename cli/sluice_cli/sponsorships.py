"""`sluice sponsorships`: campaigns that pay streamers for impressions (S3)."""

from typing import Any
from urllib.parse import quote

import click

from sluice_cli.client import Answer
from sluice_cli.following import Look, follow, money_of
from sluice_cli.session import Session
from sluice_cli.verbs import (
    COUNT,
    MINE,
    PAGE,
    Field,
    Noun,
    Word,
    every_option,
    holds_or_exits,
    id_argument,
    lines_of,
    table,
    watch_option,
)

SPONSORSHIPS = "/api/v1/campaigns"
STATUSES = ("draft", "running", "paused", "closing", "closed", "cancelled")
MOST_KEYS, MOST_TOKENS = 45, 50
_ONE = f"{SPONSORSHIPS}/{{id}}"
_PART = f"{_ONE}/participations/{{streamer}}"
_MONITORING = f"{SPONSORSHIPS}/monitoring"
_PARTS = table(
    "streamer",
    "status",
    "impressions",
    "target_impressions=target",
    "clicks",
    "earnings",
    "paid",
    "waiting_for=waits for",
)
_MINE = table(
    "campaign_id=campaign", "status", "impressions", "target_impressions=target", "earnings", "paid", "joined_at=joined"
)
_ADJUSTMENTS = table("number", "state", "delta", "proposer", "approvers", "decided_by", "reason")

command = Noun("sponsorships", "Campaigns that pay streamers for impressions.")


def _watch(session: Session, id: str, every: float | None) -> None:
    def read() -> Answer:
        return session.get(_ONE.format(id=id))

    follow(session, read, _look, again=f"sluice sponsorships watch {id}", every=every)


command.call(
    "list",
    f"GET {SPONSORSHIPS}",
    "List sponsorships, the newest first.",
    "--status running",
    Field("status", "--status", "", "Only those of this status.", type=click.Choice(STATUSES)),
    MINE,
    *PAGE,
    show=table("id", "status", "name", "owner", "target_impressions=target", "rate", "budget", "ends_at=ends"),
)
command.call("show", f"GET {_ONE}", "Show a sponsorship, and where its money is.", "spn_01")
command.call(
    "create",
    f"POST {SPONSORSHIPS}",
    "Create a draft; `start` takes its budget from your wallet.",
    "--name Winter --target 2000 --rate 1.65 --currency USD --budget 330000 --until 2027-01-31T00:00:00Z",
    Field("name", "--name", "TEXT", "What you call it.", required=True),
    Field("target_impressions", "--target", "N", "Impressions that a streamer is to reach.", type=COUNT, required=True),
    Field("rate", "--rate", "AMOUNT", "Pay for one impression, such as 1.65.", required=True),
    Field("currency", "--currency", "CODE", "Such as USD.", required=True),
    Field("budget", "--budget", "N", "In minor units: 330000 is 3,300.00 USD.", type=COUNT, required=True),
    Field("ends_at", "--until", "TIME", "When it ends, such as 2027-01-31T00:00:00Z.", required=True),
    Field("viewers", "--viewers", "", "Whose impressions count.", type=click.Choice(("registered", "any"))),
    Field(
        "viewer_period", "--period", "", "In what time a viewer counts once.", type=click.Choice(("campaign", "day"))
    ),
    Field("at_end", "--at-end", "", "What who misses the target gets.", type=click.Choice(("nothing", "pro_rata"))),
    Field("hold_hours", "--hold-hours", "N", "How long pay is held before it moves.", type=click.IntRange(min=0)),
    Field("gkeys", "--keys", "", "Whether each streamer is promised a G-Key.", type=click.Choice(("none", "required"))),
    Field("milestones", "--milestone", "N", "Say so at N impressions; give several.", type=COUNT, multiple=True),
    Field("min_seconds", "--min-seconds", "N", "How old a token must be to be used.", type=click.IntRange(min=0)),
    Field("token_seconds", "--token-seconds", "N", "How old a token may be.", type=COUNT),
)
command.call("start", f"POST {_ONE}/start", "Start a draft; its whole budget moves out of the wallet.", "spn_01")
command.watch("watch", _watch, "Follow the paid part of the budget until the sponsorship is closed.", "spn_01")
command.call("pause", f"POST {_ONE}/pause", "Pause a sponsorship; it takes no impressions.", "spn_01")
command.call("resume", f"POST {_ONE}/resume", "Let a paused sponsorship go on.", "spn_01")
command.call(
    "close",
    f"POST {_ONE}/close",
    "End a sponsorship: pay settles, and what is left goes back.",
    "spn_01 --yes --watch",
    ask="End {id} for all its streamers?",
    watch=_watch,
)
command.call("cancel", f"POST {_ONE}/cancel", "Cancel a draft.", "spn_01 --yes", ask="Cancel {id}?")


@command.verb("verify", example="sluice sponsorships verify spn_01")
@id_argument()
@click.option("--streamer", metavar="ID", help="Only this streamer's rows, statement and pay.")
def verify(session: Session, id: str, streamer: str | None) -> None:
    """Check a sponsorship's money against the ledger; exit 1 if it differs."""
    where = _PART.format(id=id, streamer=quote(streamer, safe="")) if streamer else _ONE.format(id=id)
    holds_or_exits(session, session.get(f"{where}/verify"))


command.section("Streamers")
command.call(
    "join",
    f"POST {_ONE}/join",
    "Join a running sponsorship; pay and key are set aside now.",
    "spn_01",
    Field("streamer_id", "--streamer", "ID", "Who joins, for a service; by default who asks."),
)
command.call(
    "leave",
    f"POST {_ONE}/leave",
    "Leave a sponsorship; who has not reached the target gets nothing.",
    "spn_01 --yes",
    ask="Leave {id}? Below the target nothing is paid.",
)
command.call("joined", f"GET {SPONSORSHIPS}/participations/mine", "List what you take part in.", "", *PAGE, show=_MINE)
command.call(
    "streamers",
    f"GET {_ONE}/participations",
    "List who takes part, with impressions against the target.",
    "spn_01",
    *PAGE,
    show=_PARTS,
)
command.call("streamer", f"GET {_PART}", "Show one streamer's part, with its live numbers.", "spn_01 nina")
command.call("statement", f"GET {_PART}/statement", "Show what a streamer's part came to.", "spn_01 nina")
command.export(
    "evidence",
    f"{_PART}/statement/evidence",
    "Write a streamer's impressions as CSV, a line for each viewer.",
    "spn_01 nina -o evidence.csv",
)
command.call(
    "proof",
    f"GET {_PART}/proof/{{viewer}}",
    "Show the path from one viewer's impression to the statement's root.",
    "spn_01 nina viewer7",
    Field("day", "--day", "DAY", "Of which day, where a viewer counts once a day."),
)
command.call("gkey", f"GET {_PART}/gkey", "Show the G-Key to the streamer that it belongs to.", "spn_01 nina")


@command.verb("tokens", example="sluice sponsorships tokens spn_01 nina viewer7 viewer8")
@id_argument()
@click.argument("streamer")
@click.argument("viewers", nargs=-1, required=True)
def tokens(session: Session, id: str, streamer: str, viewers: tuple[str, ...]) -> None:
    """Mint a token for each of some viewers, for a service."""
    body = {"streamer_id": streamer, "viewers": list(viewers)}
    answer = session.send("POST", f"{SPONSORSHIPS}/{id}/impressions/tokens", body)
    session.show_page(answer, ("viewer_id=viewer", "usable_at=usable", "expires_at=expires", "token"), "tokens")


@command.verb("impressions", example="sluice sponsorships impressions spn_01 tokens.txt")
@id_argument()
@click.argument("file", type=click.File("rb"))
def impressions(session: Session, id: str, file: Any) -> None:
    """Count the impressions that the tokens in a file prove, one a line; - is stdin."""
    for part, some in enumerate(lines_of(file, MOST_TOKENS)):
        path = f"{SPONSORSHIPS}/{id}/impressions/batch"
        answer = session.send("POST", path, {"tokens": some}, part=f"-{part}")
        session.show_page(answer, ("counted", "reasons", "accepted_at=accepted"), "impressions")


command.section("Pay and its corrections")
command.call(
    "adjust",
    f"POST {_PART}/adjustments",
    "Propose to count impressions that no row shows; another person approves.",
    'spn_01 nina --impressions 40 --reason "the page was down"',
    Field("impressions", "--impressions", "N", "How many to add.", type=COUNT, required=True),
    why=True,
)
command.call(
    "adjustments",
    f"GET {_PART}/adjustments",
    "List a streamer's adjustments, the oldest first.",
    "spn_01 nina",
    show=_ADJUSTMENTS,
)
command.call(
    "approve",
    f"POST {_PART}/adjustments/{{number}}/approve",
    "Approve an adjustment; two people have to.",
    "spn_01 nina 1 --yes",
    ask="Count what adjustment {number} of {streamer} adds?",
)
command.call(
    "disapprove",
    f"POST {_PART}/adjustments/{{number}}/reject",
    "Reject an adjustment; it is never granted.",
    'spn_01 nina 1 --reason "no sign of it" --yes',
    why=True,
    ask="Reject adjustment {number} of {streamer} for good?",
)
command.call(
    "void",
    f"POST {_PART}/void",
    "Take viewers' impressions out of the count; they are not counted again.",
    'spn_01 nina viewer7 viewer8 --reason "a script" --yes',
    Word("viewers", "viewers", nargs=-1, required=True),
    why=True,
    ask="Take these viewers out of {streamer}'s count for good?",
)
command.call(
    "reject",
    f"POST {_PART}/reject",
    "Propose to reject pay that is held; the second person rejects it.",
    'spn_01 nina --reason "bought views" --yes',
    why=True,
    ask="Reject the pay of {streamer}?",
)
command.call("settle", f"POST {_PART}/settle", "Settle a part that is in review again.", "spn_01 nina")
command.call(
    "refund",
    f"POST {_PART}/refunds",
    "Propose to claim back what was paid; another admin approves.",
    'spn_01 nina --amount 8250 --reason "bought views"',
    Field("amount", "--amount", "N", "In minor units; all of it otherwise.", type=COUNT),
    why=True,
)
command.call(
    "refund-approve",
    f"POST {_PART}/refunds/{{number}}/approve",
    "Claim back what another admin proposed.",
    "spn_01 nina 1 --yes",
    ask="Claim refund {number} back from {streamer}'s wallet?",
)


@command.verb("gkeys", example="sluice sponsorships gkeys spn_01 keys.txt")
@id_argument()
@click.argument("file", type=click.File("rb"))
def gkeys(session: Session, id: str, file: Any) -> None:
    """Load the G-Keys in a file, one a line; - is stdin. Known ones are not added again."""
    for part, some in enumerate(lines_of(file, MOST_KEYS)):
        session.show(session.send("POST", f"{SPONSORSHIPS}/{id}/gkeys", {"keys": some}, part=f"-{part}"))


def _watch_check(session: Session, id: str, every: float | None) -> None:
    def read() -> Answer:
        return session.get(f"{_MONITORING}/full-check/{id}")

    follow(session, read, _look_check, again=f"sluice sponsorships checked {id} --watch", every=every)


command.section("Monitoring")
command.call("status", f"GET {_MONITORING}/status", "Show how completions are detected, and what waits.", "")


@command.verb("check", example="sluice sponsorships check --deep --watch")
@click.option("--deep", is_flag=True, help="Count the rows too, not the tallies alone.")
@watch_option
@every_option
def check(session: Session, deep: bool, watch: bool, every: float | None) -> None:
    """Start a check of all participations; exit 1 if it fails and is watched."""
    answer = session.send("POST", f"{_MONITORING}/full-check", {"deep": deep})
    if watch:
        _watch_check(session, answer.json["id"], every)
    else:
        session.show(answer)


command.call(
    "checked",
    f"GET {_MONITORING}/full-check/{{id}}",
    "Show a check, and what it has found.",
    "chk_01",
    watch=_watch_check,
)


def _look(answer: Answer) -> Look:
    found = answer.json
    status, money = found["status"], found["money"] or {}
    good = True if status == "closed" else False if status == "cancelled" else None
    written = money_of(found)
    paid = money.get("paid", 0)
    # What is not paid at the end goes back: then the whole of it is settled.
    done = paid + money.get("refunded", 0)
    return Look(
        status,
        done,
        money.get("funded"),
        good,
        f"{written(paid)} paid",
        1 if status == "closing" else 5,
        written,
    )


def _look_check(answer: Answer) -> Look:
    found = answer.json
    good = {"checked": True, "check_failed": False}.get(found["status"])
    more = ", ".join(f"{found[name]:,} {name}" for name in ("settled", "corrected", "edited", "failed") if found[name])
    return Look(found["status"], found["checked"], None, good, more, 2)
