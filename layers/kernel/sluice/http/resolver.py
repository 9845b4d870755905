"""The resolver: refuses before it parses, validates, answers every error in the envelope; and answers in CSV."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
    OpenAPIResponseValidationMiddleware,
)
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from sluice import envelope, exports
from sluice.envelope import HEADERS, named, problem
from sluice.errors import FieldError, Forbidden, Invalid, NotFound, Refused, Unavailable
from sluice.http.parameters import CommandOrigin, cursor_of, principal_of
from sluice.http.routes import body_limit
from sluice.log import logger
from sluice.requests import Answer, Keyed, KeyedRequest, Requester
from sluice.roles import Principal, Role

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_COLON = re.compile("%3A", re.IGNORECASE)


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
    # Not enable_validation=True: it validates before every middleware, so it would parse a big body before it refuses
    # it, and name wrong fields to a caller whose role is too low; and it documents 422. The last middleware answers 500
    # to a response that its route did not declare: without the flag it would raise a RequestValidationError, a 400.
    app.use(
        [
            _admit,
            OpenAPIRequestValidationMiddleware(),  # type: ignore[no-untyped-call]
            OpenAPIResponseValidationMiddleware(has_response_validation_error=True),
        ]
    )
    return app


def _admit(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Middleware: refuse what can be refused before the body is parsed, and add the headers of every answer."""
    event, route = app.current_event, app.context["_route"]
    context = event.request_context
    subject = context.authorizer.get_lambda.get("subject")
    logger.append_keys(request_id=context.request_id, route=f"{route.method} {route.openapi_path}", subject=subject)
    # For an unknown route Powertools makes one of its own, and runs the middlewares for it too.
    if route.security is None:
        raise NotFound("This route does not exist", "not_found")
    for roles in route.security[0].values():
        _check_role(principal_of(app.request), Role(roles[0]))
    _check_query(event, route)
    _check_body(event, route)
    # A gateway may pass `:` on as %3A, and Powertools decodes no part of the path.
    parts = app.context["_route_args"]
    app.context["_route_args"] = {name: _COLON.sub(":", value) for name, value in parts.items()}
    response: Response[Any] = next_middleware(app)
    response.headers = HEADERS | response.headers
    return response


def _check_role(principal: Principal, lowest: Role) -> None:
    if not principal.role.includes(lowest):
        raise Forbidden(f"This route needs the role {lowest}; yours is {principal.role}", "forbidden")


def _check_query(event: APIGatewayProxyEventV2, route: Route) -> None:
    """Powertools ignores unknown parameters, and makes a list of repeated ones."""
    envelope.check_query(event.raw_query_string, {parameter.alias for parameter in route.dependant.query_params})


def _check_body(event: APIGatewayProxyEventV2, route: Route) -> None:
    text = envelope.text_of(event.body or "", is_base64=bool(event.is_base64_encoded), max_bytes=body_limit(route))
    parameters = route.dependant.body_params
    if parameters and (text or any(parameter.required for parameter in parameters)):
        # Powertools would read a form into the same model.
        envelope.check_is_json(text, envelope.headers_of(event.raw_event))


_A_TIME = "Input should be a time with its zone, such as 2026-11-01T00:00:00Z"
_CLEARER = {
    "extra_forbidden": "Unknown field",
    "missing": "Required",
    "int_parsing": "Input should be a valid integer",
    "int_from_float": "Input should be a valid integer",
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"), _A_TIME),
}
"""Instead of pydantic's words, by its types of errors."""
_ENUM = re.compile(r"<\w+\.\w+: ('[^']*')>")
"""How pydantic writes a Literal of an enum's value."""


def _invalid(errors: Iterable[Mapping[str, Any]]) -> Invalid:
    """What pydantic found, in the envelope's terms."""
    found, verbatim = [], ""
    for error in errors:
        # The first part is the place (body, query, path, header), not a field.
        place, *path = error["loc"]
        field = ".".join(str(part) for part in path) or str(place)
        if place == "header":
            field = field.title()  # Powertools writes header names in lower case
        message = _CLEARER.get(error["type"]) or _ENUM.sub(r"\1", error["msg"])
        if error["type"] == "string_too_short" and error["ctx"]["min_length"] == 1:
            message = "Input should not be empty"
        if error["type"] == "value_error":
            # A validator's own words, without pydantic's "Value error, " before them.
            message = verbatim = str(error["ctx"]["error"])
            if message.startswith("must "):  # of a validator that several fields have
                verbatim = f"{envelope.shown(field)} {message}"
        found.append(FieldError(envelope.shown(field), message))
    return Invalid(verbatim, "invalid", found) if len(found) == 1 and verbatim else named(found)


def command[R: BaseModel](
    origin: CommandOrigin,
    key: str | None,
    make: Callable[[Requester], Any],
    resource: type[R],
    shown: Callable[[Any], R],
    status: int = 200,
    headers: Callable[[Any], Mapping[str, str]] | None = None,
) -> Response[R]:
    """The response to a command: what `make` returns, converted by `shown`; or the earlier answer of the key.

    `make` gets the Requester, and returns what it made, or the earlier Answer. The transaction of the command stores
    the response, and a repeat gets it again, with `Idempotency-Replayed: true`. `headers` are those of the response,
    such as `Location`.
    """
    stored: Answer | None = None

    def answer(made: Any) -> Answer:
        nonlocal stored
        stored = Answer(status, shown(made).model_dump(mode="json"), headers=headers(made) if headers else {})
        return stored

    request = KeyedRequest.of(origin.subject, key, origin.fingerprint)
    made = make(Requester(origin.subject, origin.request_id, Keyed(request, answer) if request else None))
    if isinstance(made, Answer):
        replayed = resource.model_validate(made.body)
        return Response(
            made.status, APPLICATION_JSON, replayed, headers={**made.headers, "Idempotency-Replayed": "true"}
        )
    # As it was stored: shown again, it might be another second, or another state of the platform.
    body = resource.model_validate(stored.body) if stored else shown(made)
    return Response(status, APPLICATION_JSON, body, headers={**headers(made)} if headers else None)


def handler_of(app: APIGatewayHttpResolver) -> Callable[[dict[str, Any], LambdaContext], dict[str, Any]]:
    """The handler of a function that answers the routes of `app`."""

    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        return app.resolve(event, context)

    return handler


def csv_answer(text: str, query: Mapping[str, Any], after: "DataclassInstance | None" = None) -> Response[str]:
    """An answer of CSV. The link to the next part is relative, so that it holds behind any address."""
    headers: dict[str, str | list[str]] = {"Content-Disposition": 'attachment; filename="sluice.csv"'}
    if after:
        following = {name: value for name, value in query.items() if value is not None} | {"cursor": cursor_of(after)}
        headers["Link"] = f'<?{urlencode(following)}>; rel="next"'
    return Response(200, exports.MEDIA, text, headers=headers)
