"""HTTP: how completions are detected (S3-16 to S3-19), and adjustments of what was counted."""

from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from sluice import aws, http, settings
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.requests import RequestItem
from sluice.roles import Role
from sponsorships import adjustments
from sponsorships.bootstrap import SponsorshipsSettings, secret, stores, wake
from sponsorships.commands import Campaigns, Participations
from sponsorships.impressions import participation_id
from sponsorships.monitoring.commands import Adjustments, Outcome, Runs
from sponsorships.monitoring.schemas import (
    AdjustmentsResource,
    CheckRunResource,
    NewCheck,
    NewParticipationAdjustment,
    ParticipationAdjustmentResource,
    StatusResource,
)
from sponsorships.monitoring.status import Monitoring, QueueUrls
from sponsorships.participation import Participation
from sponsorships.schemas import WithReason
from sponsorships.settlement import Settlement
from sponsorships.store import RunStore

CAMPAIGNS = "/api/v1/campaigns"
MONITORING = f"{CAMPAIGNS}/monitoring"
FULL_CHECK = f"{MONITORING}/full-check"
ADJUSTMENTS = f"{CAMPAIGNS}/<campaign_id>/participations/<streamer>/adjustments"

CampaignId = Annotated[str, Path(description="The campaign's id: `spn_` and a ULID.")]
StreamerId = Annotated[str, Path(description="The streamer's subject.")]
CheckId = Annotated[str, Path(description="The run's id: `chk_` and a ULID.")]
AdjustmentNumber = Annotated[int, Path(ge=0, description="The number of the adjustment.")]

app = http.resolver()


@dataclass(frozen=True)
class Settings(SponsorshipsSettings):
    requests_table: str
    approval_threshold: int
    sponsorships_sweep_rate: str
    sponsorships_dead_letters_url: str
    sponsorships_checks_queue_url: str
    sponsorships_checks_dead_letters_url: str
    sponsorships_stream_dead_letters_url: str


@dataclass(frozen=True)
class Services:
    """What the routes need."""

    campaigns: Campaigns
    participations: Participations
    adjustments: Adjustments
    runs: Runs
    monitoring: Monitoring


@cache
def services() -> Services:
    read, clock = settings.read(Settings), SystemClock()
    bind(RequestItem, read.requests_table)
    of_campaigns, of_participations = stores(read)
    settlement = Settlement(of_participations, secret(read), wake(read), clock)
    campaigns = Campaigns(of_campaigns, settlement, wake(read), clock, read.max_daily_earnings)
    participations = Participations(of_participations, campaigns, settlement, wake(read), clock)
    runs = Runs(RunStore(Database()), wake(read), clock)
    monitoring = Monitoring(
        runs,
        aws.client("sqs"),
        QueueUrls(read.sponsorships_checks_queue_url, read.sponsorships_checks_dead_letters_url),
        QueueUrls(read.sponsorships_queue_url, read.sponsorships_dead_letters_url),
        read.sponsorships_stream_dead_letters_url,
        read.sponsorships_sweep_rate,
        clock,
    )
    return Services(
        campaigns, participations, Adjustments(participations, settlement, read.approval_threshold), runs, monitoring
    )


@app.get(f"{MONITORING}/status", **http.require(Role.OPERATOR))
def status() -> StatusResource:
    """Return how completions are detected: the detectors, the stream, the queues, and the last run over all."""
    return services().monitoring.status()


_BEGINS = http.require(Role.OPERATOR, 202, errors=[409])
_BEGINS["responses"][200] = {"description": "A run is going."}


@app.post(FULL_CHECK, **_BEGINS)
def full_check(
    body: Annotated[NewCheck, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[CheckRunResource]:
    """Start a run over all participations (S3-17). One is going at a time: it is returned with 200.

    With `deep` it counts rows and verifies the ledger; a run that is going becomes a deep one.
    """
    status_code = 200 if services().runs.going() else 202
    return http.command(
        origin, key, partial(services().runs.start, body.deep), CheckRunResource, CheckRunResource.of, status_code
    )


@app.get(f"{FULL_CHECK}/<check_id>", **http.require(Role.OPERATOR, errors=[404]))
def check(check_id: CheckId) -> CheckRunResource:
    """Return a run, and what it has found."""
    return CheckRunResource.of(services().runs.get(check_id))


@app.get(ADJUSTMENTS, **http.require(Role.USER, errors=[404]))
def listed(campaign_id: CampaignId, streamer: StreamerId, caller: http.Caller) -> AdjustmentsResource:
    """List a participation's adjustments, the oldest first."""
    found = services().participations.seen_by(campaign_id, streamer, caller)
    return AdjustmentsResource(items=[ParticipationAdjustmentResource.of(each) for each in adjustments.of(found.id)])


@app.post(ADJUSTMENTS, **http.require(Role.USER, 201, errors=[404, 409]))
def propose(
    campaign_id: CampaignId,
    streamer: StreamerId,
    body: Annotated[NewParticipationAdjustment, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ParticipationAdjustmentResource]:
    """Propose to count impressions that no row shows. It is granted when another person, an admin, approves."""
    services().campaigns.own(campaign_id, caller)
    found_id, outcome = participation_id(campaign_id, streamer), Outcome()
    make = partial(services().adjustments.propose, found_id, body.impressions, body.reason, outcome)
    return http.command(origin, key, make, ParticipationAdjustmentResource, _shown(found_id, None, outcome), 201)


@app.post(f"{ADJUSTMENTS}/<number>/approve", **http.require(Role.ADMIN, errors=[404, 409]))
def approve(
    campaign_id: CampaignId,
    streamer: StreamerId,
    number: AdjustmentNumber,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ParticipationAdjustmentResource]:
    """Approve an adjustment. It takes two people; a proposal counts as its proposer's approval."""
    found_id, outcome = participation_id(campaign_id, streamer), Outcome()
    make = partial(services().adjustments.approve, found_id, number, outcome)
    return http.command(origin, key, make, ParticipationAdjustmentResource, _shown(found_id, number, outcome))


@app.post(f"{ADJUSTMENTS}/<number>/reject", **http.require(Role.ADMIN, errors=[404, 409]))
def reject(
    campaign_id: CampaignId,
    streamer: StreamerId,
    number: AdjustmentNumber,
    body: Annotated[WithReason, Body()],
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ParticipationAdjustmentResource]:
    """Reject an adjustment: it is never granted."""
    found_id, outcome = participation_id(campaign_id, streamer), Outcome()
    make = partial(services().adjustments.reject, found_id, number, body.reason, outcome)
    return http.command(origin, key, make, ParticipationAdjustmentResource, _shown(found_id, number, outcome))


def _shown(found_id: str, number: int | None, outcome: Outcome) -> Any:
    """Shows an adjustment as the command leaves it; one that a copy of the request had left so is read."""

    def shown(_: Participation) -> ParticipationAdjustmentResource:
        found = outcome.adjustment
        if found is None:
            found = adjustments.of(found_id)[-1] if number is None else services().adjustments.find(found_id, number)
        return ParticipationAdjustmentResource.of(found)

    return shown


handler = http.handler_of(app)
