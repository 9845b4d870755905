"""Fixtures of the fault sweep: each context in a world of its own."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.boosts import Boosts
from tests.faults.cache import through
from tests.faults.report import Tried, told
from tests.faults.sweep import Sweep
from tests.faults.views import SHARDS, Views, made_small, on_its_clock
from tests.faults.world import a_world
from tests.redis_servers import Servers


@pytest.fixture
def boosts() -> Iterator[Sweep]:
    """Boosts."""
    with a_world(Boosts.packages) as world:
        yield Sweep(world, Boosts())


@pytest.fixture
def views(single_server: Servers, patient: None) -> Iterator[Sweep]:
    """Views, on two shards of a real Redis."""
    context = Views(single_server)
    with (
        made_small(),
        a_world(Views.packages, RedisUrl=single_server.url, ViewShards=str(SHARDS)) as world,
        through(world, context.server, context),
        on_its_clock(world),
    ):
        context.live_in(world)
        yield Sweep(world, context)


@pytest.fixture
def sweep(request: pytest.FixtureRequest) -> Sweep:
    """The sweep of the context that a test is about."""
    found: Sweep = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[Tried], None]:
    """Puts what was tried into the summary."""

    def add(tried: Tried) -> None:
        request.node.user_properties.append(told(tried))

    return add
