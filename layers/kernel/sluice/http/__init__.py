"""HTTP: what every API function does alike. Roles, limits, validation, the error envelope, paging, idempotency keys.

    app = http.resolver()

    @app.post("/api/things", **http.require(Role.OPERATOR, 201, errors=[409]))
    def create(body: Annotated[NewThing, Body()], caller: http.Caller, key: http.IdempotencyKey = None) -> Thing: ...

A route says who may call it with `require` or `public`. A route that says neither answers 404.
"""

from sluice.http.parameters import (
    DEFAULT_LIMIT,
    MAX_CSV_LINES,
    MAX_LIMIT,
    Caller,
    CsvLimit,
    Cursor,
    Fingerprint,
    IdempotencyKey,
    Limit,
    Moment,
    OneLine,
    RequestId,
    RequiredKey,
    read_cursor,
    write_cursor,
)
from sluice.http.resolver import csv_answer, logger, replay, resolver
from sluice.http.routes import SECURITY_SCHEME, Declared, public, require

__all__ = [
    "DEFAULT_LIMIT",
    "MAX_CSV_LINES",
    "MAX_LIMIT",
    "SECURITY_SCHEME",
    "Caller",
    "CsvLimit",
    "Cursor",
    "Declared",
    "Fingerprint",
    "IdempotencyKey",
    "Limit",
    "Moment",
    "OneLine",
    "RequestId",
    "RequiredKey",
    "csv_answer",
    "logger",
    "public",
    "read_cursor",
    "replay",
    "require",
    "resolver",
    "write_cursor",
]
