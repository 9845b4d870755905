"""Builds console/static/vendor from console/vendor.json, and compares the bytes with those that are committed.

The only thing here that needs node and npm. Whoever changes a version runs `make vendor WRITE=1`.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from local.errors import LocalError, run
from local.paths import ROOT

LIST = ROOT / "console" / "vendor.json"
FOLDER = ROOT / "console" / "static" / "vendor"
MODULE = "preact.js"
ESBUILD = ["--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=none"]
LICENCES = {"preact": "LICENSE-preact", "htm": "LICENSE-htm", "@preact/signals": "LICENSE-signals"}
"""Whose licence lies in which file; the core of signals has the text of signals."""


def entry(listed: dict[str, Any]) -> str:
    """The module that esbuild bundles: `html` is htm bound to Preact's `h`."""
    lines = [f'export {{ {", ".join(names)} }} from "{package}";' for package, names in listed["exports"].items()]
    return "\n".join(
        [*lines, 'import { h } from "preact";', 'import htm from "htm";', "export const html = htm.bind(h);", ""]
    )


def readme(listed: dict[str, Any], module: bytes) -> str:
    """What lies beside the module: where it comes from, and its SHA-256."""
    packages = "\n".join(f"- {name} {of['version']} ({of['license']})" for name, of in listed["packages"].items())
    return f"""# The libraries of the console

`{MODULE}` is one ES module, which `make vendor` builds from the packages that `console/vendor.json` names:

{packages}

Their licences lie beside it; `LICENSE-signals` is that of both packages of signals.

Built by esbuild {listed["esbuild"]["version"]}:

    esbuild entry.js {" ".join(ESBUILD)} --outfile={MODULE}

`entry.js` exports the names that `console/vendor.json` lists, and `html`, which is htm bound to `h`.

SHA-256 of `{MODULE}`: `{hashlib.sha256(module).hexdigest()}`

`make vendor` builds it again and compares the bytes. To change a version, change `console/vendor.json` and run
`make vendor WRITE=1`.
"""


def build(listed: dict[str, Any], folder: Path) -> dict[str, bytes]:
    """The files of the vendor folder by name, built in `folder`, which is empty."""
    system = _system()
    tool = f"@esbuild/{system}"
    wanted = {name: {"version": of["version"], "integrity": of["integrity"]} for name, of in listed["packages"].items()}
    try:
        wanted[tool] = {"version": listed["esbuild"]["version"], "integrity": listed["esbuild"]["integrity"][system]}
    except KeyError as error:
        raise LocalError(f"console/vendor.json has no esbuild for {system}: run `make vendor` elsewhere.") from error
    asked: dict[str, Any] = {"dependencies": {name: of["version"] for name, of in wanted.items()}}
    locked = {f"node_modules/{name}": of for name, of in wanted.items()}
    (folder / "package.json").write_text(json.dumps(asked))
    # npm refuses what has another digest than its lock says.
    (folder / "package-lock.json").write_text(json.dumps({"lockfileVersion": 3, "packages": {"": asked, **locked}}))
    (folder / "entry.js").write_text(entry(listed))
    _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    packages = folder / "node_modules"
    _run([str(packages / tool / "bin" / "esbuild"), "entry.js", *ESBUILD, f"--outfile={MODULE}"], folder)
    module = (folder / MODULE).read_bytes()
    licences = {file: (packages / name / "LICENSE").read_bytes() for name, file in LICENCES.items()}
    if (packages / "@preact" / "signals-core" / "LICENSE").read_bytes() != licences[LICENCES["@preact/signals"]]:
        raise LocalError("@preact/signals-core has another licence than @preact/signals: add it to LICENCES.")
    return {MODULE: module, "README.md": readme(listed, module).encode(), **licences}


def _system() -> str:
    """This machine in esbuild's words."""
    processors = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{processors.get(machine, machine)}"


def _run(command: list[str], folder: Path) -> None:
    if not shutil.which(command[0]):
        raise LocalError(f"`make vendor` needs {command[0]}: install node. Nothing else here does.")
    done = subprocess.run(
        command, cwd=folder, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise LocalError(f"`{' '.join(command)}` failed:\n{done.stdout.strip()}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.vendor", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write what differs")
    write = parser.parse_args().write
    with tempfile.TemporaryDirectory() as folder:
        files = build(json.loads(LIST.read_text()), Path(folder))
    present = {file.name: file.read_bytes() for file in FOLDER.iterdir()} if FOLDER.exists() else {}
    different = sorted(name for name in files.keys() | present.keys() if files.get(name) != present.get(name))
    if different and not write:
        raise LocalError(
            f"{', '.join(different)}: not what console/vendor.json makes. `make vendor WRITE=1` writes it."
        )
    for name in different:
        if name in files:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / name).write_bytes(files[name])
        else:
            (FOLDER / name).unlink()
    written = f"Wrote {', '.join(different)}: " if different else ""
    print(f"{written}console/static/vendor is what console/vendor.json makes.")
    return 0


if __name__ == "__main__":
    run(main)
