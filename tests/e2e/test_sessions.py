"""Sessions by the identity provider, over HTTP: what the gateway lets in, and what it does not."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.fakes.issuer import CLIENT, FakeIssuer
from tests.deployed import StackUnderTest


@pytest.fixture
def page(stack: StackUnderTest) -> Iterator[httpx.Client]:
    """A page of the console: its requests say which origin it is of."""
    headers = {"origin": stack.embedded.endpoint_url}
    with httpx.Client(headers=headers, timeout=600, trust_env=False) as http:
        yield http


def opened(page: httpx.Client, stack: StackUnderTest, token: str) -> httpx.Response:
    return page.post(stack.session_url, headers={"authorization": f"Bearer {token}"})


def test_a_token_of_the_provider_opens_a_session_whose_token_the_api_takes_and_the_trail_knows(
    stack: StackUnderTest, issuer: FakeIssuer, page: httpx.Client, admin: httpx.Client
) -> None:
    answer = opened(page, stack, issuer.id_token(sub="00u-e2e", groups=["everybody", "sluice-ops"]))

    assert answer.status_code == 201
    session = answer.json()
    assert (session["subject"], session["role"]) == ("00u-e2e", "operator")
    bearer = {"authorization": f"Bearer {session['token']}"}
    assert page.get(f"{stack.api_url}/api/admin/stop", headers=bearer).status_code == 200
    assert page.post(f"{stack.api_url}/api/admin/tokens", headers=bearer, json={}).status_code == 403
    trail = admin.get("/api/admin/audit", params={"entity": "tokens", "action": "SESSION_OPENED"}).json()["items"]
    assert [each["after"]["role"] for each in trail if each["actor"] == "00u-e2e"] == ["operator"]
    assert session["token"] not in json.dumps(trail)
    assert admin.get("/api/admin/audit/tokens/verify").json()["valid"]


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-client"},
        {"aud": None},
        {"iss": "https://id.example.com"},
        {"iat": 1_700_000_000, "exp": 1_700_003_600},
        {"iat": 4_000_000_000, "exp": 4_000_003_600},
    ],
    ids=str,
)
def test_a_token_for_others_by_others_or_of_another_time_opens_none(
    stack: StackUnderTest, issuer: FakeIssuer, page: httpx.Client, claims: dict[str, Any]
) -> None:
    answer = opened(page, stack, issuer.id_token(**claims))

    # The gateway's own refusal: the function would say why.
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_a_token_that_nobody_signed_or_another_or_that_is_ours_opens_none(
    stack: StackUnderTest, issuer: FakeIssuer, page: httpx.Client
) -> None:
    unsigned = issuer.id_token(algorithm=None)
    by_another = issuer.id_token(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    head, _, signature = issuer.id_token(groups=[]).split(".")
    changed = f"{head}.{issuer.id_token().split('.')[1]}.{signature}"

    found = [
        opened(page, stack, token).status_code for token in (unsigned, by_another, changed, stack.token("admin"), "x")
    ]

    assert found == [401] * 5
    assert page.post(stack.session_url).status_code == 401
    in_the_address = page.post(stack.session_url, params={"authorization": issuer.id_token()})
    assert in_the_address.status_code == 401


def test_without_a_group_that_has_a_role_none_is_opened_and_the_answer_says_which_have_one(
    stack: StackUnderTest, issuer: FakeIssuer, page: httpx.Client
) -> None:
    answer = opened(page, stack, issuer.id_token(groups=["everybody", "my sluice-admins"]))

    assert (answer.status_code, answer.json()["code"]) == (403, "no_role")
    assert "sluice-admins (admin), sluice-ops (operator)" in answer.json()["message"]


def test_pages_of_the_consoles_origin_alone_may_open_sessions(stack: StackUnderTest, page: httpx.Client) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}

    ours = page.options(stack.session_url, headers=asked)
    theirs = page.options(stack.session_url, headers=asked | {"origin": "https://evil.example"})

    assert ours.headers["access-control-allow-origin"] == stack.embedded.endpoint_url
    assert "access-control-allow-origin" not in theirs.headers


def test_a_token_of_the_provider_opens_no_route_of_the_api(
    stack: StackUnderTest, issuer: FakeIssuer, page: httpx.Client
) -> None:
    bearer = {"authorization": f"Bearer {issuer.id_token(role='admin', aud=['sluice', CLIENT])}"}

    assert page.get(f"{stack.api_url}/api/admin/stop", headers=bearer).status_code in (401, 403)


def test_no_log_holds_a_token(stack: StackUnderTest, issuer: FakeIssuer, page: httpx.Client) -> None:
    token = issuer.id_token(sub="00u-logs")
    session = opened(page, stack, token).json()["token"]
    opened(page, stack, issuer.id_token(groups=[]))

    logs, found = stack.client("logs"), ""
    for page_of in logs.get_paginator("filter_log_events").paginate(
        logGroupName=stack.resources["OperationsSessionLogs"]
    ):
        found += json.dumps(page_of["events"])
    assert "POST /session" in found
    assert token.split(".")[2] not in found
    assert session.split(".")[2] not in found
    gateway = stack.embedded.ministack.log.read_text(errors="replace")
    assert token.split(".")[2] not in gateway
