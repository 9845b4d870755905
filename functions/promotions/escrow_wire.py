"""What the escrow function answers the worker, as JSON: the name of an answer, and its fields. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sluice.outward import Absent, CannotTell, Done, Found, NotTaken, Outcome, Refused, Seen, Unknown

_OUTCOMES = {each.__name__: each for each in (Done, Refused, NotTaken, Unknown)}
_SEEN = {each.__name__: each for each in (Found, Absent, CannotTell)}


def written(answer: Outcome | Seen) -> dict[str, Any]:
    """An answer as JSON. An escrow never says when to come again."""
    fields = asdict(answer)
    fields.pop("retry_at", None)
    return {"answer": type(answer).__name__, **fields}


def read_outcome(body: Any) -> Outcome:
    """What `written` made of an outcome; Unknown for all else, because the call may have happened."""
    return _read(_OUTCOMES, body) or Unknown("The answer cannot be read")


def read_seen(body: Any) -> Seen:
    """What `written` made of a look; CannotTell for all else."""
    return _read(_SEEN, body) or CannotTell("The answer cannot be read")


def _read(kinds: Mapping[str, Any], body: Any) -> Any:
    try:
        fields = dict(body)
        return kinds[fields.pop("answer")](**fields)
    except (KeyError, TypeError, ValueError):
        return None
