"""The lock files pin, with hashes, what pyproject.toml asks for, and name no host."""

import re
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from tests.template import locks
from tests.template.architecture import imported_by
from tests.template.locks import LOCKS
from tests.template_reader import ROOT

LAYER = "layers/dependencies/requirements.txt"
PROMOTIONS = "layers/promotions/requirements.txt"
STACK = "local/stack-requirements.txt"
REDIS = "local/redis-requirements.txt"
OLDEST = "local/redis-oldest-requirements.txt"
OTHER_LOCKS = {"uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock", "pylock.toml", "pip.conf", "uv.toml"}


def the_pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def the_locks() -> dict[str, str]:
    return {path: (ROOT / path).read_text() for paths in LOCKS.values() for path in paths}


def edited(path: str, pattern: str, replacement: str) -> dict[str, str]:
    """The lock files, with one place of one of them changed."""
    texts = the_locks()
    texts[path], count = re.subn(pattern, replacement, texts[path], count=1, flags=re.MULTILINE)
    assert count == 1
    return texts


def test_the_lock_files_have_what_pyproject_asks_for_and_nothing_else_that_is_direct() -> None:
    problems = locks.drift(the_pyproject(), the_locks())

    assert problems == []


@pytest.mark.parametrize(
    ("group", "requirement", "says"),
    [
        ("dependencies", "left-pad>=1", f"{LAYER}: left-pad is missing"),
        ("dependencies", "left-pad>=1", "requirements.txt: left-pad is missing"),
        ("dev", "PyTest>=99", r"requirements.txt: pytest==\S+ is not PyTest>=99"),
        ("dependencies", "boto3<1", rf"{LAYER}: boto3==\S+ is not boto3<1"),
        ("promotions", "left-pad>=1", f"{PROMOTIONS}: left-pad is missing"),
        ("stack", "left-pad>=1", f"{STACK}: left-pad is missing"),
        ("stack", "left-pad>=1", "requirements.txt: left-pad is missing"),
        ("redis-server", "left-pad", f"{REDIS}: left-pad is missing"),
        ("docs", "mkdocs", "pyproject.toml: the group docs has no lock file"),
    ],
)
def test_a_requirement_that_is_not_locked_is_noticed(group: str, requirement: str, says: str) -> None:
    pyproject = the_pyproject()
    of_group = pyproject["project"] if group == "dependencies" else pyproject["dependency-groups"]
    of_group.setdefault(group, []).append(requirement)

    problems = locks.drift(pyproject, the_locks())

    assert any(re.fullmatch(says, problem) for problem in problems)


def test_a_pin_that_nobody_asks_for_any_more_is_noticed() -> None:
    pyproject = the_pyproject()
    pyproject["project"]["dependencies"] = [
        each for each in pyproject["project"]["dependencies"] if not each.startswith("pyjwt")
    ]

    problems = locks.drift(pyproject, the_locks())

    assert f"{LAYER}: pyjwt is no longer in pyproject.toml" in problems


def test_everything_is_pinned_with_a_hash() -> None:
    texts = the_locks()

    problems = locks.unpinned(texts)

    assert problems == []
    assert all(len(locks.pins(text)) == len(re.findall(r"^\w\S*==", text, re.MULTILINE)) > 0 for text in texts.values())


@pytest.mark.parametrize(
    ("pattern", "replacement", "says"),
    [
        (r"^pyjwt==\S+", "pyjwt>=2.15", "exact version"),
        (r"^pyjwt==\S+", "pyjwt", "exact version"),
        (r"^pyjwt==\S+", "pyjwt==2.*", "exact version"),
        (r"^(pyjwt==\S+) \\\n(?:    --hash=\S+(?: \\)?\n)+", r"\1\n", "hash"),
    ],
    ids=["a range", "any version", "a star", "no hash"],
)
def test_what_is_not_pinned_is_noticed(pattern: str, replacement: str, says: str) -> None:
    texts = edited(LAYER, pattern, replacement)

    problems = locks.unpinned(texts)

    assert problems == [f"{LAYER}: pyjwt has no {says}"]


def test_the_lambdas_get_the_versions_that_are_tested() -> None:
    texts = the_locks()

    problems = locks.disagreements(texts) + locks.untested(texts)

    assert problems == []


@pytest.mark.parametrize("path", [LAYER, OLDEST])
def test_a_version_of_its_own_is_noticed(path: str) -> None:
    name = {LAYER: "pyjwt", OLDEST: "redis"}[path]
    texts = edited(path, rf"^{name}==\S+", f"{name}==1.0")

    problems = locks.disagreements(texts)

    assert len(problems) == 1
    assert problems[0].startswith(f"{path}: {name} is 1.0, but ")


@pytest.mark.parametrize(("path", "name"), [(LAYER, "pyjwt"), (PROMOTIONS, "tweepy")])
def test_a_package_that_no_test_has_is_noticed(path: str, name: str) -> None:
    texts = edited(path, rf"^{name}==", "untested==")

    problems = locks.untested(texts)

    assert problems == [f"{path}: untested is not in requirements.txt"]


def test_each_layer_has_its_lock_file() -> None:
    folders = {f"{path.relative_to(ROOT)}" for path in ROOT.glob("layers/*/requirements.txt")}

    assert folders == {path for path in the_locks() if path.startswith("layers/")}


def test_what_make_runs_after_installing_the_stack_alone_imports_nothing_else() -> None:
    """A newcomer's `make demo` and `make up` have no tool for development."""
    locked = {pin.name for pin in locks.pins(the_locks()[STACK])}
    commands = the_commands_of_the_stack()

    imported, read = imports_of(commands)

    assert {"local.demo", "local.stack", "local.tokens"} <= commands
    assert "local.demo_hooks" in read
    assert {name: dist for name, dist in imported.items() if not dist & locked} == {}


def the_commands_of_the_stack() -> set[str]:
    """The modules that targets of the Makefile run which wait for `stack`, and not for `install`."""
    makefile = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^[a-z-]+: stack ##.*\n\t@.*\$\(PYTHON\) -m (local\.\w+)", makefile, re.MULTILINE))


def imports_of(commands: set[str]) -> tuple[dict[str, set[str]], set[str]]:
    """The distributions behind what they import, at any depth, by name; and the modules of ours that were read."""
    distributions = {
        name: {canonicalize_name(each) for each in found} for name, found in packages_distributions().items()
    }
    imported: dict[str, set[str]] = {}
    read: set[str] = set()
    waiting = list(commands)
    while waiting:
        module = waiting.pop()
        if module in read:
            continue
        found = [path for path in the_places_of(module) if path.exists()]
        name = module.partition(".")[0]
        if found:
            read.add(module)
            waiting += {*imported_by(found[0].read_text()), module.rpartition(".")[0]} - {""}
        elif name in distributions and name != "local":
            imported[name] = distributions[name]
    return imported, read


def the_places_of(module: str) -> list[Path]:
    path = module.replace(".", "/")
    return [
        place
        for root in (ROOT, ROOT / "functions", ROOT / "layers/kernel", ROOT / "console")
        for place in (root / f"{path}.py", root / path / "__init__.py")
    ]


def test_a_distribution_in_two_layers_has_one_version() -> None:
    """Layers merge in one folder, `/opt/python`."""
    shared = {pin.name for pin in locks.pins(the_locks()[LAYER])} & {
        pin.name for pin in locks.pins(the_locks()[PROMOTIONS])
    }

    problems = locks.divided(the_locks())

    assert "urllib3" in shared
    assert problems == []


def test_two_versions_in_two_layers_are_noticed() -> None:
    texts = edited(PROMOTIONS, r"^urllib3==\S+", "urllib3==1.26.20")

    problems = locks.divided(texts)

    assert len(problems) == 1
    assert problems[0].startswith("urllib3: ")


def test_no_lock_file_names_a_host() -> None:
    problems = locks.hosts(the_locks())

    assert problems == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example.com/simple",
        "--extra-index-url=packages.example.com",
        "--find-links /packages",
        "--trusted-host packages.example.com",
        "-i packages.example.com",
        "    # from https://packages.example.com/simple",
        "pyjwt @ https://packages.example.com/pyjwt.whl",
    ],
)
def test_a_host_is_noticed(line: str) -> None:
    texts = edited(LAYER, r"^pyjwt==", f"{line}\npyjwt==")

    problems = locks.hosts(texts)

    assert problems == [f"{LAYER}: {line.strip()} names a host"]


def test_no_other_lock_or_index_is_kept() -> None:
    """uv.lock and its like record where packages came from."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split(
        "\n"
    )

    kept = {path for path in listed if path.rpartition("/")[2] in OTHER_LOCKS}

    assert "pyproject.toml" in listed
    assert kept == set()
    assert not {"index", "index-url", "extra-index-url", "find-links"} & the_pyproject()["tool"].get("uv", {}).keys()
