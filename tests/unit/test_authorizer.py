"""The authorizer's handler, on events as API Gateway sends them, with the secret in Secrets Manager."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from operations import authorizer
from sluice.roles import Role
from sluice.tokens import mint
from tests.account import bare_moto
from tests.gateway import Context, an_authorization

SECRET = "current-secret-of-more-than-32-bytes-0001"
NEW_SECRET = "rotated-secret-of-more-than-32-bytes-0002"
AUDIENCE = "sluice"


@pytest.fixture
def vault(monkeypatch):
    """Secrets Manager with the token secret, and the function's environment."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("TOKEN_AUDIENCE", AUDIENCE)
    with bare_moto():
        client = boto3.client("secretsmanager")
        created = client.create_secret(Name="token", SecretString=json.dumps({"current": SECRET, "previous": ""}))
        monkeypatch.setenv("TOKEN_SECRET_ARN", created["ARN"])
        authorizer.gate.cache_clear()
        yield client
    authorizer.gate.cache_clear()


def a_token(secret: str = SECRET, lifetime: timedelta = timedelta(hours=1)) -> str:
    return mint(secret, "ada", Role.SERVICE, AUDIENCE, lifetime, datetime.now(UTC))


def a_viewers(secret: str, role: Role | None = None) -> str:
    return mint(secret, "ada", role, f"{AUDIENCE}-viewer", timedelta(hours=1), datetime.now(UTC))


def authorize(header: str | None) -> dict[str, object]:
    return authorizer.handler(an_authorization(header), Context())


@pytest.mark.usefixtures("vault")
def test_a_valid_token_is_let_in_with_its_subject_and_role():
    answer = authorize(f"Bearer {a_token()}")

    assert answer == {"isAuthorized": True, "context": {"subject": "ada", "role": "service"}}
    assert type(answer["context"]["role"]) is str


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize("name", ["Authorization", "AUTHORIZATION"])
def test_the_token_is_found_however_the_client_wrote_the_headers_name(name):
    """`sam local` passes it as it came."""
    event = an_authorization(f"Bearer {a_token()}")
    event["headers"] = {name: event["headers"].pop("authorization"), **event["headers"]}

    answer = authorizer.handler(event, Context())

    assert answer["isAuthorized"] is True


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer nonsense",
        f"Bearer {a_token(NEW_SECRET)}",
        f"Bearer {a_token(lifetime=-timedelta(minutes=1))}",
        # A viewer's token: as it is, and were it signed with the authorizer's own secret, and had it a role.
        f"Bearer {a_viewers(NEW_SECRET)}",
        f"Bearer {a_viewers(SECRET)}",
        f"Bearer {a_viewers(SECRET, Role.ADMIN)}",
    ],
)
def test_anything_else_is_refused_without_a_context(header):
    answer = authorize(header)

    assert answer["isAuthorized"] is False
    assert not answer.get("context")


@pytest.mark.usefixtures("vault")
def test_the_log_says_why_and_never_shows_the_token(capsys, caplog):
    token = a_token(lifetime=-timedelta(minutes=1))

    authorize(f"Bearer {token}")

    lines = [record for record in caplog.records if record.getMessage() == "Token refused"]
    assert [line.reason for line in lines] == ["ExpiredSignatureError"]
    assert token not in capsys.readouterr().out + caplog.text


def test_a_secret_rotated_in_counts_at_once(vault):
    authorize(f"Bearer {a_token()}")
    vault.put_secret_value(SecretId="token", SecretString=json.dumps({"current": NEW_SECRET, "previous": SECRET}))

    rotated, old = authorize(f"Bearer {a_token(NEW_SECRET)}"), authorize(f"Bearer {a_token()}")

    assert (rotated["isAuthorized"], old["isAuthorized"]) == (True, True)


def test_the_secret_is_fetched_once_for_many_requests(vault, monkeypatch):
    authorize(f"Bearer {a_token()}")
    vault.delete_secret(SecretId="token", ForceDeleteWithoutRecovery=True)

    assert authorize(f"Bearer {a_token()}")["isAuthorized"] is True


def test_with_a_short_secret_nobody_is_let_in(vault, caplog):
    vault.put_secret_value(SecretId="token", SecretString=json.dumps({"current": "short", "previous": ""}))

    answer = authorize(f"Bearer {a_token()}")

    assert answer["isAuthorized"] is False
    assert [record.levelname for record in caplog.records if record.getMessage() == "Nobody is let in"] == ["ERROR"]


def test_the_authorizer_imports_neither_pydantic_nor_pynamodb_and_reads_no_setting_at_import():
    script = (
        "import sys, operations.authorizer; "
        "print([name for name in ('pydantic', 'pynamodb', 'sluice.http') if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"
