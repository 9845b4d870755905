"""HTTP: correct a content's organic views, with a reason."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from sluice import http, settings
from sluice.ids import is_id
from sluice.roles import Role
from views import content
from views.adjustments import bootstrap
from views.adjustments.adjustment import PREFIX, Place
from views.adjustments.bootstrap import AdjustmentSettings as Settings
from views.adjustments.schemas import AdjustedResource, AdjustmentPage, NewAdjustment
from views.schemas import ContentId, ContentType

CONTENT = "/api/admin/views/<content_type>/<content_id>"

app = http.resolver()


configured = settings.once(Settings, lambda read: read)
adjustments = settings.once(Settings, bootstrap.adjustments)


@app.post(f"{CONTENT}/adjust", **http.require(Role.ADMIN, 201, errors=[404, 409]))
def adjust(
    content_type: ContentType,
    content_id: ContentId,
    body: Annotated[NewAdjustment, Body()],
    origin: http.Origin,
    key: http.RequiredKey,
) -> Response[AdjustedResource]:
    """Add organic views to a content, or take some away, never below zero. The adjustment is audited.

    Requests with the same Idempotency-Key are applied once: retry until you get a response.
    """
    of_content = content.check(content_type, content_id, configured().content_types)
    make = partial(adjustments().adjust, of_content, body.views, body.reason)
    return http.command(origin, key, make, AdjustedResource, AdjustedResource.of, 201)


@app.get(f"{CONTENT}/adjustments", **http.require(Role.OPERATOR, errors=[404]))
def adjusted(
    content_type: ContentType,
    content_id: ContentId,
    limit: http.Limit = http.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> AdjustmentPage:
    """List a content's adjustments, newest first."""
    of_content = content.check(content_type, content_id, configured().content_types)
    after = http.place_of(cursor, Place, lambda place: is_id(PREFIX, place.id))
    return AdjustmentPage.of(*adjustments().page(of_content, limit, after))


handler = http.handler_of(app)
