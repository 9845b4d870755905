"""HTTP: stop every campaign of every context at once, and resume them."""

from functools import cache
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from operations import chains
from operations.schemas import NewPlatformStatus, PlatformResource
from operations.switch import Order, Switch
from sluice import http, settings
from sluice.clock import SystemClock
from sluice.commit import database
from sluice.platform import items_in
from sluice.roles import Role

app = http.resolver()


Settings = chains.settings("audit_table", "outbox_table", and_all=chains.TABLES)


@cache
def switch() -> Switch:
    read = settings.read(Settings)
    copies = {table: items_in(getattr(read, table)) for table in chains.TABLES}
    return Switch(database(read), copies, SystemClock())


@app.get("/api/admin/stop", **http.require(Role.OPERATOR))
def get() -> PlatformResource:
    """Return whether the platform is stopped, since when, by whom and why."""
    return PlatformResource.model_validate(switch().read())


@app.post("/api/admin/stop", **http.require(Role.ADMIN, errors=[409]))
def stop(
    body: Annotated[NewPlatformStatus, Body()],
    caller: http.Caller,
    request: http.RequestId,
    fingerprint: http.Fingerprint,
) -> PlatformResource:
    """Stop every campaign of every context. After the response, no batch commits until the platform is resumed.

    Commands are still accepted. A campaign that is executed while the platform is stopped waits for the resume.
    """
    return PlatformResource.model_validate(
        switch().stop(Order(body.reason, caller.subject, f"{request} {fingerprint}"))
    )


@app.post("/api/admin/resume", **http.require(Role.ADMIN, errors=[409]))
def resume(
    body: Annotated[NewPlatformStatus, Body()],
    caller: http.Caller,
    request: http.RequestId,
    fingerprint: http.Fingerprint,
) -> PlatformResource:
    """Resume the platform. Each campaign goes on by itself within a minute."""
    return PlatformResource.model_validate(
        switch().resume(Order(body.reason, caller.subject, f"{request} {fingerprint}"))
    )


handler = http.handler_of(app)
