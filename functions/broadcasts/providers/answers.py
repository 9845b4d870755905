"""A request to a provider, and what came of it, without the library that makes it. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from broadcasts.ports import Refused, Throttled
from sluice.outward import Unknown

_LONGEST_TEXT = 200
_LONGEST_WAIT_SECONDS = 86_400


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP, read whole."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """By names in lower case."""

    def json(self) -> Mapping[str, Any]:
        """The body, if it is a JSON object; else an empty one, as no provider's answer is."""
        return json_object(self.body)


type Asked = Answer | Refused | Unknown
"""An answer; or that nothing was sent (a refusal of the recipient or of the instance); or that nobody knows."""

type Post = Callable[[str, Mapping[str, str], bytes, float], Asked]
"""POST to a URL, with headers and a body, until a deadline by the monotonic clock. Never raises, never retries."""


def json_object(text: str | bytes) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def objects(found: Any) -> list[Mapping[str, Any]]:
    """The objects of a JSON list; none for anything else."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def inner(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object in a JSON object; an empty one for anything else."""
    each = found.get(name)
    return each if isinstance(each, dict) else {}


def text_in(found: Mapping[str, Any], name: str) -> str:
    """A text in a JSON object; empty for anything else."""
    each = found.get(name)
    return each if isinstance(each, str) else ""


def one_line(said: object) -> str:
    """What a provider says, for people."""
    printable = "".join(each if each.isprintable() else " " for each in str(said))
    return " ".join(printable.split())[:_LONGEST_TEXT]


def throttled(headers: Mapping[str, str]) -> Throttled:
    """A throttle, by its `Retry-After` in seconds."""
    after = headers.get("retry-after", "").strip()
    return Throttled(float(min(int(after[:9]), _LONGEST_WAIT_SECONDS)) if after.isdecimal() else None)
