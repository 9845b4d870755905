"""Tokens that an admin mints, on their event file: who may, for how long, and that the token is kept nowhere."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import jwt
import pytest
import time_machine
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from operations.heads import AuditLog
from operations.minting import RESTORED, Mint
from operations.trail import TOKENS
from sluice.clock import SystemClock
from sluice.errors import Forbidden
from sluice.roles import Principal, Role
from tests.account import Account
from tests.factories import NOON
from tests.gateway import an_authorization
from tests.integration.console import Console, before_the_first, throttled
from tests.integration.harness import Answer, Functions

CREATE = "operations/tokens-create"
ASKED = {"role": "operator", "subject": "grace", "hours": 8}


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    with time_machine.travel(NOON, tick=False) as clock:
        found = Console(aws, functions, clock)
        first = current_secret(found)
        yield found
        rotate(found, current=first, previous="")  # other tests have the same account


def test_the_authorizer_lets_a_minted_token_in_with_its_subject_and_role_until_it_expires(console: Console) -> None:
    answer = create(console)

    assert answer.status == 201
    token = answer.body.pop("token")
    assert answer.body == {"subject": "grace", "role": "operator", "expires_at": "2026-11-20T20:00:00.000000Z"}
    assert admitted(console, token) == {"subject": "grace", "role": "operator"}
    console.clock.move_to(NOON + timedelta(hours=8, seconds=-1))
    assert admitted(console, token)
    console.clock.move_to(NOON + timedelta(hours=8, seconds=10))
    assert not admitted(console, token)


def test_a_token_is_for_an_hour_unless_the_admin_says_otherwise(console: Console) -> None:
    answer = create(console, {"role": "user", "subject": "acme"})

    assert answer.body["expires_at"] == "2026-11-20T13:00:00.000000Z"


@pytest.mark.parametrize("hours", [1, 12])
def test_a_token_may_last_from_one_hour_to_twelve(console: Console, hours: int) -> None:
    token = create(console, ASKED | {"hours": hours}).body["token"]

    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == hours * 3600


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *[(ASKED | {"hours": hours}, "hours") for hours in (0, -1, 13, 1.5, "8", True, None)],
        *[(ASKED | {"role": role}, "role") for role in ("viewer", "root", "", None)],
        *[(ASKED | {"subject": subject}, "subject") for subject in ("", "a b", "a#b", "a\n", "é", "a" * 129, None, 1)],
        ({"subject": "grace"}, "role"),
        ({"role": "user"}, "subject"),
        (ASKED | {"audience": "sluice-viewer"}, "audience"),
    ],
)
def test_another_body_is_refused_and_leaves_no_entry(console: Console, body: Any, field: str) -> None:
    answer = create(console, body)

    assert (answer.status, answer.fields) == (400, [field])
    assert console.entries() == []


@pytest.mark.parametrize("role", ["user", "service", "operator"])
def test_only_an_admin_mints_tokens_not_even_one_of_their_own_role(console: Console, role: str) -> None:
    answer = create(console, ASKED | {"role": role}, role=role)

    assert (answer.status, answer.body["code"]) == (403, "forbidden")
    assert console.entries() == []


def test_nobody_mints_a_token_of_a_role_above_their_own(console: Console) -> None:
    """The route is for admins, above whom there is no role: so the rule is asked itself."""
    unreached: Any = None
    audit_log = AuditLog(TOKENS, RESTORED, unreached, unreached)
    mint = Mint(lambda: pytest.fail("the secret was read"), "sluice", audit_log, SystemClock())

    with pytest.raises(Forbidden, match="A token of the role admin is above yours, which is operator"):
        mint.mint(Principal("ada", Role.OPERATOR), "ada", Role.ADMIN, timedelta(hours=1))


def test_each_token_leaves_an_entry_with_whom_it_is_for_and_never_the_token(console: Console) -> None:
    tokens = [create(console, ASKED | {"role": role}).body["token"] for role in Role]

    entries = console.entries()
    assert [(each["action"], each["actor"], each["entity"]) for each in entries] == [
        ("TOKEN_CREATED", "ada", "tokens")
    ] * len(Role)
    assert sorted(json.loads(each["after"])["role"] for each in entries) == sorted(Role)
    assert json.loads(entries[0]["after"]).keys() == {"subject", "role", "expires_at"}
    assert not any(part in str(entries) for token in tokens for part in (token, token.split(".")[2]))
    assert console.verified("tokens")["valid"]


def test_before_the_first_token_the_trail_is_whole(console: Console) -> None:
    assert console.verified("tokens") == {
        "entity": "tokens",
        "valid": True,
        "entries": 0,
        "problem": None,
        "rolled_back": [],
    }


def test_no_table_and_no_log_line_holds_the_token(
    console: Console, capfd: pytest.CaptureFixture[str], caplog: Any
) -> None:
    token = create(console).body["token"]
    create(console, ASKED | {"hours": 13})

    signature = token.split(".")[2]
    tables = [console.aws.items(table) for table in ("BoostsTable", "AuditTable", "RequestsTable", "OutboxTable")]
    assert signature not in str(tables)
    logged = caplog.text + str([vars(record) for record in caplog.records]) + "".join(capfd.readouterr())
    assert signature not in logged


def test_an_idempotency_key_is_refused_because_its_stored_answer_would_hold_the_token(console: Console) -> None:
    answer = create(console, key="a-key")

    assert (answer.status, answer.fields) == (400, ["Idempotency-Key"])
    assert answer.body["message"].startswith("This route takes no Idempotency-Key")
    assert console.entries() == []


def test_a_stopped_platform_mints_tokens_too(console: Console) -> None:
    console.turn("stop")

    token = create(console).body["token"]

    assert admitted(console, token)


def test_after_a_rotation_the_next_token_is_signed_with_the_new_secret(console: Console) -> None:
    before = create(console).body["token"]
    rotate(console, current="n" * 32, previous=current_secret(console))

    after = create(console).body["token"]

    assert jwt.decode(after, "n" * 32, ["HS256"], audience="sluice")["sub"] == "grace"
    assert admitted(console, after)
    assert admitted(console, before)


def test_with_a_short_secret_no_token_is_minted_and_no_entry_is_left(console: Console) -> None:
    rotate(console, current="short", previous="")

    answer = create(console)

    assert (answer.status, answer.body["code"]) == (500, "internal_error")
    assert console.entries() == []


def test_a_secret_that_cannot_be_read_is_unavailable_and_leaves_no_entry(console: Console) -> None:
    busy = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "GetSecretValue")
    real = BaseClient._make_api_call

    def failing(client: Any, name: str, arguments: dict[str, Any]) -> Any:
        if name == "GetSecretValue":
            raise busy
        return real(client, name, arguments)

    with patch.object(BaseClient, "_make_api_call", failing):
        answer = create(console)

    message = "The token secret cannot be read: Secrets Manager answered ThrottlingException"
    assert answer.refusal == (503, "unavailable", message)
    assert console.entries() == []


def test_without_its_entry_no_token_is_handed_out(console: Console) -> None:
    with before_the_first("transact_write_items", throttled):
        answer = create(console)

    assert answer.status >= 500
    assert "token" not in answer.body
    assert console.entries() == []


def create(console: Console, body: Any = ASKED, **more: Any) -> Answer:
    return console.send(CREATE, body=body, **more)


def admitted(console: Console, token: str) -> dict[str, Any]:
    """What the authorizer passes on of a token; empty when it lets nobody in."""
    answer = console.functions.call("OperationsAuthorizerFunction", an_authorization(f"Bearer {token}"))
    return answer["context"] if answer["isAuthorized"] else {}


def current_secret(console: Console) -> str:
    secrets = console.aws.client("secretsmanager")
    stored = secrets.get_secret_value(SecretId=console.aws.ref("TokenSecret"))["SecretString"]
    return str(json.loads(stored)["current"])


def rotate(console: Console, **parts: str) -> None:
    secrets = console.aws.client("secretsmanager")
    secrets.put_secret_value(SecretId=console.aws.ref("TokenSecret"), SecretString=json.dumps(parts))
