"""HTTP: stop every campaign of every context at once, and resume them."""

from functools import cache, partial
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from operations import chains
from operations.schemas import NewPlatformStatus, PlatformResource
from operations.switch import Switch
from sluice import http, settings
from sluice.clock import SystemClock
from sluice.commit import database
from sluice.dynamodb import bind
from sluice.platform import Platform, items_in
from sluice.requests import RequestItem
from sluice.roles import Role

app = http.resolver()


Settings = chains.settings("audit_table", "outbox_table", "requests_table", and_all=chains.TABLES)


@cache
def switch() -> Switch:
    read = settings.read(Settings)
    bind(RequestItem, read.requests_table)
    copies = {table: items_in(getattr(read, table)) for table in chains.TABLES}
    return Switch(database(read), copies, SystemClock())


@app.get("/api/admin/stop", **http.require(Role.OPERATOR))
def get() -> PlatformResource:
    """Return whether the platform is stopped, since when, by whom and why."""
    return shown(switch().read())


def shown(found: Platform) -> PlatformResource:
    return PlatformResource.model_validate(found)


@app.post("/api/admin/stop", **http.require(Role.ADMIN, errors=[409]))
def stop(
    body: Annotated[NewPlatformStatus, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[PlatformResource]:
    """Stop every campaign of every context. After the response, no batch commits until the platform is resumed.

    Commands are still accepted. A campaign that is executed while the platform is stopped waits for the resume.
    """
    return http.command(origin, key, partial(switch().stop, body.reason), PlatformResource, shown)


@app.post("/api/admin/resume", **http.require(Role.ADMIN, errors=[409]))
def resume(
    body: Annotated[NewPlatformStatus, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[PlatformResource]:
    """Resume the platform. Each campaign goes on by itself within a minute."""
    return http.command(origin, key, partial(switch().resume, body.reason), PlatformResource, shown)


handler = http.handler_of(app)
