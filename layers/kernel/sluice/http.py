"""HTTP: what every API function does alike. Roles, limits, validation, the error envelope, paging, idempotency keys.

    app = http.resolver()

    @app.post("/api/things", **http.require(Role.OPERATOR, 201, errors=[409]))
    def create(body: Annotated[NewThing, Body()], caller: http.Caller, key: http.IdempotencyKey = None) -> Thing: ...

A route says who may call it with `require` or `public`. One that says neither answers 404.
"""

import base64
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, TypedDict
from urllib.parse import urlencode

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

from sluice import envelope, exports
from sluice.clock import rfc3339
from sluice.envelope import HEADERS, named, problem
from sluice.errors import FieldError, Forbidden, Invalid, NotFound, Refused, Unavailable
from sluice.roles import Principal, Role

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_CURSOR_CHARACTERS = 1024  # also keeps a nested one below what json can take
SECURITY_SCHEME = "token"

logger = Logger()


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


def _line(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("must be one line, without control characters")
    if not text.strip():
        raise ValueError("must not be blank")
    return text


OneLine = AfterValidator(_line)
"""Of a text for people in a body."""
Caller = Annotated[Principal, Depends(_principal)]
RequestId = Annotated[str, Depends(_request_id)]
Fingerprint = Annotated[str, Depends(_fingerprint)]
IdempotencyKey = Annotated[
    str | None,
    AfterValidator(_visible),
    Header(alias="Idempotency-Key", description="1 to 255 visible ASCII characters. A retry with it changes nothing."),
]
RequiredKey = Annotated[
    str,
    AfterValidator(_visible),
    Header(alias="Idempotency-Key", description="1 to 255 visible ASCII characters, new for each new request."),
]
"""Where a repeat would have its effect again, and nobody would see it."""
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


# --- Exports


def csv_answer(text: str, query: Mapping[str, Any], next_cursor: str | None = None) -> Response[str]:
    """An answer of CSV. The link to the next part is relative, so that it holds behind any address."""
    headers: dict[str, str | list[str]] = {"Content-Disposition": 'attachment; filename="sluice.csv"'}
    if next_cursor:
        following = {name: value for name, value in query.items() if value is not None} | {"cursor": next_cursor}
        headers["Link"] = f'<?{urlencode(following)}>; rel="next"'
    return Response(200, exports.MEDIA, text, headers=headers)


# --- The resolver


def resolver() -> APIGatewayHttpResolver:
    """A resolver that refuses before it parses, validates, and answers every error in the envelope."""
    # debug off, or POWERTOOLS_DEV would print bodies.
    app = APIGatewayHttpResolver(debug=False, json_body_deserializer=envelope.parse)

    def answer(error: Exception) -> Response[dict[str, Any]]:
        status, body, headers = problem(error, app.current_event.request_context.request_id)
        return Response(status.value, "application/json", asdict(body), headers=HEADERS | headers)

    def refused(error: Refused) -> Response[dict[str, Any]]:
        logger.info("Refused", status=error.status.value, code=error.code)
        return answer(error)

    def invalid(error: RequestValidationError) -> Response[dict[str, Any]]:
        return refused(_invalid(error.errors()))

    def unavailable(error: Unavailable) -> Response[dict[str, Any]]:
        logger.warning("Unavailable", exc_info=error)
        return answer(error)

    def unexpected(error: Exception) -> Response[dict[str, Any]]:
        logger.exception("Unexpected error", exc_info=error)
        return answer(error)

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
    envelope.check_query(event.raw_query_string, {parameter.alias for parameter in route.dependant.query_params})


def _check_body(event: APIGatewayProxyEventV2, route: Route) -> None:
    text = envelope.text_of(event.body or "", is_base64=bool(event.is_base64_encoded))
    parameters = route.dependant.body_params
    if parameters and (text or any(parameter.required for parameter in parameters)):
        # Powertools would read a form into the same model.
        envelope.check_is_json(text, event.headers)


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
    return Invalid(verbatim, "invalid", found) if len(found) == 1 and verbatim else named(found)
