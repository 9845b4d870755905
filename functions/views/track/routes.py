"""Documents the routes of tracking for OpenAPI. `views.track.api` serves them, and never imports this."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from sluice import http
from views.track.schemas import NewView, NewViews, TrackedView, TrackedViews

app = http.resolver()


@app.post("/api/views", **http.public())
def track(body: Annotated[NewView, Body()]) -> TrackedView:
    """Count a view, or return the rules that refuse it (S2-2 to S2-6). The status is 200 in both cases.

    The viewer is the subject of a viewer's token. Without such a token it is the viewer of the session, and without a
    session the address and the user agent, for one day. Bots are refused. `DNT` and `Sec-GPC` are refused if the
    installation honours them.
    """
    raise NotImplementedError


@app.post("/api/views/batch", **http.public())
def track_many(body: Annotated[NewViews, Body()]) -> TrackedViews:
    """Count up to 50 views of one viewer. Each view has its own result: an invalid view affects no other.

    The same JSON may be sent as `text/plain`, so that a beacon can send it. If the body as a whole is invalid, the
    response is 400, and no view is counted.
    """
    raise NotImplementedError
