"""`make bench`, sponsorships: what an impression, a click, a join and a completion cost, and how fast they are."""

import json
import logging
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import time_machine

from local import cost
from local.sponsors import RATE, Sponsors
from local.stack import temporary
from tests.account import Account, modelled_account
from tests.bench_calls import Calls
from tests.bench_tables import a_table, console
from tests.factories import NOON
from tests.gateway import a_request
from tests.integration.harness import Functions
from tests.integration.recording_world import BROWSER
from tests.integration.sponsorships_world import Sponsorships
from tests.packages import nothing_cached
from tests.template_reader import ROOT, source

IMPRESSIONS = 200
TARGET = IMPRESSIONS + 60
ROUNDS, VIEWERS = 5, 100
BATCH = 25


def main() -> None:
    console.print("Through the real handlers, on the model of DynamoDB that the tests use, in process")
    bench_calls()
    console.print("\nFrom the last impression to the wallet, on the embedded stack")
    bench_payment()


@dataclass
class World:
    """A campaign that nina takes part in, on the model of DynamoDB."""

    aws: Account
    functions: Functions
    clock: Any
    sponsorships: Sponsorships
    campaign: str = ""
    came: int = field(default=0)

    def tokens(self, number: int) -> list[str]:
        """Tokens of new viewers, which are usable when this returns."""
        minted: list[str] = []
        while len(minted) < number:
            some = min(100, number - len(minted))
            body = {"streamer_id": "nina", "viewers": [f"viewer {self.came + each}" for each in range(some)]}
            self.came += some
            path = f"/{self.campaign}/impressions/tokens"
            answer = self.sponsorships.done("POST", path, subject="platform", role="service", body=body)
            minted += [each["token"] for each in answer["tokens"]]
        self.clock.shift(timedelta(seconds=6))
        return minted

    def post(self, route: str, body: Any) -> Any:
        """What recording answers."""
        path = f"/api/v1/campaigns/{self.campaign}{route}"
        event = a_request("POST", path, body=body, role=None, headers={"user-agent": BROWSER})
        return json.loads(self.functions.call("SponsorshipsRecordingApiFunction", event)["body"])

    def record(self, token: str) -> Any:
        return self.post("/impressions", {"token": token})

    def check(self) -> None:
        """The event that the target's crossing put on the bus."""
        event = json.loads((ROOT / "events/sponsorships/monitoring/worker-checks.json").read_text())
        data = {"campaign_id": self.campaign, "streamer": "nina", "thresholds": [TARGET], "source": "api"}
        event["Records"][0]["body"] = json.dumps(data)
        self.functions.call("SponsorshipsMonitoringWorkerFunction", event)
        self.sponsorships.work()


@contextmanager
def a_world() -> Iterator[World]:
    logging.disable(logging.INFO)
    with modelled_account() as aws, nothing_cached(), time_machine.travel(NOON, tick=False) as clock:
        functions = Functions(aws)
        yield World(aws, functions, clock, Sponsorships(aws, functions, clock))


def bench_calls() -> None:
    with a_world() as world:
        keys = {"gkeys": "required", "milestones": []}
        world.campaign = world.sponsorships.started(target_impressions=TARGET, **keys)
        join = _measured(
            lambda: world.sponsorships.done("POST", f"/{world.campaign}/join", subject="nina", body={}), world
        )
        plain = world.sponsorships.started(milestones=[])
        join_plain = _measured(
            lambda: world.sponsorships.done("POST", f"/{plain}/join", subject="nina", body={}), world
        )
        tokens = world.tokens(TARGET)
        clickable = world.record(tokens[0])["click_token"]  # and everything is imported
        impression = _measured(lambda: [world.record(each) for each in tokens[1 : IMPRESSIONS + 1]], world, IMPRESSIONS)
        batch = tokens[IMPRESSIONS + 1 : IMPRESSIONS + 1 + BATCH]
        together = _measured(lambda: world.post("/impressions/batch", {"tokens": batch}), world, BATCH)
        click = _measured(lambda: world.post("/clicks", {"token": clickable}), world)
        again = _measured(lambda: world.record(tokens[1]), world)
        added = int(world.record(tokens[1])["counted"])
        for token in tokens[IMPRESSIONS + 1 + BATCH : -1]:
            world.record(token)
        last = _measured(lambda: world.record(tokens[-1]), world)
        paid = _measured(world.check, world)
        seen = world.sponsorships.done("GET", f"/{world.campaign}/participations/nina", subject="nina")
        assert seen["status"] == "completed"
        sources = _measured(lambda: as_the_sources(world.aws, IMPRESSIONS), world, IMPRESSIONS)
    template = source()
    million = Decimal(cost.impressions(template).usd).quantize(Decimal("0.01"))
    million_together = Decimal(cost.impressions_together(template).usd).quantize(Decimal("0.01"))
    budgets = {name: f"<= ${cost.BUDGETS[name]:.2f}" for name in ("impressions", "impressions together")}
    table = a_table("what", "AWS calls", "write units", "a million, list price", "budget")
    table.add_row(
        "an impression", *impression.cells(), f"${million}, with its token", f"2; 4; {budgets['impressions']}"
    )
    table.add_row(
        f"an impression of {BATCH} together",
        *together.cells(),
        f"${million_together}",
        f"2.08 write units; {budgets['impressions together']}",
    )
    table.add_row("a token that is sent again", *again.cells(), "", "")
    table.add_row("a click", *click.cells(), "", "1; 4")
    table.add_row("a join", *join_plain.cells(), "", "30 write units")
    table.add_row("a join, with a G-Key", *join.cells(), "", "30 write units")
    completion = Measured(last.calls - impression.calls + paid.calls, last.units - impression.units + paid.units, 0)
    table.add_row(f"a completion of {TARGET} impressions", *completion.cells(), "", "50 write units")
    console.print(table)
    # The model answers in microseconds. On DynamoDB, both wait for two calls, one after the other.
    table = a_table("an impression", "a second, in process", "AWS calls", "write units", "sent again, it adds")
    table.add_row("sources", f"{sources.a_second:,.0f}", *sources.cells(), "1: a viewer has no name there")
    table.add_row("ours", f"{impression.a_second:,.0f}", *impression.cells(), str(added))
    console.print(table)


@dataclass(frozen=True)
class Measured:
    """AWS calls, write units and seconds of one of several."""

    calls: float
    units: float
    seconds: float

    @property
    def a_second(self) -> float:
        return 1 / self.seconds

    def cells(self) -> tuple[str, str]:
        return f"{self.calls:.4g}", f"{self.units:.4g}"


def _measured(do: Callable[[], Any], world: World, times: int = 1) -> Measured:
    calls = Calls()
    began = time.perf_counter()
    with calls.counted():
        do()
    seconds = time.perf_counter() - began
    units = calls.write_units(world.aws)
    return Measured(sum(calls.operations.values()) / times, units / times, seconds / times)


def as_the_sources(aws: Account, impressions: int) -> None:
    """Read, add, write back; at a milestone or the target check, then transfer, then unlock (S3-3, S3-7 to S3-9)."""
    client, table = aws.client("dynamodb"), aws.ref("SponsorshipsTable")

    def read(id: str) -> dict[str, Any]:
        key = {"id": {"S": id}, "part": {"S": "naive"}}
        found: dict[str, Any] = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", key)
        return found

    def write(item: dict[str, Any], **values: int) -> None:
        client.put_item(TableName=table, Item=item | {name: {"N": str(value)} for name, value in values.items()})

    for _ in range(impressions):
        participation = read("participation")
        seen = int(participation.get("impressions", {"N": "0"})["N"]) + 1
        write(participation, impressions=seen, earnings=seen * 165)
        if seen in (50, 100, 500, impressions) and seen >= impressions:
            write(read("wallet"), balance=seen * 165)
            write(read("key"), unlocked=1)


def bench_payment() -> None:
    with temporary("bench", tell=lambda line: console.print(f"  {line}")) as stack:
        stack.start()
        stack.deploy()
        sponsors = Sponsors(stack, looks_per_second=20)
        pay = int(VIEWERS * Decimal(RATE) * 100)
        sponsors.deposit((2 * ROUNDS + 1) * pay)
        _payment(sponsors, pay, "first")  # starts the functions
        by_event = [_payment(sponsors, pay, f"nina-{number}") for number in range(ROUNDS)]
        with sponsors.detectors_off():
            by_sweep = [_payment(sponsors, pay, f"omar-{number}", sponsors.sweep) for number in range(ROUNDS)]
    table = a_table("from the last impression to the wallet", "median", "longest", "budget")
    table.add_row("with events and stream", *_seconds(by_event), "5 s")
    table.add_row("without: from the sweep to the wallet", *_seconds(by_sweep), "one sweep (5 min) + 5 s")
    console.print(table)


def _payment(sponsors: Sponsors, pay: int, streamer: str, detect: Callable[[], None] = lambda: None) -> float:
    """Seconds from the answer to a streamer's last impression until the money is in the wallet."""
    campaign = sponsors.start(VIEWERS, pay, {})
    sponsors.join(campaign, streamer)
    sponsors.record(campaign, streamer, VIEWERS)
    began = time.monotonic()
    detect()
    sponsors.until_paid(campaign, streamer)
    seconds = time.monotonic() - began
    assert sponsors.wallet(streamer) == pay
    return seconds


def _seconds(found: list[float]) -> tuple[str, str]:
    return f"{statistics.median(found):.1f} s", f"{max(found):.1f} s"


if __name__ == "__main__":
    main()
