"""`sluice boosts`: campaigns of views (S1)."""

from typing import Any

import click

from sluice_cli.client import Answer
from sluice_cli.following import Look, follow
from sluice_cli.session import Session
from sluice_cli.verbs import (
    COUNT,
    ID,
    Noun,
    every_option,
    given,
    holds_or_exits,
    id_argument,
    output_option,
    paged,
    reason_option,
    watch_option,
    yes_option,
)

BOOSTS = "/api/admin/fake-views"
STATUSES = ("pending", "scheduled", "running", "paused", "cancelled", "completed", "failed", "reverting", "reverted")
_COLUMNS = ("id", "status", "video_ids=videos", "executed_count=done", "total_count=total", "pattern", "created_at")
_LONG_WAITS = ("start", "next_day", "daily_cap", "monthly_cap", "stop")

command = Noun("boosts", "Campaigns of views, delivered in batches by a plan.")


@command.verb("list", example="sluice boosts list --status running")
@click.option("--status", type=click.Choice(STATUSES), help="Only those of this status.")
@click.option("--video", type=ID, metavar="ID", help="Only those of this video.")
@paged
def list_(session: Session, status: str | None, video: str | None, limit: int | None, cursor: str | None) -> None:
    """List boosts, the newest first."""
    query = {"status": status, "video_id": video, "limit": limit, "cursor": cursor}
    session.show_page(session.get(BOOSTS, query), _COLUMNS)


@command.verb("show", example="sluice boosts show bst_01")
@id_argument()
def show(session: Session, id: str) -> None:
    """Show a boost and its progress."""
    session.show(session.get(f"{BOOSTS}/{id}"))


def _terms(run: Any) -> Any:
    for option in reversed(
        [
            click.option(
                "--video",
                "videos",
                multiple=True,
                required=True,
                metavar="ID",
                help="The video; give several to spread over them.",
            ),
            click.option("--total", type=COUNT, required=True, metavar="N", help="How many views."),
            click.option("--days", type=COUNT, required=True, metavar="N", help="Over how many days."),
            click.option(
                "--pattern",
                default="steady",
                show_default=True,
                type=click.Choice(("steady", "burst", "progressive")),
                help="How they spread.",
            ),
            click.option("--daily-limit", type=COUNT, required=True, metavar="N", help="The most on one day."),
            click.option("--at", metavar="TIME", help="When it starts by itself, such as 2027-01-31T09:00:00Z."),
        ]
    ):
        run = option(run)
    return run


def _body(
    videos: tuple[str, ...], total: int, days: int, pattern: str, daily_limit: int, at: str | None
) -> dict[str, Any]:
    named: dict[str, Any] = {"video_id": videos[0]} if len(videos) == 1 else {"video_ids": list(videos)}
    terms = {"total_count": total, "duration_days": days, "pattern": pattern, "daily_limit": daily_limit}
    return named | terms | given(scheduled_for=at)


@command.verb(
    "create", example="sluice boosts create --video abc123 --total 15000 --days 30 --pattern steady --daily-limit 500"
)
@_terms
def create(session: Session, **terms: Any) -> None:
    """Create a boost; without --at it waits for `execute`."""
    session.show(session.send("POST", BOOSTS, _body(**terms)))


@command.verb("simulate", example="sluice boosts simulate --video abc123 --total 15000 --days 30 --daily-limit 500")
@_terms
def simulate(session: Session, **terms: Any) -> None:
    """Show what a boost would do, day by day, and create nothing."""
    session.show(session.send("POST", f"{BOOSTS}/simulate", _body(**terms)))


@command.verb("rest", example="sluice boosts rest bst_01")
@id_argument()
def rest(session: Session, id: str) -> None:
    """Show what the rest of a boost would do from now on."""
    session.show(session.send("POST", f"{BOOSTS}/{id}/simulate"))


@command.verb("execute", example="sluice boosts execute bst_01 --watch")
@id_argument()
@watch_option
@every_option
def execute(session: Session, id: str, watch: bool, every: float | None) -> None:
    """Start a pending boost, or resume a paused one."""
    answer = session.send("POST", f"{BOOSTS}/{id}/execute")
    if watch:
        _watch(session, id, every)
    else:
        session.show(answer)


@command.verb("watch", example="sluice boosts watch bst_01")
@id_argument()
@every_option
def watch(session: Session, id: str, every: float | None) -> None:
    """Follow a boost to its end; exit 1 if it ends otherwise than completed."""
    _watch(session, id, every)


@command.verb("pause", example="sluice boosts pause bst_01")
@id_argument()
def pause(session: Session, id: str) -> None:
    """Pause a running boost; no batch commits after the answer."""
    session.show(session.send("POST", f"{BOOSTS}/{id}/pause"))


@command.verb("cancel", example="sluice boosts cancel bst_01 --yes")
@id_argument()
@yes_option
def cancel(session: Session, id: str, yes: bool) -> None:
    """Cancel a boost that has not ended; what it delivered stays."""
    session.confirm(f"Cancel {id}? It cannot go on afterwards.", yes=yes)
    session.show(session.send("POST", f"{BOOSTS}/{id}/cancel"))


@command.verb("revert", example='sluice boosts revert bst_01 --reason "wrong video" --yes')
@id_argument()
@reason_option
@click.option("--simulate", is_flag=True, help="Only show what would be taken back.")
@yes_option
def revert(session: Session, id: str, reason: str | None, simulate: bool, yes: bool) -> None:
    """Take back the views of a boost that has ended."""
    why = session.required(reason, "--reason", "Why")
    if not simulate:
        session.confirm(f"Take back all views of {id}?", yes=yes)
    session.show(session.send("POST", f"{BOOSTS}/{id}/revert", {"reason": why, "simulate": simulate}))


@command.verb("plan", example="sluice boosts plan bst_01")
@id_argument()
def plan(session: Session, id: str) -> None:
    """Show a boost day by day: planned, done and expected."""
    session.show_page(
        session.get(f"{BOOSTS}/{id}/plan"), ("plan_day=day", "date", "planned", "done", "expected"), "days"
    )


@command.verb("verify", example="sluice boosts verify bst_01")
@id_argument()
def verify(session: Session, id: str) -> None:
    """Check a boost's rows against its counters; exit 1 if they differ."""
    holds_or_exits(session, session.get(f"{BOOSTS}/{id}/verify"))


@command.verb("export", example="sluice boosts export bst_01 -o batches.csv")
@click.argument("id", type=ID, required=False)
@output_option
def export(session: Session, id: str | None, output: Any) -> None:
    """Write a boost's batches as CSV, or without ID all boosts."""
    session.save(f"{BOOSTS}/{id}/export" if id else f"{BOOSTS}/export", output)


@command.verb("limits", example="sluice boosts limits")
def limits(session: Session) -> None:
    """Show the caps of the day and the month, and what is left."""
    session.show(session.get(f"{BOOSTS}/limits"))


def _watch(session: Session, id: str, every: float | None) -> None:
    follow(session, lambda: session.get(f"{BOOSTS}/{id}"), _look, again=f"sluice boosts watch {id}", every=every)


def _look(answer: Answer) -> Look:
    found = answer.json
    status, progress = found["status"], found["progress"]
    waits = progress["waiting_for"]
    good = True if status in ("completed", "reverted") else False if status in ("cancelled", "failed") else None
    if status == "reverting":
        return Look(status, found["reverted_count"], found["executed_count"], good)
    return Look(
        status,
        found["executed_count"],
        found["total_count"],
        good,
        f"waits for {waits}".replace("_", " ") if waits and good is None else found["failure_reason"] or "",
        5 if waits in _LONG_WAITS or status == "paused" else 0.5,
    )
