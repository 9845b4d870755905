"""The real handlers, on the account that the template declares."""

from collections.abc import Iterator

import pytest

from tests.account import Account
from tests.integration.harness import Functions
from tests.packages import nothing_cached


@pytest.fixture
def functions(aws: Account) -> Iterator[Functions]:
    """The functions, with nothing kept from the test before."""
    with nothing_cached():
        yield Functions(aws)
