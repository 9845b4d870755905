"""Fixtures of the fault sweep."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.boosts import Boosts
from tests.faults.report import Tried, told
from tests.faults.sweep import Sweep
from tests.faults.world import a_world


@pytest.fixture
def boosts() -> Iterator[Sweep]:
    """Boosts, in a world of their own."""
    with a_world(Boosts.packages) as world:
        yield Sweep(world, Boosts())


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[Tried], None]:
    """Puts what was tried into the summary."""

    def add(tried: Tried) -> None:
        request.node.user_properties.append(told(tried))

    return add
