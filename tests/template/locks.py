"""Lock files: what they pin, and whether that is what pyproject.toml asks for."""

import re
from dataclasses import dataclass
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = {
    "dependencies": ("requirements.txt", "layers/dependencies/requirements.txt", "local/stack-requirements.txt"),
    "promotions": ("requirements.txt", "layers/promotions/requirements.txt"),
    "broadcasts": ("requirements.txt", "layers/broadcasts/requirements.txt"),
    "escrow": ("requirements.txt", "layers/escrow/requirements.txt"),
    "stack": ("requirements.txt", "local/stack-requirements.txt"),
    "dev": ("requirements.txt",),
    "redis-server": ("local/redis-requirements.txt",),
    "redis-oldest": ("local/redis-oldest-requirements.txt",),
    "checkov": ("local/checkov-requirements.txt",),
}
"""The lock files of each group of pyproject.toml."""

ALL = "requirements.txt"
"""The lock file whose versions the others share."""
APART = LOCKS["checkov"]
"""The lock files of environments of their own, which may have other versions."""

_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_DIRECT = re.compile(r"^\s*#\s+(?:via\s+)?sluice \(pyproject\.toml", re.MULTILINE)
_HOSTS = re.compile(r"https?://|^\s*-(?:-index-url|-extra-index-url|-find-links|-trusted-host|i|f)\b", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    """One entry of a lock file."""

    name: str
    specifier: str
    hashes: int
    is_direct: bool

    @property
    def version(self) -> str:
        """Empty when it pins no version."""
        found = re.fullmatch(r"==([^*,\s]+)", self.specifier)
        return found[1] if found else ""


def pins(lock: str) -> list[Pin]:
    """The entries of a lock file: a requirement, then its hashes and what it is there for, indented."""
    found = []
    for entry in re.split(r"^(?=[^\s#])", lock, flags=re.MULTILINE):
        if not entry[:1].strip() or entry.startswith("#"):
            continue
        line = re.split(r"\s*(?:\\\n|\n|--hash)", entry, maxsplit=1)[0]
        if line.startswith("-"):
            continue  # An option: hosts() looks at those.
        requirement = Requirement(line)
        specifier = str(requirement.specifier) or (f"@ {requirement.url}" if requirement.url else "")
        is_direct = bool(_DIRECT.search(entry))
        found.append(Pin(canonicalize_name(requirement.name), specifier, len(_HASH.findall(entry)), is_direct))
    return found


def groups(pyproject: dict[str, Any]) -> dict[str, list[str]]:
    """The requirements of each group of pyproject.toml, without the groups it includes.

    The requirements of the Lambdas are called `dependencies`.
    """
    found = {"dependencies": pyproject["project"]["dependencies"]}
    for name, listed in pyproject.get("dependency-groups", {}).items():
        found[name] = [each for each in listed if isinstance(each, str)]
    return found


def drift(pyproject: dict[str, Any], locks: dict[str, str]) -> list[str]:
    """Where lock files and pyproject.toml do not say the same: `make lock` fixes it."""
    problems = []
    direct: dict[str, set[str]] = {path: set() for path in locks}
    for group, requirements in groups(pyproject).items():
        if group not in LOCKS:
            problems.append(f"pyproject.toml: the group {group} has no lock file")
        for path in LOCKS.get(group, ()):
            pinned = {pin.name: pin for pin in pins(locks[path])}
            for requirement in map(Requirement, requirements):
                name = canonicalize_name(requirement.name)
                direct[path].add(name)
                if name not in pinned:
                    problems.append(f"{path}: {name} is missing")
                elif not requirement.specifier.contains(pinned[name].version or "0"):
                    problems.append(f"{path}: {name}{pinned[name].specifier} is not {requirement}")
    for path, lock in locks.items():
        gone = {pin.name for pin in pins(lock) if pin.is_direct} - direct[path]
        problems += [f"{path}: {name} is no longer in pyproject.toml" for name in sorted(gone)]
    return problems


def unpinned(locks: dict[str, str]) -> list[str]:
    """Entries without an exact version, or without a hash."""
    return [
        f"{path}: {pin.name} has no {'hash' if pin.version else 'exact version'}"
        for path, lock in locks.items()
        for pin in pins(lock)
        if not pin.version or not pin.hashes
    ]


def disagreements(locks: dict[str, str]) -> list[str]:
    """Entries whose version is not that of requirements.txt, with which everything is tested."""
    tested = {pin.name: pin.version for pin in pins(locks[ALL])}
    return [
        f"{path}: {pin.name} is {pin.version}, but {tested[pin.name]} in {ALL}"
        for path, lock in locks.items()
        if path not in APART
        for pin in pins(lock)
        if tested.get(pin.name, pin.version) != pin.version
    ]


def untested(locks: dict[str, str]) -> list[str]:
    """What the Lambdas get that no test has."""
    tested = {pin.name for pin in pins(locks[ALL])}
    return [
        f"{layer}: {pin.name} is not in {ALL}"
        for layer in _layers(locks)
        for pin in pins(locks[layer])
        if pin.name not in tested
    ]


def divided(locks: dict[str, str]) -> list[str]:
    """Distributions that two layers have in two versions: a function finds both of them in one folder."""
    found: dict[str, dict[str, str]] = {}
    for layer in _layers(locks):
        for pin in pins(locks[layer]):
            found.setdefault(pin.name, {})[layer] = pin.version
    return [
        f"{name}: {', '.join(f'{version} in {layer}' for layer, version in versions.items())}"
        for name, versions in found.items()
        if len(set(versions.values())) > 1
    ]


def _layers(locks: dict[str, str]) -> list[str]:
    return [path for path in locks if path.startswith("layers/")]


def hosts(locks: dict[str, str]) -> list[str]:
    """Lines that name where packages come from: that is the machine's affair."""
    return [
        f"{path}: {line.strip()} names a host"
        for path, lock in locks.items()
        for line in lock.splitlines()
        if _HOSTS.search(line)
    ]
