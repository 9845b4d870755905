"""HTTP: campaigns of advertisers, participations of streamers, and tokens for a service's viewers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, partial
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from sluice import exports, http, settings
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.errors import Conflicting, Invalid
from sluice.journal import Budget
from sluice.money import exponent
from sluice.requests import RequestItem
from sluice.roles import Principal, Role
from sluice.schemas import VerificationResource, place
from sponsorships import earnings, impressions, rows
from sponsorships.bootstrap import SponsorshipsSettings, secret, stores, wake
from sponsorships.campaign import PREFIX, Campaign, SponsorshipStatus
from sponsorships.commands import Campaigns, KeyCounts, Participations
from sponsorships.evidence import Evidence
from sponsorships.export import RowPlace, evidence_csv
from sponsorships.impressions import row_part
from sponsorships.items import LISTED
from sponsorships.participation import STREAMER, Participation, ParticipationStatus, Standing
from sponsorships.schemas import (
    KeyResource,
    LoadedKeys,
    NewKeys,
    NewParticipation,
    NewRefund,
    NewSponsorship,
    NewTokens,
    NewVoid,
    ParticipationPage,
    ParticipationResource,
    ProofResource,
    RefundResource,
    SponsorshipPage,
    SponsorshipResource,
    StatementResource,
    TokenResource,
    TokensResource,
    WithReason,
)
from sponsorships.secret import ImpressionSecret
from sponsorships.settlement import Settlement
from sponsorships.statement import Statements

CAMPAIGNS = "/api/v1/campaigns"
CAMPAIGN = f"{CAMPAIGNS}/<campaign_id>"
PARTICIPATIONS = f"{CAMPAIGN}/participations"
PARTICIPATION = f"{PARTICIPATIONS}/<streamer>"

CampaignId = Annotated[str, Path(description="The campaign's id: `spn_` and a ULID.")]
StreamerId = Annotated[str, Path(description="The streamer's subject.")]
RefundNumber = Annotated[int, Path(ge=1, description="The number of the refund, from 1.")]

app = http.resolver()


@dataclass(frozen=True)
class Settings(SponsorshipsSettings):
    requests_table: str
    milestone_defaults: tuple[str, ...]


@dataclass(frozen=True)
class Services:
    """What the routes need."""

    campaigns: Campaigns
    participations: Participations
    statements: Statements
    evidence: Evidence
    secret: ImpressionSecret
    milestones: tuple[int, ...]
    clock: SystemClock


@cache
def services() -> Services:
    read = settings.read(Settings)
    bind(RequestItem, read.requests_table)
    (campaigns, participations), clock = stores(read), SystemClock()
    settlement = Settlement(participations, secret(read), wake(read), clock)
    of_campaigns = Campaigns(campaigns, settlement, wake(read), clock, read.max_daily_earnings)
    of_participations = Participations(participations, of_campaigns, settlement, wake(read), clock)
    statements, evidence = Statements(participations, secret(read)), Evidence(campaigns, settlement)
    milestones = tuple(int(each) for each in read.milestone_defaults)
    return Services(of_campaigns, of_participations, statements, evidence, secret(read), milestones, clock)


def shown(campaign: Campaign) -> SponsorshipResource:
    """A campaign as its advertiser sees it."""
    return SponsorshipResource.of(campaign, services().campaigns.budget(campaign))


def shown_to(campaign: Campaign, caller: Principal) -> SponsorshipResource:
    return shown(campaign) if services().campaigns.is_own(campaign, caller) else SponsorshipResource.of(campaign, None)


def started(campaign: Campaign) -> SponsorshipResource:
    """A campaign that was just started: the response is stored in the transaction that moves its money."""
    return SponsorshipResource.of(campaign, Budget(campaign.budget, campaign.budget, 0, 0, 0))


def taking_part(found: Participation, voided: Sequence[str] = ()) -> ParticipationResource:
    """A participation with its live numbers, without the impressions of `voided` that still count."""
    (standing,) = services().participations.standings([found])
    if voided:
        standing = replace(standing, impressions=standing.impressions - len(rows.some(found.id, voided)))
    return _shown_live(standing, services().campaigns.get(found.campaign_id))


def _shown_live(standing: Standing, campaign: Campaign) -> ParticipationResource:
    earned = earnings.pay(campaign.rate, exponent(campaign.currency), standing.total, campaign.target_impressions)
    return ParticipationResource.of(standing, campaign, earned)


@app.post(CAMPAIGNS, **http.require(Role.USER, 201, errors=[409]))
def create(
    body: Annotated[NewSponsorship, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SponsorshipResource]:
    """Create a draft of a campaign; `start` funds it."""
    terms = body.terms(services().milestones)
    return http.command(origin, key, partial(services().campaigns.create, terms), SponsorshipResource, shown, 201)


@app.get(CAMPAIGNS, **http.require(Role.USER))
def page(
    caller: http.Caller,
    status: Annotated[SponsorshipStatus | None, Query(description="Only campaigns in this status.")] = None,
    mine: Annotated[bool, Query(description="Only the caller's own campaigns.")] = False,
    limit: http.Limit = http.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> SponsorshipPage:
    """List campaigns, newest first: all for an operator; for others those that run, or with `mine` their own."""
    after = place(cursor, PREFIX, of_index=not mine)
    found, following = services().campaigns.page(status, limit, after, caller, mine=mine)
    return SponsorshipPage.of([shown_to(each, caller) for each in found], following)


@app.get(CAMPAIGN, **http.require(Role.USER, errors=[404]))
def get(campaign_id: CampaignId, caller: http.Caller) -> SponsorshipResource:
    """Return a campaign, and for its advertiser where its money is."""
    return shown_to(services().campaigns.seen_by(campaign_id, caller), caller)


@app.post(f"{CAMPAIGN}/start", **http.require(Role.USER, errors=[404, 409]))
def start(
    campaign_id: CampaignId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SponsorshipResource]:
    """Start a draft: its whole budget moves from the advertiser's wallet to the campaign."""
    services().campaigns.own(campaign_id, caller)
    return http.command(origin, key, partial(services().campaigns.start, campaign_id), SponsorshipResource, started)


@app.post(f"{CAMPAIGN}/pause", **http.require(Role.USER, errors=[404, 409]))
def pause(
    campaign_id: CampaignId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SponsorshipResource]:
    """Pause a running campaign: within 5 seconds it takes no impressions, and at once nobody joins."""
    services().campaigns.own(campaign_id, caller)
    return http.command(origin, key, partial(services().campaigns.pause, campaign_id), SponsorshipResource, shown)


@app.post(f"{CAMPAIGN}/resume", **http.require(Role.USER, errors=[404, 409]))
def resume(
    campaign_id: CampaignId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SponsorshipResource]:
    """Let a paused campaign go on."""
    services().campaigns.own(campaign_id, caller)
    return http.command(origin, key, partial(services().campaigns.resume, campaign_id), SponsorshipResource, shown)


@app.post(f"{CAMPAIGN}/close", **http.require(Role.USER, 202, errors=[404, 409]))
def close(
    campaign_id: CampaignId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SponsorshipResource]:
    """Begin to end a campaign: its participations settle, and what is left of the budget is refunded."""
    services().campaigns.own(campaign_id, caller)
    return http.command(origin, key, partial(services().campaigns.close, campaign_id), SponsorshipResource, shown, 202)


@app.post(f"{CAMPAIGN}/cancel", **http.require(Role.USER, errors=[404, 409]))
def cancel(
    campaign_id: CampaignId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SponsorshipResource]:
    """Cancel a draft: no money was moved."""
    services().campaigns.own(campaign_id, caller)
    return http.command(origin, key, partial(services().campaigns.cancel, campaign_id), SponsorshipResource, shown)


@app.post(f"{CAMPAIGN}/gkeys", **http.require(Role.USER, errors=[404, 409]))
def load_keys(
    campaign_id: CampaignId,
    body: Annotated[NewKeys, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[LoadedKeys]:
    """Add G-Keys to a campaign's pool, at most 45 a request. Keys that were loaded before are counted, not added."""
    services().campaigns.own(campaign_id, caller)
    counts = KeyCounts()
    load = partial(services().campaigns.load_keys, campaign_id, body.keys, counts)
    return http.command(origin, key, load, LoadedKeys, lambda _: LoadedKeys.model_validate(counts))


@app.post(f"{CAMPAIGN}/join", **http.require(Role.USER, 201, errors=[404, 409]))
def join(
    campaign_id: CampaignId,
    body: Annotated[NewParticipation, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ParticipationResource]:
    """Join a running campaign: pay and key are set aside now. A service joins for a streamer.

    A streamer who takes part already gets the participation as it is.
    """
    streamer = _streamer(body.streamer_id, caller)
    made = partial(services().participations.join, campaign_id, streamer)
    return http.command(origin, key, made, ParticipationResource, taking_part, 201)


@app.post(f"{CAMPAIGN}/leave", **http.require(Role.USER, 202, errors=[404, 409]))
def leave(
    campaign_id: CampaignId, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[ParticipationResource]:
    """Leave a campaign: whoever has reached the target is paid, and anyone else gets nothing."""
    left = partial(services().participations.leave, campaign_id, origin.subject)
    return http.command(origin, key, left, ParticipationResource, taking_part, 202)


@app.post(f"{CAMPAIGN}/impressions/tokens", **http.require(Role.SERVICE, errors=[404, 409]))
def tokens(campaign_id: CampaignId, body: Annotated[NewTokens, Body()], caller: http.Caller) -> TokensResource:
    """Return tokens for viewers that a service names: each token records one viewer's impression, once."""
    campaign = services().campaigns.get(campaign_id)
    now, keys, salt = services().clock.now(), services().secret.keys(), campaign.viewer_salt
    if not campaign.takes_impressions(now) or salt is None:
        raise Conflicting("The campaign does not run", "campaign_not_running")
    found = services().participations.find(campaign_id, body.streamer_id)
    if found is None or found.status is not ParticipationStatus.ACTIVE:
        raise Conflicting("This streamer does not take part", "not_participating")

    def token(viewer_id: str) -> TokenResource:
        minted = impressions.mint_named(keys, found.id, salt, caller.subject, viewer_id, now)
        usable_at = now + timedelta(seconds=campaign.min_seconds)
        expires_at = now + timedelta(seconds=campaign.token_seconds)
        return TokenResource(viewer_id=viewer_id, token=minted, usable_at=usable_at, expires_at=expires_at)

    return TokensResource(tokens=[token(viewer_id) for viewer_id in body.viewers])


@app.get(PARTICIPATIONS, **http.require(Role.USER, errors=[404]))
def participations(
    campaign_id: CampaignId, caller: http.Caller, limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> ParticipationPage:
    """List a campaign's participations, by streamer."""
    services().campaigns.own(campaign_id, caller)
    after = http.place_of(cursor, StreamerPlace, lambda place: place.is_streamer)
    found, following = services().participations.page(campaign_id, limit, after.part if after else None)
    return ParticipationPage.of(all_taking_part(found), StreamerPlace(following) if following else None)


@app.get(f"{CAMPAIGNS}/participations/mine", **http.require(Role.USER))
def mine(caller: http.Caller, limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None) -> ParticipationPage:
    """List the caller's participations, the newest campaign first."""
    found, following = services().participations.mine(caller.subject, limit, place(cursor, PREFIX, of_index=False))
    return ParticipationPage.of(all_taking_part(found), following)


@app.get(PARTICIPATION, **http.require(Role.USER, errors=[404]))
def participation(campaign_id: CampaignId, streamer: StreamerId, caller: http.Caller) -> ParticipationResource:
    """Return a participation with its live numbers."""
    return taking_part(services().participations.seen_by(campaign_id, streamer, caller))


@app.get(f"{PARTICIPATION}/gkey", **http.require(Role.USER, errors=[404, 409]))
def gkey(campaign_id: CampaignId, streamer: StreamerId, caller: http.Caller) -> KeyResource:
    """Return the streamer's G-Key, to the streamer alone (S3-9)."""
    return KeyResource(key=services().participations.key(campaign_id, streamer, caller))


@app.post(f"{PARTICIPATION}/void", **http.require(Role.USER, errors=[404, 409]))
def void(
    campaign_id: CampaignId,
    streamer: StreamerId,
    body: Annotated[NewVoid, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ParticipationResource]:
    """Take impressions out of the count, while the participation is active. Their viewers are not counted again."""
    services().campaigns.own(campaign_id, caller)
    voided = partial(services().participations.void, campaign_id, streamer, body.viewers, body.reason)
    shown_without = partial(taking_part, voided=body.viewers)
    return http.command(origin, key, voided, ParticipationResource, shown_without)


@app.post(f"{PARTICIPATION}/reject", **http.require(Role.USER, errors=[404, 409]))
def reject(
    campaign_id: CampaignId,
    streamer: StreamerId,
    body: Annotated[WithReason, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ParticipationResource]:
    """Propose to reject pay that is held or in review. The second person, an admin, rejects it by the same request."""
    services().campaigns.own(campaign_id, caller)
    rejected = partial(services().participations.reject, campaign_id, streamer, body.reason, caller)
    return http.command(origin, key, rejected, ParticipationResource, taking_part)


@app.post(f"{PARTICIPATION}/settle", **http.require(Role.ADMIN, 202, errors=[404, 409]))
def settle(
    campaign_id: CampaignId, streamer: StreamerId, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[ParticipationResource]:
    """Settle a participation in review again, such as after a grant."""
    settled = partial(services().participations.settle_again, campaign_id, streamer)
    return http.command(origin, key, settled, ParticipationResource, taking_part, 202)


@app.post(f"{PARTICIPATION}/refunds", **http.require(Role.ADMIN, 201, errors=[404, 409]))
def propose_refund(
    campaign_id: CampaignId,
    streamer: StreamerId,
    body: Annotated[NewRefund, Body()],
    origin: http.Origin,
    key: http.RequiredKey,
) -> Response[RefundResource]:
    """Propose to claim back what was paid, or a part of it: another admin approves."""

    def proposed(found: Participation) -> RefundResource:
        amount = found.paid - found.clawed if body.amount is None else body.amount
        return RefundResource(
            number=found.refunds, amount=amount, reason=body.reason, proposer=origin.subject, approver=None
        )

    wanted = partial(services().participations.propose_refund, campaign_id, streamer, body.amount, body.reason)
    return http.command(origin, key, wanted, RefundResource, proposed, 201)


@app.post(f"{PARTICIPATION}/refunds/<number>/approve", **http.require(Role.ADMIN, errors=[404, 409]))
def approve_refund(
    campaign_id: CampaignId,
    streamer: StreamerId,
    number: RefundNumber,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[RefundResource]:
    """Claim back what another admin proposed. What is not in the wallet any more cannot be claimed back."""

    def approved(found: Participation) -> RefundResource:
        refund = services().participations.refund(found.id, number)
        return RefundResource.model_validate(replace(refund, approver=origin.subject))

    wanted = partial(services().participations.approve_refund, campaign_id, streamer, number)
    return http.command(origin, key, wanted, RefundResource, approved)


@app.get(f"{PARTICIPATION}/statement", **http.require(Role.USER, errors=[404, 409]))
def statement(campaign_id: CampaignId, streamer: StreamerId, caller: http.Caller) -> StatementResource:
    """Return what a participation came to, with all that is needed to compute it again offline."""
    found = services().participations.seen_by(campaign_id, streamer, caller)
    return StatementResource.of(services().statements.shown(services().campaigns.get(campaign_id), found))


@app.get(f"{PARTICIPATION}/statement/evidence", **http.require(Role.USER, errors=[404], media=exports.MEDIA))
def statement_evidence(
    campaign_id: CampaignId,
    streamer: StreamerId,
    caller: http.Caller,
    limit: http.CsvLimit = http.MAX_CSV_LINES,
    cursor: http.Cursor = None,
) -> Response[str]:
    """Return the impressions as CSV, one line per viewer, in the order of `viewer`. `Link` has the next page."""
    found = services().participations.seen_by(campaign_id, streamer, caller)
    after = http.place_of(cursor, RowPlace, lambda place: place.is_row)
    page, following = services().statements.page(found, limit, after.part if after else None)
    text = evidence_csv(page, with_header=cursor is None)
    return http.csv_answer(text, {"limit": limit}, RowPlace(following) if following else None)


@app.get(f"{PARTICIPATION}/proof/<viewer>", **http.require(Role.USER, errors=[404]))
def proof(
    campaign_id: CampaignId,
    streamer: StreamerId,
    viewer: Annotated[str, Path(description="The viewer as the evidence lists it, without a day.")],
    caller: http.Caller,
    day: Annotated[date | None, Query(description="For a viewer who counts once a day: the day.")] = None,
) -> ProofResource:
    """Return the path from one impression to the root: the statement's, or until it settled that of the rows now."""
    found = services().participations.seen_by(campaign_id, streamer, caller)
    part = row_part(viewer, day.isoformat() if day else "")
    return ProofResource.of(found.id, services().statements.proof(found, part))


@app.get(f"{PARTICIPATION}/verify", **http.require(Role.USER, errors=[404]))
def verify_participation(campaign_id: CampaignId, streamer: StreamerId, caller: http.Caller) -> VerificationResource:
    """Check a participation's rows, tallies, statement, ledger, key and document against each other."""
    campaign = services().campaigns.own(campaign_id, caller)
    found = services().participations.seen_by(campaign_id, streamer, caller)
    return VerificationResource.of(found.id, services().evidence.of_participation(campaign, found))


@app.get(f"{CAMPAIGN}/verify", **http.require(Role.USER, errors=[404]))
def verify(campaign_id: CampaignId, caller: http.Caller) -> VerificationResource:
    """Check a campaign's money in the ledger against its participations."""
    campaign = services().campaigns.own(campaign_id, caller)
    return VerificationResource.of(campaign.id, services().evidence.of_campaign(campaign))


@dataclass(frozen=True)
class StreamerPlace:
    """A place in the list of a campaign's participations: after this `part`."""

    part: str

    @property
    def is_streamer(self) -> bool:
        """Whether it is one of this list: DynamoDB refuses a start outside of it."""
        return self.part.startswith(LISTED) and STREAMER.fullmatch(self.part.removeprefix(LISTED)) is not None


def all_taking_part(found: Sequence[Participation]) -> list[ParticipationResource]:
    """Participations with their live numbers: all tallies in one read, and each campaign once."""
    campaigns = {
        campaign_id: services().campaigns.get(campaign_id) for campaign_id in {each.campaign_id for each in found}
    }
    standings = services().participations.standings(found)
    return [_shown_live(each, campaigns[each.participation.campaign_id]) for each in standings]


def _streamer(given: str | None, caller: Principal) -> str:
    """Who joins. A user joins for themselves."""
    if given is None or given == caller.subject:
        return caller.subject
    if not caller.role.includes(Role.SERVICE):
        raise Invalid.of("streamer_id", "Only a service joins for someone else", "streamer_id_invalid")
    return given


handler = http.handler_of(app)
