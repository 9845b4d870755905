"""What can have views: a content of one of the configured types, by an opaque id."""

import re
from collections.abc import Collection

from sluice.errors import Invalid

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}")


def check(content_type: str, content_id: str, content_types: Collection[str], at: str = "") -> None:
    """Raises Invalid, naming the field, for a type that is not configured or an id that cannot be one.

    `at` stands before the field's name: where in the body it is.
    """
    if content_type not in content_types:
        raise Invalid.of(f"{at}content_type", f"content_type must be one of {', '.join(content_types)}")
    if not _ID.fullmatch(content_id):
        message = "content_id must be 1 to 128 letters, digits or . _ : ~ -, and begin with a letter or digit"
        raise Invalid.of(f"{at}content_id", message)
