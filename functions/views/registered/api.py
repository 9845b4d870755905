"""HTTP: register content with its title and owner."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from sluice import http, settings
from sluice.errors import NotFound
from sluice.roles import Role
from views import content
from views.registered import bootstrap
from views.registered.bootstrap import RegisteredSettings as Settings
from views.registered.schemas import ContentResource, NewContent
from views.schemas import ContentId, ContentType

CONTENT = "/api/admin/content/<content_type>/<content_id>"

app = http.resolver()


configured = settings.once(Settings, lambda read: read)
registration = settings.once(Settings, bootstrap.registration)


@app.put(CONTENT, **http.require(Role.ADMIN, errors=[404, 409]))
def put(
    content_type: ContentType,
    content_id: ContentId,
    body: Annotated[NewContent, Body()],
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ContentResource]:
    """Register a content, or change its title and owner. A repeat changes nothing.

    Retry after a 503: the content may be written, but tracking may not know it yet.
    """
    content.check(content_type, content_id, configured().content_types)
    make = partial(registration().put, content_type, content_id, body.title, body.owner)
    return http.command(origin, key, make, ContentResource, ContentResource.model_validate)


@app.get(CONTENT, **http.require(Role.OPERATOR, errors=[404]))
def get(content_type: ContentType, content_id: ContentId) -> ContentResource:
    """Return a registered content."""
    content.check(content_type, content_id, configured().content_types)
    found = registration().get(content_type, content_id)
    if found is None:
        raise NotFound("This content is not registered", "content_not_found")
    return ContentResource.model_validate(found)


handler = http.handler_of(app)
