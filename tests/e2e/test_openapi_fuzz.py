"""What docs/openapi.json allows and forbids, sent to the embedded stack: with a token and without.

EXAMPLES says how many requests each operation gets each way (`make fuzz`: 100); the seed is fixed.
"""

import os
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.paths import ROOT
from tests.deployed import StackUnderTest
from tests.e2e.conftest import leave_open

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
TOKEN_HOURS = 6

config = schemathesis.Config.from_dict(
    {
        "seed": 1,
        "generation": {
            "max-examples": int(os.environ.get("EXAMPLES", "5")),
            "deterministic": True,
            "no-shrink": True,
            # What a client cannot send is not asked of the server.
            "with-security-parameters": False,
        },
        "phases": {"coverage": {"enabled": False}},
    }
)
schema = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.json", config=config)


@pytest.fixture(scope="module")
def clients(stack: StackUnderTest) -> Iterator[dict[str, requests.Session]]:
    """A session with an admin's token and one without. Whatever was sent, the others find an open platform."""
    with requests.Session() as admin, requests.Session() as anonymous:
        admin.headers["authorization"] = f"Bearer {stack.token('admin', hours=TOKEN_HOURS)}"
        for session in (admin, anonymous):
            session.trust_env = False
        yield {"with": admin, "without": anonymous}
    with stack.http("admin") as http:
        leave_open(http)


@pytest.mark.parametrize("token", ["with", "without"])
@schema.parametrize()
def test_every_answer_is_one_that_the_api_promises(
    case: schemathesis.Case, stack: StackUnderTest, clients: dict[str, requests.Session], token: str
) -> None:
    response = case.call(base_url=stack.api_url, session=clients[token], timeout=600)

    case.validate_response(response, checks=CHECKS)
