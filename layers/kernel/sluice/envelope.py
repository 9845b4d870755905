"""HTTP without a framework: the body of every error response, and the checks that every request passes.

Standard library only, because the hot path imports it; `sluice.http` builds on it.
"""

import base64
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any, Never
from urllib.parse import parse_qsl

from sluice.errors import FieldError, Invalid, Refused, TooLarge, Unavailable

MAX_BODY_BYTES = 256 * 1024
MAX_ERRORS = 20
# How much of unknown names an error response repeats: each byte that an open route returns costs money.
MAX_UNKNOWN = 3
MAX_NAME_CHARACTERS = 32
# OWASP's list for APIs that answer no HTML: https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html
HEADERS: dict[str, str | list[str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Problem:
    """The body of every error response. `code` is stable. `errors` names the invalid fields, if there are any."""

    message: str
    code: str
    errors: tuple[FieldError, ...]
    request_id: str


def problem(error: Exception, request_id: str) -> tuple[HTTPStatus, Problem, dict[str, str]]:
    """The response to an error: status, body, and headers beside `HEADERS`. It does not show unexpected errors."""
    match error:
        case Refused():
            return error.status, Problem(error.message, error.code, error.errors, request_id), {}
        case Unavailable():
            wait = {"Retry-After": str(error.retry_after_seconds)}
            return HTTPStatus.SERVICE_UNAVAILABLE, Problem(str(error), "unavailable", (), request_id), wait
        case _:
            told = Problem("Internal error", "internal_error", (), request_id)
            return HTTPStatus.INTERNAL_SERVER_ERROR, told, {}


def check_query(raw_query: str, known: Collection[str]) -> None:
    """Raises Invalid for parameters that are unknown or repeated."""
    if not raw_query:
        return
    given = Counter(name for name, _ in parse_qsl(raw_query, keep_blank_values=True))
    errors = unknown((name for name in given if name not in known), "Unknown parameter")
    errors += [FieldError(name, "Given more than once") for name, times in given.items() if name in known and times > 1]
    if errors:
        raise named(errors)


def headers_of(event: Mapping[str, Any]) -> dict[str, str]:
    """A request's headers by their lower-case names. `sam local` passes the names as the client wrote them."""
    return {name.lower(): value for name, value in event["headers"].items()}


def text_of(body: str, *, is_base64: bool, max_bytes: int = MAX_BODY_BYTES) -> str:
    """A body as text. Raises TooLarge, or Invalid when it is not UTF-8."""
    try:
        content = base64.b64decode(body, validate=True) if is_base64 else body.encode()
        if len(content) > max_bytes:
            raise TooLarge(f"The body is over {max_bytes} bytes", "too_large")
        return content.decode()
    except ValueError as error:  # base64 and Unicode errors are its children
        raise Invalid.of("body", "The body is not UTF-8 text") from error


def check_is_json(text: str, headers: Mapping[str, str], media_types: Collection[str] = ("application/json",)) -> None:
    """Raises Invalid for an empty body, or for another media type. A missing type means JSON.

    `headers` have lower-case names.
    """
    if not text:
        raise Invalid.of("body", "The body must be a JSON object; it is empty")
    if headers.get("content-type", "application/json").partition(";")[0].strip().lower() not in media_types:
        raise Invalid.of("Content-Type", f"Content-Type must be {' or '.join(media_types)}")


def parse(text: str) -> dict[str, Any]:
    """A body's JSON object. Raises Invalid, also for NaN and Infinity."""
    try:
        parsed = _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise Invalid.of("body", f"The body is not valid JSON: {_cause(error)}") from error
    if not isinstance(parsed, dict):
        raise Invalid.of("body", "The body must be a JSON object")
    return parsed


def _cause(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "nested too deep" if isinstance(error, RecursionError) else "a number is out of range"


def _no_number(name: str) -> Never:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_decoder = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite)


def unknown(names: Iterable[str], message: str, at: str = "") -> list[FieldError]:
    """Errors about the first unknown names, each with `at` before it."""
    return [FieldError(at + shown(name), message) for name in islice(names, MAX_UNKNOWN)]


def shown(name: str) -> str:
    """The beginning of an unknown name, in characters that JSON writes as one or two bytes."""
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in name[:MAX_NAME_CHARACTERS])


def named(errors: list[FieldError]) -> Invalid:
    """One error for several fields. Its message names the first three."""
    message = "; ".join(f"{error.field}: {error.message}" for error in errors[:3])
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    return Invalid(message + more, "invalid", errors[:MAX_ERRORS])
