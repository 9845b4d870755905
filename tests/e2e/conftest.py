"""A stack of the tests' own for each process that runs some: other port, other directory than `make up`'s."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from local import tokens
from local.stack import EmbeddedStack, temporary
from tests.deadlines import within

STOP, RESUME = "/api/admin/stop", "/api/admin/resume"


@dataclass(frozen=True)
class StackUnderTest:
    """The deployed stack, as a client and as an operator see it."""

    embedded: EmbeddedStack
    api_url: str
    resources: dict[str, str]
    """Physical ids by logical id."""

    def token(self, role: str, subject: str | None = None, hours: float = 1) -> str:
        return tokens.mint(self.embedded.deployed, role, subject, hours)

    def http(self, role: str | None = "admin", subject: str | None = None) -> httpx.Client:
        """A client that carries a token of `role`; None for none at all."""
        headers = {"authorization": f"Bearer {self.token(role, subject)}"} if role else {}
        return httpx.Client(base_url=self.api_url, headers=headers, timeout=600, trust_env=False)

    def client(self, service: str) -> Any:
        """boto3's client, as the account's owner."""
        return self.embedded.deployed.client(service)

    def table(self, logical_id: str) -> Any:
        """boto3's Table, by its name in the template."""
        resource = self.embedded.deployed.session.resource("dynamodb", endpoint_url=self.embedded.endpoint_url)
        return resource.Table(self.resources[logical_id])

    def stop(self) -> None:
        """As `make down` does."""
        self.embedded.stop()

    def start(self) -> None:
        """As `make up` does after `make down`; nothing is deployed again."""
        self.embedded.start()


@pytest.fixture(scope="session")
def stack() -> Iterator[StackUnderTest]:
    with temporary("test") as embedded:
        embedded.overrides["MaxPerDay"] = "1000000"  # so that no test meets the cap because of those before it
        embedded.overrides["PrivateRanges"] = "127.0.0.0/8"  # where the tests' providers of messages listen
        with within(3600, "the stack to be built, started and deployed"):
            embedded.start()
            embedded.deploy()
        yield StackUnderTest(embedded, embedded.api_url, embedded.deployed.resources())


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
