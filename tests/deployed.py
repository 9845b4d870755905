"""A stack of the tests' own for each process that runs some: other port, other directory than `make up`'s."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from local import tokens
from local.fakes.issuer import CLIENT, FakeIssuer
from local.paths import ROOT
from local.stack import EmbeddedStack, temporary
from tests.deadlines import within


@dataclass(frozen=True)
class StackUnderTest:
    """The deployed stack, as a client and as an operator see it."""

    embedded: EmbeddedStack
    api_url: str
    resources: dict[str, str]
    """Physical ids by logical id."""

    @property
    def console_url(self) -> str:
        return f"{self.api_url}/console"

    @property
    def session_url(self) -> str:
        return f"{self.embedded.parameters['SessionUrl']}/session"

    def token(self, role: str, subject: str | None = None, hours: float = 1) -> str:
        return tokens.mint(self.embedded.deployed, role, subject, hours)

    def http(self, role: str | None = "admin", subject: str | None = None) -> httpx.Client:
        """A client that carries a token of `role`; None for none at all."""
        headers = {"authorization": f"Bearer {self.token(role, subject)}"} if role else {}
        return httpx.Client(base_url=self.api_url, headers=headers, timeout=600, trust_env=False)

    def sluice(self, *words: str, role: str = "admin") -> str:
        """What the command line prints, in a pipe; it must end well."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "cli"),
            "SLUICE_URL": self.api_url,
            "SLUICE_TOKEN": self.token(role),
        }
        command = [sys.executable, "-m", "sluice_cli", *words]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

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
def issuer() -> Iterator[FakeIssuer]:
    """The identity provider by which people sign in to the stack. Whoever changes it sets it back."""
    serving = FakeIssuer()
    with serving.running():
        yield serving


@pytest.fixture(scope="session")
def stack(issuer: FakeIssuer) -> Iterator[StackUnderTest]:
    with temporary("test") as embedded:
        embedded.overrides |= {"OidcIssuer": issuer.url, "OidcAudience": CLIENT}
        embedded.overrides["MaxPerDay"] = "1000000"  # so that no test meets the cap because of those before it
        with within(3600, "the stack to be built, started and deployed"):
            embedded.start()
            embedded.deploy()
        yield StackUnderTest(embedded, embedded.api_url, embedded.deployed.resources())
