"""Hundreds of viewers on the embedded stack while syncs and ten campaigns run: the sums are exact."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import httpx

from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import Boosts, a_video, rows
from tests.e2e.test_views import moved

VIEWERS, CAMPAIGNS, VIEWS_EACH = 300, 10, 2000
THREADS = 6
"""Each concurrent call is a process of its own on this stack."""


def viewer(anonymous: httpx.Client, videos: list[str]) -> list[str]:
    """One viewer sees every video; those whose view was accepted."""
    headers = {"user-agent": f"Mozilla/5.0 (X11; Linux x86_64; rv:{uuid4().int % 10**9}.0) Gecko/20100101"}
    accepted = []
    for video in videos:
        body = {"content_type": "video", "content_id": video}
        answer = anonymous.post("/api/views", json=body, headers=headers)
        anonymous.cookies.clear()
        assert answer.status_code == 200, answer.text
        if answer.json()["counted"]:
            accepted.append(video)
    return accepted


def test_hundreds_of_viewers_track_through_syncs_and_ten_campaigns_and_every_sum_is_exact(
    stack: StackUnderTest, admin: httpx.Client
) -> None:
    boosts, videos, seen = Boosts(admin), [a_video() for _ in range(5)], Event()
    accepted: Counter[str] = Counter()

    def syncs() -> list[int]:
        views = []
        while not seen.is_set():
            views.append(moved(stack)[0]["views"])
        return views

    def viewers() -> Counter[str]:
        counted: Counter[str] = Counter()
        with stack.http(role=None) as anonymous:
            for _ in range(VIEWERS // THREADS):
                counted.update(viewer(anonymous, videos))
        return counted

    ids = [boosts.create(video_id=videos[n % 5], total_count=VIEWS_EACH)["id"] for n in range(CAMPAIGNS)]
    with ThreadPoolExecutor(THREADS + 1) as pool:
        syncing = pool.submit(syncs)
        try:
            tracking = [pool.submit(viewers) for _ in range(THREADS)]
            for campaign_id in ids:
                boosts.command("execute", campaign_id)
            for each in tracking:
                accepted.update(each.result())
        finally:
            seen.set()
    completed = [boosts.until_completed(campaign_id) for campaign_id in ids]
    counts = {video: boosts.count(video) for video in videos}

    assert sum(syncing.result()) > 0
    assert accepted == dict.fromkeys(videos, VIEWERS)
    for video, count in counts.items():
        assert sum(count["organic"].values()) == accepted[video]
        assert count["boosted"] == CAMPAIGNS // len(videos) * VIEWS_EACH
        assert count["view_count"] == accepted[video] + count["boosted"]
    for campaign in completed:
        assert campaign["executed_count"] == sum(rows(stack, campaign["id"])) == VIEWS_EACH
