"""The sync and its readers on a model of Redis and DynamoDB: any interleaving, crash, copy and restart."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sync_world import MemoryShards, MemoryStore, World

_EVENTS = st.lists(st.integers(0, 2**20), min_size=150, max_size=300)


def play(world: World, events: list[int], *, restarts: bool) -> None:
    try:
        for event in events:
            world.act(event, restarts=restarts)
        world.settle()
        world.check()
    finally:
        world.close()


@pytest.mark.parametrize("restarts", [False, True])
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(events=_EVENTS)
def test_views_are_synced_once_and_read_right_whatever_happens(restarts: bool, events: list[int]) -> None:
    """S2-9, S2-12, S2-25: without a restart the bounds are exact."""
    play(World(MemoryShards(), MemoryStore()), events, restarts=restarts)
