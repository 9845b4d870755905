"""HTTP: what every API function does alike. Roles, limits, validation, the error envelope, paging, idempotency keys.

    app = http.resolver()

    @app.post("/api/things", **http.require(Role.OPERATOR, 201, errors=[409]))
    def create(body: Annotated[NewThing, Body()], caller: http.Caller, key: http.IdempotencyKey = None) -> Thing: ...

A route says who may call it with `require` or `public`. One that says neither answers 404.
"""

import base64
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, Never, TypedDict
from urllib.parse import parse_qsl

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Request, Response
from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
    OpenAPIResponseValidationMiddleware,
)
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from pydantic import AfterValidator, PlainSerializer, WithJsonSchema

from sluice.clock import rfc3339
from sluice.errors import FieldError, Forbidden, Invalid, NotFound, Refused, TooLarge, Unavailable
from sluice.roles import Principal, Role

MAX_BODY_BYTES = 256 * 1024
MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_CURSOR_CHARACTERS = 1024  # also keeps a nested one below what json can take
MAX_ERRORS = 20
SECURITY_SCHEME = "token"
# OWASP's list for APIs that answer no HTML: https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html
HEADERS: dict[str, str | list[str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
}

logger = Logger()


@dataclass(frozen=True)
class Problem:
    """The body of every refusal. `code` is stable; `errors` names the wrong fields, if it is about fields."""

    message: str
    code: str
    errors: tuple[FieldError, ...]
    request_id: str


# --- Types for the parameters and results of routes


_KEY_RULE = "Idempotency-Key must be 1 to 255 visible ASCII characters"


def _is_visible(key: str) -> bool:
    return 0 < len(key) <= 255 and all("!" <= character <= "~" for character in key)


def _visible(key: str | None) -> str | None:
    if key is not None and not _is_visible(key):
        raise ValueError(_KEY_RULE)
    return key


def _principal(request: Request) -> Principal:
    """Who calls, as the authorizer said it. Raises Forbidden when it said nothing, or nothing that is understood."""
    claims = APIGatewayProxyEventV2(request.resolved_event.raw_event).request_context.authorizer.get_lambda
    subject, role = claims.get("subject"), claims.get("role")
    if not subject or role not in list(Role):
        raise Forbidden("This needs a token", "forbidden")
    return Principal(subject, Role(role))


def _request_id(request: Request) -> str:
    """Names the request: its Idempotency-Key, which a client's retry repeats, or else the gateway's id for it."""
    event = APIGatewayProxyEventV2(request.resolved_event.raw_event)
    key: str | None = event.headers.get("idempotency-key")
    if key is None:
        return event.request_context.request_id
    if not _is_visible(key):
        raise Invalid.of("Idempotency-Key", _KEY_RULE)
    return key


def _fingerprint(request: Request) -> str:
    """What a repeated Idempotency-Key must repeat: SHA-256 over subject, method, path and the body's meaning."""
    event = request.resolved_event
    parts = [_principal(request).subject, event.http_method, event.path, event.json_body]
    return sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


Caller = Annotated[Principal, Depends(_principal)]
RequestId = Annotated[str, Depends(_request_id)]
Fingerprint = Annotated[str, Depends(_fingerprint)]
IdempotencyKey = Annotated[
    str | None,
    AfterValidator(_visible),
    Header(alias="Idempotency-Key", description="1 to 255 visible ASCII characters. A retry with it changes nothing."),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many to answer at most.")]
Cursor = Annotated[str | None, Query(description="The `next_cursor` of the page before.")]
Moment = Annotated[
    datetime, PlainSerializer(rfc3339, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]


# --- What a route declares


class Declared(TypedDict):
    """Arguments of a route's decorator."""

    security: list[dict[str, list[str]]]
    status_code: int
    responses: dict[int, OpenAPIResponse]


def require(lowest: Role, status: int = 200, errors: Iterable[int] = (), media: str = "") -> Declared:
    """A route for `lowest` and the roles above it. `errors`: the statuses it may answer beside the usual ones.

    `media`: the type of its answer, when that is not JSON.
    """
    # OpenAPI 3.1 lets a security requirement list roles, so that what is documented is what is enforced:
    # https://spec.openapis.org/oas/v3.1.0#security-requirement-object
    declared = _declared([{SECURITY_SCHEME: [lowest.value]}], status, {401, 403, *errors})
    if media:
        declared["responses"][status]["content"] = {media: {"schema": {"type": "string"}}}
    return declared


def public(status: int = 200, errors: Iterable[int] = ()) -> Declared:
    """A route for everyone; the template gives it `Authorizer: NONE`."""
    return _declared([{}], status, set(errors))


def _declared(security: list[dict[str, list[str]]], status: int, errors: set[int]) -> Declared:
    usual = {400, 413, 429, 500, 503}
    responses: dict[int, OpenAPIResponse] = {status: {"description": HTTPStatus(status).phrase}}
    for error in sorted(errors | usual):
        # By reference, because a model here would cost every cold start a schema; local/openapi.py adds the schemas.
        # 401 and 429 are the gateway's, which knows a message only.
        schema = {"$ref": f"#/components/schemas/{'Message' if error in (401, 429) else 'Problem'}"}
        responses[error] = {
            "description": HTTPStatus(error).phrase,
            "content": {"application/json": {"schema": schema}},
        }
        if error == 503:
            responses[error]["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return {"security": security, "status_code": status, "responses": responses}


# --- Paging


def write_cursor(position: Mapping[str, str | int] | None) -> str | None:
    """The opaque `next_cursor` for a position in a list; None at its end."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, **types: type[str | int]) -> dict[str, Any] | None:
    """The position that `write_cursor` wrote, which has exactly these names and types. Raises Invalid on anything else.

    It is opaque, not signed: whoever forges one chooses where to begin. So it must hold no partition key.
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
        raise Invalid.of("cursor", "cursor is not one that this API gave") from error
    return position


# --- The resolver


def resolver() -> APIGatewayHttpResolver:
    """A resolver that refuses before it parses, validates, and answers every error in the envelope."""
    # debug off, or POWERTOOLS_DEV would print bodies.
    app = APIGatewayHttpResolver(debug=False, json_body_deserializer=_parse)

    def problem(
        status: HTTPStatus, message: str, code: str, errors: tuple[FieldError, ...] = (), **headers: str
    ) -> Response[dict[str, Any]]:
        body = Problem(message, code, errors, app.current_event.request_context.request_id)
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(status.value, "application/json", asdict(body), headers=HEADERS | extra)

    def refused(error: Refused) -> Response[dict[str, Any]]:
        logger.info("Refused", status=error.status.value, code=error.code)
        return problem(error.status, error.message, error.code, error.errors)

    def invalid(error: RequestValidationError) -> Response[dict[str, Any]]:
        return refused(_invalid(error.errors()))

    def unavailable(error: Unavailable) -> Response[dict[str, Any]]:
        logger.warning("Unavailable", exc_info=error)
        wait = str(error.retry_after_seconds)
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), "unavailable", Retry_After=wait)

    def unexpected(error: Exception) -> Response[dict[str, Any]]:
        logger.exception("Unexpected error", exc_info=error)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error", "internal_error")

    app.exception_handler(Refused)(refused)
    app.exception_handler(RequestValidationError)(invalid)
    app.exception_handler(Unavailable)(unavailable)
    app.exception_handler(Exception)(unexpected)
    # Not enable_validation=True: that validates before every middleware, so that a big body would be parsed before it
    # is refused and a role too low would be told of its fields; and it documents 422. The last one turns an answer that
    # is not what the route declared into a 500: without the flag it would raise a RequestValidationError, a 400.
    app.use(
        [
            _admit,
            OpenAPIRequestValidationMiddleware(),  # type: ignore[no-untyped-call]
            OpenAPIResponseValidationMiddleware(has_response_validation_error=True),
        ]
    )
    return app


def _admit(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Middleware: everything that can be refused before the body is parsed; and the headers of every answer."""
    event, route = app.current_event, app.context["_route"]
    context = event.request_context
    subject = context.authorizer.get_lambda.get("subject")
    logger.append_keys(request_id=context.request_id, route=f"{route.method} {route.openapi_path}", subject=subject)
    # Powertools makes a route of its own for what it does not know, and runs the middlewares for that one too.
    if route.security is None:
        raise NotFound("There is nothing here", "not_found")
    for roles in route.security[0].values():
        _check_role(_principal(app.request), Role(roles[0]))
    _check_query(event, route)
    _check_body(event, route)
    response: Response[Any] = next_middleware(app)
    response.headers = HEADERS | response.headers
    return response


def _check_role(principal: Principal, lowest: Role) -> None:
    if not principal.role.includes(lowest):
        raise Forbidden(f"This needs the role {lowest}; yours is {principal.role}", "forbidden")


def _check_query(event: APIGatewayProxyEventV2, route: Route) -> None:
    """Powertools ignores unknown parameters; of those given twice it makes a list."""
    known = {parameter.alias for parameter in route.dependant.query_params}
    given = Counter(name for name, _ in parse_qsl(event.raw_query_string, keep_blank_values=True))
    errors = [FieldError(name[:100], "Unknown parameter") for name in given if name not in known]
    errors += [FieldError(name, "Given more than once") for name, times in given.items() if name in known and times > 1]
    if errors:
        raise _named(errors)


def _check_body(event: APIGatewayProxyEventV2, route: Route) -> None:
    body = event.body or ""
    try:
        content = base64.b64decode(body, validate=True) if event.is_base64_encoded else body.encode()
        if len(content) > MAX_BODY_BYTES:
            raise TooLarge(f"The body is over {MAX_BODY_BYTES} bytes", "too_large")
        content.decode()
    except ValueError as error:  # base64 and Unicode errors are its children
        raise Invalid.of("body", "The body is not UTF-8 text") from error
    if not route.dependant.body_params:
        return
    if not content:
        raise Invalid.of("body", "The body must be a JSON object; there is none")
    # Powertools would read a form into the same model, and takes a missing type for JSON, as we do.
    if event.headers.get("content-type", "application/json").partition(";")[0].strip() != "application/json":
        raise Invalid.of("Content-Type", "Content-Type must be application/json")


def _parse(text: str) -> dict[str, Any]:
    """A body's JSON object, in numbers that JSON knows. Of a list, Powertools' validation takes the first item."""
    try:
        parsed = json.loads(text, parse_constant=_no_number, parse_float=_finite)
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


_CLEARER = {"extra_forbidden": "Unknown field", "missing": "Required"}


def _invalid(errors: Iterable[Mapping[str, Any]]) -> Invalid:
    """What pydantic found, in the envelope's terms."""
    found, verbatim = [], ""
    for error in errors:
        # The first part says where it was (body, query, path, header), which nobody calls a field.
        place, *path = error["loc"]
        field = ".".join(str(part) for part in path) or str(place)
        if place == "header":
            field = field.title()  # Powertools writes header names small
        message = _CLEARER.get(error["type"], error["msg"])
        if error["type"] == "value_error":
            # A validator's own words, without pydantic's "Value error, " before them.
            message = verbatim = str(error["ctx"]["error"])
        found.append(FieldError(field[:100], message))
    return Invalid(verbatim, "invalid", found) if len(found) == 1 and verbatim else _named(found)


def _named(errors: list[FieldError]) -> Invalid:
    message = "; ".join(f"{error.field}: {error.message}" for error in errors[:3])
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    return Invalid(message + more, "invalid", errors[:MAX_ERRORS])
