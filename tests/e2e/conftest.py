"""Those who use the stack under test."""

from collections.abc import Iterator

import httpx
import pytest

from tests.deployed import StackUnderTest

STOP, RESUME = "/api/admin/stop", "/api/admin/resume"


@pytest.fixture(scope="session")
def admin(stack: StackUnderTest) -> Iterator[httpx.Client]:
    """The HTTP API, with an admin's token."""
    with stack.http("admin") as client:
        yield client


@pytest.fixture
def operator(stack: StackUnderTest) -> Iterator[httpx.Client]:
    with stack.http("operator") as http:
        yield http


@pytest.fixture
def anyone(stack: StackUnderTest) -> Iterator[httpx.Client]:
    with stack.http(role=None) as http:
        yield http


@pytest.fixture
def stopping(stack: StackUnderTest) -> Iterator[httpx.Client]:
    """An admin who may stop the platform: whatever becomes of the test, the others find it open."""
    with stack.http("admin") as http:
        yield http
        leave_open(http)


def leave_open(http: httpx.Client) -> None:
    """Resume the platform if it is stopped."""
    if http.get(STOP).json()["status"] == "stopped":
        http.post(RESUME, json={"reason": "The test is over"}).raise_for_status()
