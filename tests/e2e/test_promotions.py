"""Promotions on the embedded stack: the queue, the tracker, uploads to S3, and each function's permissions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import eventually

CAMPAIGNS = "/v2/campaigns"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)

Json = dict[str, Any]


def checked(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


@dataclass
class Promotion:
    """A promotion of an owner of its own, at the sandbox."""

    stack: StackUnderTest
    admin: httpx.Client
    operator: httpx.Client
    owner: str = field(default_factory=lambda: f"orbit-{uuid4().hex[:12]}")
    path: str = ""

    def draft(self, **terms: Any) -> "Promotion":
        """Fund and connect the owner, and create a draft."""
        deposit = {"amount": 10_000, "currency": "USD", "reference": "test"}
        headers = {"idempotency-key": uuid4().hex}
        checked(self.admin.post(f"/api/v1/wallets/{self.owner}/deposits", json=deposit, headers=headers), 201)
        new = {"title": "Winter", "network": "sandbox", "texts": ["Look at this #ad", "All of it"], "budget": 10_000}
        new |= {"currency": "USD", "duration_minutes": 60} | terms
        with self.http() as http:
            checked(http.put("/v2/connections/sandbox", json={"token": self.owner}))
            self.path = f"{CAMPAIGNS}/{checked(http.post(CAMPAIGNS, json=new), 201)['id']}"
        return self

    @contextmanager
    def http(self, subject: str = "") -> Iterator[httpx.Client]:
        with self.stack.http("user", subject or self.owner) as http:
            yield http

    def command(self, verb: str, **body: Any) -> Json:
        with self.http() as http:
            return checked(http.post(f"{self.path}/{verb}", json=body), 202)

    def seen(self) -> Json:
        with self.http() as http:
            return checked(http.get(self.path))

    def until(self, status: str) -> Json:
        return eventually(self.seen, lambda seen: seen["status"] == status or seen["error"])

    def account(self, handle: str, **more: Any) -> None:
        about = {"created_at": "2020-01-01T00:00:00Z", "followers": 100, "following": 50} | more
        checked(self.operator.put(f"/v2/sandbox/accounts/{handle}", json=about))

    def link(self, user: str) -> None:
        with self.http(user) as http:
            asked = checked(http.post("/v2/links", json={"network": "sandbox", "handle": user}), 201)
            self.account(user, note=f"Hello! {asked['code']}")
            checked(http.post(f"/v2/links/{asked['id']}/verify"))


@pytest.fixture
def promotion(stack: StackUnderTest, admin: httpx.Client, operator: httpx.Client) -> Promotion:
    return Promotion(stack, admin, operator)


def test_a_promotion_runs_closes_by_a_metric_pays_and_settles(promotion: Promotion) -> None:
    """S4-7, S4-9, S4-12, S4-14: every function of it, with its own rights and nothing more."""
    mia = f"mia-{uuid4().hex[:12]}"
    promotion.draft(auto_close=[{"metric": "likes", "at_least": 1}], claim_window_hours=0)
    promotion.link(mia)

    promotion.command("publish")
    running = promotion.until("CampaignRunning")
    checked(promotion.operator.put(f"/v2/sandbox/posts/{running['tweet_id']}/engagement", json={"like": [mia]}))
    promotion.stack.client("lambda").invoke(
        FunctionName=promotion.stack.resources["PromotionsTrackingScheduleFunction"], Payload=b"{}"
    )
    closed = promotion.until("CampaignClosed")

    assert closed["error"] is None
    assert closed["close_reason"] == "trigger"
    assert closed["money"] == {"funded": 10_000, "remaining": 0, "reserved": 0, "paid": 10_000, "refunded": 0}
    with promotion.http(mia) as http:
        assert [each["balance"] for each in checked(http.get("/v2/wallet"))["items"]] == [10_000]
    with promotion.http() as http:
        assert checked(http.get(f"{promotion.path}/verify"))["valid"]
        assert checked(http.get(f"{promotion.path}/engagement"))["final"]


def test_an_answer_that_is_lost_makes_no_second_post(promotion: Promotion) -> None:
    promotion.draft(texts=["[sandbox:lost] Look at this #ad", "All of it"])

    promotion.command("publish")
    running = promotion.until("CampaignRunning")

    assert running["error"] is None
    rows = promotion.stack.table("PromotionsTable").scan(ConsistentRead=True)["Items"]
    mine = [row for row in rows if "text" in row and row["author"] == promotion.owner]
    assert len(mine) == 2


def test_a_contract_that_is_refused_deletes_the_post_and_returns_the_money(promotion: Promotion) -> None:
    """S4-19."""
    promotion.draft(title="[escrow:refused] Winter")

    promotion.command("publish")
    draft = promotion.until("CampaignDraft")

    assert draft["operation"]["state"] == "rolled_back"
    with promotion.http() as http:
        assert [each["balance"] for each in checked(http.get("/v2/wallet"))["items"]] == [10_000]


def test_a_picture_is_uploaded_as_it_was_declared_and_posted_as_it_was_checked(promotion: Promotion) -> None:
    """S4-1: the storage of media. S3 itself refuses a larger one."""
    promotion.draft()
    with promotion.http() as http:
        form = checked(http.post(f"{promotion.path}/media", json={"type": "image/png", "bytes": len(PNG)}), 201)

    larger = httpx.post(form["url"], data=form["fields"], files={"file": PNG + bytes(10_000)})
    right = httpx.post(form["url"], data=form["fields"], files={"file": PNG})

    assert larger.status_code in (400, 413)
    assert right.status_code in (200, 201, 204), right.text
    with promotion.http() as http:
        checked(http.patch(promotion.path, json={"media": [form["media_id"]]}))
    promotion.command("publish")
    assert promotion.until("CampaignRunning")["error"] is None
