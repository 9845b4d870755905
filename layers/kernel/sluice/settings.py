"""Settings: a frozen dataclass per function, read from the environment at first use, never at import.

A field `max_per_day: int` is the variable MAX_PER_DAY. No field has a default: a missing variable is reported at once.
A dataclass and not pydantic-settings, because the hot path may import neither pydantic nor boto3 (design section 5).
"""

import os
from collections.abc import Callable
from dataclasses import fields
from functools import cache, wraps
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sluice.errors import Misconfigured

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

    from _typeshed import DataclassInstance


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _claim(text: str) -> bool:
    return {"true": True, "false": False}[text]


_READERS: dict[Any, Any] = {str: str, int: int, bool: _claim, ZoneInfo: ZoneInfo, tuple[str, ...]: _words}


def read[S: DataclassInstance](kind: type[S]) -> S:
    """Read the dataclass `kind` from the environment.

    Fields may be `str`, `int`, `bool` (`true` or `false`), `ZoneInfo` (an IANA name) or `tuple[str, ...]`
    (comma-separated).
    Raises Misconfigured, naming every variable that is missing, empty or malformed.
    """
    values: dict[str, object] = {}
    problems: list[str] = []
    for field in fields(kind):
        name = field.name.upper()
        text = os.environ.get(name, "")
        if not text:
            problems.append(f"{name} is not set")
            continue
        try:
            values[field.name] = _READERS[field.type](text)
        except (ValueError, LookupError, OSError):  # ZoneInfo opens a file: `Europe` is a directory
            problems.append(f"{name} is not a valid {getattr(field.type, '__name__', field.type)}")
    if problems:
        raise Misconfigured("; ".join(problems))
    return kind(**values)


def once[S: DataclassInstance, T](kind: type[S], build: Callable[[S], T]) -> "_lru_cache_wrapper[T]":
    """A function that returns what `build` makes of the settings `kind`: built at the first call, once per process."""

    @cache
    @wraps(build)
    def built() -> T:
        return build(read(kind))

    return built
