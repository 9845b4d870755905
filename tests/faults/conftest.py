"""Fixtures of the fault sweep: each context in a world of its own."""

from collections.abc import Iterator

import pytest

from tests.faults.boosts import Boosts
from tests.faults.cache import through
from tests.faults.sweep import Ends, Sweep
from tests.faults.views import SHARDS, Views, made_small, on_its_clock
from tests.faults.world import a_world
from tests.redis_servers import Servers


@pytest.fixture(scope="session")
def ends() -> dict[str, Ends]:
    """How each context's flows end without faults: the same in every test."""
    return {"boosts": {}, "views": {}}


@pytest.fixture
def boosts(ends: dict[str, Ends]) -> Iterator[Sweep]:
    """Boosts."""
    with a_world(Boosts.packages) as world:
        yield Sweep(world, Boosts(), ends["boosts"])


@pytest.fixture
def views(single_server: Servers, patient: None, ends: dict[str, Ends]) -> Iterator[Sweep]:
    """Views, on two shards of a real Redis."""
    context = Views(single_server)
    with (
        made_small(),
        a_world(Views.packages, RedisUrl=single_server.url, ViewShards=str(SHARDS)) as world,
        through(world, context.server, context),
        on_its_clock(world),
    ):
        context.live_in(world)
        yield Sweep(world, context, ends["views"])


@pytest.fixture
def sweep(request: pytest.FixtureRequest) -> Sweep:
    """The sweep of the context that a test is about."""
    found: Sweep = request.getfixturevalue(request.param)
    return found
