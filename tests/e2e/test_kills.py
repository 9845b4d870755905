"""Processes killed for real on the embedded stack: a function's workers in mid-campaign, Redis in mid-sync."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest
import redis

from local import redis_server
from tests.deadlines import PATIENCE
from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import CAMPAIGNS, Boosts, Json, a_video, eventually, rows
from tests.e2e.test_views import SYNC, moved

CONTENTS, VIEWERS, PER_BEACON = 1200, 1, 50


@pytest.fixture
def boosts(admin: httpx.Client) -> Boosts:
    return Boosts(admin)


@contextmanager
def soon_again(stack: StackUnderTest, queue: str) -> Iterator[None]:
    """What a killed worker held is delivered again after 5 s, not after the template's minutes."""
    sqs, url = stack.client("sqs"), stack.resources[queue]
    name = "VisibilityTimeout"
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: "5"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: before})


def workers(stack: StackUnderTest, function: str) -> list[int]:
    """The processes in which this stack's MiniStack runs a function: children of its own, by the function's name."""
    parent = (stack.embedded.directory / "ministack.pid").read_text().strip()
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    processes = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    name = f"ministack-lambda-{stack.resources[function]}-"
    return [int(pid) for pid, owner, *args in processes if owner == parent and name in " ".join(args)]


def kill(pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def held(stack: StackUnderTest, queue: str) -> int:
    """The messages that a worker has, or had when it was killed."""
    name = "ApproximateNumberOfMessagesNotVisible"
    asked = {"QueueUrl": stack.resources[queue], "AttributeNames": [name]}
    return int(stack.client("sqs").get_queue_attributes(**asked)["Attributes"][name])


def killed_at_work(stack: StackUnderTest) -> bool:
    """Kill the boosts' workers while one has a message; whether there were any, and it still had it then."""
    deadline = time.monotonic() + PATIENCE
    while not held(stack, "BoostsQueue"):  # without a pause: a step takes a tenth of a second
        assert time.monotonic() < deadline
    pids = workers(stack, "BoostsWorkerFunction")
    kill(pids)
    time.sleep(0.2)  # an answer that was on its way has arrived
    return bool(pids) and held(stack, "BoostsQueue") > 0


def test_a_campaign_whose_workers_are_killed_ends_with_one_number(stack: StackUnderTest, boosts: Boosts) -> None:
    campaign = boosts.create(total_count=12_000, daily_limit=12_000)
    kills = 0

    with soon_again(stack, "BoostsQueue"):
        boosts.command("execute", campaign["id"])
        while kills < 3:
            kills += killed_at_work(stack)
        seen = boosts.get(campaign["id"])
        completed = boosts.until_completed(campaign["id"])

    assert seen["executed_count"] < 12_000
    assert completed["executed_count"] == 12_000
    assert rows(stack, campaign["id"]) == [1000] * 12
    assert boosts.count(campaign["video_id"])["boosted"] == 12_000
    assert boosts.http.get(f"{CAMPAIGNS}/{campaign['id']}/verify").json()["valid"]


def watched(anyone: httpx.Client, contents: int, viewers: int) -> dict[str, int]:
    """Beacons of as many viewers each; the views that were accepted, by video."""
    accepted = {a_video(): 0 for _ in range(contents)}
    names = list(accepted)
    for first in range(0, contents, PER_BEACON):
        views = [{"content_type": "video", "content_id": name} for name in names[first : first + PER_BEACON]]
        for _ in range(viewers):
            agent = f"Mozilla/5.0 (X11; Linux x86_64; rv:{uuid4().int % 10**9}.0) Gecko/20100101"
            answer = anyone.post("/api/views/batch", json={"views": views}, headers={"user-agent": agent})
            anyone.cookies.clear()
            assert answer.status_code == 200, answer.text
            for view, told in zip(views, answer.json()["views"], strict=True):
                accepted[view["content_id"]] += told["counted"]
    return accepted


def organic(anyone: httpx.Client, videos: list[str]) -> dict[str, Json]:
    """What is shown of each: synced and pending."""
    shown: dict[str, Json] = {}
    for first in range(0, len(videos), 20):
        items = [{"content_type": "video", "content_id": video} for video in videos[first : first + 20]]
        answer = anyone.post("/api/views/counts", json={"items": items})
        assert answer.status_code == 200, answer.text
        shown |= {each["content_id"]: each["organic"] for each in answer.json()["items"]}
    return shown


def summed(shown: dict[str, Json]) -> dict[str, int]:
    return {video: each["synced"] + each["pending"] for video, each in shown.items()}


def killed_in_mid_sync(stack: StackUnderTest, operator: httpx.Client) -> Json:
    """The epoch in whose middle Redis was killed, with a page moved and others not, as it stands then."""
    pid = int((stack.embedded.directory / "redis.pid").read_text())
    before = operator.get(SYNC).json().get("epoch", 0)

    def state() -> Json:
        seen: Json = operator.get(SYNC).json()
        return seen

    operator.post(SYNC, json={"force": True}).raise_for_status()
    deadline = time.monotonic() + PATIENCE
    # Without a pause: a page takes a second.
    while (seen := state()).get("epoch", 0) <= before or not seen["contents"]:
        assert time.monotonic() < deadline, seen
    os.kill(pid, signal.SIGKILL)
    eventually(stack.embedded.redis.is_running, lambda running: not running)
    return state()


def keep_what_it_answered(stack: StackUnderTest) -> None:
    """Until its restart: on a busy disk a write of `everysec` may follow its answer by 2 s."""
    with redis.Redis.from_url(stack.embedded.redis_url) as client:
        client.config_set("appendfsync", "always")


def restart(stack: StackUnderTest) -> None:
    stack.embedded.redis.stop()  # it ended: this collects it
    redis_server.start(stack.embedded.redis, stack.embedded.redis_port)


def test_a_sync_whose_redis_is_killed_moves_every_view_once(
    stack: StackUnderTest, operator: httpx.Client, anyone: httpx.Client
) -> None:
    accepted = watched(anyone, CONTENTS, VIEWERS)
    keep_what_it_answered(stack)

    with soon_again(stack, "ViewsQueue"):
        try:
            at_kill = killed_in_mid_sync(stack, operator)
        finally:
            restart(stack)
        between = summed(eventually(lambda: whole(anyone, accepted), bool))
        moved(stack)

    shown = organic(anyone, list(accepted))
    assert at_kill["phase"] != "done"
    assert sum(accepted.values()) == CONTENTS * VIEWERS
    assert between == accepted
    assert {video: each["synced"] for video, each in shown.items()} == accepted


def test_a_sync_whose_redis_is_killed_and_comes_back_empty_doubles_nothing(
    stack: StackUnderTest, operator: httpx.Client, anyone: httpx.Client
) -> None:
    accepted = watched(anyone, CONTENTS, VIEWERS)

    with soon_again(stack, "ViewsQueue"):
        try:
            at_kill = killed_in_mid_sync(stack, operator)
            kept = {video: each["synced"] for video, each in organic(anyone, list(accepted)).items()}
            shutil.rmtree(stack.embedded.directory / "redis")
        finally:
            restart(stack)
        moved(stack)
        eventually(lambda: whole(anyone, accepted), bool)
        later = watched(anyone, PER_BEACON, 1)
        # The first epoch gives an emptied shard its number again, and the one after it moves what is pending there.
        moved(stack)
        first = summed(organic(anyone, list(later)))
        moved(stack)

    shown = summed(organic(anyone, list(accepted)))
    assert at_kill["phase"] != "done"
    assert 0 < sum(kept.values()) < sum(accepted.values())
    assert [video for video, views in shown.items() if not kept[video] <= views <= accepted[video]] == []
    assert {video: each["synced"] for video, each in organic(anyone, list(later)).items()} == later
    assert first == later
    assert set(later.values()) == {1}


def whole(anyone: httpx.Client, accepted: dict[str, int]) -> dict[str, Json]:
    """What is shown of each; nothing as long as any count is answered without Redis."""
    first = anyone.get(f"/api/views/video/{next(iter(accepted))}").json()
    return {} if "degraded" in first else organic(anyone, list(accepted))
