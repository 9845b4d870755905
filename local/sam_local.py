"""What `sam local` needs to run the functions in Docker against the embedded stack: `make up` writes it.

`sam` gives a container no variable that the template does not declare, and takes a `!Ref` for the resource's logical
id. So these are a copy of the built template that declares the address and the credentials as well, and the values.
samconfig.toml names both files.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped]

from local import aws
from local.aws import DeployedStack
from local.paths import LOCAL

DIRECTORY = LOCAL / "sam"
_HOST = "host.docker.internal"
"""This machine, as a container calls it."""
THIS_MACHINE = ("127.0.0.1", "localhost")
"""As it calls itself."""


def write(stack: DeployedStack, port: int, built_template: Path, directory: Path = DIRECTORY) -> None:
    """template.json and env.json, for functions that call `stack` at `port` of this machine."""
    shared = aws.CREDENTIALS | {
        "AWS_SESSION_TOKEN": "",
        "AWS_ENDPOINT_URL": f"http://{_HOST}:{port}",
        "AWS_REGION": aws.REGION,
        "AWS_DEFAULT_REGION": aws.REGION,
    }
    template = yaml_parse(built_template.read_text())
    template["Globals"]["Function"]["Environment"]["Variables"] |= shared
    values = {"Parameters": shared}
    physical = stack.resources()
    for name, resource in template["Resources"].items():
        _make_absolute(resource, built_template.parent)
        # Without TrackUrl its function is not there.
        if resource["Type"] == "AWS::Serverless::Function" and name in physical:
            deployed = stack.client("lambda").get_function_configuration(FunctionName=physical[name])
            variables = deployed["Environment"]["Variables"]
            if "REDIS_URL" in variables:
                variables["REDIS_URL"] = _for_a_container(variables["REDIS_URL"])
            values[name] = variables
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "template.json").write_text(json.dumps(template))
    (directory / "env.json").write_text(json.dumps(values, indent=2))


def _for_a_container(url: str) -> str:
    parts = urlsplit(url)
    if parts.hostname not in THIS_MACHINE:
        return url
    return parts._replace(netloc=parts.netloc.replace(parts.hostname, _HOST)).geturl()


def _make_absolute(resource: dict[str, Any], folder: Path) -> None:
    for key in ("CodeUri", "ContentUri"):
        if key in resource.get("Properties", {}):
            resource["Properties"][key] = str(folder / resource["Properties"][key])
