"""The real handlers, on the account that the template declares."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from tests.account import Account
from tests.integration.harness import Functions
from tests.packages import nothing_cached
from tests.redis_servers import Servers


@pytest.fixture
def functions(aws: Account) -> Iterator[Functions]:
    """The functions, with nothing kept from the test before."""
    with nothing_cached():
        yield Functions(aws)


@pytest.fixture
def redis_mode(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "single"))


@pytest.fixture
def redis(request: pytest.FixtureRequest, redis_mode: str) -> Servers:
    """One server, empty; and a cluster for a test that is marked ON_A_CLUSTER_TOO."""
    found: Servers = request.getfixturevalue("single_server" if redis_mode == "single" else "cluster_servers")
    found.flush()
    return found


@pytest.fixture
def log_lines(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Returns what the functions have logged since it was last asked, as CloudWatch gets it."""
    stream = StringIO()
    monkeypatch.setattr(Logger().registered_handler, "stream", stream)

    def lines() -> list[dict[str, Any]]:
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return [json.loads(line) for line in text.splitlines()]

    return lines
