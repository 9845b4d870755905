"""The keys of impressions come from Secrets Manager, and are kept for five minutes."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from sluice.errors import Misconfigured, Unavailable
from sponsorships.secret import ImpressionSecret

K1, K2 = "1" * 32, "2" * 32


@dataclass
class AClock:
    moment: datetime = datetime(2026, 11, 27, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@dataclass
class ASecretsManager:
    """Answers a secret, or fails."""

    secret: Any
    asked: list[str] = field(default_factory=list)

    def get_secret_value(self, **arguments: str) -> dict[str, str]:
        self.asked.append(arguments["SecretId"])
        if isinstance(self.secret, Exception):
            raise self.secret
        return {"SecretString": json.dumps(self.secret)}


AWAY = [
    ConnectTimeoutError(endpoint_url="https://secretsmanager"),
    ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "GetSecretValue"),
]


def test_keys_are_read_again_after_five_minutes() -> None:
    clock, manager = AClock(), ASecretsManager({"current": "k1", "k1": K1})
    secret = ImpressionSecret("arn", clock, lambda: manager)

    first = secret.keys()
    manager.secret = {"current": "k2", "keys": {"k1": K1, "k2": K2}}
    clock.moment += timedelta(minutes=4, seconds=59)
    kept = secret.keys()
    clock.moment += timedelta(seconds=1)
    rotated = secret.keys()

    assert (first.current, kept.current, rotated.current) == ("k1", "k1", "k2")
    assert manager.asked == ["arn", "arn"]


@pytest.mark.parametrize("away", AWAY)
def test_keys_are_kept_while_the_secret_cannot_be_read(away: Exception) -> None:
    clock, manager = AClock(), ASecretsManager({"current": "k1", "k1": K1})
    secret = ImpressionSecret("arn", clock, lambda: manager)

    before = secret.keys()
    manager.secret = away
    clock.moment += timedelta(hours=1)

    assert secret.keys() == before


@pytest.mark.parametrize("away", AWAY)
def test_keys_that_were_never_read_are_unavailable(away: Exception) -> None:
    secret = ImpressionSecret("arn", AClock(), lambda: ASecretsManager(away))

    with pytest.raises(Unavailable, match="Secrets Manager"):
        secret.keys()


def test_a_secret_without_a_key_is_a_mistake() -> None:
    secret = ImpressionSecret("arn", AClock(), lambda: ASecretsManager({"current": "k1", "previous": ""}))

    with pytest.raises(Misconfigured, match="current"):
        secret.keys()
