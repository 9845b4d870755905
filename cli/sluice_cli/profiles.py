"""Profiles: where the API is and how to get a token, in a file that its owner alone may read."""

import json
import os
import re
import shlex
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sluice_cli.errors import CliError, NotAllowed, WrongUse

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COMMAND_SECONDS = 60


@dataclass(frozen=True)
class Profile:
    """One profile; `token_command` prints a token, for those who keep it in a vault."""

    url: str
    token: str = ""
    token_command: str = ""

    def bearer(self) -> str:
        """The token, "" for none. Raises NotAllowed when the command gives none."""
        if not self.token_command:
            return self.token
        words = shlex.split(self.token_command)
        try:
            ended = subprocess.run(words, stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError, IndexError) as error:
            # The error's own text would repeat the command, which may hold a secret.
            raise NotAllowed(f"The profile's token_command failed ({type(error).__name__}).") from error
        return ended.stdout.decode(errors="replace").strip()


@dataclass
class Profiles:
    """All profiles by name, and the name of the one that is used when none is named."""

    default: str
    by_name: dict[str, Profile]

    def get(self, name: str) -> Profile:
        if name not in self.by_name:
            known = ", ".join(self.by_name) or "none"
            raise WrongUse(
                f"There is no profile {name!r} (there is: {known}). `sluice login --profile NAME` makes one."
            )
        return self.by_name[name]


def path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / "sluice" / "config.toml"


def read() -> Profiles:
    """What the file has; nothing when there is none. Raises NotAllowed when others can read it."""
    import tomllib

    file = path()
    try:
        with file.open("rb") as opened:
            if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077:
                raise NotAllowed(
                    f"Others can read {file}, and it may hold a token.", f"chmod 600 {shlex.quote(str(file))}"
                )
            found = tomllib.load(opened)
    except FileNotFoundError:
        return Profiles("", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongUse(f"{file} is not TOML: {error}") from error
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}") from error
    return _parsed(found, file)


def write(profiles: Profiles) -> None:
    """Replace the file at once, readable by its owner alone."""
    lines = [f"default = {_quoted(profiles.default)}\n"] if profiles.default else []
    for name, profile in profiles.by_name.items():
        lines.append(f"\n[profiles.{checked_name(name)}]\n")
        for key in ("url", "token", "token_command"):
            if value := getattr(profile, key):
                lines.append(f"{key} = {_quoted(value)}\n")
    file = path()
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
            opened.writelines(lines)
        beside.replace(file)
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error.strerror}") from error


def checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise WrongUse(f"{name!r} is no name of a profile: 1 to 64 letters, digits, _ or -.")
    return name


def _parsed(found: dict[str, object], file: Path) -> Profiles:
    tables = found.get("profiles", {})
    default = found.get("default", "")
    if not isinstance(tables, dict) or not isinstance(default, str):
        raise WrongUse(f"{file}: `default` is a name, and each profile a table [profiles.NAME].")
    by_name = {}
    for name, table in tables.items():
        if not isinstance(table, dict) or not isinstance(table.get("url"), str):
            raise WrongUse(f"{file}: the profile {name!r} has no url.")
        unknown = sorted(set(table) - {"url", "token", "token_command"})
        if unknown or not all(isinstance(value, str) for value in table.values()):
            raise WrongUse(f"{file}: the profile {name!r} holds url, token or token_command, each a text.")
        by_name[name] = Profile(**table)
    return Profiles(default, by_name)


def _quoted(value: str) -> str:
    """A basic string of TOML, which JSON's is but for the control character DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
