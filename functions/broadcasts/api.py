"""HTTP: campaigns of bulk messages, what became of each recipient, and what a campaign would do (S5-27 to S5-34)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query

from broadcasts import export, regions
from broadcasts.bucket import list_bucket
from broadcasts.campaign import PREFIX, Broadcast, BroadcastStatus
from broadcasts.checks_queue import checks_queue
from broadcasts.commands import Broadcasts, Rules, Written
from broadcasts.given import GivenLists
from broadcasts.import_schemas import ListImportResource, NewListImport, NewListImportForm
from broadcasts.import_store import ImportStore
from broadcasts.items import BroadcastsItem, MessagesItem
from broadcasts.owners import EVERYBODY
from broadcasts.recipients import CleanList
from broadcasts.reviewing import Reviews
from broadcasts.row import SOURCE_STATUS, RowKey, RowStatus
from broadcasts.schemas import (
    BroadcastListed,
    BroadcastPage,
    BroadcastResource,
    BroadcastStats,
    CampaignAction,
    EditedBroadcast,
    NewBroadcast,
    ProgressResource,
    RetriedResource,
    RowPage,
    RowResource,
    SimulatedBroadcast,
    SimulatedRest,
    SimulationOfBroadcast,
    TestMessage,
)
from broadcasts.secret import ContactsSecret
from broadcasts.selection import Direction, Filter, Order, RowFilter, RowPlace, SortBy
from broadcasts.speaking import in_the_readers_language
from broadcasts.uploading import Imports
from sluice import exports, http, settings
from sluice.clock import SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.errors import Forbidden, Invalid
from sluice.requests import RequestItem
from sluice.roles import Principal, Role
from sluice.schemas import place
from sluice.store import Place
from sluice.wake import WakeSettings, wake_of

CAMPAIGNS = "/api/campaigns"
CAMPAIGN = f"{CAMPAIGNS}/<campaign_id>"
MOST_BYTES = 4 * 1024 * 1024
"""Of a body with recipients: Lambda's 6 MB are those of the escaped event (amendment 18). More come as a file."""
MOST_OFFSET = 1000

CampaignId = Annotated[str, Path(description="The campaign's id: `brd_` and a ULID.")]
ImportId = Annotated[str, Path(description="The import's id: `imp_` and a ULID.")]
RowName = Annotated[
    str,
    Path(pattern=r"^g[0-9]{1,6}-r[0-9]{1,2}-[0-9]{1,7}$", description="The recipient's `key` in the campaign's list."),
]
Owner = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=256,
        description="For an operator: whose campaigns; `*` for all. Else the caller's own.",
    ),
]
Match = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=70,
        description="The `planHash` of a simulation: the campaign starts only if it would do what was reviewed.",
    ),
]

ShownStatus = Literal["DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "COMPLETED", "FAILED"]

app = http.resolver()


@dataclass(frozen=True)
class Settings(CommitSettings, WakeSettings):
    broadcasts_table: str
    messages_table: str
    broadcasts_bucket: str
    broadcasts_imports_queue_url: str
    broadcasts_queue_url: str
    broadcasts_queue_arn: str
    contacts_secret_arn: str
    max_rate_per_minute: int
    requests_table: str


@dataclass(frozen=True)
class Services:
    """What the routes need."""

    campaigns: Broadcasts
    reviews: Reviews
    imports: Imports
    clock: SystemClock


@cache
def services() -> Services:
    read = settings.read(Settings)
    bind(BroadcastsItem, read.broadcasts_table)
    bind(MessagesItem, read.messages_table)
    bind(RequestItem, read.requests_table)
    clock, bucket = SystemClock(), list_bucket(read.broadcasts_bucket)
    store = ImportStore(database(read))
    imports = Imports(store, bucket, checks_queue(read.broadcasts_imports_queue_url), clock)
    lists = GivenLists(bucket, ContactsSecret(read.contacts_secret_arn), clock)
    wake = wake_of(read, read.broadcasts_queue_url, read.broadcasts_queue_arn)
    rules = Rules(read.max_rate_per_minute)
    campaigns = Broadcasts(store, lists, wake, clock, rules)
    return Services(campaigns, Reviews(store, regions.region_of), imports, clock)


def shown(found: Broadcast) -> BroadcastResource:
    """A campaign with its counters and its text."""
    campaigns = services().campaigns
    return BroadcastResource.whole(found, campaigns.totals(found), campaigns.text(found))


def as_written(written: Written, cleaned: CleanList | None, found: Broadcast) -> BroadcastResource:
    """A campaign whose text is being written; `cleaned` are the recipients of the request."""
    campaigns = services().campaigns
    return BroadcastResource.whole(found, campaigns.totals(found), written.text or campaigns.text(found), cleaned)


def retried(found: Broadcast) -> RetriedResource:
    """The answer to a retry."""
    campaigns = services().campaigns
    return RetriedResource.of(found, campaigns.totals(found), campaigns.text(found))


def listed(found: Broadcast) -> BroadcastListed:
    """A campaign without its text."""
    return BroadcastListed.of(found, services().campaigns.totals(found))


def owner_of(caller: Principal, owner: str | None) -> str | None:
    """Whose campaigns a list has; None for everybody's. Raises Forbidden."""
    if owner in (None, caller.subject):
        return caller.subject
    if not caller.role.includes(Role.OPERATOR):
        raise Forbidden(f"To see the campaigns of others needs the role operator; yours is {caller.role}", "forbidden")
    return None if owner == EVERYBODY else owner


# --- Campaigns


@app.post(CAMPAIGNS, **http.require(Role.USER, 201, errors=[409], max_body_bytes=MOST_BYTES))
def create(
    body: Annotated[NewBroadcast, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[BroadcastResource]:
    """Create a campaign: a draft, or scheduled if it has a time and recipients (S5-27).

    All is checked first: if anything is wrong, nothing is saved. A body over 4 MiB is refused with 413: import the
    recipients as a CSV file.
    """
    asked, campaigns = body.asked(), services().campaigns
    cleaned = campaigns.cleaned(origin.subject, asked)
    written = Written()
    made = partial(campaigns.create, asked, cleaned, written)
    return http.command(origin, key, made, BroadcastResource, partial(as_written, written, cleaned), 201, location)


def location(found: Broadcast) -> Mapping[str, str]:
    """Where a campaign is."""
    return {"Location": f"{CAMPAIGNS}/{found.id}"}


@app.get(CAMPAIGNS, **http.require(Role.USER))
def page(
    caller: http.Caller,
    status: Annotated[ShownStatus | None, Query(description="Only campaigns in this status (S5-5).")] = None,
    instance_id: Annotated[
        str | None,
        Query(alias="instanceId", min_length=1, max_length=40, description="Only campaigns of this instance."),
    ] = None,
    search: Annotated[str | None, Query(max_length=200, description="Only campaigns whose name has this text.")] = None,
    limit: http.Limit = http.DEFAULT_LIMIT,
    offset: Annotated[
        int | None, Query(ge=0, le=MOST_OFFSET, description="How many to leave out; not with `cursor`.")
    ] = None,
    sort_by: Annotated[SortBy | None, Query(alias="sortBy", description="By default createdAt.")] = None,
    sort_order: Annotated[Direction | None, Query(alias="sortOrder", description="By default desc.")] = None,
    cursor: http.Cursor = None,
    owner: Owner = None,
) -> BroadcastPage:
    """List campaigns, newest first (S5-28).

    `offset`, `sortBy`, `sortOrder` and `search` read all campaigns of the owner: 400 `too_many_to_sort` above 1,000.
    """
    listed, wanted = owner_of(caller, owner), Filter(BroadcastStatus(status) if status else None, instance_id, search)
    order = Order(sort_by or SortBy.CREATED_AT, sort_order or Direction.DESC)
    given = {"offset": offset, "sortBy": sort_by, "sortOrder": sort_order, "search": search}
    sorts = [name for name, value in given.items() if value is not None]
    campaigns = services().campaigns
    if sorts:
        if cursor:
            raise Invalid.of("cursor", f"cursor does not go with {sorts[0]}")
        every = campaigns.sorted(listed, wanted, order)
        begin = offset or 0
        return _page(every[begin : begin + limit], None, len(every))
    after = place(cursor, PREFIX, of_index=True)
    return _page(*campaigns.page(listed, wanted, limit, after))


def _page(found: list[Broadcast], following: Place | None, total: int | None = None) -> BroadcastPage:
    counted = services().campaigns.totals_of(found)
    items = [BroadcastListed.of(*each) for each in zip(found, counted, strict=True)]
    return BroadcastPage(items=items, next_cursor=http.cursor_of(following), total=total)


# Before the route of one campaign: `stats` is no id (decision 46).
@app.get(f"{CAMPAIGNS}/stats", **http.require(Role.USER))
def stats(caller: http.Caller, owner: Owner = None) -> BroadcastStats:
    """Return totals over the caller's campaigns (S5-29)."""
    return BroadcastStats.of(services().campaigns.stats(owner_of(caller, owner)))


@app.post(f"{CAMPAIGNS}/simulate", **http.require(Role.USER, max_body_bytes=MOST_BYTES))
def simulate(body: Annotated[SimulatedBroadcast, Body()], caller: http.Caller) -> SimulationOfBroadcast:
    """Return what a campaign would do, without creating it: its first 50 messages, who would get none, when, the cost.

    It is checked as a create is.
    """
    asked, campaigns = body.asked(), services().campaigns
    cleaned = campaigns.cleaned(caller.subject, asked)
    terms, text, instance = campaigns.checked(caller.subject, asked)
    now = services().clock.now()
    review = services().reviews.of_request(caller.subject, terms, text, instance, cleaned, body.lines, now)
    return SimulationOfBroadcast.of(review, cleaned)


@app.get(CAMPAIGN, **http.require(Role.USER, errors=[404]))
def get(campaign_id: CampaignId, caller: http.Caller) -> BroadcastResource:
    """Return a campaign (S5-30)."""
    return shown(services().campaigns.own(campaign_id, caller))


@app.put(CAMPAIGN, **http.require(Role.USER, errors=[404, 409], max_body_bytes=MOST_BYTES))
def edit(
    campaign_id: CampaignId,
    body: Annotated[EditedBroadcast, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[BroadcastResource]:
    """Change a draft, or a scheduled campaign (S5-31): all fields are optional, and `recipients` replace the list."""
    asked, campaigns = body.asked(), services().campaigns
    found = campaigns.own(campaign_id, caller, deleted=True)
    cleaned = campaigns.cleaned(found.owner, asked, found)
    written = Written()
    made = partial(campaigns.edit, campaign_id, asked, cleaned, written)
    return http.command(origin, key, made, BroadcastResource, partial(as_written, written, cleaned))


@app.delete(CAMPAIGN, **http.require(Role.USER, 202, errors=[404, 409]))
def delete(
    campaign_id: CampaignId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[BroadcastListed]:
    """Delete a campaign that is a draft, completed or failed (S5-32). Its rows are removed; its audit log stays."""
    campaigns = services().campaigns
    campaigns.own(campaign_id, caller, deleted=True)
    return http.command(origin, key, partial(campaigns.delete, campaign_id), BroadcastListed, listed, 202)


@app.post(f"{CAMPAIGN}/actions", **http.require(Role.USER, errors=[404, 409]))
def act(
    campaign_id: CampaignId,
    body: Annotated[CampaignAction, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
    match: Match = None,
) -> Response[BroadcastResource | RetriedResource]:
    """Start, pause, resume, cancel or retry a campaign (S5-33).

    After the answer to `pause` or `cancel` nothing is claimed; what is in flight, `inFlight`, is settled by
    `inFlightUntil`. `retry` sends to those that failed for a reason that may pass, and to what its flags add. 409
    `plan_changed`: the campaign would not do what was reviewed.
    """
    campaigns, reviews = services().campaigns, services().reviews
    campaigns.own(campaign_id, caller, deleted=True)
    plan_hash = match.strip('"') if match is not None else None

    def reviewed(found: Broadcast, now: Any) -> None:
        reviews.require_plan(found, plan_hash, now)

    if plan_hash is not None and body.action not in ("start", "resume"):
        raise Invalid.of("If-Match", "If-Match goes with start and resume")
    answer = partial(http.command, origin, key)
    match body.action:
        case "retry":
            made = partial(campaigns.retry, campaign_id, body.include_unknown, body.include_final)
            return answer(made, RetriedResource, retried)
        case "pause":
            return answer(partial(campaigns.pause, campaign_id), BroadcastResource, shown)
        case "cancel":
            return answer(partial(campaigns.cancel, campaign_id), BroadcastResource, shown)
        case _:
            resumes = body.action == "resume"
            made = partial(campaigns.start, campaign_id, reviewed=reviewed, resumes=resumes)
            return answer(made, BroadcastResource, shown)


@app.get(f"{CAMPAIGN}/progress", **http.require(Role.USER, errors=[404]))
def progress(campaign_id: CampaignId, caller: http.Caller) -> ProgressResource:
    """Return a campaign's progress (S5-34): one read that is exact; ask again after `nextPollSeconds`."""
    campaigns, now = services().campaigns, services().clock.now()
    found = campaigns.progress(campaign_id, caller)
    ends_at = services().reviews.ends_at(found.campaign, found.counts, now)
    return ProgressResource.of(found.campaign, found.counts, now, ends_at, stopped=campaigns.is_stopped())


@app.post(f"{CAMPAIGN}/simulate", **http.require(Role.USER, errors=[404, 409]))
def simulate_rest(
    campaign_id: CampaignId, caller: http.Caller, body: Annotated[SimulatedRest | None, Body()] = None
) -> SimulationOfBroadcast:
    """Return what a campaign would do from now on. 409 `still_importing` while its recipients are being stored."""
    found = services().campaigns.own(campaign_id, caller)
    lines = body.lines if body else []
    return SimulationOfBroadcast.of(services().reviews.of_campaign(found, lines, services().clock.now()))


@app.post(f"{CAMPAIGN}/test", **http.require(Role.USER, 201, errors=[404, 409]))
def send_test(
    campaign_id: CampaignId,
    body: Annotated[TestMessage, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[BroadcastResource]:
    """Send the campaign's message to one phone now, as a campaign of one recipient that no list has."""
    campaigns, written = services().campaigns, Written()
    found = campaigns.own(campaign_id, caller, deleted=True)
    made = partial(campaigns.test, found, body.recipient(), written)
    return http.command(origin, key, made, BroadcastResource, partial(as_written, written, None), 201, location)


# --- Recipients


@app.get(f"{CAMPAIGN}/recipients", **http.require(Role.USER, errors=[404]))
def recipients(
    campaign_id: CampaignId,
    caller: http.Caller,
    status: Annotated[RowStatus | None, Query(description="Only recipients in this status.")] = None,
    phone: Annotated[
        str | None, Query(pattern=r"^[0-9]{10,15}$", description="Only the recipient of this phone.")
    ] = None,
    statuses: Annotated[
        Literal["source"] | None, Query(description="`source`: in PENDING, SENT, DELIVERED and FAILED alone (S5-5).")
    ] = None,
    limit: http.Limit = http.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> RowPage:
    """List a campaign's recipients, in the order in which they are sent to."""
    is_source = statuses == "source"
    if is_source and status in SOURCE_STATUS:
        raise Invalid.of("status", f"The source has no status {status}")
    campaigns = services().campaigns
    found = campaigns.own(campaign_id, caller)
    after = http.place_of(cursor, RowPlace, lambda place: place.is_row)
    wanted = RowFilter.of(status, phone, is_source=is_source)
    rows, following = campaigns.rows_page(found, wanted, limit, after)
    items = [RowResource.of(each, found, is_source=is_source) for each in rows]
    return RowPage(items=items, next_cursor=http.cursor_of(following))


@app.get(f"{CAMPAIGN}/recipients/<key>", **http.require(Role.USER, errors=[404]))
def recipient(campaign_id: CampaignId, key: RowName, caller: http.Caller) -> RowResource:
    """Return one recipient, with its attempts and its error."""
    campaigns = services().campaigns
    found = campaigns.own(campaign_id, caller)
    return RowResource.of(campaigns.row(found, RowKey.parse(key.replace("-", "/"))), found)


@app.get(f"{CAMPAIGN}/report.csv", **http.require(Role.USER, errors=[404], media=exports.MEDIA))
def report(campaign_id: CampaignId, caller: http.Caller, cursor: http.Cursor = None) -> Response[str]:
    """Return what became of each recipient, as CSV: 10,000 rows or 4 MiB. `Link` has the next part (S5-53)."""
    campaigns = services().campaigns
    found = campaigns.own(campaign_id, caller)
    after = http.place_of(cursor, RowPlace, lambda place: place.is_row)
    part = export.report(found, partial(campaigns.rows, found), after)
    return http.csv_answer(part.text, {}, part.following)


# --- Recipients that come as a file


@app.post(f"{CAMPAIGN}/recipients/import", **http.require(Role.USER, 201, errors=[404, 409]))
def import_file(
    campaign_id: CampaignId, body: Annotated[NewListImport, Body()], caller: http.Caller
) -> Response[NewListImportForm]:
    """Return a form by which a CSV file of recipients is uploaded, within 15 minutes; then start the import (S5-9)."""
    found = services().campaigns.own(campaign_id, caller)
    made, form = services().imports.begin(found, body.options(), caller.subject)
    return Response(201, APPLICATION_JSON, NewListImportForm.of(made, form))


@app.get(f"{CAMPAIGN}/imports/<import_id>", **http.require(Role.USER, errors=[404]))
def imported(campaign_id: CampaignId, import_id: ImportId, caller: http.Caller) -> ListImportResource:
    """Return how an import stands, with the first rows that were rejected, and why."""
    found = services().campaigns.own(campaign_id, caller)
    return ListImportResource.of(services().imports.find(found, import_id))


@app.post(f"{CAMPAIGN}/imports/<import_id>/start", **http.require(Role.USER, 202, errors=[404, 409]))
def start_import(
    campaign_id: CampaignId,
    import_id: ImportId,
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ListImportResource]:
    """Begin to read the uploaded file. Its recipients replace those before."""
    found = services().campaigns.own(campaign_id, caller, deleted=True)
    made = partial(services().imports.start, found, import_id)
    return http.command(origin, key, made, ListImportResource, ListImportResource.started, 202)


handler = in_the_readers_language(http.handler_of(app))
