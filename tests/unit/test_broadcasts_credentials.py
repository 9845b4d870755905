"""Credentials of instances: kept five minutes, read again once a minute at most, and a version is written once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from broadcasts.credentials import Credentials, Secrets
from broadcasts.instance import Instance, ProviderName
from sluice import aws
from sluice.clock import SystemClock
from sluice.errors import Unavailable
from tests.account import bare_moto
from tests.factories import NOON

PATH = "/sluice/instances"
SECRETS = Secrets(api_key="k1", jwt_key="j1")


class Counting:
    """Parameter Store, and how often it was read."""

    def __init__(self, ssm: Any) -> None:
        self._ssm = ssm
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ssm, name)

    def get_parameter(self, **arguments: Any) -> Any:
        self.reads += 1
        return self._ssm.get_parameter(**arguments)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def ssm(clock: Any) -> Iterator[Counting]:
    with bare_moto():
        yield Counting(aws.client("ssm"))


@pytest.fixture
def credentials(ssm: Counting) -> Credentials:
    return Credentials(PATH, SystemClock(), lambda: ssm)


def an_instance(version: int = 1) -> Instance:
    return Instance(
        id="ins_1",
        owner="acme",
        name="Support",
        provider=ProviderName.EVOLUTION,
        address="support",
        credentials=version,
        created_at=NOON,
        updated_at=NOON,
    )


def edited(ssm: Counting, value: str) -> None:
    """Somebody changes a parameter by hand."""
    ssm.put_parameter(Name=f"{PATH}/ins_1/1", Value=value, Type="SecureString", Overwrite=True)


def test_what_is_written_is_read(credentials: Credentials) -> None:
    assert credentials.write("ins_1", 1, SECRETS)

    assert credentials.read(an_instance()) == SECRETS
    assert SECRETS.given == {"api_key": "k1", "jwt_key": "j1"}


def test_they_are_read_once_in_five_minutes(credentials: Credentials, ssm: Counting, clock: Any) -> None:
    credentials.write("ins_1", 1, SECRETS)

    credentials.read(an_instance())
    clock.shift(timedelta(minutes=4, seconds=59))
    credentials.read(an_instance())
    assert ssm.reads == 1

    clock.shift(timedelta(seconds=1))
    credentials.read(an_instance())
    assert ssm.reads == 2


def test_wrong_ones_are_read_again_at_most_once_a_minute(credentials: Credentials, ssm: Counting, clock: Any) -> None:
    """Amendment 19: anybody may send a webhook with a wrong secret, and Parameter Store takes 40 reads a second."""
    credentials.write("ins_1", 1, SECRETS)
    credentials.read(an_instance())
    edited(ssm, '{"api_key": "k2"}')

    assert [credentials.read_again(an_instance()).api_key for _ in range(3)] == ["k1"] * 3
    clock.shift(timedelta(minutes=1))

    assert [credentials.read_again(an_instance()).api_key for _ in range(3)] == ["k2"] * 3
    assert ssm.reads == 2


def test_another_version_is_read_at_once(credentials: Credentials) -> None:
    credentials.write("ins_1", 1, SECRETS)
    credentials.read(an_instance())
    credentials.write("ins_1", 2, Secrets(api_key="k2"))

    assert credentials.read(an_instance(2)).api_key == "k2"


def test_a_version_is_written_once(credentials: Credentials) -> None:
    """Else an instance would name what another request wrote."""
    credentials.write("ins_1", 1, SECRETS)

    assert not credentials.write("ins_1", 1, Secrets(api_key="other"))
    assert credentials.read(an_instance()).api_key == "k1"


def test_the_kept_ones_serve_while_they_cannot_be_read(credentials: Credentials, clock: Any) -> None:
    credentials.write("ins_1", 1, SECRETS)
    credentials.read(an_instance())
    credentials.delete("ins_1", 1)
    clock.shift(timedelta(hours=1))

    assert credentials.read(an_instance()) == SECRETS


def test_a_version_that_is_gone_is_tried_again(credentials: Credentials) -> None:
    """Whoever read the instance before the change reads it again, and finds the next version."""
    with pytest.raises(Unavailable, match="ParameterNotFound"):
        credentials.read(an_instance())
    assert not credentials.delete("ins_1", 1)


def test_an_instance_without_credentials_has_none(credentials: Credentials, ssm: Counting) -> None:
    assert credentials.read(an_instance(0)) == Secrets()
    assert ssm.reads == 0


def test_secrets_in_a_log_have_no_values() -> None:
    assert repr(SECRETS) == "Secrets(api_key, jwt_key)"
