"""Which stack a command is for."""

import argparse

import pytest

from local import choice
from local.choice import add_stack_options, chosen_stack
from local.errors import LocalError


@pytest.fixture(autouse=True)
def no_aws_configuration(tmp_path, monkeypatch):
    """A machine whose AWS configuration has one profile, with a region, and a default without one."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text("[profile work]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def given(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_stack_options(parser)
    return parser.parse_args(arguments)


def test_a_name_is_a_stack_on_aws_in_the_given_region():
    stack = chosen_stack(given("--stack", "sluice-dev", "--profile", "", "--region", "eu-west-1"))

    assert (stack.name, stack.session.region_name, stack.endpoint_url) == ("sluice-dev", "eu-west-1", None)


def test_the_region_comes_from_the_profile_when_none_is_given():
    stack = chosen_stack(given("--stack", "sluice-dev", "--profile", "work"))

    assert stack.session.region_name == "eu-central-1"


def test_no_name_is_the_embedded_stack(monkeypatch):
    class Running:
        deployed = object()

    monkeypatch.setattr(choice, "running", Running)

    assert chosen_stack(given("--stack", "", "--profile", "", "--region", "")) is Running.deployed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--profile", "work"], "PROFILE and REGION are for a stack on AWS"),
        (["--region", "eu-west-1"], "PROFILE and REGION are for a stack on AWS"),
        (["--stack", "sluice-dev"], "give REGION="),
        (["--stack", "sluice-dev", "--profile", "nobody"], r"\(nobody\) could not be found\. Give PROFILE="),
    ],
)
def test_what_is_missing_is_named(arguments, told):
    with pytest.raises(LocalError, match=told):
        chosen_stack(given(*arguments))


def test_a_stack_that_does_not_run_is_told_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr("local.stack.DIRECTORY", tmp_path)

    with pytest.raises(LocalError, match="The embedded stack does not run: `make up` starts it"):
        chosen_stack(given())
