"""What can have views: a content of one of the configured types, by an opaque id."""

import re
from collections.abc import Collection

from sluice.errors import Invalid

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}")


def check(content_type: str, content_id: str, content_types: Collection[str], at: str = "") -> None:
    """Raises Invalid, naming the field, for a type that is not configured or an id that cannot be one.

    `at` stands before the field's name: where in the body it is.
    """
    check_type(content_type, content_types, at)
    if not is_id(content_id):
        message = "content_id must be 1 to 128 letters, digits or . _ : ~ -, and begin with a letter or digit"
        raise Invalid.of(f"{at}content_id", message)


def check_type(content_type: str, content_types: Collection[str], at: str = "") -> None:
    """As `check`, for a type alone."""
    if content_type not in content_types:
        raise Invalid.of(f"{at}content_type", f"content_type must be one of {', '.join(content_types)}")


def is_id(text: str) -> bool:
    """Whether `text` can be a content's id."""
    return _ID.fullmatch(text) is not None


def named(text: str, content_types: Collection[str], field: str) -> tuple[str, str]:
    """The type and id of `story:123`. Raises Invalid, naming the field, when it is no content."""
    content_type, _, content_id = text.partition(":")
    if content_type not in content_types or not is_id(content_id):
        message = f"{field} must be a type and an id such as story:123; the types are {', '.join(content_types)}"
        raise Invalid.of(field, message)
    return content_type, content_id
