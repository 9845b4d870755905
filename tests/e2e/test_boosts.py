"""Boost campaigns on the embedded stack: the real template, over HTTP, with each function's own permissions."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest

from tests.deadlines import PATIENCE
from tests.deployed import StackUnderTest

CAMPAIGNS = "/api/admin/fake-views"

Json = dict[str, Any]


def a_video() -> str:
    return f"v-{uuid4().hex[:12]}"


def terms(**changes: Any) -> Json:
    """5,000 views of a new video in one day: five batches."""
    return {
        "video_id": a_video(),
        "total_count": 5000,
        "duration_days": 1,
        "pattern": "steady",
        "daily_limit": 5000,
    } | changes


def eventually[T](look: Callable[[], T], satisfied: Callable[[T], bool]) -> T:
    """Looks until it is satisfied; fails at the deadline with what it saw last."""
    deadline = time.monotonic() + PATIENCE
    while not satisfied(seen := look()):
        assert time.monotonic() < deadline, f"after {PATIENCE:.0f} s it still is {seen}"
        time.sleep(0.1)
    return seen


class Boosts:
    """An operator at work."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def create(self, **changes: Any) -> Json:
        return self._checked(self.http.post(CAMPAIGNS, json=terms(**changes)), 201)

    def command(self, verb: str, campaign_id: str) -> Json:
        return self._checked(self.http.post(f"{CAMPAIGNS}/{campaign_id}/{verb}"), 200)

    def get(self, campaign_id: str) -> Json:
        return self._checked(self.http.get(f"{CAMPAIGNS}/{campaign_id}"), 200)

    def count(self, video_id: str) -> Json:
        return self._checked(self.http.get(f"/api/views/video/{video_id}"), 200)

    def actions(self, campaign_id: str) -> list[str]:
        entries = self._checked(self.http.get("/api/admin/audit", params={"entity": campaign_id}), 200)
        return [entry["action"].removeprefix("FAKE_VIEWS_CAMPAIGN_") for entry in reversed(entries["items"])]

    def until(self, campaign_id: str, satisfied: Callable[[Json], bool]) -> Json:
        return eventually(lambda: self.get(campaign_id), satisfied)

    def until_completed(self, campaign_id: str) -> Json:
        return self.until(campaign_id, lambda campaign: campaign["status"] == "completed")

    def _checked(self, answer: httpx.Response, status: int) -> Json:
        assert answer.status_code == status, answer.text
        body: Json = answer.json()
        return body


@pytest.fixture(scope="session")
def boosts(admin: httpx.Client) -> Boosts:
    return Boosts(admin)


def rows(stack: StackUnderTest, campaign_id: str) -> list[int]:
    """The views of a campaign's batch rows, in order."""
    answer = stack.table("BoostsTable").query(
        KeyConditionExpression="id = :id AND begins_with(part, :batch)",
        ExpressionAttributeValues={":id": campaign_id, ":batch": "batch#"},
        ConsistentRead=True,
    )
    return [int(row["views"]) for row in answer["Items"]]


def test_a_campaign_is_created_executed_paused_resumed_and_completed(stack: StackUnderTest, boosts: Boosts) -> None:
    """S1-1, S1-2, S1-35, S1-45."""

    campaign = boosts.create()
    boosts.command("execute", campaign["id"])
    boosts.until(campaign["id"], lambda seen: seen["executed_count"] >= 2000)

    paused = boosts.command("pause", campaign["id"])
    still = [boosts.get(campaign["id"])["executed_count"] for _ in range(20)]
    boosts.command("execute", campaign["id"])
    completed = boosts.until_completed(campaign["id"])

    assert set(still) == {paused["executed_count"]}
    assert completed["executed_count"] == 5000
    assert rows(stack, campaign["id"]) == [1000] * 5
    assert boosts.count(campaign["video_id"]) == {
        "content_type": "video",
        "content_id": campaign["video_id"],
        "organic": {"synced": 0, "pending": 0},
        "boosted": 5000,
        "view_count": 5000,
        "disclosure": "includes promoted views",
    }
    assert boosts.actions(campaign["id"]) == ["CREATED", "STARTED", "PAUSED", "RESUMED", "COMPLETED"]
    verified = boosts.http.get(f"/api/admin/audit/{campaign['id']}/verify").json()
    assert verified == {"entity": campaign["id"], "valid": True, "entries": 5, "problem": None, "rolled_back": []}


def test_ten_campaigns_at_once_add_up_exactly(stack: StackUnderTest, boosts: Boosts) -> None:
    """S1-30 (decision 7), S1-46."""

    before = boosts.http.get(f"{CAMPAIGNS}/limits").json()
    video_id = a_video()
    with ThreadPoolExecutor(10) as pool:
        ids = list(pool.map(lambda n: boosts.create(video_id=video_id, total_count=1500 + n)["id"], range(10)))
        list(pool.map(lambda campaign_id: boosts.command("execute", campaign_id), ids))

    for campaign_id in ids:
        boosts.until_completed(campaign_id)

    total = sum(1500 + n for n in range(10))
    after = boosts.http.get(f"{CAMPAIGNS}/limits").json()
    assert sum(sum(rows(stack, campaign_id)) for campaign_id in ids) == total
    assert boosts.count(video_id)["boosted"] == total
    assert after["current_month_total"] - before["current_month_total"] == total
    assert after["current_month_reserved"] == before["current_month_reserved"]


def test_a_campaign_runs_on_past_the_seventeenth_hop(stack: StackUnderTest, boosts: Boosts) -> None:
    """What AWS would drop without RecursiveLoop cannot be seen here; that a long chain goes on can."""
    campaign = boosts.create(total_count=20_000, daily_limit=20_000)

    boosts.command("execute", campaign["id"])

    assert boosts.until_completed(campaign["id"])["progress"]["batches_done"] == 20


def test_a_cancelled_campaign_ends_at_once_and_returns_its_promise(boosts: Boosts) -> None:
    """S1-12."""

    reserved = boosts.http.get(f"{CAMPAIGNS}/limits").json()["current_month_reserved"]
    campaign = boosts.create()
    boosts.command("execute", campaign["id"])
    boosts.until(campaign["id"], lambda seen: seen["executed_count"] > 0)

    cancelled = boosts.command("cancel", campaign["id"])
    still = [boosts.get(campaign["id"])["executed_count"] for _ in range(20)]

    assert cancelled["ended_at"]
    assert set(still) == {cancelled["executed_count"]}
    assert boosts.http.get(f"{CAMPAIGNS}/limits").json()["current_month_reserved"] == reserved


def test_eight_equal_posts_at_once_with_one_key_make_one_campaign(boosts: Boosts) -> None:
    body, key = terms(), uuid4().hex

    def post(_: int) -> httpx.Response:
        return boosts.http.post(CAMPAIGNS, json=body, headers={"idempotency-key": key})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(8)))

    assert {answer.status_code for answer in answers} == {201}, {answer.text for answer in answers}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
    listed = boosts.http.get(CAMPAIGNS, params={"video_id": body["video_id"]}).json()
    assert [campaign["id"] for campaign in listed["items"]] == [answers[0].json()["id"]]


def test_a_step_that_is_a_day_away_is_scheduled_by_the_worker_and_by_a_resume(
    stack: StackUnderTest, boosts: Boosts
) -> None:
    campaign = boosts.create(total_count=1000, duration_days=2, daily_limit=500)

    def scheduled() -> set[str]:
        pages = stack.client("scheduler").get_paginator("list_schedules")
        found = pages.paginate(GroupName=stack.resources["ScheduleGroup"], NamePrefix=campaign["id"])
        return {schedule["Name"] for page in found for schedule in page["Schedules"]}

    boosts.command("execute", campaign["id"])
    boosts.until(campaign["id"], lambda seen: seen["executed_count"] == 500)
    by_worker = eventually(scheduled, bool)
    boosts.command("pause", campaign["id"])
    boosts.command("execute", campaign["id"])

    assert len(by_worker) == 1
    assert len(scheduled()) == 2
    boosts.command("cancel", campaign["id"])


def test_a_campaign_whose_message_was_lost_goes_on_by_itself(stack: StackUnderTest, boosts: Boosts) -> None:
    """S1-54: nothing has to be cleared by hand."""

    campaign = boosts.create()
    key = {"id": campaign["id"], "part": "campaign"}
    # Running, and no message names its step: what a crash between commit and send leaves behind.
    boosts.command("execute", campaign["id"])
    boosts.command("pause", campaign["id"])
    stack.table("BoostsTable").update_item(
        Key=key,
        UpdateExpression="SET #status = :running ADD step :one",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":running": "running", ":one": 1},
    )

    completed = boosts.until_completed(campaign["id"])

    assert completed["executed_count"] == 5000
    assert rows(stack, campaign["id"]) == [1000] * 5


def test_a_poison_message_lands_in_the_dead_letters_and_harms_no_chain(stack: StackUnderTest, boosts: Boosts) -> None:
    """S1-42."""

    sqs, queue, dead = stack.client("sqs"), stack.resources["BoostsQueue"], stack.resources["BoostsDeadLetters"]
    campaign = boosts.create(total_count=3000)
    poison = {f"poison {uuid4().hex}", json.dumps({"campaign_id": campaign["id"]})}
    boosts.command("execute", campaign["id"])

    def dead_letters() -> set[str]:
        answer = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return {message["Body"] for message in answer.get("Messages", [])}

    # Five deliveries at the template's 120 s would be ten minutes.
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    for body in poison:
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    completed = boosts.until_completed(campaign["id"])
    eventually(dead_letters, lambda seen: seen >= poison)
    moved = json.loads(stack.sluice("redrive", "boosts", "--json"))
    eventually(dead_letters, lambda seen: seen >= poison)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "120"})
    sqs.purge_queue(QueueUrl=dead)

    assert completed["executed_count"] == 3000
    assert rows(stack, campaign["id"]) == [1000] * 3
    assert (moved["moved"], moved["left"]) == (len(poison), 0)


@pytest.fixture
def today(stack: StackUnderTest) -> Iterator[Callable[..., None]]:
    """Puts today's or this month's use where a test wants it, and back when it is done."""
    eventually(lambda: datetime.now(UTC), lambda now: now.hour < 23 or now.minute < 57)
    now = datetime.now(UTC)
    table = stack.table("BoostsTable")
    key = {"id": f"usage#{now:%Y-%m}", "part": "usage"}
    added: dict[str, int] = {}

    def add(**counters: int) -> None:
        for counter, views in counters.items():
            name = f"d{now.day:02d}" if counter == "today" else counter
            added[name] = added.get(name, 0) + views
            table.update_item(
                Key=key,
                UpdateExpression="ADD #counter :views SET kind = :kind",
                ExpressionAttributeNames={"#counter": name},
                ExpressionAttributeValues={":views": views, ":kind": "usage"},
            )

    yield add
    add(**{("today" if name.startswith("d") else name): -views for name, views in list(added.items())})


@pytest.mark.parametrize(("cap", "reason"), [("today", "daily_cap"), ("month", "monthly_cap")])
def test_with_1500_left_twenty_campaigns_at_once_commit_exactly_1500(
    stack: StackUnderTest, boosts: Boosts, today: Callable[..., None], cap: str, reason: str
) -> None:
    """S1-3, S1-31."""

    limits = boosts.http.get(f"{CAMPAIGNS}/limits").json()
    video_id = a_video()
    with ThreadPoolExecutor(10) as pool:
        ids = list(pool.map(lambda _: boosts.create(video_id=video_id, total_count=1000)["id"], range(20)))
        if cap == "today":
            today(today=limits["today_remaining"] - 1500)
        else:
            # `executed` alone: `allotted` has room for the promises, so that it is each batch that meets the cap.
            today(executed=limits["global_monthly_cap"] - limits["current_month_total"] - 1500)
        list(pool.map(lambda campaign_id: boosts.command("execute", campaign_id), ids))

    def waiting() -> list[str]:
        seen = [boosts.get(campaign_id) for campaign_id in ids]
        return [each["progress"]["waiting_for"] or each["status"] for each in seen]

    states = eventually(waiting, lambda seen: seen.count("next_batch") == 0)
    boosted = boosts.count(video_id)["boosted"]
    for campaign_id in ids:
        if boosts.get(campaign_id)["status"] == "running":
            boosts.command("cancel", campaign_id)

    assert boosted == 1500 == sum(sum(rows(stack, campaign_id)) for campaign_id in ids)
    assert sorted(set(states)) == sorted({"completed", reason})


def test_a_scheduled_campaign_starts_by_itself(boosts: Boosts) -> None:
    """S1-57."""

    start = datetime.now(UTC) + timedelta(seconds=3)

    campaign = boosts.create(total_count=1000, scheduled_for=start.isoformat())
    completed = boosts.until_completed(campaign["id"])

    assert campaign["status"] == "scheduled"
    assert datetime.fromisoformat(completed["started_at"]) >= start


def test_a_completed_campaign_is_verified_exported_and_taken_back(stack: StackUnderTest, boosts: Boosts) -> None:
    videos = [a_video(), a_video()]
    body = terms(total_count=2001) | {"video_ids": videos}
    del body["video_id"]
    campaign_id = boosts.http.post(CAMPAIGNS, json=body).json()["id"]
    boosts.command("execute", campaign_id)
    boosts.until_completed(campaign_id)

    verified = boosts.http.get(f"{CAMPAIGNS}/{campaign_id}/verify").json()
    csv = stack.sluice("boosts", "export", campaign_id, role="operator")
    answer = boosts.http.post(f"{CAMPAIGNS}/{campaign_id}/revert", json={"reason": "the wrong videos"})
    reverted = boosts.until(campaign_id, lambda seen: seen["status"] == "reverted")

    assert verified["valid"], verified
    assert len(csv.splitlines()) == 1 + 5
    assert answer.status_code == 200
    assert reverted["reverted_count"] == 2001
    assert [boosts.count(video)["boosted"] for video in videos] == [0, 0]
    assert boosts.http.get(f"{CAMPAIGNS}/{campaign_id}/verify").json()["valid"]


@pytest.fixture
def events(stack: StackUnderTest) -> Iterator[Callable[[], list[Json]]]:
    """What is published on the bus while the test runs, as a queue that listens sees it."""
    sqs, bus = stack.client("sqs"), stack.client("events")
    name = f"listener-{uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus_name = stack.resources["EventBus"]
    bus.put_rule(Name=name, EventBusName=bus_name, EventPattern=json.dumps({"source": ["sluice"]}))
    bus.put_targets(Rule=name, EventBusName=bus_name, Targets=[{"Id": "listener", "Arn": arn}])
    seen: list[Json] = []

    def published() -> list[Json]:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            seen.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return seen

    yield published
    bus.remove_targets(Rule=name, EventBusName=bus_name, Ids=["listener"])
    bus.delete_rule(Name=name, EventBusName=bus_name)
    sqs.delete_queue(QueueUrl=url)


def test_each_change_of_status_is_published_once_on_the_bus(
    stack: StackUnderTest, boosts: Boosts, events: Callable[[], list[Json]]
) -> None:
    campaign = boosts.create(total_count=1000)
    boosts.command("execute", campaign["id"])
    boosts.until_completed(campaign["id"])

    def names() -> list[str]:
        mine = [event for event in events() if event["detail"]["data"]["campaign_id"] == campaign["id"]]
        return sorted({event["detail"]["id"]: event["detail-type"] for event in mine}.values())

    expected = ["BoostCompleted", "BoostCreated", "BoostStarted"]
    assert eventually(names, lambda seen: len(seen) >= 3) == expected
    pending = stack.table("OutboxTable").scan(
        FilterExpression="#status = :pending",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":pending": "pending"},
    )
    mine = [item for item in pending["Items"] if campaign["id"] in item["data"]]
    assert mine == []


def signed(stack: StackUnderTest | None, **changes: Any) -> dict[str, str]:
    """A token with these claims, signed with the stack's secret, or with another."""
    secret = "x" * 64
    if stack:
        arn = stack.resources["TokenSecret"]
        secret = json.loads(stack.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])["current"]
    claims: Json = {"sub": "mallory", "role": "admin", "aud": "sluice", "exp": time.time() + 60} | changes
    return {"authorization": f"Bearer {jwt.encode(claims, secret, algorithm='HS256')}"}


def test_forged_tokens_do_not_get_in(stack: StackUnderTest) -> None:
    """S1-53."""

    unsigned = jwt.encode({"sub": "mallory", "role": "admin", "aud": "sluice"}, "", algorithm="none")
    with stack.http(role=None) as anonymous:
        attempts = [
            signed(None),
            {"authorization": f"Bearer {unsigned}"},
            {"authorization": "Bearer a.b.c"},
            {"authorization": "Basic YWRtaW46YWRtaW4="},
            signed(stack, exp=time.time() - 60),
            signed(stack, aud="another"),
            signed(stack, role="root"),
        ]
        statuses = [anonymous.get(CAMPAIGNS, headers=headers).status_code for headers in attempts]

    assert statuses == [403] * len(attempts)


@pytest.mark.parametrize("role", ["user", "service"])
def test_a_role_too_low_is_403_in_the_envelope(stack: StackUnderTest, role: str) -> None:
    with stack.http(role) as client:
        answer = client.post(CAMPAIGNS, json=terms())

    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"
    assert answer.json()["request_id"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, "body"),
        (b"[]", 400, "body"),
        (b"", 400, "body"),
        (b"\xff\xfe", 400, "body"),
        (b'{"video_id": "' + b"x" * 300_000 + b'"}', 413, None),
        (json.dumps(terms(total_count="many")).encode(), 400, "total_count"),
        (json.dumps(terms(video_id="https://example.com/v/1")).encode(), 400, "video_id"),
        (json.dumps(terms(daily_limit=1_000_001)).encode(), 400, "daily_limit"),
        (json.dumps(terms() | {"extra": 1}).encode(), 400, "extra"),
    ],
)
def test_bad_input_is_refused_with_its_field_named(boosts: Boosts, body: bytes, status: int, field: str | None) -> None:
    answer = boosts.http.post(CAMPAIGNS, content=body, headers={"content-type": "application/json"})

    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert set(problem) == {"message", "code", "errors", "request_id"}
    assert field is None or field in [error["field"] for error in problem["errors"]]
