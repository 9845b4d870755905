"""HTTP: create, execute, pause and cancel campaigns."""

from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from sluice import http, settings
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.requests import RequestItem
from sluice.roles import Role
from tests.reference.bootstrap import ReferenceSettings, store, wake
from tests.reference.campaign import Campaign
from tests.reference.commands import Commands
from tests.reference.schemas import CampaignResource, NewCampaign

CAMPAIGNS = "/api/admin/fake-views"  # of the place that it takes
CAMPAIGN = f"{CAMPAIGNS}/<campaign_id>"

app = http.resolver()


@dataclass(frozen=True)
class Settings(ReferenceSettings):
    """What the API reads from the environment."""

    requests_table: str


@cache
def commands() -> Commands:
    read = settings.read(Settings)
    bind(RequestItem, read.requests_table)
    return Commands(store(read), wake(read), SystemClock())


@app.post(CAMPAIGNS, **http.require(Role.OPERATOR, 201, errors=[409]))
def create(
    body: Annotated[NewCampaign, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[CampaignResource]:
    """Create a campaign. It waits for `execute`."""
    return http.command(origin, key, partial(commands().create, body.terms()), CampaignResource, shown, 201)


@app.get(CAMPAIGN, **http.require(Role.OPERATOR, errors=[404]))
def get(campaign_id: str) -> CampaignResource:
    """A campaign and its progress."""
    return shown(commands().get(campaign_id))


@app.post(f"{CAMPAIGN}/execute", **http.require(Role.OPERATOR, errors=[404, 409]))
def execute(campaign_id: str, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[CampaignResource]:
    """Start a pending campaign, or resume a paused one."""
    return http.command(origin, key, partial(commands().execute, campaign_id), CampaignResource, shown)


@app.post(f"{CAMPAIGN}/pause", **http.require(Role.OPERATOR, errors=[404, 409]))
def pause(campaign_id: str, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[CampaignResource]:
    """Pause a running campaign: after the answer no call begins."""
    return http.command(origin, key, partial(commands().pause, campaign_id), CampaignResource, shown)


@app.post(f"{CAMPAIGN}/cancel", **http.require(Role.OPERATOR, errors=[404, 409]))
def cancel(campaign_id: str, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[CampaignResource]:
    """Cancel a campaign that has not ended: after the answer no call begins."""
    return http.command(origin, key, partial(commands().cancel, campaign_id), CampaignResource, shown)


def shown(campaign: Campaign) -> CampaignResource:
    return CampaignResource.model_validate(campaign)


handler = http.handler_of(app)
