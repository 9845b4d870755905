"""Sponsorships on the embedded stack: tokens, impressions, events, stream, sweep, and each function's permissions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from csv import DictReader
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local import verify_statement
from tests.deployed import StackUnderTest
from tests.e2e.conftest import RESUME, STOP
from tests.e2e.test_boosts import eventually

CAMPAIGNS, MONITORING = "/api/v1/campaigns", "/api/v1/campaigns/monitoring"
TARGET, PAY = 120, 19_800
"""120 impressions at 1.65 USD, in cents."""
BUDGET = 2 * PAY + 5_000

Json = dict[str, Any]


def a_name(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


def checked(answer: httpx.Response, status: int) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


@dataclass
class Sponsorship:
    """A running campaign of an advertiser of its own, which pays two streamers, and those who have to do with it."""

    stack: StackUnderTest
    admin: httpx.Client
    operator: httpx.Client
    owner: str = field(default_factory=lambda: a_name("acme"))
    came: int = 0
    path: str = ""

    def start(self, **terms: Any) -> "Sponsorship":
        """Fund the advertiser, and create and start the campaign."""
        self.deposit(BUDGET)
        with self.stack.http("user", self.owner) as http:
            ends_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
            new = {"name": "Play", "target_impressions": TARGET, "rate": "1.65", "currency": "USD", "budget": BUDGET}
            new |= {"ends_at": ends_at, "min_seconds": 0} | terms
            self.path = f"{CAMPAIGNS}/{checked(http.post(CAMPAIGNS, json=new), 201)['id']}"
            if new.get("gkeys") == "required":
                checked(http.post(f"{self.path}/gkeys", json={"keys": ["AAAA-BBBB-1", "AAAA-BBBB-2"]}), 200)
            checked(http.post(f"{self.path}/start"), 200)
        return self

    def deposit(self, amount: int) -> None:
        body = {"amount": amount, "currency": "USD", "reference": "test"}
        headers = {"idempotency-key": uuid4().hex}
        checked(self.admin.post(f"/api/v1/wallets/{self.owner}/deposits", json=body, headers=headers), 201)

    def join(self) -> str:
        """A new streamer, who takes part."""
        streamer = a_name("nina")
        with self.stack.http("user", streamer) as http:
            checked(http.post(f"{self.path}/join", json={}), 201)
        return streamer

    def tokens(self, streamer: str, number: int) -> list[str]:
        """Impression tokens for as many viewers, who were not there before."""
        viewers = [f"viewer {self.came + each}" for each in range(number)]
        self.came += number
        with self.stack.http("service", "platform") as http:
            body = {"streamer_id": streamer, "viewers": viewers}
            answer = checked(http.post(f"{self.path}/impressions/tokens", json=body), 200)
        return [each["token"] for each in answer["tokens"]]

    def record(self, tokens: list[str]) -> list[Json]:
        """What became of each token of one batch."""
        with self.recorder() as http:
            body = checked(http.post(f"{self.path}/impressions/batch", json={"tokens": tokens}), 200)
        found: list[Json] = body["impressions"]
        return found

    def see(self, streamer: str, number: int) -> None:
        """As many viewers see the advertisement, in batches of 50 at most."""
        for start in range(0, number, 50):
            recorded = self.record(self.tokens(streamer, min(50, number - start)))
            assert all(each["counted"] for each in recorded)

    @contextmanager
    def recorder(self) -> Iterator[httpx.Client]:
        """A client without a bearer token, whose user agent is no bot's."""
        with self.stack.http(role=None) as http:
            http.headers["user-agent"] = "Platform/1.0"
            yield http

    def participation(self, streamer: str, below: str = "") -> Json:
        return checked(self.operator.get(f"{self.path}/participations/{streamer}{below}"), 200)

    def until_completed(self, streamer: str) -> Json:
        return eventually(lambda: self.participation(streamer), lambda seen: seen["status"] == "completed")

    def wallet(self, user: str) -> Json:
        with self.stack.http("user", user) as http:
            (wallet,) = checked(http.get("/api/v1/wallets/me"), 200)["items"]
        found: Json = wallet
        return found

    def money(self) -> Json:
        money: Json = checked(self.operator.get(self.path), 200)["money"]
        parts = ("remaining", "reserved", "paid", "refunded")
        assert money["funded"] == sum(money[part] for part in parts)
        return money

    def edit(self, streamer: str, expression: str, **values: Any) -> None:
        """A hand in the database, past all of our code."""
        self.stack.table("SponsorshipsTable").update_item(
            Key={"id": f"{self.path.removeprefix(CAMPAIGNS + '/')}:{streamer}", "part": "campaign"},
            UpdateExpression=expression,
            ConditionExpression="attribute_exists(id)",
            **({"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}),
        )


@pytest.fixture
def sponsorship(stack: StackUnderTest, admin: httpx.Client, operator: httpx.Client) -> Sponsorship:
    return Sponsorship(stack, admin, operator)


@contextmanager
def no_events(stack: StackUnderTest) -> Iterator[None]:
    """The bus brings no request for a check to the queue: the API's detector is cut off."""
    bus, _, rule = stack.resources["SponsorshipsChecksRule"].rpartition("|")
    events = stack.client("events")
    name = {"Name": rule, "EventBusName": bus or stack.resources["EventBus"]}
    events.disable_rule(**name)
    try:
        yield
    finally:
        events.enable_rule(**name)


def sweep(stack: StackUnderTest) -> None:
    """As the schedule does every five minutes."""
    answer = stack.client("lambda").invoke(
        FunctionName=stack.resources["SponsorshipsMonitoringScheduleFunction"],
        Payload=json.dumps({"kind": "light"}),
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def dead_letters(stack: StackUnderTest) -> int:
    names = ("SponsorshipsDeadLetters", "SponsorshipsChecksDeadLetters", "SponsorshipsStreamDeadLetters")
    sqs, counted = stack.client("sqs"), "ApproximateNumberOfMessages"
    queues = [sqs.get_queue_attributes(QueueUrl=stack.resources[name], AttributeNames=[counted]) for name in names]
    return sum(int(each["Attributes"][counted]) for each in queues)


def test_streamers_reach_the_target_by_batches_and_are_paid_once_with_their_keys(
    stack: StackUnderTest, sponsorship: Sponsorship, tmp_path: Path
) -> None:
    """S3-1, S3-3, S3-4, S3-6 to S3-10, S3-22, S3-32."""
    sponsorship.start(gkeys="required", milestones=[50, 100])
    nina, omar = sponsorship.join(), sponsorship.join()
    promised = sponsorship.money()

    first = sponsorship.tokens(nina, 49)
    sponsorship.record(first)
    again = sponsorship.record(first[:1])
    for start in range(0, 71, 50):  # from 49 to 99, then to the target: the batches jump over 50 and 100
        sponsorship.see(nina, min(50, 71 - start))
    sponsorship.see(omar, 49)
    paid = sponsorship.until_completed(nina)
    sponsorship.see(omar, TARGET - 49)
    sponsorship.until_completed(omar)

    assert again[0]["reason"] == "token_used"
    assert (promised["reserved"], promised["remaining"]) == (2 * PAY, BUDGET - 2 * PAY)
    assert (paid["impressions"], paid["earnings"], paid["paid"]) == (TARGET, PAY, PAY)
    # On a machine with much to do the schedule's sweep may come first: any detector may.
    assert paid["detected_by"] in ("api", "stream", "sweep")
    for streamer in (nina, omar):
        wallet = sponsorship.wallet(streamer)
        assert (wallet["balance"], wallet["currency"], wallet["lines"]) == (PAY, "USD", 1)
        with stack.http("user", streamer) as http:
            assert checked(http.get(f"{sponsorship.path}/participations/{streamer}/gkey"), 200)["key"].startswith(
                "AAAA"
            )
        evidence = sponsorship.participation(streamer, "/verify")
        assert evidence["valid"] is True, evidence
    assert sponsorship.money() == promised | {"reserved": 0, "paid": 2 * PAY}
    assert checked(sponsorship.operator.get(f"{sponsorship.path}/verify"), 200)["valid"] is True
    for account in (f"wallet#USD#{nina}", f"wallet#USD#{sponsorship.owner}"):
        assert checked(sponsorship.operator.get("/api/v1/ledger/verify", params={"account": account}), 200)["valid"]
    statement = sponsorship.participation(nina, "/statement")
    assert statement["pay"]["shown"] == "198.00 USD"
    assert statement["refused"] == {"token_used": 1}
    evidence = sponsorship.operator.get(f"{sponsorship.path}/participations/{nina}/statement/evidence")
    rows = list(DictReader(StringIO(evidence.text)))
    assert len(rows) == TARGET
    assert {row["by"] for row in rows} == {"service:platform"}
    (tmp_path / "statement.json").write_text(json.dumps(statement))
    (tmp_path / "evidence.csv").write_text(evidence.text)
    verified = verify_statement.check(statement, [tmp_path / "evidence.csv"])
    assert verified == f"OK {TARGET} impressions, 198.00 USD, root {statement['root']}"
    proof = sponsorship.participation(nina, f"/proof/{rows[0]['viewer']}")
    assert (proof["root"], proof["root_of"], proof["leaves"]) == (statement["root"], "statement", TARGET)
    assert dead_letters(stack) == 0


def test_a_viewer_with_a_token_of_their_own_is_counted_and_may_click_once(
    stack: StackUnderTest, sponsorship: Sponsorship
) -> None:
    sponsorship.start()
    nina = sponsorship.join()
    with sponsorship.recorder() as http:
        http.headers["authorization"] = f"Bearer {stack.token('viewer', 'ada')}"
        minted = checked(http.post(f"{sponsorship.path}/impressions/token", json={"streamer_id": nina}), 200)

        counted = checked(http.post(f"{sponsorship.path}/impressions", json={"token": minted["token"]}), 200)
        clicks = [
            checked(http.post(f"{sponsorship.path}/clicks", json={"token": counted["click_token"]}), 200)
            for _ in range(2)
        ]
        forged = checked(
            http.post(f"{sponsorship.path}/impressions", json={"token": f"{minted['token'][:-4]}AAAA"}), 200
        )

    seen = sponsorship.participation(nina)
    assert counted["counted"] is True
    assert [each["counted"] for each in clicks] == [True, False]
    assert forged["reason"] == "token_invalid"
    assert (seen["impressions"], seen["clicks"], seen["earnings"]) == (1, 1, 165)


def test_a_document_edited_by_hand_is_noted_set_back_and_paid_nothing(sponsorship: Sponsorship) -> None:
    """S3-2, S3-11 to S3-13: the stream sees the hand; only rows are paid."""
    sponsorship.start()
    nina = sponsorship.join()
    sponsorship.see(nina, 10)

    sponsorship.edit(nina, "SET impressions = :n, earnings = :pay", n=TARGET, pay=PAY)
    (noted,) = eventually(
        lambda: sponsorship.participation(nina, "/adjustments")["items"], lambda found: len(found) == 1
    )

    seen = sponsorship.participation(nina)
    assert (noted["found_by"], noted["state"], noted["delta"]) == ("stream", "open", TARGET - 10)
    assert (noted["after"]["impressions"], noted["after"]["earnings"]) == (TARGET, PAY)
    assert (seen["status"], seen["impressions"], seen["earnings"], seen["paid"]) == ("active", 10, 1_650, 0)
    assert sponsorship.money()["paid"] == 0
    with sponsorship.stack.http("user", nina) as http:
        assert checked(http.get("/api/v1/wallets/me"), 200)["items"] == []


def test_a_completion_whose_event_is_lost_is_found_by_the_stream_when_a_hand_touches_the_document(
    stack: StackUnderTest, sponsorship: Sponsorship
) -> None:
    """S3-2, S3-6, S3-11, S3-13, S3-22, S3-26."""
    sponsorship.start()
    nina = sponsorship.join()

    with no_events(stack):
        sponsorship.see(nina, TARGET)
        lost = sponsorship.participation(nina)
        sponsorship.edit(nina, "SET impressions = :n REMOVE reached", n=TARGET + 1)
        paid = sponsorship.until_completed(nina)

    assert (lost["status"], lost["impressions"]) == ("active", TARGET)
    assert (paid["impressions"], paid["paid"]) == (TARGET, PAY)
    assert paid["detected_by"] in ("stream", "sweep")
    assert sponsorship.wallet(nina)["balance"] == PAY


def test_the_sweep_completes_what_no_event_and_no_record_announced(
    stack: StackUnderTest, sponsorship: Sponsorship
) -> None:
    """S3-17, S3-24, S3-25, S3-26, S3-32."""
    sponsorship.start()
    nina = sponsorship.join()

    with no_events(stack):
        sponsorship.see(nina, TARGET)
        lost = sponsorship.participation(nina)
        sweep(stack)
        paid = sponsorship.until_completed(nina)

    assert lost["status"] == "active"
    assert (paid["detected_by"], paid["paid"]) == ("sweep", PAY)
    assert sponsorship.wallet(nina)["balance"] == PAY


def test_the_monitoring_says_what_the_detectors_found(stack: StackUnderTest, operator: httpx.Client) -> None:
    """S3-16 to S3-19, S3-28, S3-31, S3-33: the canary comes back through the stream."""
    before = checked(operator.get(f"{MONITORING}/status"), 200)

    sweep(stack)
    status = eventually(
        lambda: checked(operator.get(f"{MONITORING}/status"), 200),
        lambda seen: (
            seen["stream"]["last_record_at"] not in (None, before["stream"]["last_record_at"])
            and seen["full_check"]["status"] == "checked"
        ),
    )
    run = eventually(
        lambda: operator.post(f"{MONITORING}/full-check", json={"deep": True}), lambda seen: seen.status_code == 202
    ).json()
    deep = eventually(
        lambda: checked(operator.get(f"{MONITORING}/full-check/{run['id']}"), 200),
        lambda seen: seen["status"] != "checking",
    )

    assert status["stream"]["enabled"] is True
    assert status["stream"]["dead_letters"] == 0
    assert status["status"] in ("ok", "degraded")  # degraded: other tests leave gaps
    assert (deep["status"], deep["problems"], deep["failed"]) == ("checked", [], 0)
    assert checked(operator.get(f"{MONITORING}/status"), 200)["conservation"]["ok"] is True


def test_the_monitoring_is_for_operators(stack: StackUnderTest) -> None:
    """S3-18."""
    with stack.http(role=None) as anonymous, stack.http("service") as service:
        answers = [
            (http.get(f"{MONITORING}/status").status_code, http.post(f"{MONITORING}/full-check", json={}).status_code)
            for http in (anonymous, service)
        ]

    assert answers == [(401, 401), (403, 403)]


def test_a_stop_refuses_impressions_and_a_campaign_goes_on_after_it(
    sponsorship: Sponsorship, stopping: httpx.Client
) -> None:
    sponsorship.start()
    nina = sponsorship.join()
    tokens = iter(sponsorship.tokens(nina, 100))

    def sent() -> str:
        """One more impression: the reason for which it was refused, if it was."""
        return str(sponsorship.record([next(tokens)])[0].get("reason"))

    first = sent()
    checked(stopping.post(STOP, json={"reason": "test"}), 200)
    eventually(sent, lambda reason: reason == "platform_stopped")
    checked(stopping.post(RESUME, json={"reason": "test"}), 200)
    eventually(sent, lambda reason: reason == "None")
    sponsorship.see(nina, TARGET - sponsorship.participation(nina)["impressions"])
    paid = sponsorship.until_completed(nina)

    assert first == "None"
    assert (paid["impressions"], paid["paid"]) == (TARGET, PAY)
