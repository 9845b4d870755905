"""HTTP: create, list, execute, pause and cancel boost campaigns."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from boosts.bootstrap import BoostsSettings, store, wake
from boosts.campaign import Campaign, Status
from boosts.commands import Caller, Commands
from boosts.schemas import CampaignPage, CampaignResource, LimitsResource, NewCampaign, VideoId, place
from boosts.store import Keyed
from sluice import http, settings
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.requests import Answer, Request, RequestItem
from sluice.roles import Role

CAMPAIGNS = "/api/admin/fake-views"
CAMPAIGN = f"{CAMPAIGNS}/<campaign_id>"

CampaignId = Annotated[str, Path(description="The campaign's id: `bst_` and a ULID.")]

app = http.resolver()


@dataclass(frozen=True)
class Settings(BoostsSettings):
    """What the API reads from the environment."""

    requests_table: str


@cache
def commands() -> Commands:
    read = settings.read(Settings)
    bind(RequestItem, read.requests_table)
    return Commands(store(read), wake(read), SystemClock(), read.limits, read.time_zone)


def shown(campaign: Campaign) -> CampaignResource:
    is_stopped = campaign.is_live and commands().is_stopped()
    return CampaignResource.of(campaign, commands().clock.now(), commands().zone, is_stopped=is_stopped)


@app.post(CAMPAIGNS, **http.require(Role.OPERATOR, 201, errors=[409]))
def create(
    body: Annotated[NewCampaign, Body()],
    caller: http.Caller,
    request_id: http.RequestId,
    fingerprint: http.Fingerprint,
    key: http.IdempotencyKey = None,
) -> Response[CampaignResource]:
    """Create a campaign (S1-7). It waits for `execute`."""
    keyed = Keyed(Request.of(caller.subject, key, fingerprint), _created) if key else None
    made = commands().create(body.terms(), Caller(caller.subject, request_id), keyed)
    if isinstance(made, Answer):
        replayed = CampaignResource.model_validate(made.body)
        return Response(made.status, APPLICATION_JSON, replayed, headers={"Idempotency-Replayed": "true"})
    return Response(201, APPLICATION_JSON, shown(made))


def _created(campaign: Campaign) -> Answer:
    return Answer(201, shown(campaign).model_dump(mode="json"))


@app.get(CAMPAIGNS, **http.require(Role.OPERATOR))
def page(
    status: Annotated[Status | None, Query(description="Only those in this status.")] = None,
    video_id: Annotated[VideoId | None, Query(description="Only those of this video.")] = None,
    limit: http.Limit = http.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> CampaignPage:
    """List campaigns, newest first (S1-8)."""
    found, after = commands().page(status, video_id, limit, place(cursor, video_id))
    return CampaignPage.of([shown(each) for each in found], after)


@app.get(f"{CAMPAIGNS}/limits", **http.require(Role.OPERATOR))
def limits() -> LimitsResource:
    """The caps and what is used of them (S1-13)."""
    return LimitsResource.of(commands().today())


@app.get(CAMPAIGN, **http.require(Role.OPERATOR, errors=[404]))
def get(campaign_id: CampaignId) -> CampaignResource:
    """A campaign and its progress (S1-9)."""
    return shown(commands().get(campaign_id))


@app.post(f"{CAMPAIGN}/execute", **http.require(Role.OPERATOR, errors=[404, 409]))
def execute(campaign_id: CampaignId, caller: http.Caller, request: http.RequestId) -> CampaignResource:
    """Start a pending campaign, or resume a paused one (S1-10)."""
    return shown(commands().execute(campaign_id, Caller(caller.subject, request)))


@app.post(f"{CAMPAIGN}/pause", **http.require(Role.OPERATOR, errors=[404, 409]))
def pause(campaign_id: CampaignId, caller: http.Caller, request: http.RequestId) -> CampaignResource:
    """Pause a running campaign: after the answer no batch commits (S1-11)."""
    return shown(commands().pause(campaign_id, Caller(caller.subject, request)))


@app.post(f"{CAMPAIGN}/cancel", **http.require(Role.OPERATOR, errors=[404, 409]))
def cancel(campaign_id: CampaignId, caller: http.Caller, request: http.RequestId) -> CampaignResource:
    """Cancel a campaign that has not ended: after the answer no batch commits (S1-12)."""
    return shown(commands().cancel(campaign_id, Caller(caller.subject, request)))


@http.logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
