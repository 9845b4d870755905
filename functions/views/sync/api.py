"""HTTP: start the sync of pending views, and how it goes.

The stop of the operations is not looked at: a sync releases nothing, it moves views that have been counted already.
"""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from sluice import http, settings
from sluice.errors import NotFound
from sluice.roles import Role
from views.sync import bootstrap
from views.sync.bootstrap import SyncSettings as Settings
from views.sync.epochs import Outcome
from views.sync.schemas import EpochResource, SyncResource, SyncStart

SYNC = "/api/admin/views/sync"

app = http.resolver()


sync = settings.once(Settings, bootstrap.sync)
store = settings.once(Settings, bootstrap.store)


STARTED = http.require(Role.OPERATOR, 202)
STARTED["responses"][200] = {"description": "OK", "content": {APPLICATION_JSON: {"model": SyncResource}}}


@app.post(SYNC, **STARTED)
def start(body: Annotated[SyncStart | None, Body()] = None) -> Response[SyncResource]:
    """Start moving pending views to the database (S2-15). 202: an epoch opens or will open; 200: not needed."""
    started = sync().start(force=body is not None and body.force)
    accepted = started.outcome in (Outcome.OPENED, Outcome.WAITING)
    return Response(202 if accepted else 200, APPLICATION_JSON, SyncResource.of(started))


@app.get(SYNC, **http.require(Role.OPERATOR, errors=[404]))
def get() -> EpochResource:
    """Return the progress of the present epoch, or the result of the last one (S2-26)."""
    control = store().control()
    if control is None:
        raise NotFound("There was no sync yet: a POST to this path starts the first one", "not_found")
    return EpochResource.of(control, store().failures(control.epoch))


@app.get(f"{SYNC}/<epoch>", **http.require(Role.OPERATOR, errors=[404]))
def epoch(
    epoch: Annotated[int, Path(ge=1, le=2**53, description="The epoch's number, from 1.")],
) -> EpochResource:
    """Return the progress of one epoch, and the contents that could not be applied."""
    present = store().control()
    found = present if present is not None and present.epoch == epoch else store().epoch(epoch)
    if found is None:
        raise NotFound(f"There is no epoch {epoch}", "not_found")
    return EpochResource.of(found, store().failures(epoch))


handler = http.handler_of(app)
