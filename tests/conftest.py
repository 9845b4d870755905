"""Fixtures for every kind of test."""

import gc
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.account import Account, modelled_account

# As in the template: loggers take their names from it while modules are imported.
os.environ["POWERTOOLS_SERVICE_NAME"] = "sluice"

# A shell lets what it runs in the background ignore Ctrl-C, and so would all that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.deployed", "tests.durations", "tests.order", "tests.redis_servers", "tests.faults.report"]

# The same examples each time, however slow the machine.
settings.register_profile(
    "deterministic", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("deterministic")


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what all tests keep: looking through it is 15 % of a sweep."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture
def aws() -> Iterator[Account]:
    """An empty AWS account in process, as the template declares it."""
    with modelled_account() as fresh:
        yield fresh
