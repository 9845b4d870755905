"""Building the functions and layers: `sam build`, then bytecode and packages, skipped while nothing changed."""

import argparse
import compileall
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped]

from local.errors import LocalError, run
from local.files import locked
from local.paths import BIN, LOCAL, ROOT, STACK_NAME

SAM_BUILD = ROOT / ".aws-sam" / "build"
"""Where `sam deploy` and `sam local` look for a build."""


@dataclass(frozen=True)
class Build:
    template: Path
    packaged: Path
    """The same with its code in ZIP files, not compressed: `sam deploy` would make one per function and compress it."""
    digest: str
    """Names the content: equal digests, equal artefacts."""


ESCROWS = ("ledger", "hedera")
"""What a build may be for: the layer of `hedera` is larger than all the rest, so it is left out of the others."""


def this_architecture() -> str:
    """The processor of this machine, in Lambda's words."""
    machine = platform.machine().lower()
    known = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
    if machine not in known:
        raise LocalError(f"Lambda has no {machine} processors: give ARCHITECTURE=arm64 or ARCHITECTURE=x86_64.")
    return known[machine]


@contextmanager
def built(architecture: str, directory: Path | None = None, escrow: str = "ledger") -> Iterator[Build]:
    """An up-to-date build for `architecture` and `escrow`, which nobody rebuilds while the block runs.

    Every embedded stack shares one build per architecture; a second builder waits for the first.
    """
    directory = directory or LOCAL / "build" / architecture
    lock = LOCAL / f"build-{architecture}{'-sam' if directory == SAM_BUILD else ''}.lock"
    digest = _digest(architecture, escrow)
    while True:
        with locked(lock, shared=True, holder="another make, which builds"):
            if _stamp(directory) == digest:
                yield Build(directory / "template.yaml", directory / "packaged.json", digest)
                return
        # sam keeps notes in .aws-sam, wherever it builds.
        with locked(LOCAL / "sam-build.lock", holder="another make, which builds"), locked(lock):
            if _stamp(directory) != digest:
                _build(architecture, escrow, directory, digest)


def environment() -> dict[str, str]:
    """For `sam` and what it starts: this project's Python first, and no telemetry."""
    return os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "SAM_CLI_TELEMETRY": "0",
    }


def _build(architecture: str, escrow: str, directory: Path, digest: str) -> None:
    shutil.rmtree(directory, ignore_errors=True)  # A build that is interrupted is none.
    directory.parent.mkdir(parents=True, exist_ok=True)
    wanted = yaml_parse((ROOT / "template.yaml").read_text())
    _of_escrow(wanted, escrow)
    template_file = directory.parent / f"{directory.name}-template.json"
    template_file.write_text(json.dumps(wanted, default=str))
    command = [
        *(str(BIN / "sam"), "build", "--cached", "--parallel"),
        *("--template-file", str(template_file), "--base-dir", str(ROOT)),
        *("--build-dir", str(directory)),
        *("--cache-dir", str(directory.parent / f"cache-{architecture}")),
        *("--parameter-overrides", f"Architecture={architecture}"),
    ]
    built = subprocess.run(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if built.returncode:
        raise LocalError(f"`sam build` failed:\n{built.stdout.strip()}")
    template = yaml_parse((directory / "template.yaml").read_text())
    _default_architecture(template, architecture)
    _share(template, directory)
    # JSON is YAML, and sam, which reads the template seven times in a deployment, reads it a hundred times faster.
    (directory / "template.yaml").write_text(json.dumps(template, indent=1))
    _compile(directory)
    _package(template, directory)
    _stamp_file(directory).write_text(digest)


def _default_architecture(template: dict[str, Any], architecture: str) -> None:
    """A build is for one processor, and its template says so: else `sam deploy` would ask for the wrong one."""
    try:
        template["Parameters"]["Architecture"]["Default"] = architecture
    except KeyError as error:
        raise LocalError("The built template has no parameter Architecture.") from error


def _of_escrow(template: dict[str, Any], escrow: str) -> None:
    """A build is for one escrow, and its template says so. `sam build` builds a layer whose condition is false, too:
    without Hedera its layer is another one that is built anyway.
    """
    template["Parameters"]["Escrow"]["Default"] = escrow
    if escrow == "ledger":
        template["Parameters"]["Escrow"]["AllowedValues"] = [escrow]
        template["Resources"]["PromotionsEscrowLayer"]["Properties"]["ContentUri"] = "layers/kernel/"


def _code(template: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The properties of every function and layer, and which of them names its code."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for name in ("CodeUri", "ContentUri"):
            if name in properties:
                yield properties, name


def _share(template: dict[str, Any], directory: Path) -> None:
    """Keeps one folder of those with the same content: `sam build` makes one for each function."""
    kept: dict[str, str] = {}
    for properties, name in _code(template):
        folder = directory / properties[name]
        properties[name] = kept.setdefault(_content(folder), folder.name)
        if properties[name] != folder.name:
            shutil.rmtree(folder)


def _content(folder: Path) -> str:
    """A digest of the files' names and content."""
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _package(template: dict[str, Any], directory: Path) -> None:
    """Writes packaged.json, and a ZIP file for each folder."""
    for properties, name in _code(template):
        folder = directory / properties[name]
        properties[name] = f"{folder.name}.zip"
        if not (directory / properties[name]).exists():
            with zipfile.ZipFile(directory / properties[name], "w") as package:
                for file in sorted(folder.rglob("*")):
                    package.write(file, file.relative_to(folder))
    _pin(template)
    (directory / "packaged.json").write_text(json.dumps(template))


def _pin(template: dict[str, Any]) -> None:
    """Gives each API of the embedded stack an id that outlives `make clean`: MiniStack takes it from this tag."""
    for name, resource in template["Resources"].items():
        if resource.get("Type") in ("AWS::Serverless::HttpApi", "AWS::ApiGatewayV2::Api"):
            which = name.removesuffix("Api").lower()
            tags = resource["Properties"].setdefault("Tags", {})
            tags["ms-custom-id"] = f"{STACK_NAME}-{which}" if which else STACK_NAME


def _compile(directory: Path) -> None:
    """Adds bytecode that is valid whatever the files' times are: Lambda's disk is read-only, so it cannot make any."""
    for artefact in directory.iterdir():
        if not artefact.is_dir():
            continue
        inside = "/opt" if (artefact / "python").is_dir() else "/var/task"
        if not compileall.compile_dir(
            artefact,
            quiet=2,
            force=True,
            workers=0,
            stripdir=str(artefact),
            prependdir=inside,
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        ):
            raise LocalError(f"{artefact.name} holds Python that does not compile; `make check` shows where.")


def _digest(architecture: str, escrow: str) -> str:
    """Of everything that decides what a build holds."""
    digest = hashlib.sha256(f"{architecture} {escrow} {sys.version}".encode())
    sources = [ROOT / "template.yaml", Path(__file__)]
    for folder in ("functions", "layers", "console"):
        sources += (file for file in (ROOT / folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    for file in sorted(sources):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(ROOT)} {content}\n".encode())
    return digest.hexdigest()


def _stamp_file(directory: Path) -> Path:
    return directory / ".digest"


def _stamp(directory: Path) -> str:
    file = _stamp_file(directory)
    return file.read_text() if file.exists() else ""


def _overrides(environment_name: str) -> list[str]:
    """The parameters that samconfig.toml gives an environment; `--parameter-overrides` replaces all of them.

    One text of many is how `sam deploy --guided` saves them, and sam takes it as one argument too.
    """
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    known = [name for name, section in config.items() if isinstance(section, dict) and name != "local"]
    if environment_name not in known:
        raise LocalError(f"ENVIRONMENT={environment_name} is not one of samconfig.toml's: {', '.join(known)}.")
    given = config[environment_name].get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
    return [given] if isinstance(given, str) else list(given)


def deploy(environment_name: str, architecture: str, arguments: list[str], escrow: str = "ledger") -> int:
    """Builds for `architecture` and `escrow`, and deploys it with the user's AWS credentials."""
    overrides = [*_overrides(environment_name), f"Architecture={architecture}"]
    if escrow != "ledger":  # else a stack keeps the escrow that it has, and refuses a build without it
        overrides.append(f"Escrow={escrow}")
    with built(architecture, SAM_BUILD, escrow) as build:
        command = [
            *(str(BIN / "sam"), "deploy", "--config-env", environment_name),
            *("--config-file", str(ROOT / "samconfig.toml")),
            *("--template-file", str(build.template)),
            *("--parameter-overrides", *overrides, *arguments),
        ]
        return subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.build", description=__doc__)
    parser.add_argument("--architecture", default="", help="arm64 or x86_64; default: this machine's")
    parser.add_argument("--deploy", metavar="ENVIRONMENT", help="then deploy it: an environment of samconfig.toml")
    parser.add_argument("--escrow", default="", help="hedera, to build what Escrow=hedera needs; default: ledger")
    given, arguments = parser.parse_known_args()
    architecture = given.architecture or (this_architecture() if not given.deploy else "arm64")
    if architecture not in ("arm64", "x86_64"):
        raise LocalError(f"ARCHITECTURE={architecture} is not one of arm64, x86_64.")
    escrow = given.escrow or "ledger"
    if escrow not in ESCROWS:
        raise LocalError(f"ESCROW={escrow} is not one of {', '.join(ESCROWS)}.")
    if not shutil.which("sam", path=str(BIN)):
        raise LocalError("The project's environment is not installed: run `make` targets, not this module.")
    if given.deploy:
        return deploy(given.deploy, architecture, arguments, escrow)
    with built(architecture, SAM_BUILD, escrow) as build:
        print(f"Built for {architecture}: {build.template.parent.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    run(main)
