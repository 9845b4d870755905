"""A content: it has one of the configured types, and an opaque id."""

import re
from collections.abc import Collection, Sequence

from sluice import envelope
from sluice.errors import FieldError, Invalid

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}")


type Content = tuple[str, str]
"""A content's type and id."""


def check(content_type: str, content_id: str, content_types: Collection[str], at: str = "") -> Content:
    """The content. Raises Invalid, naming the field, for a type that is not configured or an id that cannot be one.

    `at` stands before the field's name: where in the body it is.
    """
    if error := _error(content_type, content_id, content_types, at):
        raise Invalid.of(error.field, error.message)
    return content_type, content_id


def check_all(contents: Sequence[Content], content_types: Collection[str], at: str) -> None:
    """As `check`, for a list without repetitions that stands at `at`. Raises Invalid, naming every wrong one."""
    errors: list[FieldError] = []
    first: dict[Content, int] = {}
    for number, content in enumerate(contents):
        if error := _error(*content, content_types, f"{at}.{number}."):
            errors.append(error)
        elif first.setdefault(content, number) != number:
            errors.append(FieldError(f"{at}.{number}", f"The same content as {at}.{first[content]}"))
    if errors:
        raise envelope.named(errors)


def check_type(content_type: str, content_types: Collection[str], at: str = "") -> None:
    """As `check`, for a type alone."""
    if error := _type_error(content_type, content_types, at):
        raise Invalid.of(error.field, error.message)


def is_id(text: str) -> bool:
    """Whether `text` can be a content's id."""
    return _ID.fullmatch(text) is not None


def named(text: str, content_types: Collection[str], field: str) -> Content:
    """The type and id of `story:123`. Raises Invalid, naming the field, when it is no content."""
    content_type, _, content_id = text.partition(":")
    if content_type not in content_types or not is_id(content_id):
        message = f"{field} must be a type and an id such as story:123; the types are {', '.join(content_types)}"
        raise Invalid.of(field, message)
    return content_type, content_id


def _error(content_type: str, content_id: str, content_types: Collection[str], at: str) -> FieldError | None:
    if error := _type_error(content_type, content_types, at):
        return error
    if not is_id(content_id):
        message = "content_id must be 1 to 128 letters, digits or . _ : ~ -, and begin with a letter or digit"
        return FieldError(f"{at}content_id", message)
    return None


def _type_error(content_type: str, content_types: Collection[str], at: str) -> FieldError | None:
    if content_type in content_types:
        return None
    return FieldError(f"{at}content_type", f"content_type must be one of {', '.join(content_types)}")
