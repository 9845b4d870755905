"""Fixtures for every kind of test."""

from collections.abc import Iterator

import pytest

from tests.account import Account, account

pytest_plugins = ["tests.redis_servers", "tests.faults.report"]


@pytest.fixture
def aws() -> Iterator[Account]:
    """A fresh AWS account in process, as the template declares it."""
    with account() as fresh:
        yield fresh
