"""What is built for which processor, and what `make deploy` passes on."""

from contextlib import nullcontext
from unittest.mock import Mock

import pytest

from local import build
from local.errors import LocalError


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("arm64", "arm64"), ("aarch64", "arm64")],
)
def test_this_machines_processor_has_lambdas_name(monkeypatch, machine, architecture):
    monkeypatch.setattr(build.platform, "machine", lambda: machine)

    assert build.this_architecture() == architecture


def test_a_processor_that_lambda_has_not_is_told(monkeypatch):
    monkeypatch.setattr(build.platform, "machine", lambda: "riscv64")

    with pytest.raises(LocalError, match="no riscv64 processors: give ARCHITECTURE=arm64"):
        build.this_architecture()


@pytest.mark.parametrize(
    ("saved", "passed"),
    [
        ('["A=1", "B=2"]', ["A=1", "B=2"]),
        # As `sam deploy --guided` saves them.
        ('"A=\\"1\\" B=\\"rate(5 minutes)\\""', ['A="1" B="rate(5 minutes)"']),
    ],
)
def test_deploying_passes_on_what_samconfig_says_and_the_processor(tmp_path, monkeypatch, saved, passed):
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "built", lambda *_: nullcontext(build.Build(tmp_path / "template.yaml", "digest")))
    (tmp_path / "samconfig.toml").write_text(
        f"[dev.deploy.parameters]\nparameter_overrides = {saved}\n[prod.deploy.parameters]\n"
    )
    started = []
    monkeypatch.setattr(build.subprocess, "run", lambda command, **_: started.append(command) or Mock(returncode=0))

    for environment_name in ("dev", "prod"):
        build.deploy(environment_name, "arm64", [])

    dev, prod = (command[command.index("--parameter-overrides") + 1 :] for command in started)
    assert dev == [*passed, "Architecture=arm64"]
    assert prod == ["Architecture=arm64"]
    # Else sam looks for it beside the built template, where there is none.
    assert started[0][started[0].index("--config-file") + 1] == str(tmp_path / "samconfig.toml")


@pytest.mark.parametrize("name", ["staging", "local"])
def test_an_environment_that_is_not_for_aws_is_refused_with_those_that_are(name):
    with pytest.raises(LocalError, match=rf"ENVIRONMENT={name} is not one of samconfig.toml's: default, dev, prod"):
        build.deploy(name, "arm64", [])


def test_a_built_template_asks_for_the_processor_that_it_was_built_for(tmp_path):
    template = tmp_path / "template.yaml"
    template.write_text("Parameters:\n  Architecture:\n    Type: String\n    Default: arm64\n")

    build._default_architecture(template, "x86_64")

    assert "Default: x86_64\n" in template.read_text()


def test_a_built_template_without_that_parameter_is_refused(tmp_path):
    (tmp_path / "template.yaml").write_text("Parameters: {}\n")

    with pytest.raises(LocalError, match="no parameter Architecture"):
        build._default_architecture(tmp_path / "template.yaml", "x86_64")
