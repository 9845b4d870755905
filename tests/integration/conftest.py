"""The real handlers, on the account that the template declares."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch

import pytest

from tests.account import Account
from tests.gateway import Context
from tests.packages import caches

type Handler = Callable[[dict[str, Any]], Any]


class Functions:
    """The functions of the template, each called with its own environment and nothing more."""

    def __init__(self, aws: Account) -> None:
        self._aws = aws
        self.environment: dict[str, str] = {}
        """What stands above the template's own, such as the address of a test's server."""

    def call(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a function by its logical id, as Lambda would."""
        module_name, _, name = self._aws.resources[function]["Properties"]["Handler"].rpartition(".")
        module = import_module(module_name)
        with patch.dict("os.environ", self._aws.environment(function) | self.environment):
            return getattr(module, name)(event, Context())


@pytest.fixture
def functions(aws: Account) -> Iterator[Functions]:
    """The functions, with nothing kept from the test before."""
    with _nothing_cached():
        yield Functions(aws)


@contextmanager
def _nothing_cached() -> Iterator[None]:
    """What a function builds once for each process belongs to an account that is gone when its test ends."""
    yield
    for each in caches():
        each.cache_clear()
