"""HTTP: correct a content's organic views, with a reason."""

from functools import cache
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from sluice import http, settings
from sluice.requests import Answer, Keyed, Request
from sluice.roles import Role
from views import content
from views.adjustments import bootstrap
from views.adjustments.adjustment import PREFIX, Adjusted
from views.adjustments.bootstrap import AdjustmentSettings as Settings
from views.adjustments.commands import Adjustments
from views.adjustments.schemas import AdjustedResource, AdjustmentPage, NewAdjustment
from views.schemas import place

CONTENT = "/api/admin/views/<content_type>/<content_id>"

ContentType = Annotated[str, Path(description="One of the installation's content types.", examples=["video"])]
ContentId = Annotated[str, Path(description="The content's id.", examples=["abc123"])]

app = http.resolver()


@cache
def configured() -> Settings:
    return settings.read(Settings)


@cache
def adjustments() -> Adjustments:
    return bootstrap.adjustments(configured())


@app.post(f"{CONTENT}/adjust", **http.require(Role.ADMIN, 201, errors=[404, 409]))
def adjust(
    content_type: ContentType,
    content_id: ContentId,
    body: Annotated[NewAdjustment, Body()],
    caller: http.Caller,
    fingerprint: http.Fingerprint,
    key: http.RequiredKey,
) -> Response[AdjustedResource]:
    """Add organic views to a content, or take some away, never below zero. The adjustment is audited.

    Requests with the same Idempotency-Key are applied once: retry until you get a response.
    """
    content.check(content_type, content_id, configured().content_types)
    keyed = Keyed(Request.of(caller.subject, key, fingerprint), _adjusted)
    of_content = (content_type, content_id)
    made = adjustments().adjust(of_content, body.views, body.reason, caller.subject, keyed)
    if isinstance(made, Answer):
        return http.replay(made, AdjustedResource)
    return Response(201, APPLICATION_JSON, AdjustedResource.of(made))


def _adjusted(made: Adjusted) -> Answer:
    return Answer(201, AdjustedResource.of(made).model_dump(mode="json"))


@app.get(f"{CONTENT}/adjustments", **http.require(Role.OPERATOR, errors=[404]))
def adjusted(
    content_type: ContentType,
    content_id: ContentId,
    limit: http.Limit = http.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> AdjustmentPage:
    """List a content's adjustments, newest first."""
    content.check(content_type, content_id, configured().content_types)
    of_content = (content_type, content_id)
    return AdjustmentPage.of(*adjustments().page(of_content, limit, place(cursor, PREFIX)))


handler = http.handler_of(app)
