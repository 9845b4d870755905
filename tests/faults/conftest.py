"""Fixtures of the fault sweep: each context in a world of its own."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.faults.contexts import CONTEXTS
from tests.faults.sweep import Ends, Sweep


@pytest.fixture(scope="session")
def ends() -> dict[str, Ends]:
    """How each context's flows end without faults: the same in every test."""
    return defaultdict(dict)


@pytest.fixture
def sweep(request: pytest.FixtureRequest, ends: dict[str, Ends]) -> Iterator[Sweep]:
    """The sweep of the context that a test is about, by its name."""
    kind = CONTEXTS[request.param]
    context = kind(*(request.getfixturevalue(each) for each in kind.needs))
    with context.world() as world:
        yield Sweep(world, context, ends[kind.name])
