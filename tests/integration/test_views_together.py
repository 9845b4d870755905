"""Tracking and the sync together: the functions as the template makes them, on a Redis that is empty at first."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from tests.account import Account
from tests.integration.conftest import Functions
from tests.integration.test_views_sync import NOW, World
from tests.integration.track_function import a_view
from tests.redis_servers import Servers

TYPES = ("video", "story", "fantasy", "task", "outcome")
pytestmark = pytest.mark.usefixtures("patient")


class Audience(World):
    """A world with somebody who views."""

    def view(self, content_type: str, content_id: str = "123") -> dict[str, Any]:
        event = a_view(body={"content_type": content_type, "content_id": content_id})
        answer: dict[str, Any] = json.loads(self.functions.call("ViewsTrackApiFunction", event)["body"])
        return answer


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


def test_a_sync_that_fails_reopens_no_view_either(world: Audience) -> None:
    """S2-10, S2-25."""
    odd = {"key": {"S": "organic#story#123"}, "views": {"S": "no number"}}
    world.aws.client("dynamodb").put_item(TableName=world.aws.ref("TotalsTable"), Item=odd)
    world.view("story")

    failed = world.sync()
    after = world.view("story")

    assert failed["parked"] == 1
    assert after["reasons"] == ["cooldown", "daily_viewed"]
