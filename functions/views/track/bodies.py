"""The bodies that tracking takes, read without a framework; `views.schemas` documents them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sluice import envelope
from sluice.errors import FieldError, Invalid
from views import content

MAX_VIEWS = 50
JSON = "application/json"
BEACON = "text/plain"
"""What `navigator.sendBeacon` says of a string: no other type of ours goes to another site without a preflight."""

_CONTENT = {"content_type": True, "content_id": True}
"""Fields, and whether each is required."""
_SESSION = {"session": False}

type Viewed = tuple[str, str] | list[FieldError]
"""A content's type and id, or what is wrong with them."""


@dataclass(frozen=True)
class Body:
    """Views in their order, and the session that was sent, or nothing."""

    views: tuple[Viewed, ...]
    session: str


@dataclass(frozen=True)
class BodyKind:
    """How a route's body is read."""

    media_types: tuple[str, ...]
    read: Callable[[dict[str, Any], Collection[str]], Body]


def read(kind: BodyKind, text: str, headers: Mapping[str, str], content_types: Collection[str]) -> Body:
    """A body. Raises Invalid for one that is wrong as a whole."""
    envelope.check_is_json(text, headers, kind.media_types)
    return kind.read(envelope.parse(text), content_types)


def _one(body: dict[str, Any], content_types: Collection[str]) -> Body:
    _check(_wrong_strings(body, _CONTENT | _SESSION))
    viewed = (body["content_type"], body["content_id"])
    content.check(*viewed, content_types)
    return Body((viewed,), body.get("session", ""))


def _many(body: dict[str, Any], content_types: Collection[str]) -> Body:
    views = body.get("views")
    errors = _wrong_strings({name: value for name, value in body.items() if name != "views"}, _SESSION)
    if "views" not in body:
        errors.insert(0, FieldError("views", "Required"))
    elif not isinstance(views, list) or not 1 <= len(views) <= MAX_VIEWS:
        errors.append(FieldError("views", f"Input should be a list of 1 to {MAX_VIEWS} views"))
    _check(errors)
    viewed = [_viewed(each, f"views.{number}", content_types) for number, each in enumerate(body["views"])]
    return Body(tuple(viewed), body.get("session", ""))


def _viewed(item: object, at: str, content_types: Collection[str]) -> Viewed:
    if not isinstance(item, dict):
        return [FieldError(at, "Input should be an object")]
    if errors := _wrong_strings(item, _CONTENT, f"{at}."):
        return errors[: len(_CONTENT)]
    try:
        content.check(item["content_type"], item["content_id"], content_types, f"{at}.")
    except Invalid as error:  # of this view alone
        return list(error.errors)
    return item["content_type"], item["content_id"]


def _wrong_strings(body: dict[str, Any], fields: Mapping[str, bool], at: str = "") -> list[FieldError]:
    errors = [
        FieldError(at + name, "Required") for name, is_required in fields.items() if is_required and name not in body
    ]
    errors += envelope.unknown((name for name in body if name not in fields), "Unknown field", at)
    errors += [
        FieldError(at + name, "Input should be a valid string")
        for name in fields
        if name in body and not isinstance(body[name], str)
    ]
    return errors


def _check(errors: list[FieldError]) -> None:
    if errors:
        raise envelope.named(errors)


KINDS = {"POST /api/views": BodyKind((JSON,), _one), "POST /api/views/batch": BodyKind((JSON, BEACON), _many)}
"""By route."""
