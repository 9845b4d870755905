"""Sessions for whom the identity provider vouches, on their event file: with which role, until when, and what is kept.

The tokens are those of the fake provider; that they are what they say is the gateway's to check, in tests/e2e.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from local.fakes.issuer import CLIENT, FakeIssuer
from tests.account import Account
from tests.factories import NOON
from tests.gateway import an_authorization
from tests.integration.console import Console, before_the_first, throttled
from tests.integration.harness import Answer, Functions, an_event

OPEN = "operations/session-open"
ISSUER = FakeIssuer()


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    aws.choose(OidcIssuer=ISSUER.url, OidcAudience=CLIENT)
    with time_machine.travel(NOON, tick=False) as clock:
        yield Console(aws, functions, clock)


def test_who_is_in_a_group_with_a_role_gets_a_token_for_an_hour(console: Console) -> None:
    answer = opened(console, sub="00u1a2b3", groups=["sluice-ops"])

    assert answer.status == 201
    token = answer.body.pop("token")
    assert answer.body == {"subject": "00u1a2b3", "role": "operator", "expires_at": "2026-11-20T13:00:00.000000Z"}
    assert admitted(console, token) == {"subject": "00u1a2b3", "role": "operator"}
    console.clock.move_to(NOON + timedelta(hours=1, seconds=10))
    assert not admitted(console, token)


def test_who_is_in_none_is_refused_with_words_and_leaves_no_entry(console: Console) -> None:
    answer = opened(console, groups=["everybody"])

    words = (
        "The identity provider names no group of yours that has a role here. "
        "Those that have one: sluice-admins (admin), sluice-ops (operator)"
    )
    assert answer.refusal == (403, "no_role", words)
    assert console.entries() == []


def test_a_name_with_a_space_is_one_group_though_the_gateway_passes_it_on_as_two(console: Console) -> None:
    answer = opened(console, groups=["my sluice-admins"])

    assert answer.body["code"] == "no_role"


def test_each_session_leaves_an_entry_with_who_got_which_role_and_never_a_token(console: Console) -> None:
    first, second = (opened(console, groups=[group]) for group in ("sluice-ops", "sluice-admins"))

    entries = console.entries("tokens")
    assert [(each["action"], each["actor"]) for each in entries] == [("SESSION_OPENED", "248289761001")] * 2
    assert [json.loads(each["after"]) for each in entries] == [
        {"subject": "248289761001", "role": role, "expires_at": "2026-11-20T13:00:00.000000Z"}
        for role in ("operator", "admin")
    ]
    assert not any(part in str(entries) for each in (first, second) for part in each.body["token"].split(".")[1:])
    assert console.verified("tokens")["valid"]


def test_the_same_token_again_is_another_session_with_an_entry_of_its_own_and_after_five_minutes_none(
    console: Console,
) -> None:
    token = ISSUER.id_token()

    again = [exchanged(console, token).status for _ in range(2)]
    console.clock.shift(timedelta(minutes=5, seconds=1))
    late = exchanged(console, token)

    assert again == [201, 201]
    assert (late.status, late.body["code"]) == (403, "token_too_old")
    assert console.actions("tokens") == ["SESSION_OPENED", "SESSION_OPENED"]


def test_an_idempotency_key_is_refused_because_its_stored_answer_would_hold_the_token(console: Console) -> None:
    answer = exchanged(console, ISSUER.id_token(), key="a-key")

    assert (answer.status, answer.fields) == (400, ["Idempotency-Key"])
    assert console.entries() == []


def test_without_a_check_by_the_gateway_no_token_is_believed(console: Console) -> None:
    """As if somebody invoked the function beside the API, or the route lost its authorizer."""
    answer = exchanged(console, ISSUER.id_token(), is_checked=False)

    assert (answer.status, answer.body["code"]) == (403, "not_checked")
    assert console.entries() == []


def test_no_table_and_no_log_line_holds_a_token_or_a_name(
    console: Console, capfd: pytest.CaptureFixture[str], caplog: Any
) -> None:
    token = ISSUER.id_token(email="ada@example.com", name="Ada Lovelace")
    opened_by_it = exchanged(console, token)
    exchanged(console, ISSUER.id_token(email="ada@example.com", groups=[]))

    tables = str([console.aws.items(table) for table in ("BoostsTable", "AuditTable", "RequestsTable", "OutboxTable")])
    logged = caplog.text + str([vars(record) for record in caplog.records]) + "".join(capfd.readouterr())
    for each in (token.split(".")[2], opened_by_it.body["token"].split(".")[2], "ada@example.com", "Lovelace"):
        assert each not in tables
        assert each not in logged


def test_a_stopped_platform_lets_people_in(console: Console) -> None:
    console.turn("stop")

    assert opened(console).status == 201


def test_without_its_entry_no_session_is_opened(console: Console) -> None:
    with before_the_first("transact_write_items", throttled):
        answer = opened(console)

    assert answer.status >= 500
    assert "token" not in answer.body
    assert console.entries() == []


def opened(console: Console, **claims: Any) -> Answer:
    return exchanged(console, ISSUER.id_token(**claims), **claims)


def exchanged(console: Console, token: str, key: str | None = None, is_checked: bool = True, **claims: Any) -> Answer:
    """What the function answers to a token; `claims` are passed on by the gateway, which writes a list as a text."""
    event = an_event(OPEN)
    event["headers"]["authorization"] = f"Bearer {token}"
    if key:
        event["headers"]["idempotency-key"] = key
    passed_on = {"iss": ISSUER.url, **ISSUER.person, **claims} if is_checked else {}
    written = {name: f"[{' '.join(each)}]" if isinstance(each, list) else each for name, each in passed_on.items()}
    event["requestContext"]["authorizer"] = {"jwt": {"claims": written, "scopes": None}}
    return Answer.of(console.invoke(OPEN, event))


def admitted(console: Console, token: str) -> dict[str, Any]:
    """What the authorizer passes on of a token; empty when it lets nobody in."""
    answer = console.functions.call("OperationsAuthorizerFunction", an_authorization(f"Bearer {token}"))
    return answer["context"] if answer["isAuthorized"] else {}
