"""Fixtures for every kind of test."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.account import Account, modelled_account

# As in the template: loggers take their names from it while modules are imported.
os.environ["POWERTOOLS_SERVICE_NAME"] = "sluice"

pytest_plugins = ["tests.durations", "tests.redis_servers", "tests.faults.report"]

# The same examples each time, however slow the machine.
settings.register_profile(
    "deterministic", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("deterministic")


@pytest.fixture
def aws() -> Iterator[Account]:
    """An empty AWS account in process, as the template declares it."""
    with modelled_account() as fresh:
        yield fresh
