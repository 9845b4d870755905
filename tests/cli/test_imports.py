"""What a help imports, and on which Pythons it runs (design section 5: modules are counted, not milliseconds)."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from local.paths import ROOT
from sluice_cli.main import COMMANDS

_PROGRAM = """
import json, sys
from sluice_cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
_ALWAYS = {"", ".client", ".errors", ".main", ".output", ".session", ".verbs"}
_SHARED = {".following", ".phones", ".profiles"}


def modules(*words: str) -> set[str]:
    """The modules there are after a run in a process of its own."""
    ended = subprocess.run([sys.executable, "-c", _PROGRAM, *words], capture_output=True, text=True, check=True)
    code, found = json.loads(ended.stderr)
    assert code == 0
    return set(found)


def own(found: set[str]) -> set[str]:
    return {name.removeprefix("sluice_cli") for name in found if name.partition(".")[0] == "sluice_cli"}


def heavy(found: set[str]) -> set[str]:
    return found & {"urllib3", "rich", "httpx", "requests", "http.client", "tomllib", "asyncio"}


def test_the_roots_help_imports_no_command() -> None:
    found = modules("--help")

    assert "click" in found
    assert own(found) == _ALWAYS
    assert heavy(found) == set()


@pytest.mark.parametrize("noun", COMMANDS)
def test_a_commands_help_imports_neither_other_commands_nor_what_calls(noun: str) -> None:
    found = modules(noun, "--help")

    commands = {f".{module.partition(':')[0]}" for module, _ in COMMANDS.values()}
    assert own(found) & commands == {f".{COMMANDS[noun][0].partition(':')[0]}"}
    assert own(found) - _ALWAYS - commands <= _SHARED
    assert heavy(found) == set()


@pytest.mark.parametrize("python", ["python3", "python3.11", "python3.12"])
def test_help_runs_on_the_pythons_of_this_machine(python: str, tmp_path: Path) -> None:
    """Where there is one of 3.11 or newer: the package is for more machines than the Lambdas' Python."""
    found = shutil.which(python, path=str(Path("/usr/bin"))) or shutil.which(python)
    enough = "import sys; sys.exit(sys.version_info < (3, 11))"
    if found is None or subprocess.run([found, "-c", enough], capture_output=True, check=False).returncode:
        pytest.skip(f"there is no {python} of 3.11 or newer here")
    (tmp_path / "click").symlink_to(Path(click.__file__).parent)
    environment = {"PYTHONPATH": f"{ROOT / 'cli'}:{tmp_path}", "PYTHONDONTWRITEBYTECODE": "1"}

    for name in ("", *COMMANDS):
        words = [found, "-m", "sluice_cli", *([name] if name else []), "--help"]
        ended = subprocess.run(words, capture_output=True, env=environment, text=True, check=False)
        assert (ended.returncode, ended.stderr) == (0, ""), name
        assert ended.stdout.startswith("Usage: ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_is_a_script_and_answers(shell: str) -> None:
    script = Path(sys.executable).with_name("sluice")
    environment = {"PATH": "/usr/bin:/bin"}
    printed = subprocess.run([script, "completion", shell], capture_output=True, env=environment, text=True, check=True)
    asking = {
        "_SLUICE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "sluice boosts wa",
        "COMP_CWORD": "wa" if shell == "fish" else "2",
    }
    answered = subprocess.run([script], capture_output=True, env=environment | asking, text=True, check=False)

    assert "_SLUICE_COMPLETE" in printed.stdout
    assert "watch" in answered.stdout


def test_the_bash_completion_is_bash(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("sluice")
    printed = subprocess.run([script, "completion", "bash"], capture_output=True, check=True)

    assert subprocess.run(["bash", "-n"], input=printed.stdout, capture_output=True, check=False).returncode == 0
