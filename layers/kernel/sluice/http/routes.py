"""What a route declares: who may call it, what it may answer, how large a body it takes."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, TypedDict

from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from sluice.envelope import MAX_BODY_BYTES
from sluice.roles import Role

SECURITY_SCHEME = "token"
_MAX_BODY = "x-max-body-bytes"


class Declared(TypedDict):
    """Arguments of a route's decorator."""

    security: list[dict[str, list[str]]]
    status_code: int
    responses: dict[int, OpenAPIResponse]
    openapi_extensions: dict[str, Any]


def require(
    lowest: Role,
    status: int = 200,
    errors: Iterable[int] = (),
    media: str = "",
    max_body_bytes: int = MAX_BODY_BYTES,
) -> Declared:
    """A route for `lowest` and the roles above it. `errors`: the statuses that it may answer beside the usual ones.

    `media`: the type of its answer, when that is not JSON. `max_body_bytes`: a larger body is refused with 413.
    """
    # OpenAPI 3.1 lets a security requirement list roles, so that what is documented is what is enforced:
    # https://spec.openapis.org/oas/v3.1.0#security-requirement-object
    return _declared([{SECURITY_SCHEME: [lowest.value]}], status, {401, 403, *errors}, media, max_body_bytes)


def public(
    status: int = 200, errors: Iterable[int] = (), media: str = "", max_body_bytes: int = MAX_BODY_BYTES
) -> Declared:
    """A route for everyone; the template gives it `Authorizer: NONE`. The arguments are those of `require`."""
    return _declared([{}], status, set(errors), media, max_body_bytes)


def body_limit(route: Route) -> int:
    """The largest body that a route takes, in bytes."""
    return int((route.openapi_extensions or {}).get(_MAX_BODY, MAX_BODY_BYTES))


def _declared(
    security: list[dict[str, list[str]]], status: int, errors: set[int], media: str, max_body_bytes: int
) -> Declared:
    usual = {400, 413, 429, 500, 503}
    responses: dict[int, OpenAPIResponse] = {status: {"description": HTTPStatus(status).phrase}}
    if media:
        responses[status]["content"] = {media: {"schema": {"type": "string"}}}
    for error in sorted(errors | usual):
        # By reference, because a model here would cost every cold start a schema; local/openapi.py adds the schemas.
        # The gateway itself answers 401 and 429, with a message only.
        schema = {"$ref": f"#/components/schemas/{'Message' if error in (401, 429) else 'Problem'}"}
        responses[error] = {
            "description": HTTPStatus(error).phrase,
            "content": {"application/json": {"schema": schema}},
        }
        if error == 503:
            responses[error]["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    # An extension, so that the document has the limit that is enforced.
    extensions = {} if max_body_bytes == MAX_BODY_BYTES else {_MAX_BODY: max_body_bytes}
    return {"security": security, "status_code": status, "responses": responses, "openapi_extensions": extensions}
