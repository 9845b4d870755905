"""Building the functions and layers: `sam build`, then bytecode, skipped while nothing changed."""

import argparse
import compileall
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

from local.errors import LocalError, run
from local.files import locked
from local.paths import BIN, LOCAL, ROOT

SAM_BUILD = ROOT / ".aws-sam" / "build"
"""Where `sam deploy` and `sam local` look for a build."""


@dataclass(frozen=True)
class Build:
    template: Path
    digest: str
    """Names the content: equal digests, equal artefacts."""


def this_architecture() -> str:
    """The processor of this machine, in Lambda's words."""
    machine = platform.machine().lower()
    known = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
    if machine not in known:
        raise LocalError(f"Lambda has no {machine} processors: give ARCHITECTURE=arm64 or ARCHITECTURE=x86_64.")
    return known[machine]


@contextmanager
def built(architecture: str, directory: Path | None = None) -> Iterator[Build]:
    """An up-to-date build for `architecture`, which nobody rebuilds while the block runs.

    Every embedded stack shares one build per architecture; a second builder waits for the first.
    """
    directory = directory or LOCAL / "build" / architecture
    lock = LOCAL / f"build-{architecture}{'-sam' if directory == SAM_BUILD else ''}.lock"
    digest = _digest(architecture)
    while True:
        with locked(lock, shared=True):
            if _stamp(directory) == digest:
                yield Build(directory / "template.yaml", digest)
                return
        with locked(lock):
            if _stamp(directory) != digest:
                _build(architecture, directory, digest)


def environment() -> dict[str, str]:
    """For `sam` and what it starts: this project's Python first, no telemetry, no bytecode beside the sources."""
    return os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "SAM_CLI_TELEMETRY": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _build(architecture: str, directory: Path, digest: str) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    _stamp_file(directory).unlink(missing_ok=True)  # A build that is interrupted is none.
    command = [
        *(str(BIN / "sam"), "build", "--cached", "--parallel"),
        *("--template-file", str(ROOT / "template.yaml")),
        *("--build-dir", str(directory)),
        *("--cache-dir", str(directory.parent / f"cache-{architecture}")),
        *("--parameter-overrides", f"Architecture={architecture}"),
    ]
    built = subprocess.run(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if built.returncode:
        raise LocalError(f"`sam build` failed:\n{built.stdout.strip()}")
    _default_architecture(directory / "template.yaml", architecture)
    _compile(directory)
    _stamp_file(directory).write_text(digest)


def _default_architecture(template: Path, architecture: str) -> None:
    """A build is for one processor, and its template says so: else `sam deploy` would ask for the wrong one."""
    text, replaced = re.subn(
        r"(?m)^(  Architecture:\n    Type: String\n    Default: ).*$", rf"\g<1>{architecture}", template.read_text()
    )
    if replaced != 1:
        raise LocalError("The built template has no parameter Architecture of type String with a default.")
    template.write_text(text)


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


def _digest(architecture: str) -> str:
    """Of everything that decides what a build holds."""
    digest = hashlib.sha256(f"{architecture} {sys.version}".encode())
    sources = [ROOT / "template.yaml", Path(__file__)]
    for folder in ("functions", "layers"):
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


def deploy(environment_name: str, architecture: str, arguments: list[str]) -> int:
    """Builds for `architecture` and deploys it with the user's AWS credentials."""
    overrides = [*_overrides(environment_name), f"Architecture={architecture}"]
    with built(architecture, SAM_BUILD) as build:
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
    given, arguments = parser.parse_known_args()
    architecture = given.architecture or (this_architecture() if not given.deploy else "arm64")
    if architecture not in ("arm64", "x86_64"):
        raise LocalError(f"ARCHITECTURE={architecture} is not one of arm64, x86_64.")
    if not shutil.which("sam", path=str(BIN)):
        raise LocalError("The project's environment is not installed: run `make` targets, not this module.")
    if given.deploy:
        return deploy(given.deploy, architecture, arguments)
    with built(architecture, SAM_BUILD) as build:
        print(f"Built for {architecture}: {build.template.parent.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    run(main)
