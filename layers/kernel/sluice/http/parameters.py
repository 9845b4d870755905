"""Types for the parameters and results of routes, and the cursors of paging."""

import base64
import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from pydantic import AfterValidator, Field, PlainSerializer, WithJsonSchema

from sluice.clock import rfc3339
from sluice.errors import Forbidden, Invalid
from sluice.roles import Principal, Role

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_CSV_LINES = 10_000  # of at most 600 bytes: a Lambda answers at most 6 MB
MAX_CURSOR_CHARACTERS = 1024  # also bounds the nesting, on which json recurses


def _visible(key: str | None) -> str | None:
    if key is not None and not (0 < len(key) <= 255 and all("!" <= character <= "~" for character in key)):
        raise ValueError("Idempotency-Key must be 1 to 255 visible ASCII characters")
    return key


def _refused(key: str | None) -> None:
    if key is not None:
        raise ValueError("This route takes no Idempotency-Key: its response holds a secret, and is not stored")


def principal_of(request: Request) -> Principal:
    """The caller, as the authorizer named it. Raises Forbidden without a subject or without a known role."""
    claims = APIGatewayProxyEventV2(request.resolved_event.raw_event).request_context.authorizer.get_lambda
    subject, role = claims.get("subject"), claims.get("role")
    if not subject or role not in list(Role):
        raise Forbidden("A token is required", "forbidden")
    return Principal(subject, Role(role))


@dataclass(frozen=True)
class CommandOrigin:
    """Where a command comes from: the caller, the gateway's id of the request, and the request's fingerprint."""

    subject: str
    request_id: str
    fingerprint: str
    """What a repeated Idempotency-Key must repeat: SHA-256 over subject, method, path and the body's meaning."""


def _origin(request: Request) -> CommandOrigin:
    event, subject = request.resolved_event, principal_of(request).subject
    try:
        body = event.json_body
    except Invalid:  # of a route that takes no body, and ignores it
        body = event.decoded_body
    parts = [subject, event.http_method, event.path, body]
    fingerprint = sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    context = APIGatewayProxyEventV2(event.raw_event).request_context
    return CommandOrigin(subject, context.request_id, fingerprint)


def _line(text: str) -> str:
    """A text that people read. Raises ValueError for more lines, control characters, or nothing."""
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("must be one line, without control characters")
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _line_or_empty(text: str) -> str:
    return text and _line(text)


OneLine = AfterValidator(_line)
"""For a text in a body that people read."""
OneLineOrEmpty = AfterValidator(_line_or_empty)
"""For such a text that can be taken away."""
Reason = Annotated[str, Field(min_length=1, max_length=500), OneLine]
"""Why someone did something: it is kept in the audit trail."""
Caller = Annotated[Principal, Depends(principal_of)]
Origin = Annotated[CommandOrigin, Depends(_origin)]
IdempotencyKey = Annotated[
    str | None,
    AfterValidator(_visible),
    Header(
        alias="Idempotency-Key",
        description="1 to 255 visible ASCII characters. For 24 hours, a retry with the same key returns the first "
        "response and changes nothing.",
    ),
]
RequiredKey = Annotated[
    str,
    AfterValidator(_visible),
    Header(
        alias="Idempotency-Key",
        description="1 to 255 visible ASCII characters: a new key for each new request, the same key for a retry. "
        "For 24 hours, a retry with the same key returns the first response and changes nothing.",
    ),
]
"""For routes where a retry without a key would silently apply twice."""
NoKey = Annotated[str | None, AfterValidator(_refused), Header(alias="Idempotency-Key", include_in_schema=False)]
"""For routes whose response holds a secret: the stored answer of a key would hold it too."""
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="The maximum number of items to return.")]
CsvLimit = Annotated[int, Query(ge=1, le=MAX_CSV_LINES, description="The maximum number of items to return.")]
Cursor = Annotated[str | None, Query(description="The `next_cursor` of the previous page.")]
Moment = Annotated[
    datetime, PlainSerializer(rfc3339, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]


def write_cursor(position: Mapping[str, str | int] | None) -> str | None:
    """The opaque `next_cursor` for a position in a list; None at its end."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, **types: type[str | int]) -> dict[str, Any] | None:
    """The position that `write_cursor` wrote, with exactly these names and types. Raises Invalid for anything else.

    A cursor is opaque but not signed: a forged one begins anywhere. So it must not hold a partition key.
    """
    if cursor is None:
        return None
    try:
        if len(cursor) > MAX_CURSOR_CHARACTERS:
            raise ValueError("too long")
        padding = "=" * (-len(cursor) % 4)
        position = json.loads(base64.b64decode(cursor + padding, altchars=b"-_", validate=True))
        if not isinstance(position, dict) or position.keys() != types.keys():
            raise ValueError("other names")
        if any(type(position[name]) is not kind for name, kind in types.items()):
            raise ValueError("other types")
        if any(type(value) is int and abs(value) >= 2**63 for value in position.values()):
            raise ValueError("out of range")
    except ValueError as error:
        raise Invalid.of("cursor", "cursor must be a next_cursor of this API") from error
    return position


def cursor_of(place: "DataclassInstance | None") -> str | None:
    """The `next_cursor` of a list that goes on after a place; None at its end."""
    return write_cursor(vars(place) if place else None)


def place_of[P: "DataclassInstance"](
    cursor: str | None, kind: type[P], is_of_list: Callable[[P], bool] = lambda _: True
) -> P | None:
    """The place in a cursor. Raises Invalid for the cursor of another list."""
    position = read_cursor(cursor, **{each.name: each.type for each in fields(kind)})  # type: ignore[arg-type]
    if position is None:
        return None
    place = kind(**position)
    if not is_of_list(place):
        raise Invalid.of("cursor", "cursor is not one that this list gave")
    return place
