"""The rotation of the key that signs impressions: no key is lost, and none signs before every function knows it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local.errors import LocalError
from local.rotate_impressions import KNOWN_AFTER_SECONDS, Rotation
from tests.account import account
from tests.template.project import real

FIRST = "x" * 64


@dataclass
class Stack:
    """A deployed stack, of which a secret is looked at."""

    secrets: Any
    arn: str
    name: str = "sluice"

    def client(self, _service: str) -> Any:
        return self.secrets

    def output(self, _key: str) -> str:
        return self.arn

    def now(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.secrets.get_secret_value(SecretId=self.arn)["SecretString"])
        return found


@pytest.fixture
def stack() -> Iterator[Stack]:
    with account() as aws:
        secrets = aws.client("secretsmanager")
        text = json.dumps({"current": "k1", "k1": FIRST})
        yield Stack(secrets, secrets.create_secret(Name="of-a-stack", SecretString=text)["ARN"])


def rotate(stack: Stack, meanwhile: Callable[[float], None] = lambda _: None) -> list[str]:
    """What it tells."""
    told: list[str] = []
    Rotation(stack, told.append, meanwhile).run()  # type: ignore[arg-type]
    return told


def test_a_key_is_added_and_becomes_the_current_one_and_the_old_one_stays(stack: Stack) -> None:
    told = rotate(stack)

    after = stack.now()
    assert (after["current"], after["keys"]["k1"], sorted(after["keys"])) == ("k2", FIRST, ["k1", "k2"])
    assert len(after["keys"]["k2"]) == 64
    assert [secret for secret in after["keys"].values() if secret in " ".join(told)] == []


def test_a_key_is_known_to_every_function_before_it_signs(stack: Stack) -> None:
    seen: list[tuple[float, str, list[str]]] = []

    def look(seconds: float) -> None:
        seen.append((seconds, stack.now()["current"], sorted(stack.now()["keys"])))

    rotate(stack, look)

    assert seen == [(KNOWN_AFTER_SECONDS, "k1", ["k1", "k2"])]
    assert KNOWN_AFTER_SECONDS > 300


def test_a_rotation_that_was_killed_goes_on_with_the_key_that_it_added(stack: Stack) -> None:
    def killed(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(stack, killed)
    added = stack.now()["keys"]["k2"]

    rotate(stack)

    assert stack.now() == {"current": "k2", "keys": {"k1": FIRST, "k2": added}}


def test_every_rotation_adds_one_key(stack: Stack) -> None:
    for _ in range(3):
        rotate(stack)

    assert (stack.now()["current"], sorted(stack.now()["keys"])) == ("k4", ["k1", "k2", "k3", "k4"])


def test_of_two_rotations_at_once_none_loses_a_key_of_the_other(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    read = stack.secrets.get_secret_value
    stale = read(SecretId=stack.arn)
    rotate(stack)
    monkeypatch.setattr(stack.secrets, "get_secret_value", lambda **_: stale)

    with pytest.raises(LocalError, match=r"could not be written.*Run it again"):
        rotate(stack)

    monkeypatch.undo()
    assert sorted(stack.now()["keys"]) == ["k1", "k2"]


@pytest.mark.parametrize("text", ["{", '{"current": "k1"}', '{"current": "k1", "k1": "short"}'])
def test_a_secret_that_cannot_be_read_is_left_as_it_is(stack: Stack, text: str) -> None:
    stack.secrets.put_secret_value(SecretId=stack.arn, SecretString=text)

    with pytest.raises(LocalError, match="could not be read"):
        rotate(stack)

    assert stack.secrets.get_secret_value(SecretId=stack.arn)["SecretString"] == text


def test_the_stack_says_which_secret_it_is() -> None:
    output = real().template["Outputs"]["ImpressionSecretArn"]["Value"]

    assert output == {"Fn::GetAtt": ["ImpressionSecret", "Id"]}
