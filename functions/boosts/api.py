"""HTTP: create, list, execute, pause and cancel boost campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from boosts.bootstrap import BoostsSettings, store, wake
from boosts.campaign import PREFIX, Campaign, RowPlace, Status
from boosts.commands import Commands
from boosts.export import batches_csv, campaigns_csv
from boosts.schemas import (
    CampaignPage,
    CampaignResource,
    LimitsResource,
    NewCampaign,
    NewRevert,
    PlanDayResource,
    PlanResource,
    SimulationResource,
    VideoId,
)
from sluice import exports, http, settings
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.requests import RequestItem
from sluice.roles import Role
from sluice.schemas import VerificationResource, place

CAMPAIGNS = "/api/admin/fake-views"
CAMPAIGN = f"{CAMPAIGNS}/<campaign_id>"

# A Lambda answers at most 6 MB. A line of a batch has up to 210 bytes; that of a campaign of twenty videos up to 3,000.
MAX_CSV_CAMPAIGNS = 1_500

CampaignId = Annotated[str, Path(description="The campaign's id: `bst_` and a ULID.")]

app = http.resolver()


@dataclass(frozen=True)
class Settings(BoostsSettings):
    requests_table: str


@cache
def commands() -> Commands:
    read = settings.read(Settings)
    bind(RequestItem, read.requests_table)
    return Commands(store(read), wake(read), SystemClock(), read.limits, read.time_zone)


def shown(campaign: Campaign) -> CampaignResource:
    return all_shown([campaign])[0]


def all_shown(campaigns: Sequence[Campaign]) -> list[CampaignResource]:
    """The platform is read once, and only if one of the campaigns may wait for it."""
    is_stopped = any(campaign.is_live for campaign in campaigns) and commands().is_stopped()
    now, zone = commands().clock.now(), commands().zone
    return [CampaignResource.of(campaign, now, zone, is_stopped=is_stopped) for campaign in campaigns]


@app.post(CAMPAIGNS, **http.require(Role.OPERATOR, 201, errors=[409]))
def create(
    body: Annotated[NewCampaign, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[CampaignResource]:
    """Create a campaign (S1-7). Without `scheduled_for` it waits for `execute`."""
    return http.command(origin, key, partial(commands().create, body.terms()), CampaignResource, shown, 201)


@app.get(CAMPAIGNS, **http.require(Role.OPERATOR))
def page(
    status: Annotated[Status | None, Query(description="Only campaigns in this status.")] = None,
    video_id: Annotated[VideoId | None, Query(description="Only campaigns of this video.")] = None,
    limit: http.Limit = http.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> CampaignPage:
    """List campaigns, newest first (S1-8)."""
    found, after = commands().page(status, video_id, limit, place(cursor, PREFIX, of_index=video_id is None))
    return CampaignPage.of(all_shown(found), after)


@app.get(f"{CAMPAIGNS}/limits", **http.require(Role.OPERATOR))
def limits() -> LimitsResource:
    """Return the caps and their use (S1-13)."""
    return LimitsResource.of(commands().today(), commands().zone)


@app.get(CAMPAIGN, **http.require(Role.OPERATOR, errors=[404]))
def get(campaign_id: CampaignId) -> CampaignResource:
    """Return a campaign and its progress (S1-9)."""
    return shown(commands().get(campaign_id))


@app.post(f"{CAMPAIGN}/execute", **http.require(Role.OPERATOR, errors=[404, 409]))
def execute(
    campaign_id: CampaignId, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[CampaignResource]:
    """Start a pending campaign, or resume a paused one (S1-10)."""
    return http.command(origin, key, partial(commands().execute, campaign_id), CampaignResource, shown)


@app.post(f"{CAMPAIGN}/pause", **http.require(Role.OPERATOR, errors=[404, 409]))
def pause(campaign_id: CampaignId, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[CampaignResource]:
    """Pause a running campaign. After the response, no batch commits (S1-11)."""
    return http.command(origin, key, partial(commands().pause, campaign_id), CampaignResource, shown)


@app.post(f"{CAMPAIGN}/cancel", **http.require(Role.OPERATOR, errors=[404, 409]))
def cancel(campaign_id: CampaignId, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[CampaignResource]:
    """Cancel a campaign that has not ended. After the response, no batch commits (S1-12)."""
    return http.command(origin, key, partial(commands().cancel, campaign_id), CampaignResource, shown)


@app.post(f"{CAMPAIGNS}/simulate", **http.require(Role.OPERATOR))
def simulate(body: Annotated[NewCampaign, Body()]) -> SimulationResource:
    """Simulate a new campaign: its days, its months against the caps, its end and its cost."""
    return SimulationResource.model_validate(commands().simulate(body.terms()))


@app.post(f"{CAMPAIGN}/simulate", **http.require(Role.OPERATOR, errors=[404, 409]))
def simulate_rest(campaign_id: CampaignId) -> SimulationResource:
    """Simulate the rest of a campaign that has not ended."""
    return SimulationResource.model_validate(commands().simulate_rest(campaign_id))


@app.get(f"{CAMPAIGN}/plan", **http.require(Role.OPERATOR, errors=[404]))
def plan(campaign_id: CampaignId) -> PlanResource:
    """Return a campaign day by day: planned, executed and expected views."""
    days = [PlanDayResource.model_validate(day) for day in commands().timeline(campaign_id)]
    return PlanResource(campaign_id=campaign_id, days=days)


@app.get(f"{CAMPAIGN}/verify", **http.require(Role.OPERATOR, errors=[404]))
def verify(campaign_id: CampaignId) -> VerificationResource:
    """Check a campaign's batch rows against the counters of the campaign, its videos and its months (S1-59)."""
    return VerificationResource.of(campaign_id, commands().verify(campaign_id))


@app.post(f"{CAMPAIGN}/revert", **http.require(Role.ADMIN, errors=[404, 409]))
def revert(
    campaign_id: CampaignId,
    body: Annotated[NewRevert, Body()],
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[CampaignResource | SimulationResource]:
    """Take back the views of an ended campaign, batch by batch; or only simulate that."""
    if body.simulate:
        simulated = SimulationResource.model_validate(commands().simulate_revert(campaign_id, body.reason))
        return Response(200, APPLICATION_JSON, simulated)
    return http.command(origin, key, partial(commands().revert, campaign_id, body.reason), CampaignResource, shown)


@app.get(f"{CAMPAIGNS}/export", **http.require(Role.OPERATOR, media=exports.MEDIA))
def export(
    status: Annotated[Status | None, Query(description="Only campaigns in this status.")] = None,
    video_id: Annotated[VideoId | None, Query(description="Only campaigns of this video.")] = None,
    limit: http.CsvLimit = http.MAX_CSV_LINES,
    cursor: http.Cursor = None,
) -> Response[str]:
    """Return campaigns as CSV, newest first. The `Link` header has the next page (S1-61)."""
    found, after = commands().page(
        status, video_id, min(limit, MAX_CSV_CAMPAIGNS), place(cursor, PREFIX, of_index=video_id is None)
    )
    query = {"status": status, "video_id": video_id, "limit": limit}
    return http.csv_answer(campaigns_csv(found, with_header=cursor is None), query, after)


@app.get(f"{CAMPAIGN}/export", **http.require(Role.OPERATOR, errors=[404], media=exports.MEDIA))
def export_batches(
    campaign_id: CampaignId, limit: http.CsvLimit = http.MAX_CSV_LINES, cursor: http.Cursor = None
) -> Response[str]:
    """Return a campaign's batches as CSV, in order, one line per video. `Link` has the next page (S1-61)."""
    batches = max(1, limit // len(commands().get(campaign_id).video_ids))
    rows, after = commands().rows(campaign_id, batches, http.place_of(cursor, RowPlace))
    return http.csv_answer(batches_csv(campaign_id, rows, with_header=cursor is None), {"limit": limit}, after)


handler = http.handler_of(app)
