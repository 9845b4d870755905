"""Views on the embedded stack: tracked, shown and moved to the database, with each function's own permissions."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local import redis_server
from tests.deadlines import PATIENCE
from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import a_video, eventually

SYNC = "/api/admin/views/sync"

Json = dict[str, Any]


class Audience:
    """Viewers without a token, each with a browser of its own."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def view(self, video: str, viewer: int = 1) -> Json:
        headers = {"user-agent": f"Mozilla/5.0 (X11; Linux x86_64; rv:{100 + viewer}.0) Gecko/20100101"}
        answer = self.http.post("/api/views", json={"content_type": "video", "content_id": video}, headers=headers)
        self.http.cookies.clear()
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    def count(self, video: str) -> Json:
        answer = self.http.get(f"/api/views/video/{video}")
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body


@pytest.fixture
def audience(stack: StackUnderTest) -> Iterator[Audience]:
    with stack.http(role=None) as http:
        yield Audience(http)


def moved(stack: StackUnderTest) -> tuple[Json, list[Json]]:
    """The epoch that `sluice views sync --force --watch` opens, once it is closed, and every look at it."""
    text = stack.sluice("views", "sync", "--force", "--watch", "--patience", str(PATIENCE), "--json", role="operator")
    looks = [json.loads(line) for line in text.splitlines()]
    return looks[-1], looks


def test_a_view_is_counted_shown_moved_and_shown_still(
    stack: StackUnderTest, audience: Audience, operator: httpx.Client
) -> None:
    """S2-8, S2-9, S2-12, S2-15."""
    video = a_video()

    tracked = [audience.view(video, viewer) for viewer in range(5)]
    again = audience.view(video, 0)
    before = audience.count(video)
    closed, looks = moved(stack)
    after = audience.count(video)
    many = audience.http.post(
        "/api/views/counts",
        json={"items": [{"content_type": "video", "content_id": each} for each in (video, "never-seen")]},
    )

    assert [view["counted"] for view in tracked] == [True] * 5
    assert (again["counted"], again["reasons"]) == (False, ["cooldown", "daily_viewed"])
    assert before["organic"] == {"synced": 0, "pending": 5}
    assert after["organic"] == {"synced": 5, "pending": 0}
    assert before["view_count"] == after["view_count"] == 5
    assert [each["view_count"] for each in many.json()["items"]] == [5, 0]
    assert closed["views"] >= 5
    assert closed["refusals"] >= 1
    assert closed["day"] == closed["opened_at"][:10]
    assert closed["phase"] == "done"
    assert all(look["epoch"] in (closed["epoch"] - 1, closed["epoch"]) for look in looks)
    shown = operator.get(f"{SYNC}/{closed['epoch']}").json()
    assert shown == closed
    waiting = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.resources["ViewsDeadLetters"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert waiting["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_the_schedule_opens_an_epoch_of_its_own(
    stack: StackUnderTest, audience: Audience, operator: httpx.Client
) -> None:
    """S2-8, S2-22. The template's schedule is for midnight: another like it is for now."""
    video = a_video()
    scheduler, group = stack.client("scheduler"), stack.resources["ScheduleGroup"]
    midnight = scheduler.get_schedule(GroupName=group, Name=stack.resources["ViewsSyncSchedule"])
    audience.view(video)

    scheduler.create_schedule(
        Name="views-now",
        GroupName=group,
        ScheduleExpression=f"at({datetime.now(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target=midnight["Target"],
    )

    assert midnight["ScheduleExpression"] == "cron(0 0 * * ? *)"
    shown = eventually(lambda: audience.count(video), lambda seen: seen["organic"]["synced"] == 1)
    assert shown["organic"] == {"synced": 1, "pending": 0}
    epoch = eventually(lambda: operator.get(SYNC).json(), lambda seen: seen["phase"] == "done")
    assert epoch["views"] >= 1


def test_a_view_without_redis_is_counted_once_and_shown_when_it_is_back(
    stack: StackUnderTest, audience: Audience, operator: httpx.Client
) -> None:
    """S2-33."""
    video = a_video()
    server = stack.embedded.redis

    server.stop()
    try:
        without = [audience.view(video) for _ in range(2)]
        degraded = audience.count(video)
        refused = operator.post(SYNC)
    finally:
        redis_server.start(server, stack.embedded.redis_port)
    closed, _ = moved(stack)
    shown = eventually(lambda: audience.count(video), lambda seen: "degraded" not in seen)

    assert [view["counted"] for view in without] == [True, False]
    assert degraded["degraded"] is True
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert closed["folded"] >= 1
    assert shown["organic"] == {"synced": 1, "pending": 0}


def test_the_tracking_function_has_the_secrets_themselves(stack: StackUnderTest) -> None:
    secrets = stack.client("secretsmanager")

    variables = stack.client("lambda").get_function_configuration(
        FunctionName=stack.resources["ViewsTrackApiFunction"]
    )["Environment"]["Variables"]

    for variable, resource in (("VIEWS_SECRET", "ViewsSecret"), ("VIEWER_TOKEN_SECRET", "ViewerTokenSecret")):
        assert variables[variable] == secrets.get_secret_value(SecretId=stack.resources[resource])["SecretString"]
        assert len(json.loads(variables[variable])["current"]) == 64


def test_the_sync_is_for_operators(stack: StackUnderTest) -> None:
    with stack.http(role=None) as anonymous, stack.http("service") as service:
        answers = [http.post(SYNC).status_code for http in (anonymous, service)]

    assert answers == [401, 403]
