"""Batches, reports, explanations, imports, corrections on the embedded stack, with each function's own permissions."""

import json

import httpx

from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import a_video, eventually
from tests.e2e.test_views import Audience, moved

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101"


def test_a_beacon_of_several_views_is_counted_and_each_bad_one_is_named(
    stack: StackUnderTest, anyone: httpx.Client
) -> None:
    one, other = a_video(), a_video()
    views = [{"content_type": "video", "content_id": each} for each in (one, "no such id", other, one)]

    answer = anyone.post(
        "/api/views/batch",
        content=json.dumps({"views": views}),
        headers={"content-type": "text/plain;charset=UTF-8", "user-agent": BROWSER},
    )

    assert answer.status_code == 200, answer.text
    told = answer.json()["views"]
    assert [each["counted"] for each in told] == [True, False, True, False]
    assert told[1]["errors"][0]["field"] == "views.1.content_id"
    assert told[3]["reasons"] == ["cooldown", "daily_viewed"]
    assert Audience(anyone).count(one)["view_count"] == 1


def test_what_was_refused_is_reported_explained_and_counted_in_the_stats(
    stack: StackUnderTest, admin: httpx.Client, anyone: httpx.Client
) -> None:
    """S2-28."""
    video, audience = a_video(), Audience(anyone)
    audience.view(video, 7)
    for _ in range(3):
        audience.view(video, 7)
    viewed = {"content_type": "video", "content_id": video}
    session = anyone.post("/api/views", json=viewed, headers={"user-agent": BROWSER}).json()["session"]

    explained = admin.post(
        "/api/admin/views/explain",
        json={"content_type": "video", "content_id": video, "viewer": {"session": session}},
    )
    stats = admin.get("/api/admin/views/stats")
    moved(stack)
    refusals = admin.get("/api/admin/views/refusals", params={"content": f"video:{video}"})
    summary = admin.get("/api/admin/views/refusals/summary")

    assert explained.status_code == 200, explained.text
    assert explained.json()["would_count"] is False
    assert stats.status_code == 200, stats.text
    assert stats.json()["max_daily_views_per_user"] == 100
    assert stats.json()["pending_views"] >= 1
    assert refusals.status_code == 200, refusals.text
    by_rules = {tuple(each["rules"]): each["refusals"] for each in refusals.json()["items"]}
    assert by_rules[("cooldown", "daily_viewed")] == 3
    assert summary.json()["attempts"] >= 3


def test_a_content_is_registered_imported_corrected_and_has_a_history(
    stack: StackUnderTest, admin: httpx.Client, anyone: httpx.Client
) -> None:
    video, audience = a_video(), Audience(anyone)
    registered = admin.put(f"/api/admin/content/video/{video}", json={"title": "A film", "owner": "ada"})
    created = admin.post("/api/admin/views/imports", json={"name": video}).json()
    path = f"/api/admin/views/imports/{created['id']}"
    rows = [{"content_type": "video", "content_id": video, "count": 5000}]
    put = admin.put(f"{path}/rows/1", json={"rows": rows})
    executed = admin.post(f"{path}/execute")
    done = eventually(lambda: admin.get(path).json(), lambda seen: seen["status"] == "completed")
    audience.view(video)
    moved(stack)

    correction, key = {"views": -1, "reason": "Our own test"}, {"Idempotency-Key": f"correct-{video}"}
    adjusted = admin.post(f"/api/admin/views/video/{video}/adjust", json=correction, headers=key)
    history = admin.get(f"/api/admin/views/video/{video}/history")
    top = admin.get("/api/admin/views/top", params={"content_type": "video"})
    export = admin.get(f"/api/admin/views/video/{video}/history/export")
    chain = admin.get(f"/api/admin/audit/adjustments:video:{video}/verify")

    assert registered.status_code == 200, registered.text
    assert admin.get(f"/api/admin/content/video/{video}").json()["owner"] == "ada"
    assert (put.status_code, executed.status_code) == (200, 200), put.text + executed.text
    assert (done["applied"], done["views"]) == (1, 5000)
    assert adjusted.status_code == 201, adjusted.text
    assert adjusted.json()["organic"] == 5000
    assert audience.count(video)["organic"] == {"synced": 5000, "pending": 0}
    assert history.status_code == 200, history.text
    assert history.json()["overall"]["organic"] == 5000
    assert history.json()["overall"]["imported"] == 5000
    assert top.json()["items"][0]["content_id"] == video
    assert export.headers["content-type"].startswith("text/csv")
    assert chain.json()["valid"] is True
