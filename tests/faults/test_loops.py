"""AWS drops the 17th hop of a loop, silently, unless the template allows it: shown for each function that loops."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from broadcasts import bootstrap as broadcasts
from broadcasts.threads import run_in_order
from hooks import api as hooks_api
from hooks import fanning
from hooks import worker as hooks_worker
from promotions import closing as promotions_closing
from sponsorships import closing
from tests.faults.boosts import CAMPAIGNS, Boosts
from tests.faults.broadcasts import CAMPAIGNS as BROADCASTS
from tests.faults.broadcasts import BroadcastsInTheWorld, begun
from tests.faults.broadcasts import terms as recipients
from tests.faults.cache import through
from tests.faults.hooks import URLS, HooksInTheWorld, happens
from tests.faults.hooks_outside import Receivers, sender
from tests.faults.hooks_watch import HOOKS
from tests.faults.promotions import CAMPAIGNS as PROMOTIONS
from tests.faults.promotions import TERMS, PromotionsInTheWorld, connected
from tests.faults.sponsorships import CAMPAIGNS as SPONSORSHIPS
from tests.faults.sponsorships import FAR, Sponsorships, create, funded
from tests.faults.views import Views, on_its_clock
from tests.faults.world import Request, World, a_world
from tests.redis_servers import Servers
from tests.template_reader import source_text
from views.sync import epochs

_ALLOWED = "      RecursiveLoop: Allow\n"
LOOPS = tuple(re.findall(rf"^  (\w+):\n(?:   .*\n)*?{_ALLOWED}", source_text(), re.MULTILINE))


def a_campaign(world: World) -> None:
    terms = {"video_id": "abc", "total_count": 30_000, "duration_days": 1, "pattern": "steady", "daily_limit": 30_000}
    _, made = world.http(Request("POST", CAMPAIGNS, terms, "create"))
    world.http(Request("POST", f"{CAMPAIGNS}/{made['id']}/execute", None, "execute"))


def a_sync(world: World) -> None:
    for number in range(30):
        body = {"content_type": "video", "content_id": f"video{number}"}
        world.http(Request("POST", "/api/views", body, f"view-{number}"))
    world.http(Request("POST", "/api/admin/views/sync", {"force": False}, "sync"))


def an_import(world: World) -> None:
    _, made = world.http(Request("POST", "/api/admin/views/imports", {"name": "theirs"}, "create"))
    for chunk in (1, 2):
        rows = [{"content_type": "video", "content_id": f"{chunk}-{row}", "count": 1} for row in range(500)]
        world.http(
            Request("PUT", f"/api/admin/views/imports/{made['id']}/rows/{chunk}", {"rows": rows}, f"put-{chunk}")
        )
    world.http(Request("POST", f"/api/admin/views/imports/{made['id']}/execute", None, "execute"))


def a_closing(world: World) -> None:
    """A campaign whose many participations settle, one a step."""
    funded(world)
    terms = create(milestones=[], target_impressions=1, budget=5000).body
    _, made = world.http(Request("POST", SPONSORSHIPS, terms(world) if callable(terms) else terms, "create"))
    path = f"{SPONSORSHIPS}/{made['id']}"
    world.http(Request("POST", f"{path}/start", None, "start"))
    for number in range(20):
        world.http(Request("POST", f"{path}/join", {"streamer_id": f"streamer{number}"}, f"join-{number}"))
    world.http(Request("POST", f"{path}/close", None, "close"))


def a_promotion(world: World) -> None:
    """A promotion whose many participants are paid one a step, when its schedule closes it."""
    connected(world)
    _, made = world.http(
        Request("POST", PROMOTIONS, {**TERMS, "duration_minutes": 60, "claim_window_hours": 0}, "create")
    )
    path = f"{PROMOTIONS}/{made['id']}"
    world.http(Request("POST", f"{path}/publish", None, "publish"))
    while (seen := world.http(Request("GET", path, None, "look"))[1])["status"] != "CampaignRunning":
        world.step()
    likes = {"like": [f"person{number}" for number in range(20)]}
    status, _ = world.http(Request("PUT", f"/v2/sandbox/posts/{seen['tweet_id']}/engagement", likes, "like"))
    assert status == 200


def a_broadcast(world: World) -> None:
    """A broadcast that sends one message a step."""
    begun()(world)
    _, made = world.http(Request("POST", BROADCASTS, recipients(20, rateLimit=60), "create"))
    world.http(Request("POST", f"{BROADCASTS}/{made['id']}/actions", {"action": "start"}, "start"))


def a_webhook(world: World) -> None:
    """A delivery that looks every minute whether the platform is open again."""
    _, made = world.http(Request("POST", HOOKS, {"url": URLS[0], "events": ["boost.*"]}, "create"))
    assert made["status"] == "enabled"
    happens().act(world, [])  # type: ignore[misc]
    assert world.http(Request("POST", "/api/admin/stop", {"reason": "a test"}, "stop"))[0] == 200
    resume = Request("POST", "/api/admin/resume", {"reason": "a test"}, "resume")
    world.after(timedelta(minutes=30), lambda: world.http(resume) and None)


def a_replay(world: World) -> None:
    """A replay of a range, of one delivery a message."""
    _, made = world.http(Request("POST", HOOKS, {"url": URLS[0], "events": ["boost.*"]}, "create"))
    for number in range(20):
        happens(number).act(world, [])  # type: ignore[misc]
    while not world.is_quiet():
        world.step()
    terms = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z", "status": "delivered"}
    assert world.http(Request("POST", f"{HOOKS}/{made['id']}/replay", terms, "replay"))[0] == 202


LONG: dict[str, Callable[[World], None]] = {
    "BoostsWorkerFunction": a_campaign,
    "ViewsSyncWorkerFunction": a_sync,
    "ViewsImportsWorkerFunction": an_import,
    "SponsorshipsWorkerFunction": a_closing,
    "PromotionsWorkerFunction": a_promotion,
    "BroadcastsWorkerFunction": a_broadcast,
    "HooksWorkerFunction": a_webhook,
    "HooksFanoutFunction": a_replay,
}
"""What makes each of them loop more than 16 times."""


def test_each_function_that_the_template_lets_loop_is_tried() -> None:
    assert sorted(LOOPS) == sorted(LONG)


@pytest.mark.parametrize("function", LONG)
@pytest.mark.parametrize("is_allowed", [True, False], ids=["allowed", "not allowed"])
def test_a_long_loop_needs_the_template_to_allow_it(
    function: str, is_allowed: bool, single_server: Servers, patient: None
) -> None:
    """S1-24"""

    text = source_text()
    if not is_allowed:
        before, after = text.split(f"\n  {function}:\n")
        text = f"{before}\n  {function}:\n{after.replace(_ALLOWED, '', 1)}"
        assert text != source_text()

    dropped = dropped_in(text, LONG[function], single_server)

    assert dropped == (set() if is_allowed else {function})


def dropped_in(text: str, begin: Callable[[World], None], servers: Servers) -> set[str]:
    """The functions of which a hop was dropped until everything came to rest."""
    views = Views(servers)
    packages = {*Boosts.packages, *Views.packages, *Sponsorships.packages, *PromotionsInTheWorld.packages}
    packages |= {*BroadcastsInTheWorld.packages, *HooksInTheWorld.packages}
    small_pages: dict[str, Any] = {"page_contents": 1}
    with (
        a_world(packages, text, RedisUrl=servers.url, ViewShards="2") as world,
        through(world, views.server, views),
        on_its_clock(world),
        patch.dict(epochs.Sync.__init__.__kwdefaults__, small_pages),
        patch.object(closing, "PAGE", 1),
        patch.object(promotions_closing, "PAGE", 1),
        patch.object(broadcasts.chain, "__defaults__", (run_in_order,)),
        patch.object(fanning, "_AT_ONCE", 1),
        patch.object(hooks_worker, "Wire", make := sender(world, Receivers(), lambda *_request: None)),
        patch.object(hooks_api, "Wire", make),
    ):
        world.far = FAR
        views.live_in(world)
        views.watch()
        begin(world)
        while not world.is_quiet():
            world.step()
    return set(world.dropped)
