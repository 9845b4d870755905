"""HTTP: promotions of owners, rewards of participants, and the accounts of both at networks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from promotions import bootstrap, engagement, quota
from promotions.bootstrap import PromotionsSettings
from promotions.commands import Promotions, Rules
from promotions.connecting import Accounts
from promotions.evidence import Evidence
from promotions.export import BEGIN, StatementPlace, statement_csv
from promotions.export import statement as statement_of
from promotions.ports import Account, Metrics, NetworkPolicy
from promotions.promotion import PREFIX, CloseReason, Promotion, PromotionStatus
from promotions.rewards import Rewards
from promotions.schemas import (
    ClaimResource,
    ConnectionResource,
    EditedPromotion,
    EngagementResource,
    ExceptionResource,
    LinkResource,
    LinksResource,
    MyRewardResource,
    MyRewardsResource,
    NetworkResource,
    NetworksResource,
    NewConnection,
    NewException,
    NewLink,
    NewMedia,
    NewPromotion,
    NewResolution,
    OperationResource,
    OperationsResource,
    PreviewResource,
    PromotionEvent,
    PromotionEvents,
    PromotionPage,
    PromotionResource,
    PromotionStatement,
    PurseResource,
    PursesResource,
    RewardPage,
    RewardResource,
    SandboxAccount,
    SandboxAccountResource,
    SandboxEngagement,
    SandboxPost,
    StatementLine,
    UploadResource,
    WithWhy,
)
from promotions.store import PromotionStore
from sluice import exports, http, money, settings
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.errors import Invalid, NotFound
from sluice.journal import Budget
from sluice.requests import Requester, RequestItem
from sluice.roles import Role
from sluice.schemas import BudgetResource, VerificationResource, place

CAMPAIGNS = "/v2/campaigns"
CAMPAIGN = f"{CAMPAIGNS}/<campaign_id>"
CONNECTIONS = "/v2/connections"
LINKS = "/v2/links"
EXCEPTION = "/v2/exceptions/<host>/<account>"
SANDBOX = "/v2/sandbox"

CampaignId = Annotated[str, Path(description="The promotion's id: `prm_` and a ULID.")]
OperationNumber = Annotated[int, Path(ge=1, le=10**6, description="The number of the publish, from 1.")]
NetworkName = Annotated[str, Path(description="`sandbox`, `mastodon` or `x`.")]
LinkId = Annotated[str, Path(description="The link's id: `lnk_` and a ULID.")]
ServerName = Annotated[
    str,
    Path(
        max_length=253,
        pattern=r"^[A-Za-z0-9.:-]+$",
        description="The network, or for Mastodon the server of the posts: `sandbox`, `x`, `mastodon.social`.",
    ),
]
AccountId = Annotated[
    str, Path(max_length=255, pattern=r"^[A-Za-z0-9._-]+$", description="The account's stable id at that server.")
]
HandleName = Annotated[str, Path(max_length=320, pattern=r"^[A-Za-z0-9_.@-]+$", description="The account's name.")]
PostId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9]+$", description="The post's id.")]

app = http.resolver()


@dataclass(frozen=True)
class Settings(PromotionsSettings):
    requests_table: str
    min_promotion_budget: int
    disclosure_tags: tuple[str, ...]


@dataclass(frozen=True)
class Services:
    """What the routes need."""

    promotions: Promotions
    rewards: Rewards
    accounts: Accounts
    evidence: Evidence
    store: PromotionStore
    networks: Any
    media: Any
    sandbox: Callable[[], Any]
    clock: SystemClock


@cache
def services() -> Services:
    read = settings.read(Settings)
    bind(RequestItem, read.requests_table)
    store, wake, clock = bootstrap.store(read), bootstrap.wake(read), SystemClock()
    connections, networks, media = bootstrap.connections(read), bootstrap.networks(read), bootstrap.media(read)
    rules = Rules(read.min_promotion_budget, read.disclosure_tags)
    return Services(
        Promotions(store, networks, connections, media, wake, clock, rules),
        Rewards(store, wake, clock),
        Accounts(connections, store, networks, bootstrap.secrets(read), clock),
        Evidence(store),
        store,
        networks,
        media,
        partial(bootstrap.sandbox, read),
        clock,
    )


def shown(found: Promotion) -> PromotionResource:
    """A promotion, and where its money is."""
    return PromotionResource.of(found, services().promotions.budget(found))


def published(found: Promotion) -> PromotionResource:
    """A promotion that was just published: the response is stored in the transaction that moves its money."""
    return PromotionResource.of(found, Budget(found.budget, found.budget, 0, 0, 0))


def location(found: Promotion) -> Mapping[str, str]:
    """Where its present publish is."""
    return {"Location": f"{CAMPAIGNS}/{found.id}/operations/{found.round}"}


# --- Promotions


@app.post(CAMPAIGNS, **http.require(Role.USER, 201, errors=[409]))
def create(
    body: Annotated[NewPromotion, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[PromotionResource]:
    """Create a draft of a promotion; `publish` funds it, and posts it."""
    made = partial(services().promotions.create, body.terms())
    return http.command(origin, key, made, PromotionResource, shown, 201)


@app.get(CAMPAIGNS, **http.require(Role.USER))
def page(
    caller: http.Caller,
    status: Annotated[PromotionStatus | None, Query(description="Only promotions in this status.")] = None,
    network: Annotated[str | None, Query(max_length=32, description="Only promotions at this network.")] = None,
    error: Annotated[bool, Query(description="Only promotions that have halted.")] = False,
    mine: Annotated[bool, Query(description="For an operator: only the caller's own promotions.")] = False,
    limit: http.Limit = http.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> PromotionPage:
    """List promotions, newest first: all for an operator, for others their own."""
    owner = caller.subject if mine or not caller.role.includes(Role.OPERATOR) else None
    after = place(cursor, PREFIX, of_index=owner is None and not error)
    found, following = services().promotions.page(status, limit, after, owner, halted=error)
    wanted = [each for each in found if network in (None, each.network)]
    return PromotionPage.of(map(shown, wanted), following)


@app.get(CAMPAIGN, **http.require(Role.USER, errors=[404]))
def get(campaign_id: CampaignId, caller: http.Caller) -> PromotionResource:
    """Return a promotion, and where its money is."""
    return shown(services().promotions.own(campaign_id, caller))


@app.patch(CAMPAIGN, **http.require(Role.USER, errors=[404, 409]))
def edit(
    campaign_id: CampaignId,
    body: Annotated[EditedPromotion, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[PromotionResource]:
    """Change a draft."""
    services().promotions.own(campaign_id, caller)
    made = partial(services().promotions.edit, campaign_id, body.given())
    return http.command(origin, key, made, PromotionResource, shown)


@app.delete(CAMPAIGN, **http.require(Role.USER, errors=[404, 409]))
def delete(
    campaign_id: CampaignId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[PromotionResource]:
    """Delete a draft. Its audit log stays."""
    services().promotions.own(campaign_id, caller, deleted=True)
    return http.command(origin, key, partial(services().promotions.delete, campaign_id), PromotionResource, shown)


_PUBLISHES = http.require(Role.USER, 202, errors=[404, 409])
_PUBLISHES["responses"][200] = {"description": "A dry run: nothing was changed."}


@app.post(f"{CAMPAIGN}/publish", **_PUBLISHES)
def publish(
    campaign_id: CampaignId,
    caller: http.Caller,
    origin: http.Origin,
    dry_run: Annotated[
        bool, Query(description="Only say what would be done, what stands against it, and its cost.")
    ] = False,
    key: http.IdempotencyKey = None,
) -> Response[PromotionResource | PreviewResource]:
    """Publish a draft: its budget moves from the owner's wallet, and its first post is the next step (S4-3).

    The answer comes at once; `Location` is the operation, which shows every stage and attempt.
    """
    found = services().promotions.own(campaign_id, caller)
    if dry_run:
        return Response(200, APPLICATION_JSON, PreviewResource.of(services().promotions.preview(found)))
    made = partial(services().promotions.publish, campaign_id)
    return http.command(origin, key, made, PromotionResource, published, 202, location)


@app.get(f"{CAMPAIGN}/operations", **http.require(Role.USER, errors=[404]))
def operations(campaign_id: CampaignId, caller: http.Caller) -> OperationsResource:
    """List all publishes of a promotion, with their stages."""
    found = services().promotions.operations(services().promotions.own(campaign_id, caller))
    return OperationsResource(items=[OperationResource.of(each) for each in found])


@app.get(f"{CAMPAIGN}/operations/<number>", **http.require(Role.USER, errors=[404]))
def operation(campaign_id: CampaignId, number: OperationNumber, caller: http.Caller) -> OperationResource:
    """Return one publish, with its stages."""
    found = services().promotions.own(campaign_id, caller)
    return OperationResource.of(services().promotions.operation(found, number))


@app.post(f"{CAMPAIGN}/cancel", **http.require(Role.USER, 202, errors=[404, 409]))
def cancel(
    campaign_id: CampaignId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[PromotionResource]:
    """Cancel a publish: after this answer no post begins, what was posted is deleted, and the budget goes back."""
    services().promotions.own(campaign_id, caller)
    return http.command(origin, key, partial(services().promotions.cancel, campaign_id), PromotionResource, shown, 202)


@app.post(f"{CAMPAIGN}/close", **http.require(Role.USER, 202, errors=[404, 409]))
def close(
    campaign_id: CampaignId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[PromotionResource]:
    """Close a running promotion now: participants are rewarded, and what is left of the budget is refunded."""
    found = services().promotions.own(campaign_id, caller)
    reason = CloseReason.OWNER if found.created_by == caller.subject else CloseReason.OPERATOR
    made = partial(services().promotions.close, campaign_id, reason)
    return http.command(origin, key, made, PromotionResource, shown, 202)


@app.post(f"{CAMPAIGN}/resume", **http.require(Role.USER, 202, errors=[404, 409]))
def resume(
    campaign_id: CampaignId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[PromotionResource]:
    """Let a promotion that has halted go on at the same stage."""
    services().promotions.own(campaign_id, caller)
    return http.command(origin, key, partial(services().promotions.resume, campaign_id), PromotionResource, shown, 202)


@app.post(f"{CAMPAIGN}/abandon", **http.require(Role.OPERATOR, 202, errors=[404, 409]))
def abandon(
    campaign_id: CampaignId,
    body: Annotated[WithWhy, Body()],
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[PromotionResource]:
    """Abandon a promotion that has halted: its posts and contract stay, and the money goes back to its owner.

    This is the one way in which a post may outlive its funding. At a close that has not refunded yet, nobody else is
    paid.
    """
    made = partial(services().promotions.abandon, campaign_id, body.reason)
    return http.command(origin, key, made, PromotionResource, shown, 202)


@app.post(f"{CAMPAIGN}/resolve", **http.require(Role.OPERATOR, 202, errors=[404, 409]))
def resolve(
    campaign_id: CampaignId,
    body: Annotated[NewResolution, Body()],
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[PromotionResource]:
    """Say what became of a call whose outcome is unknown; the promotion goes on from there.

    409 `another_call`: the open call is of another stage or attempt. 409 `call_not_settled`: it may still take effect.
    """
    made = partial(services().promotions.resolve, campaign_id, body.said())
    return http.command(origin, key, made, PromotionResource, shown, 202)


@app.post(f"{CAMPAIGN}/media", **http.require(Role.USER, 201, errors=[404, 409]))
def upload(campaign_id: CampaignId, body: Annotated[NewMedia, Body()], caller: http.Caller) -> Response[UploadResource]:
    """Return a form by which a picture is uploaded, within 15 minutes. Then name its id in the draft's `media`.

    S3 refuses another type or a larger file. A picture that is not published within 7 days is deleted.
    """
    policy = services().networks.policy(services().promotions.draft(campaign_id, caller).network)
    if body.type not in policy.media_types:
        known = ", ".join(sorted(policy.media_types))
        raise Invalid.of("type", f"{policy.network} takes {known}", "media_type")
    if body.bytes > policy.media_bytes:
        raise Invalid.of("bytes", f"{policy.network} takes at most {policy.media_bytes} bytes", "media_too_large")
    made = services().media.upload(campaign_id, body.type, body.bytes, services().clock.now())
    return Response(201, APPLICATION_JSON, UploadResource.of(made))


# --- What came of it


@app.get(f"{CAMPAIGN}/engagement", **http.require(Role.USER, errors=[404]))
def engaged(campaign_id: CampaignId, caller: http.Caller) -> EngagementResource:
    """Return the metrics of the promotion's posts, as they were read last."""
    found = engagement.tracked(services().promotions.own(campaign_id, caller).id)
    if found is None:
        raise NotFound("This promotion has not run", "engagement_not_found")
    return EngagementResource.of(found)


@app.get(f"{CAMPAIGN}/rewards", **http.require(Role.USER, errors=[404]))
def rewards(
    campaign_id: CampaignId, caller: http.Caller, limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> RewardPage:
    """List the participants, with what each gets, or the reason why not."""
    found = services().promotions.own(campaign_id, caller)
    after = http.place_of(cursor, ParticipantPlace, lambda place: place.is_hash)
    listed, following = services().rewards.page(found, limit, after.hash if after else None)
    return RewardPage.of(map(RewardResource.of, listed), ParticipantPlace(following) if following else None)


@app.post(f"{CAMPAIGN}/claims", **http.require(Role.USER, errors=[404, 409]))
def claim(campaign_id: CampaignId, origin: http.Origin) -> ClaimResource:
    """Claim the caller's share of a promotion that has closed. A repeat finds it paid, and returns the same."""
    requester = Requester(origin.subject, origin.request_id)
    found = services().rewards.claim(campaign_id, requester)
    currency = services().promotions.get(campaign_id).currency
    return ClaimResource(campaign_id=campaign_id, currency=currency, items=[RewardResource.of(each) for each in found])


@app.get("/v2/rewards", **http.require(Role.USER))
def my_rewards(caller: http.Caller) -> MyRewardsResource:
    """List the caller's rewards over all promotions, newest first, with what each is worth, or why not."""
    found = services().rewards.of(caller.subject)
    return MyRewardsResource(items=[MyRewardResource.mine(*each) for each in found])


@app.get(f"{CAMPAIGN}/statement", **http.require(Role.USER, errors=[404]))
def statement(
    campaign_id: CampaignId, caller: http.Caller, limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> PromotionStatement:
    """List what moved in and out of the promotion's accounts, oldest first."""
    found = services().promotions.own(campaign_id, caller)
    after = http.place_of(cursor, StatementPlace, lambda place: place.is_line)
    lines, following = statement_of(found.id, limit, after or BEGIN)
    return PromotionStatement.of(
        [StatementLine.of(*each) for each in lines],
        following,
        campaign_id=found.id,
        currency=found.currency,
        exponent=money.exponent(found.currency),
        money=BudgetResource.model_validate(services().promotions.budget(found)),
    )


@app.get(f"{CAMPAIGN}/statement/export", **http.require(Role.USER, errors=[404], media=exports.MEDIA))
def statement_export(
    campaign_id: CampaignId,
    caller: http.Caller,
    limit: http.CsvLimit = http.MAX_CSV_LINES,
    cursor: http.Cursor = None,
) -> Response[str]:
    """Return the statement as CSV. `Link` has the next page."""
    found = services().promotions.own(campaign_id, caller)
    after = http.place_of(cursor, StatementPlace, lambda place: place.is_line)
    lines, following = statement_of(found.id, limit, after or BEGIN)
    return http.csv_answer(
        statement_csv(lines, found.currency, with_header=cursor is None), {"limit": limit}, following
    )


@app.get(f"{CAMPAIGN}/verify", **http.require(Role.USER, errors=[404]))
def verify(campaign_id: CampaignId, caller: http.Caller) -> VerificationResource:
    """Check the promotion's numbers against the ledger's entries and its participants."""
    found = services().promotions.own(campaign_id, caller)
    return VerificationResource.of(found.id, services().evidence.verify(found))


@app.get(f"{CAMPAIGN}/events", **http.require(Role.USER, errors=[404]))
def events(
    campaign_id: CampaignId, caller: http.Caller, limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> PromotionEvents:
    """List what happened to the promotion, newest first: its audit log."""
    found = services().promotions.own(campaign_id, caller)
    after = http.place_of(cursor, EventPlace, lambda place: 0 < place.number < 10**12)
    entries, following = services().store.log(found.id, limit, after.number if after else None)
    return PromotionEvents.of(map(PromotionEvent.of, entries), EventPlace(following) if following else None)


# --- Accounts at networks


@app.get("/v2/networks", **http.require(Role.USER))
def networks() -> NetworksResource:
    """List the networks that promotions can be published at: what each allows and costs, and what is left of it."""
    now = services().clock.now()

    def one(policy: NetworkPolicy, hosts: Sequence[str]) -> NetworkResource:
        left = {host: quota.left(policy.network, host, now) for host in hosts or [policy.network]}
        return NetworkResource.of(policy, hosts, left)

    return NetworksResource(items=[one(*each) for each in services().networks.all()])


@app.get(f"{CONNECTIONS}/<network>", **http.require(Role.USER, errors=[404]))
def connection(network: NetworkName, caller: http.Caller) -> ConnectionResource:
    """Return with which account the caller publishes at a network."""
    return ConnectionResource.of(services().accounts.connection(caller.subject, network))


@app.put(f"{CONNECTIONS}/<network>", **http.require(Role.USER, errors=[404, 409]))
def connect(
    network: NetworkName,
    body: Annotated[NewConnection, Body()],
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ConnectionResource]:
    """Connect a network with a token of the caller's account. The network is asked whose token it is.

    While a promotion is published or runs there, only a new token of the same account is taken.
    """
    made = partial(services().accounts.connect, network, body.host, body.token)
    return http.command(origin, key, made, ConnectionResource, ConnectionResource.of)


@app.delete(f"{CONNECTIONS}/<network>", **http.require(Role.USER, errors=[404, 409]))
def disconnect(
    network: NetworkName, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[ConnectionResource]:
    """Forget a connection and its token. Refused while a promotion is published or runs with it."""
    made = partial(services().accounts.disconnect, network)
    return http.command(origin, key, made, ConnectionResource, ConnectionResource.of)


@app.post(LINKS, **http.require(Role.USER, 201, errors=[409]))
def ask(
    body: Annotated[NewLink, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[LinkResource]:
    """Begin to prove that an account is the caller's: write the answer's `code` into its profile."""
    made = partial(services().accounts.ask, body.network, body.host, body.handle)
    return http.command(origin, key, made, LinkResource, LinkResource.of, 201)


@app.get(LINKS, **http.require(Role.USER))
def links(caller: http.Caller) -> LinksResource:
    """List the caller's links."""
    return LinksResource(items=[LinkResource.of(each) for each in services().accounts.links(caller.subject)])


@app.post(f"{LINKS}/<link_id>/verify", **http.require(Role.USER, errors=[404, 409]))
def prove(link_id: LinkId, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[LinkResource]:
    """Read the account's profile, and link the account if its profile has the code. Who proves it first has it."""
    made = partial(services().accounts.prove, link_id)
    return http.command(origin, key, made, LinkResource, LinkResource.of)


@app.delete(f"{LINKS}/<link_id>", **http.require(Role.USER, errors=[404, 409]))
def unlink(link_id: LinkId, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[LinkResource]:
    """Delete a link."""
    made = partial(services().accounts.unlink, link_id)
    return http.command(origin, key, made, LinkResource, LinkResource.of)


@app.get(EXCEPTION, **http.require(Role.OPERATOR, errors=[404]))
def exception(host: ServerName, account: AccountId) -> ExceptionResource:
    """Return what an operator said of an account."""
    return ExceptionResource.of(services().accounts.verdict(host.lower(), account))


@app.put(EXCEPTION, **http.require(Role.OPERATOR, errors=[404, 409]))
def judge(
    host: ServerName,
    account: AccountId,
    body: Annotated[NewException, Body()],
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ExceptionResource]:
    """Say whether an account is eligible, whatever the rules say. It is audited."""
    made = partial(services().accounts.judge, host.lower(), account, body.eligible, body.reason)
    return http.command(origin, key, made, ExceptionResource, ExceptionResource.of)


@app.delete(EXCEPTION, **http.require(Role.OPERATOR, errors=[404, 409]))
def take_back(
    host: ServerName, account: AccountId, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[ExceptionResource]:
    """Let the rules decide about an account again. It is audited."""
    made = partial(services().accounts.take_back, host.lower(), account)
    return http.command(origin, key, made, ExceptionResource, ExceptionResource.of)


@app.get("/v2/wallet", **http.require(Role.USER))
def wallet(caller: http.Caller) -> PursesResource:
    """List the caller's wallets, as `GET /api/v1/wallets/me` does."""
    items = [PurseResource.of(each) for each in services().promotions.wallets(caller.subject)]
    return PursesResource(user=caller.subject, items=items)


# --- The sandbox


@app.put(f"{SANDBOX}/accounts/<handle>", **http.require(Role.OPERATOR, errors=[404]))
def set_account(handle: HandleName, body: Annotated[SandboxAccount, Body()]) -> SandboxAccountResource:
    """Set what the sandbox knows of an account."""
    made = services().sandbox().set_account(Account(id="", handle=handle, **dict(body)))
    return SandboxAccountResource(id=made.id, handle=made.handle)


@app.put(f"{SANDBOX}/posts/<post_id>/engagement", **http.require(Role.OPERATOR, errors=[404]))
def set_engagement(post_id: PostId, body: Annotated[SandboxEngagement, Body()]) -> SandboxPost:
    """Set who engaged with a post of the sandbox. Its metrics are read within a minute."""
    counts, engaged_by = body.counts, body.engaged()
    if not services().sandbox().set_engagement(post_id, engaged_by, Metrics(**dict(counts)) if counts else None):
        raise NotFound("The sandbox has no such post", "post_not_found")
    engagement.read_now(post_id, services().clock.now())
    return SandboxPost(post_id=post_id, engaged=sum(map(len, engaged_by.values())))


@dataclass(frozen=True)
class ParticipantPlace:
    """A place in the list of participants: after this hash."""

    hash: str

    @property
    def is_hash(self) -> bool:
        """Whether it can be a participant's: a cursor may be forged."""
        return len(self.hash) == 64 and not self.hash.strip("0123456789abcdef")


@dataclass(frozen=True)
class EventPlace:
    """A place in what happened: before this entry."""

    number: int


handler = http.handler_of(app)
