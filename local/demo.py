"""The main job on a stack of its own: boosts, views, money, messages, a webhook; every number checked.

Exits 0 only if all checks hold. Leaves nothing running and nothing behind, however it ends.
"""

import argparse
import json
import signal
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import httpx
from boto3.dynamodb.conditions import Key
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from local import tokens
from local.api import Api, Json
from local.build import this_architecture
from local.demo_broadcasts import PARAMETERS, BroadcastsPart
from local.demo_hooks import HooksPart
from local.demo_promotions import PromotionsPart
from local.demo_sponsorships import SponsorshipsPart
from local.demo_views import ViewsPart
from local.errors import LocalError, run
from local.logs import follow
from local.stack import EmbeddedStack, temporary

TOTAL = 5_000
BURST_TOTAL, BURST_LIMIT = 20_000, 5_000
STILL_SECONDS = 3
"""How long the campaign must not move after the pause was answered."""
COMPLETE_WITHIN_SECONDS = 180
LOOKS_PER_SECOND = 5
_LABEL = 10


@dataclass
class Screen:
    """What a person sees: lines that stay, and below them what moves. Without a terminal, lines only."""

    console: Console
    checks: list[tuple[bool, str, str]] = field(default_factory=list)

    @contextmanager
    def step(self, doing: str) -> Iterator[list[str]]:
        """A step that takes a while; what is put into the list stands behind it when it is done."""
        began = time.monotonic()
        done: list[str] = []
        if not self.console.is_terminal:
            self.console.print(f"  ... {doing}")
        with self._spinner(doing) if self.console.is_terminal else nullcontext():
            yield done
        seconds = f"[dim]{time.monotonic() - began:5.1f} s[/]"
        self.console.print(f"{seconds}  {' '.join(done) or doing}")

    def _spinner(self, doing: str) -> Progress:
        columns = SpinnerColumn(), TextColumn(doing), TimeElapsedColumn()
        spinner = Progress(*columns, console=self.console, transient=True)
        spinner.add_task("")
        return spinner

    def tell(self, label: str, text: str, note: str = "") -> None:
        self.console.print(f"[bold cyan]{label:<{_LABEL}}[/] {text}" + (f"  [dim]{note}[/]" if note else ""))

    def check(self, claim: str, numbers: str, *, holds: bool) -> None:
        self.checks.append((holds, claim, numbers))

    def verdict(self) -> bool:
        self.console.print()
        width = max(len(claim) for _, claim, _ in self.checks)
        for holds, claim, numbers in self.checks:
            mark = "[bold green]✓[/]" if holds else "[bold red]✗[/]"
            self.console.print(f"{mark} {claim:<{width}}  [{'dim' if holds else 'bold red'}]{numbers}[/]")
        failed = sum(not holds for holds, _, _ in self.checks)
        self.console.print()
        if failed:
            self.console.print(f"[bold red]{failed} of {len(self.checks)} checks failed.[/]")
        else:
            self.console.print(f"[bold green]All {len(self.checks)} checks hold.[/]")
        return not failed


class Bar:
    """The campaign's progress: a live bar on a terminal, else a line whenever it moved."""

    def __init__(self, screen: Screen, progress: Progress | None, task: TaskID | None) -> None:
        self._screen, self._progress, self._task = screen, progress, task
        self._last = (-1, "")

    def show(self, campaign: Json) -> None:
        executed, status = campaign["executed_count"], campaign["status"]
        moved = (executed, status) != self._last
        self._last = (executed, status)
        if self._progress is not None and self._task is not None:
            self._progress.update(
                self._task, completed=executed, views=f"{executed:,} / {TOTAL:,} views", status=_status(campaign)
            )
        elif moved:
            self._screen.console.print(f"{'':<{_LABEL}} {executed:>5,} / {TOTAL:,} views  {_status(campaign)}")


@contextmanager
def progress_bar(screen: Screen) -> Iterator[Bar]:
    if not screen.console.is_terminal:
        yield Bar(screen, None, None)
        return
    columns = [
        TextColumn(f"{'':<{_LABEL}}"),
        BarColumn(bar_width=24),
        TextColumn("[bold]{task.fields[views]}[/]"),
        TextColumn("{task.fields[status]}"),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=screen.console) as progress:
        yield Bar(screen, progress, progress.add_task("", total=TOTAL, views=f"0 / {TOTAL:,} views", status=""))


def _status(campaign: Json) -> str:
    batches = campaign.get("progress", {}).get("batches_done")
    colour = {"running": "green", "paused": "yellow", "completed": "bold green"}.get(campaign["status"], "red")
    return f"[{colour}]{campaign['status']}[/]" + (
        f"[dim] · {_count(batches, 'batch', 'batches')}[/]" if batches else ""
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _await(api: Api, path: str, bar: Bar, *, at_least: int = 0, statuses: tuple[str, ...] = ()) -> Json:
    """The campaign once it has executed `at_least` or has one of `statuses`."""
    deadline = time.monotonic() + COMPLETE_WITHIN_SECONDS
    while True:
        campaign = api.get(path)
        bar.show(campaign)
        if campaign["status"] in statuses or (at_least and campaign["executed_count"] >= at_least):
            return campaign
        if campaign["status"] in ("failed", "cancelled"):
            raise LocalError(f"The campaign ended as {campaign['status']}: {campaign.get('failure_reason')}")
        if time.monotonic() >= deadline:
            raise LocalError(
                f"The campaign stands at {campaign['executed_count']:,} of {TOTAL:,}, {campaign['status']}, after "
                f"{COMPLETE_WITHIN_SECONDS} s; it waits for: {campaign.get('progress', {}).get('waiting_for')}"
            )
        time.sleep(1 / LOOKS_PER_SECOND)


def main_job(stack: EmbeddedStack, screen: Screen) -> None:
    """Runs the campaign and puts every check on the screen's list."""
    token = tokens.mint(stack.deployed, "admin", "demo", hours=1)
    api = Api(stack.api_url, token)
    video = f"demo-{uuid.uuid4().hex[:12]}"
    views = ViewsPart(api, stack.api_url, video, screen)
    views.start()
    beside = (
        SponsorshipsPart(stack, screen),
        PromotionsPart(stack, screen),
        BroadcastsPart(stack, screen),
        HooksPart(Api(stack.api_url, token), screen),
    )
    for part in beside:
        part.start()

    before = api.get("/api/admin/fake-views/limits")
    month_before = before["current_month_total"]
    screen.tell(
        "Limits",
        f"{before['max_per_day']:,} views a day and {before['global_monthly_cap']:,} a month over all campaigns",
        f"this month so far: {month_before:,}",
    )

    order = {"video_id": video, "total_count": TOTAL, "duration_days": 1, "pattern": "steady", "daily_limit": TOTAL}
    campaign = api.post("/api/admin/fake-views", order)
    path = f"/api/admin/fake-views/{campaign['id']}"
    views.begin()
    screen.tell("Create", f"{TOTAL:,} views for video {video}, steady, within 1 day", campaign["id"])

    with progress_bar(screen) as bar:
        screen.tell("Execute", api.post(f"{path}/execute")["status"], "one batch per message; each sends the next")
        _await(api, path, bar, at_least=1)  # the first batch: the later it pauses, the nearer is the end
        paused = api.post(f"{path}/pause")
        bar.show(paused)
        at_pause = paused["executed_count"]
        screen.tell("Pause", f"answered at {at_pause:,} of {TOTAL:,}", f"watched for {STILL_SECONDS} s")
        looks = _watch(api, path, bar)
        screen.tell("Resume", api.post(f"{path}/execute")["status"], "the endpoint is execute: there is no resume")
        completed = _await(api, path, bar, statuses=("completed",))
        screen.tell("Complete", f"{completed['executed_count']:,} of {completed['total_count']:,} views")

    _burst(api, screen)
    evidence = api.get(f"{path}/verify")
    views.end()
    count = api.get(f"/api/views/video/{video}")
    organic, boosted = sum(count["organic"].values()), count["boosted"]
    screen.tell(
        "Count",
        f"{count['view_count']:,} views = {organic:,} organic + {boosted:,} boosted",
        count.get("disclosure", "no disclosure"),
    )

    entries = api.get("/api/admin/audit", entity=campaign["id"])["items"]
    for number, entry in enumerate(reversed(entries)):
        said = f"{entry['number']:>2}  {entry['action']:<30}  {entry['at'][11:19]}  by {entry['actor']:<8}"
        screen.tell("" if number else "Audit", said, f"{entry['previous_hash'][:8]:<8} → {entry['hash'][:8]}")
    verified = api.get(f"/api/admin/audit/{campaign['id']}/verify")

    batches = _batches(stack, campaign["id"])
    after = api.get("/api/admin/fake-views/limits")
    executed, month_after = completed["executed_count"], after["current_month_total"]
    parts = " + ".join(f"{views:,}" for views in batches) if len(batches) <= 12 else f"{len(batches)} batches"
    screen.check("executed is the total", f"{executed:,} = {TOTAL:,}", holds=executed == TOTAL)
    screen.check(
        "the batches' rows, executed and the video's boosted are one number",
        f"{parts} = {sum(batches):,} = {executed:,} = {boosted:,}",
        holds=sum(batches) == executed == boosted,
    )
    screen.check(
        f"nothing moved for {STILL_SECONDS} s after the pause was answered",
        f"{_count(len(looks), 'look', 'looks')}: {at_pause:,} → {max(looks):,}",
        holds=set(looks) == {at_pause} and 0 < at_pause < TOTAL,
    )
    screen.check(
        "the audit chain verifies",
        f"{_count(verified['entries'], 'entry', 'entries')}"
        + (f", {verified['problem']}" if verified["problem"] else ""),
        holds=verified["valid"] is True and verified["entries"] == len(entries) > 0,
    )
    screen.check(
        "this month's total rose by exactly the total",
        f"{month_before:,} + {TOTAL:,} = {month_after:,}",
        holds=month_after - month_before == TOTAL,
    )
    screen.check(
        "verify finds rows, counters and caps in agreement",
        _count(len(evidence["checks"]), "check", "checks"),
        holds=evidence["valid"] is True and len(evidence["checks"]) > 0,
    )
    for part in beside:
        part.end()


def _burst(api: Api, screen: Screen) -> None:
    """Simulates a burst over two videos: its days, what the daily limit clips, and where that goes."""
    order = {
        "video_ids": ["demo-a", "demo-b"],
        "total_count": BURST_TOTAL,
        "duration_days": 6,
        "pattern": "burst",
        "daily_limit": BURST_LIMIT,
    }
    found = api.post("/api/admin/fake-views/simulate", order)
    screen.tell(
        "Simulate",
        f"{BURST_TOTAL:,} views over 2 videos in a burst of 6 days, at most {BURST_LIMIT:,} a day",
        "nothing is created",
    )
    for day in found["days"]:
        bar = "█" * round(day["views"] * 24 / BURST_LIMIT)
        moved = f"{day['clipped']:,} too many, moved on" if day["clipped"] else ""
        moved = f"{day['spilled_in']:,} moved here" if day["spilled_in"] else moved
        screen.tell("", f"{day['date']}  {day['views']:>6,}  [green]{bar:<24}[/]", moved)
    screen.tell(
        "", f"{found['batches']} batches, done {found['ends_at'][:16]}Z, ${found['cost_usd']:.4f} at list price"
    )
    days = [day["views"] for day in found["days"]]
    screen.check(
        "the simulated burst is the total, and no day is above its limit",
        f"{' + '.join(f'{views:,}' for views in days)} = {sum(days):,}",
        holds=sum(days) == BURST_TOTAL and max(days) <= BURST_LIMIT,
    )


def _watch(api: Api, path: str, bar: Bar) -> list[int]:
    """What executed was at every look during the time it must stand still."""
    until = time.monotonic() + STILL_SECONDS
    looks = []
    while True:
        last = time.monotonic() >= until
        campaign = api.get(path)
        bar.show(campaign)
        looks.append(int(campaign["executed_count"]))
        if last:
            return looks
        time.sleep(1 / LOOKS_PER_SECOND)


def _batches(stack: EmbeddedStack, campaign_id: str) -> list[int]:
    """The views of every batch row, in order: read from the table itself, past all of Sluice's code."""
    table = stack.deployed.session.resource("dynamodb", endpoint_url=stack.endpoint_url).Table(
        stack.deployed.resources()["BoostsTable"]
    )
    condition = Key("id").eq(campaign_id) & Key("part").begins_with("batch#")
    rows: list[int] = []
    query: dict[str, Any] = {"KeyConditionExpression": condition, "ConsistentRead": True}
    while True:
        answer = table.query(**query)
        rows += [int(str(row["views"])) for row in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            return rows
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _tell_why(stack: EmbeddedStack, console: Console) -> None:
    """The functions' last words, while there still is a stack to ask."""
    if not stack.is_running():
        return
    try:
        lines = list(follow(stack.deployed, minutes=5, forever=False))
    except (LocalError, KeyError):
        lines = []  # It was not deployed: the error itself says why.
    if lines:
        console.print("\nThe end of the functions' logs:", style="bold")
        console.print("\n".join(lines[-20:]), markup=False, highlight=False)


def _end_cleanly(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    argparse.ArgumentParser(prog="python -m local.demo", description=__doc__).parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end_cleanly)
    console = Console(highlight=False, soft_wrap=True)
    screen = Screen(console)
    console.print(
        "[bold]Sluice[/]: boosts, a sync of views, a sponsorship, a promotion, broadcasts and a webhook, "
        "on a stack of its own\n"
    )
    try:
        with temporary("demo", tell=lambda _: None) as stack:
            stack.overrides.update(PARAMETERS)
            try:
                with screen.step(
                    "1 of 3  Building the functions and layers, and starting MiniStack and Valkey"
                ) as done:
                    stack.start_and_build()
                    ports = f"on ports {stack.port} and {stack.redis_port or 'REDIS_URL'}"
                    done.append(f"Built for {this_architecture()}; MiniStack and Valkey listen {ports}")
                with screen.step("2 of 3  Deploying template.yaml with sam deploy") as done:
                    stack.deploy()
                    done.append(f"Deployed template.yaml: {len(stack.deployed.resources())} resources")
                console.print("3 of 3  Running all six side by side, about a minute\n")
                main_job(stack, screen)
            except LocalError:
                _tell_why(stack, console)
                raise
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # The second Ctrl-C must not stop the clearing up.
                with console.status("Stopping ...") if console.is_terminal else nullcontext():
                    stack.remove()
    except KeyboardInterrupt:
        console.print("\nInterrupted; everything it started is stopped.")
        return 130
    except httpx.HTTPError as error:
        raise LocalError(f"The embedded stack did not answer: {error!r}") from error
    except json.JSONDecodeError as error:
        raise LocalError(f"The embedded stack answered something that is not JSON: {error}") from error
    holds = screen.verdict()
    console.print("That stack is gone. `make up` starts one that stays, and prints the address of its console.")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    run(main)
