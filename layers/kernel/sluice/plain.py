"""Frozen dataclasses as JSON and back: for values that an item or a message holds whole. Pure, without pydantic."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


def to_json(value: Any) -> str:
    """The JSON of a dataclass, or of several; times are RFC 3339 texts, and fields of None are left out."""
    return json.dumps(_without_none(_plain(value)), default=_text, separators=(",", ":"), ensure_ascii=False)


def from_json[T](kind: type[T], text: str) -> T:
    """The dataclass that `to_json` wrote. Raises ValueError, TypeError for anything else."""
    found: T = _read(kind, json.loads(text))
    return found


def _plain(value: Any) -> Any:
    return [asdict(each) for each in value] if isinstance(value, tuple | list) else asdict(value)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_none(each) for name, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_without_none(each) for each in value]
    return value


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:
    """A JSON value as its type says."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is UnionType or NoneType in parts:
        (kind,) = (each for each in parts if each is not NoneType)
        return None if value is None else _read(kind, value)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(parts[0], each) for each in value)
    if origin is dict and isinstance(value, dict):
        return {name: _read(parts[1], each) for name, each in value.items()}
    if is_dataclass(kind) and isinstance(value, dict):
        hints = _hints(kind)  # type: ignore[arg-type]
        known = {each.name for each in fields(kind)}
        return kind(**{name: _read(hints[name], each) for name, each in value.items() if name in known})  # type: ignore[operator]
    if isinstance(kind, type) and issubclass(kind, datetime):
        return datetime.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(value)
    if not isinstance(value, origin or kind) or is_dataclass(kind):
        raise TypeError(f"{value!r} is no {kind}")
    return value
