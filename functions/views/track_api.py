"""Documents `POST /api/views` for OpenAPI. `views.track` serves it, and never imports this."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from sluice import http
from views.schemas import NewView, TrackedView

app = http.resolver()


@app.post("/api/views", **http.public())
def track(body: Annotated[NewView, Body()]) -> TrackedView:
    """Count a view, or say which rules refuse it (S2-2 to S2-6). Both are answered with 200.

    A viewer is who bears the token, if there is one; else whose the session is; else address and user agent of that
    day. Robots, and if the installation says so browsers that send `DNT` or `Sec-GPC`, are refused.
    """
    raise NotImplementedError
