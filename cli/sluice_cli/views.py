"""`sluice views`: what contents show, the sync, and refusals (S2)."""

from pathlib import Path
from typing import Any

import click

from sluice_cli import output
from sluice_cli.client import Answer, Json, Query
from sluice_cli.errors import NotFound
from sluice_cli.following import Look, Still, follow
from sluice_cli.session import Session
from sluice_cli.verbs import (
    ID,
    PAGE,
    Noun,
    every_option,
    given,
    id_argument,
    output_option,
    paged,
    patience_option,
    reason_option,
    table,
    watch_option,
)

VIEWS = "/api/admin/views"
SYNC = f"{VIEWS}/sync"

_LIMITS = ("max_views_per_session", "max_daily_views_per_user", "view_cooldown_minutes", "session_duration_hours")
"""Rules that 0 turns off."""

command = Noun("views", "What contents show, what is pending, and what was refused.")


@command.verb("show", example="sluice views show video abc123")
@id_argument("type")
@id_argument()
@click.option("--source", type=click.Choice(("database", "redis")), help="Only what is there.")
def show(session: Session, type: str, id: str, source: str | None) -> None:
    """Show a content's views with their parts."""
    session.show(session.get(f"/api/views/{type}/{id}", {"source": source}))


def _days(run: Any) -> Any:
    run = click.option("--to", metavar="DAY", help="The last day, such as 2027-01-31.")(run)
    return click.option("--from", "since", metavar="DAY", help="The first day.")(run)


@command.verb("history", example="sluice views history video abc123 --from 2027-01-01")
@id_argument("type")
@id_argument()
@_days
def history(session: Session, type: str, id: str, since: str | None, to: str | None) -> None:
    """Show a content's views day by day."""
    session.show(session.get(f"{VIEWS}/{type}/{id}/history", {"from": since, "to": to}))


@command.verb("days", example="sluice views days --from 2027-01-01")
@_days
def days(session: Session, since: str | None, to: str | None) -> None:
    """Show the views of all contents together, day by day."""
    answer = session.get(f"{VIEWS}/days", {"from": since, "to": to})
    session.show_page(answer, ("date", "organic", "boosted", "adjusted"))
    if not session.json:
        session.note(f"Days in {answer.json['time_zone']}; views after the last sync are not included.")


@command.verb("top", example="sluice views top video --limit 10")
@id_argument("type")
@paged
def top(session: Session, type: str, limit: int | None, cursor: str | None) -> None:
    """List the most viewed contents of a type."""
    query = {"content_type": type, "limit": limit, "cursor": cursor}
    session.show_page(session.get(f"{VIEWS}/top", query), ("content_id=id", "organic", "boosted", "disclosure"))


@command.verb("stats", example="sluice views stats")
def stats(session: Session) -> None:
    """Show what is pending, the limits, the memory and the shards."""
    _show_stats(session)


@command.verb("sync", example="sluice views sync --force --watch")
@click.option("--force", is_flag=True, help="Open an epoch even if nothing is pending.")
@click.option("--stats", is_flag=True, help="Only show how things stand, as `stats` does.")
@watch_option
@every_option
@patience_option
def sync(session: Session, force: bool, stats: bool, watch: bool, every: float | None, patience: float) -> None:
    """Move the pending views to the database now."""
    if stats:
        _show_stats(session)
        return
    answer = session.send("POST", SYNC, {"force": force})
    outcome = answer.json["outcome"]
    if outcome == "nothing_pending":
        session.note("Nothing is pending; --force opens an epoch all the same.")
    if not watch or outcome == "nothing_pending":
        session.show(answer)
        return
    number = answer.json["epoch"] + (outcome == "waiting")
    still = Still(patience, "`make logs` says why. When that is fixed, `sluice views sync --watch` goes on from here.")
    follow(
        session,
        lambda: _epoch(session, number),
        lambda found: _look(found, number),
        again="sluice views sync --watch",
        every=every,
        still=still,
    )
    if not session.json:
        _show_failures(session, session.get(f"{SYNC}/{number}").json)


@command.verb("import", example="sluice views import counts.csv --name launch")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--name", metavar="TEXT", help="What to call it; the file's name otherwise.")
@every_option
@patience_option
def import_(session: Session, file: Path, name: str | None, every: float | None, patience: float) -> None:
    """Import another system's counts, once each, from a CSV of type,id,count; run again, it goes on where it was."""
    from sluice_cli.importing import import_counts

    advice = "Is the platform stopped (`sluice health`)? Else `make logs` says why. Run it again: it goes on from here."
    import_counts(session, file, name, Still(patience, advice), every)


@command.verb("explain", example="sluice views explain video abc123 --ip 203.0.113.7 --agent Firefox")
@id_argument("type")
@id_argument()
@click.option("--user", metavar="ID", help="A viewer who is signed in.")
@click.option("--session", "session_id", metavar="ID", help="A viewer's session.")
@click.option("--ip", metavar="ADDRESS", help="Where the viewer is.")
@click.option("--agent", metavar="TEXT", help="The viewer's User-Agent.")
def explain(
    session: Session, type: str, id: str, user: str | None, session_id: str | None, ip: str | None, agent: str | None
) -> None:
    """Say whether a view would count now, and by which rules not."""
    viewer = given(user=user, session=session_id, source_ip=ip, user_agent=agent)
    body = {"content_type": type, "content_id": id, "viewer": viewer}
    session.show(session.send("POST", f"{VIEWS}/explain", body))


def _days_or_hours(run: Any) -> Any:
    run = click.option("--to", metavar="DAY", help="The last day, or hour, such as 2027-01-31T05:00:00Z.")(run)
    return click.option("--from", "since", metavar="DAY", help="The first day, or hour in UTC.")(run)


@command.verb("refusals", example="sluice views refusals --rule cooldown --summary")
@_days_or_hours
@click.option("--rule", metavar="NAME", help="Only by this rule.")
@click.option("--content", metavar="TYPE:ID", help="Only of this content.")
@click.option("--summary", is_flag=True, help="Sums by rule and by hour.")
@paged
def refusals(
    session: Session,
    since: str | None,
    to: str | None,
    rule: str | None,
    content: str | None,
    summary: bool,
    limit: int | None,
    cursor: str | None,
) -> None:
    """List refused views by hour, rules and content."""
    query: Query = {"from": since, "to": to, "rule": rule, "content": content}
    if summary:
        session.show(session.get(f"{VIEWS}/refusals/summary", query))
        return
    answer = session.get(f"{VIEWS}/refusals", {**query, "limit": limit, "cursor": cursor})
    session.show_page(answer, ("hour", "rules", "content_type=type", "content_id=id", "refusals"))


@command.verb("adjust", example='sluice views adjust video abc123 --views=-20 --reason "counted twice"')
@id_argument("type")
@id_argument()
@click.option("--views", type=int, required=True, metavar="N", help="How many to add; below zero, to take away.")
@reason_option
def adjust(session: Session, type: str, id: str, views: int, reason: str | None) -> None:
    """Add organic views to a content, or take some away."""
    why = session.required(reason, "--reason", "Why")
    session.show(session.send("POST", f"{VIEWS}/{type}/{id}/adjust", {"views": views, "reason": why}))


@command.verb("adjustments", example="sluice views adjustments video abc123")
@id_argument("type")
@id_argument()
@paged
def adjustments(session: Session, type: str, id: str, limit: int | None, cursor: str | None) -> None:
    """List a content's adjustments, the newest first."""
    query = {"limit": limit, "cursor": cursor}
    session.show_page(session.get(f"{VIEWS}/{type}/{id}/adjustments", query), ("at", "actor", "views", "reason"))


@command.verb("register", example='sluice views register video abc123 --title "Winter" --owner acme')
@id_argument("type")
@id_argument()
@click.option("--title", required=True, metavar="TEXT", help="What it is called.")
@click.option("--owner", type=ID, required=True, metavar="ID", help="Whose it is.")
def register(session: Session, type: str, id: str, title: str, owner: str) -> None:
    """Register a content, or change its title and owner."""
    session.show(session.send("PUT", f"/api/admin/content/{type}/{id}", {"title": title, "owner": owner}))


command.call(
    "content",
    "GET /api/admin/content/{type}/{id}",
    "Show a content's title and owner, as it was registered.",
    "video abc123",
)


@command.verb("counts", example="sluice views counts video:abc123 video:def456")
@click.argument("contents", nargs=-1, required=True, metavar="TYPE:ID...")
@click.option("--source", type=click.Choice(("database", "redis")), help="Only what is there.")
def counts(session: Session, contents: tuple[str, ...], source: str | None) -> None:
    """Show the views of up to 100 contents, for a service."""
    items = [dict(zip(("content_type", "content_id"), each.split(":", 1), strict=False)) for each in contents]
    answer = session.send("POST", f"{VIEWS}/counts", {"items": items}, given(source=source))
    columns = ("content_type=type", "content_id=id", "organic.synced", "organic.pending", "boosted", "view_count=shown")
    session.show_page(answer, columns)


command.call(
    "imports",
    f"GET {VIEWS}/imports",
    "List imports of counts, the newest first.",
    "",
    *PAGE,
    show=table("id", "status", "rows", "applied", "skipped", "created_at=created"),
)


@command.verb("export", example="sluice views export top video -o top.csv")
@click.argument("what", type=click.Choice(("top", "refusals", "history")))
@click.argument("type", type=ID, required=False)
@click.argument("id", type=ID, required=False)
@_days
@output_option
def export(
    session: Session, what: str, type: str | None, id: str | None, since: str | None, to: str | None, output: Any
) -> None:
    """Write the most viewed of TYPE, all refusals, or the history of TYPE ID as CSV."""
    days = {"from": since, "to": to}
    wanted = {"top": (True, False), "refusals": (False, False), "history": (True, True)}[what]
    if (type is not None, id is not None) != wanted:
        raise click.UsageError(f"{what} takes {('nothing', 'TYPE', 'TYPE ID')[sum(wanted)]} behind it.")
    match what:
        case "top":
            session.save(f"{VIEWS}/top/export", output, {"content_type": type})
        case "refusals":
            session.save(f"{VIEWS}/refusals/export", output, days)
        case _:
            session.save(f"{VIEWS}/{type}/{id}/history/export", output, days)


def _epoch(session: Session, number: int) -> Answer:
    """The epoch, as soon as it is open; before that the one before it."""
    try:
        return session.get(f"{SYNC}/{number}")
    except NotFound:
        return session.get(SYNC)


def _look(answer: Answer, number: int) -> Look:
    found = answer.json
    if found["epoch"] < number:
        return Look("waiting", 0, None, None, f"epoch {number} opens by itself in a few seconds")
    more = f"views of {output.counted(found['contents'], 'content')}"
    if found["folded"]:
        more += f", {found['folded']:,} from the time without Redis"
    if found["refusals"]:
        more += f", {output.counted(found['refusals'], 'refusal')}"
    if found["parked"]:
        more += f", {found['parked']:,} moved aside"
    return Look(f"{found['phase']}", found["views"], None, True if found["phase"] == "done" else None, more)


def _show_stats(session: Session) -> None:
    """The sums, then a line for each shard (S2-28)."""
    answer = session.get(f"{VIEWS}/stats")
    if session.json:
        session.raw(answer.body)
        return
    found = answer.json
    memory = found.pop("used_memory_bytes")
    found |= {name: found[name] or "off" for name in _LIMITS}
    found["used_memory"] = None if memory is None else f"{memory / 2**20:,.1f} MiB"
    for line in session.words.facts(found):
        session.echo(line)


def _show_failures(session: Session, closed: Json) -> None:
    if closed["failures"]:
        for line in session.words.table(closed["failures"], ("content", "failures", "is_parked=aside", "reason")):
            session.echo(line)
