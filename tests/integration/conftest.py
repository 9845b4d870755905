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


@pytest.fixture
def functions(aws: Account) -> Iterator[Functions]:
    """The functions, with nothing kept from the test before."""
    with nothing_cached():
        yield Functions(aws)


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
