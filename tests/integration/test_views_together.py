"""Tracking and the sync together: the functions as the template makes them, on a Redis that is empty at first."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine

from local.processes import wait_until
from tests.account import Account
from tests.deadlines import PATIENCE
from tests.integration.harness import Answer, Functions
from tests.integration.test_views_sync import NOW, Syncs
from tests.integration.track_function import a_view, pending
from tests.redis_servers import Servers, single
from views.track import counter

TYPES = ("video", "story", "fantasy", "task", "outcome")
pytestmark = pytest.mark.usefixtures("patient")


class Audience(Syncs):
    """A world with somebody who views."""

    def view(self, content_type: str, content_id: str = "123") -> dict[str, Any]:
        return dict(self.ask_to_count(content_type, content_id).body)

    def ask_to_count(self, content_type: str, content_id: str = "123") -> Answer:
        event = a_view(body={"content_type": content_type, "content_id": content_id})
        return Answer.of(self.invoke("views/track/api-track", event))


@pytest.fixture
def world(aws: Account, functions: Functions, servers: Servers) -> Iterator[Audience]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield Audience(aws, functions, servers, clock)


def test_a_view_of_each_type_is_tracked_and_moved_to_a_total_of_its_own(world: Audience) -> None:
    """S2-1, S2-30, S2-31. Tasks and outcomes too (decision 21)."""
    counted = [world.view(each)["counted"] for each in TYPES]

    world.sync()

    assert counted == [True] * 5
    assert world.totals() == {f"organic#{each}#123": 1 for each in TYPES}


def test_views_of_one_session_are_limited(world: Audience) -> None:
    """S2-31. With the rules that come before it switched off (decision 14)."""
    world.aws.choose(OncePerDay="false", CooldownSeconds="0")

    views = [world.view("fantasy") for _ in range(4)]

    assert [view["counted"] for view in views] == [True, True, True, False]
    assert views[3]["reasons"] == ["session_limit"]


def test_a_sync_reopens_no_view_of_today(world: Audience) -> None:
    """S2-10, decision 14. What the rules remember is cleared by no sync, whether it succeeds or fails."""
    world.view("story")

    world.sync()
    after = world.view("story")

    assert after["reasons"] == ["cooldown", "daily_viewed"]


@contextmanager
def asleep(servers: Servers) -> Iterator[None]:
    """The servers stop where they are, and go on with what came meanwhile."""
    for process in servers.processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in servers.processes:
            process.send_signal(signal.SIGCONT)


def test_a_view_that_a_slow_redis_counted_is_not_added_again(
    aws: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2-33. It counts the first of two tries, of which nobody hears; the database takes the second."""
    monkeypatch.setitem(counter._CLIENT, "socket_timeout", 0.5)
    with single() as servers, time_machine.travel(NOW, tick=False) as clock:
        world = Audience(aws, functions, servers, clock)
        world.view("video")
        with asleep(servers):
            tries = [world.ask_to_count("story") for _ in range(2)]
        assert wait_until(lambda: pending(servers).get("story:123") == 1, PATIENCE)

        epoch = world.sync()

    assert [(each.status, each.body.get("degraded")) for each in tries] == [(503, None), (200, True)]
    assert (epoch["views"], epoch["folded"]) == (2, 0)
    assert world.totals() == {"organic#story#123": 1, "organic#video#123": 1}
    assert world.daily() == {("content#story#123", "2026-11-20"): 1, ("content#video#123", "2026-11-20"): 1}


def test_a_view_that_the_sync_added_for_redis_is_refused_from_then_on(world: Audience) -> None:
    """S2-33. The database takes it, a sync by hand adds it on the same day, and Redis is asked again."""
    with pytest.MonkeyPatch.context() as away:
        away.setattr(counter.ViewCounter, "track_many", _left_alone)
        taken = world.view("story")

    epoch = world.sync()
    again = world.view("story")
    world.sync(force=True)

    assert taken["degraded"]
    assert epoch["folded"] == 1
    assert again["reasons"] == ["cooldown", "daily_viewed"]
    assert world.totals() == {"organic#story#123": 1}


def _left_alone(*_: Any) -> None:
    raise counter.LeftAlone("Redis failed a moment ago")


def test_a_sync_that_fails_reopens_no_view_either(world: Audience) -> None:
    """S2-10, S2-25."""
    odd = {"key": {"S": "organic#story#123"}, "views": {"S": "no number"}}
    world.aws.client("dynamodb").put_item(TableName=world.aws.ref("TotalsTable"), Item=odd)
    world.view("story")

    failed = world.sync()
    after = world.view("story")

    assert failed["parked"] == 1
    assert after["reasons"] == ["cooldown", "daily_viewed"]
