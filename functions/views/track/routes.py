"""Documents the routes of tracking for OpenAPI. `views.track.api` serves them, and never imports this."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from sluice import http
from views.track.schemas import NewView, NewViews, TrackedView, TrackedViews

app = http.resolver()


@app.post("/api/views", **http.public())
def track(body: Annotated[NewView, Body()]) -> TrackedView:
    """Count a view, or say which rules refuse it (S2-2 to S2-6). Both are answered with 200.

    A viewer is who bears the token, if there is one; else whose the session is; else address and user agent of that
    day. Robots, and if the installation says so browsers that send `DNT` or `Sec-GPC`, are refused.
    """
    raise NotImplementedError


@app.post("/api/views/batch", **http.public())
def track_many(body: Annotated[NewViews, Body()]) -> TrackedViews:
    """Count up to 50 views of one viewer at once. Each is answered for itself, also one that names no content.

    The body may be sent as `text/plain` too, as a beacon's is; it holds the same JSON. A body that is wrong as a whole
    is refused with 400, and nothing is counted.
    """
    raise NotImplementedError
