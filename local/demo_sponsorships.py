"""The demo's sponsorship: two streamers are paid for 2,000 viewers each, and what a hand writes is paid to nobody."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from threading import Thread
from typing import Any

from local import tokens
from local.api import Api, Json
from local.errors import LocalError
from local.paths import ROOT
from local.stack import EmbeddedStack

TARGET, RATE, PAY = 2_000, "1.65", 330_000
"""2,000 impressions x 1.65 USD = 3,300.00 USD, in cents."""
BUDGET = 700_000
BATCH, FIRST = 50, 30
"""The first batch is smaller, so that those after it jump over the milestones: 30, 80, 130, ..."""
MILESTONES = [50, 100, 500]
SIDE_BY_SIDE = 4
KEYS = {"NINA7-GOLD1-2026A", "OMAR7-GOLD2-2026B"}
DONE_WITHIN_SECONDS = 120
LOOKS_PER_SECOND = 10
CAMPAIGNS = "/api/v1/campaigns"


class Screen:
    """A screen that shows on another one what it was given, when it is asked to."""

    def __init__(self, screen: Any) -> None:
        self._screen = screen
        self._given: list[Callable[[], None]] = []

    def tell(self, label: str, text: str, note: str = "") -> None:
        self._given.append(partial(self._screen.tell, label, text, note))

    def check(self, claim: str, numbers: str, *, holds: bool) -> None:
        self._given.append(partial(self._screen.check, claim, numbers, holds=holds))

    def show(self) -> None:
        for each in self._given:
            each()


@dataclass
class Bearers:
    """Whoever calls the API: clients by the subject of their token."""

    stack: EmbeddedStack
    roles: dict[str, str]
    clients: dict[str, Api] = field(default_factory=dict)

    def __getitem__(self, subject: str) -> Api:
        if subject not in self.clients:
            token = tokens.mint(self.stack.deployed, self.roles.get(subject, "user"), subject, hours=1)
            self.clients[subject] = Api(self.stack.api_url, token)
        return self.clients[subject]


class SponsorshipsPart:
    """Runs the campaign in a thread beside whatever else the demo does, and shows it when it ends."""

    def __init__(self, stack: EmbeddedStack, screen: Any) -> None:
        self._stack = stack
        self._screen = Screen(screen)
        self._bearers = Bearers(stack, {"demo": "admin", "platform": "service"})
        self._failures: list[Exception] = []
        self._thread = Thread(target=self._run, daemon=True)
        self._path = ""

    @cached_property
    def _resources(self) -> dict[str, str]:
        return self._stack.deployed.resources()

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Waits until both are paid, and shows what happened."""
        self._thread.join(2 * DONE_WITHIN_SECONDS)
        if self._failures:
            raise self._failures[0]
        self._screen.show()

    def _run(self) -> None:
        try:
            self._create()
            self._edit("omar")
            self._pay_by_the_event("nina")
            self._pay_by_the_sweep("omar")
            self._check_the_money()
            self._check_offline("nina")
        except Exception as error:
            self._failures.append(error)

    def _create(self) -> None:
        """The advertiser's campaign, which two streamers join."""
        acme, deposit = self._bearers["acme"], {"amount": BUDGET, "currency": "USD", "reference": "demo"}
        self._bearers["demo"].post("/api/v1/wallets/acme/deposits", deposit)
        terms = {"name": "Demo", "target_impressions": TARGET, "rate": RATE, "currency": "USD", "budget": BUDGET}
        ends_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        rules = {"milestones": MILESTONES, "gkeys": "required", "min_seconds": 0, "ends_at": ends_at}
        campaign = acme.post(CAMPAIGNS, terms | rules)
        self._path = f"{CAMPAIGNS}/{campaign['id']}"
        acme.post(f"{self._path}/gkeys", {"keys": sorted(KEYS)})
        acme.post(f"{self._path}/start")
        for streamer in ("nina", "omar"):
            self._bearers[streamer].post(f"{self._path}/join", {})
        money = self._money()
        self._screen.tell(
            "Sponsor",
            f"acme funds {_usd(BUDGET)}: {TARGET:,} viewers x {RATE} pay a streamer {_usd(campaign['pay'])}",
            campaign["id"],
        )
        self._screen.tell("Join", f"nina and omar: {_usd(money['reserved'])} and 2 G-Keys are set aside")
        self._screen.check(
            "what was promised to both streamers was set aside when they joined",
            f"2 x {_usd(PAY)} = {_usd(money['reserved'])}",
            holds=campaign["pay"] == PAY and money["reserved"] == 2 * PAY,
        )

    def _edit(self, streamer: str) -> None:
        """A hand in the database claims everything: the stream sees it, and nobody is paid."""
        self._table("SponsorshipsTable").update_item(
            Key={"id": f"{self._path.removeprefix(CAMPAIGNS + '/')}:{streamer}", "part": "campaign"},
            UpdateExpression="SET impressions = :impressions, earnings = :earnings",
            ExpressionAttributeValues={":impressions": TARGET, ":earnings": PAY},
        )
        path = f"{self._path}/participations/{streamer}/adjustments"
        (noted,) = self._until(path, lambda seen: bool(seen["items"]))["items"]
        seen = self._participation(streamer)
        self._screen.tell(
            "Edit",
            f"a hand writes {TARGET:,} impressions and {_usd(PAY)} into {streamer}'s document",
            f"found by the {noted['found_by']}, set back to {seen['impressions']}, paid {_usd(seen['paid'])}",
        )
        self._screen.check(
            "a document that was edited by hand is an adjustment, and pays nothing",
            f"{noted['state']}: {noted['delta']:,} claimed, {seen['impressions']} counted, {_usd(seen['paid'])} paid",
            holds=noted["delta"] == TARGET
            and (seen["status"], seen["impressions"], seen["paid"]) == ("active", 0, 0)
            and self._money()["paid"] == 0,
        )

    def _pay_by_the_event(self, streamer: str) -> None:
        sent, again = self._record(streamer)
        began = time.monotonic()
        self._until_paid(streamer)
        seconds = time.monotonic() - began
        seen, wallet = self._participation(streamer), self._wallet(streamer)
        key = self._bearers[streamer].get(f"{self._path}/participations/{streamer}/gkey")["key"]
        crossed = self._crossed(streamer)
        reasons = Counter(each.get("reason", "counted") for each in again)
        self._screen.tell(
            "Record",
            f"{streamer}: {TARGET:,} viewers in {sent} batches, {SIDE_BY_SIDE} at a time",
            f"crossed {', '.join(f'{each:,}' for each in crossed)}",
        )
        self._screen.tell(
            "Pay",
            f"{streamer} has {_usd(wallet)} and the G-Key {key[:5]}-…, {seconds:.1f} s after the last impression",
            f"found by the {seen['detected_by']}",
        )
        self._screen.check(
            f"{TARGET:,} impressions are paid by themselves, once",
            f"{TARGET:,} x {RATE} = {_usd(wallet)}",
            holds=(seen["impressions"], seen["paid"], wallet, seen["detected_by"]) == (TARGET, PAY, PAY, "api"),
        )
        self._screen.check(
            "each milestone and the target asked for a check once, though batches jump over them",
            ", ".join(f"{each:,}" for each in crossed),
            holds=crossed == [*MILESTONES, TARGET],
        )
        self._screen.check(
            "a batch that is sent twice counts once",
            ", ".join(f"{reason} {times}" for reason, times in reasons.items()),
            holds=reasons == {"token_used": len(again)},
        )
        self._screen.check("the G-Key is unlocked with the pay", f"{key[:5]}-…", holds=key in KEYS)

    def _pay_by_the_sweep(self, streamer: str) -> None:
        """No event comes to the queue of checks, and no record to the stream's function."""
        with self._detectors_off():
            self._record(streamer)
            waiting = self._participation(streamer)
            self._stack.deployed.client("lambda").invoke(
                FunctionName=self._resources["SponsorshipsMonitoringScheduleFunction"], Payload=b'{"kind": "light"}'
            )
            self._until_paid(streamer)
        seen, wallet = self._participation(streamer), self._wallet(streamer)
        self._screen.tell(
            "Sweep",
            f"{streamer}: events and stream are off, {waiting['impressions']:,} viewers, {waiting['status']}; "
            f"the sweep pays {_usd(wallet)}",
            f"found by the {seen['detected_by']}",
        )
        self._screen.check(
            "with events and stream off, the sweep completes all the same",
            f"{waiting['status']} → {seen['status']}, {_usd(wallet)}",
            holds=waiting["status"] == "active" and (seen["detected_by"], seen["paid"], wallet) == ("sweep", PAY, PAY),
        )

    @contextmanager
    def _detectors_off(self) -> Iterator[None]:
        events, functions = self._stack.deployed.client("events"), self._stack.deployed.client("lambda")
        rule = {
            "Name": self._resources["SponsorshipsChecksRule"].rpartition("|")[2],
            "EventBusName": self._resources["EventBus"],
        }
        stream = self._resources["SponsorshipsMonitoringStreamFunctionRows"]
        events.disable_rule(**rule)
        functions.update_event_source_mapping(UUID=stream, Enabled=False)
        try:
            yield
        finally:
            events.enable_rule(**rule)
            functions.update_event_source_mapping(UUID=stream, Enabled=True)

    def _check_the_money(self) -> None:
        money = self._money()
        parts = ("remaining", "reserved", "paid", "refunded")
        sums = " + ".join(f"{_plain(money[part])} {part}" for part in parts)
        evidence = self._bearers["acme"].get(f"{self._path}/verify")
        self._screen.tell("Budget", f"{_plain(money['funded'])} = {sums}")
        self._screen.check(
            "the budget is what remains, is reserved, was paid and was refunded",
            f"{_plain(money['funded'])} = {' + '.join(_plain(money[part]) for part in parts)}",
            holds=money["funded"] == BUDGET == sum(money[part] for part in parts)
            and money["paid"] == 2 * PAY
            and evidence["valid"] is True,
        )

    def _check_offline(self, streamer: str) -> None:
        """The statement and the evidence, fetched to files and checked by a script that knows nothing of the stack."""
        path, folder = f"{self._path}/participations/{streamer}", self._stack.directory
        statement, evidence = folder / "statement.json", folder / "evidence.csv"
        statement.write_text(json.dumps(self._bearers[streamer].get(f"{path}/statement")), encoding="utf-8")
        evidence.write_text(self._bearers[streamer].text(f"{path}/statement/evidence"), encoding="utf-8")
        command = [sys.executable, "-I", str(ROOT / "local" / "verify_statement.py"), str(statement), str(evidence)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        said = (ended.stdout or ended.stderr).strip()
        root = f"root {json.loads(statement.read_text(encoding='utf-8'))['root']}"
        short = said.replace(root, root[:13] + "…")
        self._screen.tell("Statement", f"verify_statement.py, offline: {short}")
        self._screen.check(
            f"{streamer}'s statement and evidence verify offline",
            short,
            holds=ended.returncode == 0 and said == f"OK {TARGET} impressions, 3300.00 USD, {root}",
        )

    def _record(self, streamer: str) -> tuple[int, list[Json]]:
        """TARGET viewers of a streamer, in batches side by side: how many, and what becomes of one sent again."""
        viewers = [f"viewer {number}" for number in range(TARGET)]
        ends = [FIRST, *range(FIRST + BATCH, TARGET, BATCH), TARGET]
        batches = [viewers[start:end] for start, end in zip([0, *ends], ends, strict=False)]

        def record(batch: list[str]) -> tuple[list[str], list[Json]]:
            wanted = {"streamer_id": streamer, "viewers": batch}
            minted = self._bearers["platform"].post(f"{self._path}/impressions/tokens", wanted)["tokens"]
            sent = [each["token"] for each in minted]
            return sent, self._send(sent)

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            first = record(batches[0])
            recorded = [first, *pool.map(record, batches[1:-1])]
        again = self._send(recorded[-1][0])
        recorded.append(record(batches[-1]))
        refused = [each for _, answers in recorded for each in answers if not each["counted"]]
        if refused:
            raise LocalError(f"{len(refused)} impressions of {streamer} were refused: {refused[0]}")
        return len(batches), again

    def _send(self, sent: list[str]) -> list[Json]:
        answer = self._bearers["platform"].post(f"{self._path}/impressions/batch", {"tokens": sent})
        recorded: list[Json] = answer["impressions"]
        return recorded

    def _crossed(self, streamer: str) -> list[int]:
        """The thresholds of all events that asked for a check, from the outbox itself."""
        rows = self._table("OutboxTable").scan(ConsistentRead=True)["Items"]
        data = [json.loads(row["data"]) for row in rows if row["name"] == "campaign.completion.check"]
        found = [each for each in data if each["streamer"] == streamer and each["source"] == "api"]
        return sorted(threshold for each in found for threshold in each["thresholds"])

    def _participation(self, streamer: str) -> Json:
        return self._bearers[streamer].get(f"{self._path}/participations/{streamer}")

    def _until_paid(self, streamer: str) -> Json:
        return self._until(f"{self._path}/participations/{streamer}", lambda seen: seen["status"] == "completed")

    def _wallet(self, streamer: str) -> int:
        return sum(each["balance"] for each in self._bearers[streamer].get("/api/v1/wallets/me")["items"])

    def _money(self) -> Json:
        money: Json = self._bearers["acme"].get(self._path)["money"]
        return money

    def _until(self, path: str, satisfied: Callable[[Json], bool]) -> Json:
        deadline = time.monotonic() + DONE_WITHIN_SECONDS
        while not satisfied(seen := self._bearers["demo"].get(path)):
            if time.monotonic() >= deadline:
                raise LocalError(f"{path} is, after {DONE_WITHIN_SECONDS} s: {seen}")
            time.sleep(1 / LOOKS_PER_SECOND)
        return seen

    def _table(self, logical_id: str) -> Any:
        """boto3's Table: past all of Sluice's code."""
        session = self._stack.deployed.session
        resource = session.resource("dynamodb", endpoint_url=self._stack.endpoint_url)
        return resource.Table(self._resources[logical_id])


def _plain(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def _usd(cents: int) -> str:
    return f"{_plain(cents)} USD"
