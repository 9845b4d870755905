"""The template as AWS sees it: translated by SAM, so that nothing it says is written again in a test."""

import copy
import json
import os
import pickle
from functools import cache
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

ROOT = Path(__file__).parent.parent
REGION = "us-east-1"
ACCOUNT = "123456789012"

PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "sluice",
    "AWS::URLSuffix": "amazonaws.com",
}


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


@cache
def source_text() -> str:
    return (ROOT / "template.yaml").read_text()


def source(text: str | None = None) -> dict[str, Any]:
    """The template as written; intrinsics in their long form."""
    return _copy(_parsed(text or source_text()))


def translated(text: str | None = None) -> dict[str, Any]:
    """The template as CloudFormation gets it."""
    return _copy(_translated(text or source_text()))


# Each test asks for its own copy of the same: parsing and translating would be most of what an account costs. A pickle
# is read in a quarter of the time that copy.deepcopy takes.
@cache
def _parsed(text: str) -> bytes:
    # As JSON, what several places take from one anchor is not one object: who changes one changes no other.
    return pickle.dumps(json.loads(json.dumps(yaml_parse(text))))


@cache
def _translated(text: str) -> bytes:
    return pickle.dumps(translate(source(text)))


def _copy(kept: bytes) -> dict[str, Any]:
    copied: dict[str, Any] = pickle.loads(kept)
    return copied


def translate(template: dict[str, Any]) -> dict[str, Any]:
    """A template as written, as CloudFormation gets it. What is passed stays as it is."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = "s3://bucket/key"
    template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    parameters = {name: parameter.get("Default", "") for name, parameter in template.get("Parameters", {}).items()}
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)  # the translator asks boto3 for it
    result: dict[str, Any] = transform(template, parameters, _NoManagedPolicies())
    return result
