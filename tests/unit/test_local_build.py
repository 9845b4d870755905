"""What is built for which processor, and what `make deploy` passes on."""

import json
import zipfile
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


def test_a_processor_that_lambda_has_not_is_refused(monkeypatch):
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
    monkeypatch.setattr(
        build, "built", lambda *_: nullcontext(build.Build(tmp_path / "template.yaml", tmp_path, "digest"))
    )
    (tmp_path / "samconfig.toml").write_text(
        f"[dev.deploy.parameters]\nparameter_overrides = {saved}\n[prod.deploy.parameters]\n"
    )
    started = []
    monkeypatch.setattr(build.subprocess, "run", lambda command, **_: started.append(command) or Mock(returncode=0))

    for environment_name in ("dev", "prod"):
        build.deploy(environment_name, "arm64", [])
    build.deploy("prod", "arm64", [], "hedera")

    dev, prod, hedera = (command[command.index("--parameter-overrides") + 1 :] for command in started)
    assert dev == [*passed, "Architecture=arm64"]
    assert prod == ["Architecture=arm64"]
    assert hedera == ["Architecture=arm64", "Escrow=hedera"]
    # Else sam looks for it beside the built template, where there is none.
    assert started[0][started[0].index("--config-file") + 1] == str(tmp_path / "samconfig.toml")


@pytest.mark.parametrize("name", ["staging", "local"])
def test_an_environment_that_is_not_for_aws_is_refused_with_those_that_are(name):
    with pytest.raises(LocalError, match=rf"ENVIRONMENT={name} is not one of samconfig.toml's: default, dev, prod"):
        build.deploy(name, "arm64", [])


def test_a_built_template_asks_for_the_processor_that_it_was_built_for():
    template = {"Parameters": {"Architecture": {"Type": "String", "Default": "arm64"}}}

    build._default_architecture(template, "x86_64")

    assert template["Parameters"]["Architecture"]["Default"] == "x86_64"


def test_a_built_template_without_that_parameter_is_refused():
    with pytest.raises(LocalError, match="no parameter Architecture"):
        build._default_architecture({"Parameters": {}}, "x86_64")


def test_each_api_of_the_embedded_stack_has_an_id_of_its_own_that_stays():
    """MiniStack: `API id 'sluice' (from ms-custom-id tag) is already in use`, where a tag of the stack named both."""
    apis = {"Api": "AWS::Serverless::HttpApi", "OtherApi": "AWS::ApiGatewayV2::Api"}
    resources = {name: {"Type": kind, "Properties": {}} for name, kind in apis.items()}
    queue = {"Type": "AWS::SQS::Queue", "Properties": {}}

    build._pin({"Resources": resources | {"Queue": queue}})

    assert resources["Api"]["Properties"] == {"Tags": {"ms-custom-id": "sluice"}}
    assert resources["OtherApi"]["Properties"] == {"Tags": {"ms-custom-id": "sluice-other"}}
    assert queue["Properties"] == {}


@pytest.fixture
def an_escrow():
    layer = {"Properties": {"ContentUri": "layers/escrow/"}}
    escrow = {"Default": "ledger", "AllowedValues": ["ledger", "hedera"]}
    return {"Parameters": {"Escrow": escrow}, "Resources": {"PromotionsEscrowLayer": layer}}


def test_a_build_without_hedera_cannot_be_deployed_with_it_and_leaves_out_its_layer(an_escrow):
    build._of_escrow(an_escrow, "ledger")

    assert an_escrow["Parameters"]["Escrow"] == {"Default": "ledger", "AllowedValues": ["ledger"]}
    assert an_escrow["Resources"]["PromotionsEscrowLayer"]["Properties"]["ContentUri"] == "layers/kernel/"


def test_a_build_with_hedera_has_its_layer_and_is_deployed_with_it(an_escrow):
    build._of_escrow(an_escrow, "hedera")

    assert an_escrow["Parameters"]["Escrow"] == {"Default": "hedera", "AllowedValues": ["ledger", "hedera"]}
    assert an_escrow["Resources"]["PromotionsEscrowLayer"]["Properties"]["ContentUri"] == "layers/escrow/"


def test_the_escrow_decides_what_a_build_holds():
    assert build._digest("arm64", "ledger") != build._digest("arm64", "hedera")


def test_an_escrow_that_is_unknown_is_refused(monkeypatch):
    monkeypatch.setattr(build.sys, "argv", ["build", "--escrow", "bitcoin"])

    with pytest.raises(LocalError, match="ESCROW=bitcoin is not one of ledger, hedera"):
        build.main()


@pytest.fixture
def a_build(tmp_path):
    """Two functions with the same code, one with other code and a layer."""
    code = {"First": "print(1)", "Second": "print(1)", "Third": "print(3)", "Layer": "print(1)"}
    for folder, text in code.items():
        (tmp_path / folder / "package").mkdir(parents=True)
        (tmp_path / folder / "package" / ("layer.py" if folder == "Layer" else "code.py")).write_text(text)
    functions = {name: {"Properties": {"CodeUri": name}} for name in code if name != "Layer"}
    return {"Resources": functions | {"Layer": {"Properties": {"ContentUri": "Layer"}}, "Topic": {}}}


def test_functions_with_the_same_code_share_a_folder(a_build, tmp_path):
    build._share(a_build, tmp_path)

    found = {name: resource.get("Properties") for name, resource in a_build["Resources"].items()}
    assert found == {
        "First": {"CodeUri": "First"},
        "Second": {"CodeUri": "First"},
        "Third": {"CodeUri": "Third"},
        "Layer": {"ContentUri": "Layer"},
        "Topic": None,
    }
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["First", "Layer", "Third"]


def test_each_folder_is_packaged_once(a_build, tmp_path):
    build._share(a_build, tmp_path)

    build._package(a_build, tmp_path)

    packaged = json.loads((tmp_path / "packaged.json").read_text())["Resources"]
    assert packaged["Second"] == {"Properties": {"CodeUri": "First.zip"}}
    assert packaged["Layer"] == {"Properties": {"ContentUri": "Layer.zip"}}
    assert len(list(tmp_path.glob("*.zip"))) == 3
    with zipfile.ZipFile(tmp_path / "Third.zip") as package:
        assert package.read("package/code.py") == b"print(3)"
