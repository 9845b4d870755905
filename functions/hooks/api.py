"""HTTP: endpoints for webhooks, and their deliveries (S1-62)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from hooks import bootstrap
from hooks.bootstrap import SendingSettings
from hooks.campaign import PREFIX, DeliveryStatus
from hooks.commands import Deliveries, Hooks
from hooks.schemas import (
    DeliveryDetail,
    DeliveryPage,
    DeliveryResource,
    HookChanges,
    HookDetail,
    HookPage,
    HookResource,
    HookWithSecret,
    NewHook,
    RangeReplay,
    Replay,
    Rotation,
)
from hooks.wire import Wire
from sluice import http, settings
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.requests import Requester, RequestItem
from sluice.roles import Role
from sluice.schemas import place

HOOKS = "/api/admin/hooks"
HOOK = f"{HOOKS}/<hook_id>"
DELIVERIES = f"{HOOK}/deliveries"
DELIVERY = f"{DELIVERIES}/<delivery_id>"

HookId = Annotated[str, Path(description="The endpoint's id: `hok_` and a ULID.")]
DeliveryId = Annotated[str, Path(description="The delivery's id: `dlv_` and a ULID.")]

app = http.resolver()
_DAY, _ONCE = Rotation(overlap_hours=24), Replay(again=False)


@dataclass(frozen=True)
class Settings(SendingSettings):
    requests_table: str


@dataclass(frozen=True)
class Commands:
    hooks: Hooks
    deliveries: Deliveries


def _commands(read: Settings) -> Commands:
    bind(RequestItem, read.requests_table)
    store, clock = bootstrap.store(read), SystemClock()
    hooks = Hooks(store, bootstrap.masters(read, clock), Wire(read.private_ranges, clock), clock)
    return Commands(hooks, Deliveries(store, bootstrap.wake(read), clock))


commands = settings.once(Settings, _commands)


def _with_secret(
    origin: http.Origin, key: str | None, make: Callable[[Requester], object], status: int = 200
) -> Response[HookWithSecret]:
    """The stored answer has no secret: it is derived again each time."""
    answer = http.command(origin, key, make, HookWithSecret, HookWithSecret.of, status)
    return _with(answer, lambda shown: {"secret": commands().hooks.secret(shown.id, shown.generation)})


def _with[R: HookResource](answer: Response[R], more: Callable[[R], dict[str, Any]]) -> Response[R]:
    """The answer with what is not stored with it."""
    assert answer.body is not None
    answer.body = answer.body.model_copy(update=more(answer.body))
    return answer


@app.post(HOOKS, **http.require(Role.ADMIN, 201, errors=[409]))
def create(
    body: Annotated[NewHook, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[HookWithSecret]:
    """Create an endpoint (S1-62). Only this response shows its secret."""
    return _with_secret(origin, key, partial(commands().hooks.create, body.terms()), 201)


@app.get(HOOKS, **http.require(Role.OPERATOR))
def page() -> HookPage:
    """List the endpoints, at most 50, and the masters of HooksSecret that they name."""
    found = commands().hooks.all()
    return HookPage(
        items=[HookResource.of(each) for each in found], masters_in_use=commands().hooks.masters_in_use(found)
    )


@app.get(HOOK, **http.require(Role.OPERATOR, errors=[404]))
def get(hook_id: HookId) -> HookDetail:
    """Return an endpoint, and how many deliveries are held for it."""
    found = HookDetail.of(commands().hooks.get(hook_id))
    return found.model_copy(update={"held": commands().deliveries.held(hook_id)})


@app.patch(HOOK, **http.require(Role.ADMIN, errors=[404, 409]))
def edit(
    hook_id: HookId, body: Annotated[HookChanges, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[HookResource]:
    """Change an endpoint, or disable it: then its events are held."""
    make = partial(commands().hooks.change, hook_id, body.terms())
    return http.command(origin, key, make, HookResource, HookResource.of)


@app.delete(HOOK, **http.require(Role.ADMIN, errors=[404, 409]))
def delete(hook_id: HookId, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[HookResource]:
    """Delete an endpoint: what is on its way is dropped."""
    return http.command(origin, key, partial(commands().hooks.delete, hook_id), HookResource, HookResource.of)


@app.post(f"{HOOK}/rotate", **http.require(Role.ADMIN, errors=[404, 409]))
def rotate(
    hook_id: HookId,
    origin: http.Origin,
    body: Annotated[Rotation, Body()] = _DAY,
    key: http.IdempotencyKey = None,
) -> Response[HookWithSecret]:
    """Make a new secret, which only this response shows. The one before signs too, for `overlap_hours`."""
    overlap = timedelta(hours=body.overlap_hours)
    return _with_secret(origin, key, partial(commands().hooks.rotate, hook_id, overlap))


@app.post(f"{HOOK}/enable", **http.require(Role.ADMIN, errors=[404, 409]))
def enable(hook_id: HookId, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[HookDetail]:
    """Enable an endpoint, and say how many deliveries are held: `replay` sends them."""
    answer = http.command(origin, key, partial(commands().hooks.enable, hook_id), HookDetail, HookDetail.of)
    return _with(answer, lambda shown: {"held": commands().deliveries.held(shown.id)})


@app.post(f"{HOOK}/test", **http.require(Role.ADMIN, 202, errors=[404, 409]))
def send_test(hook_id: HookId, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[HookResource]:
    """Send the event `hook.test` to an endpoint, in the same way as every other event."""
    return http.command(origin, key, partial(commands().hooks.test, hook_id), HookResource, HookResource.of, 202)


@app.post(f"{HOOK}/replay", **http.require(Role.ADMIN, 202, errors=[404, 409]))
def replay_range(
    hook_id: HookId, body: Annotated[RangeReplay, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[HookResource]:
    """Send again the events of a range, at most 1,000, with their first ids."""
    make = partial(commands().hooks.replay, hook_id, body.begin, body.end, body.status)
    return http.command(origin, key, make, HookResource, HookResource.of, 202)


@app.get(DELIVERIES, **http.require(Role.OPERATOR, errors=[404]))
def deliveries(
    hook_id: HookId,
    status: Annotated[DeliveryStatus | None, Query(description="Only deliveries in this status.")] = None,
    limit: http.Limit = http.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> DeliveryPage:
    """List an endpoint's deliveries, newest first. With a status, any page may have fewer than `limit`."""
    found = commands().hooks.get(hook_id)
    items, after = commands().deliveries.page(found.id, status, limit, place(cursor, PREFIX, of_index=False))
    return DeliveryPage.of([DeliveryResource.of(each) for each in items], after)


@app.get(DELIVERY, **http.require(Role.OPERATOR, errors=[404]))
def delivery(hook_id: HookId, delivery_id: DeliveryId) -> DeliveryDetail:
    """Return a delivery and its attempts, newest first."""
    return DeliveryDetail.of_log(*commands().deliveries.of(hook_id, delivery_id))


@app.post(f"{DELIVERY}/replay", **http.require(Role.ADMIN, errors=[404, 409]))
def replay(
    hook_id: HookId,
    delivery_id: DeliveryId,
    origin: http.Origin,
    body: Annotated[Replay, Body()] = _ONCE,
    key: http.IdempotencyKey = None,
) -> Response[DeliveryResource]:
    """Send a delivery again, with its first id and bytes. A delivered one needs `again`."""
    make = partial(commands().deliveries.replay, hook_id, delivery_id, again=body.again)
    return http.command(origin, key, make, DeliveryResource, DeliveryResource.of)


handler = http.handler_of(app)
