"""Fixtures for every kind of test."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.account import Account, account

# As in the template: loggers take their names from it while modules are imported.
os.environ["POWERTOOLS_SERVICE_NAME"] = "sluice"

pytest_plugins = ["tests.redis_servers", "tests.faults.report"]

# The same examples each time, however slow the machine.
settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")


@pytest.fixture
def aws() -> Iterator[Account]:
    """A fresh AWS account in process, as the template declares it."""
    with account() as fresh:
        yield fresh
