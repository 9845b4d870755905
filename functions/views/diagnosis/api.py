"""HTTP: how tracking stands, why a view would count or not, and registered content."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import http, keyring, settings
from sluice.audit import EntryItem
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.errors import NotFound
from sluice.outbox import EventItem
from sluice.roles import Role
from views import bootstrap, content
from views.bootstrap import READ_REDIS_SECONDS, ViewsSettings
from views.diagnosis.explaining import Explainer, Explanation
from views.diagnosis.schemas import AskedView, ContentResource, ExplanationResource, NewContent, StatsResource
from views.diagnosis.stats import StatsReader
from views.registered.rebuild import Registration
from views.registered.store import Registry
from views.rules import Calendar, Rules, RuleSettings
from views.shards.store import RedisShards
from views.track import counter
from views.track.counter import Counter
from views.viewers import Viewers

DAY_SECONDS = 86_400
CONTENT = "/api/admin/content/<content_type>/<content_id>"

app = http.resolver()

ContentType = Annotated[str, Path(description="One of the installation's content types.", examples=["story"])]
ContentId = Annotated[str, Path(description="The content's id.", examples=["123"])]


@dataclass(frozen=True)
class Settings(RuleSettings, ViewsSettings):
    """What the function reads from the environment."""

    audit_table: str
    outbox_table: str
    time_zone: ZoneInfo
    content_types: tuple[str, ...]
    honour_do_not_track: bool
    literal_user_keys: bool
    views_secret: str


@cache
def configured() -> Settings:
    return settings.read(Settings)


@cache
def rules() -> Rules:
    return configured().rules()


@cache
def shards() -> RedisShards:
    return bootstrap.redis_shards(configured(), READ_REDIS_SECONDS)


@cache
def stats_reader() -> StatsReader:
    read = configured()
    control = bootstrap.store(read).control
    return StatsReader(shards, control, SystemClock(), Calendar(read.time_zone), shard_count=read.view_shards)


@cache
def explainer() -> Explainer:
    read = configured()
    recognised = Viewers(
        keyring.usable(read.views_secret, "views secret"),
        read.time_zone,
        lambda subject: subject,
        timedelta(seconds=read.session_seconds or DAY_SECONDS),
        names_users=read.literal_user_keys,
    )
    return Explainer(
        recognised,
        Counter(lambda: counter.nodes(read.redis_url, read.redis_mode), rules(), read.time_zone, read.view_shards),
        shards,
        SystemClock(),
        Calendar(read.time_zone),
        rules(),
        shard_count=read.view_shards,
        honours_do_not_track=read.honour_do_not_track,
    )


@cache
def registration() -> Registration:
    read = configured()
    bind(EntryItem, read.audit_table)
    bind(EventItem, read.outbox_table)
    return Registration(
        Registry(Database(), read.views_table), shards, lambda: bootstrap.ever_used(read), SystemClock()
    )


@app.get("/api/admin/views/stats", **http.require(Role.OPERATOR))
def stats() -> StatsResource:
    """How tracking and the sync stand (S2-28)."""
    return StatsResource.of(stats_reader().read(), rules())


@app.post("/api/admin/views/explain", **http.require(Role.OPERATOR))
def explain(body: Annotated[AskedView, Body()]) -> ExplanationResource:
    """What would happen to a view by this viewer now, and why. Nothing is counted, and nothing kept of the viewer."""
    content.check(body.content_type, body.content_id, configured().content_types)
    return ExplanationResource.of(_explanation(body))


@app.put(CONTENT, **http.require(Role.ADMIN, errors=[404]))
def put(
    content_type: ContentType, content_id: ContentId, body: Annotated[NewContent, Body()], caller: http.Caller
) -> ContentResource:
    """Register a content, or change its title and owner. A repeat changes nothing.

    After a 503 repeat it: the content may be written, and not known to tracking yet.
    """
    content.check(content_type, content_id, configured().content_types)
    return ContentResource.of(registration().put(content_type, content_id, body.title, body.owner, caller.subject))


@app.get(CONTENT, **http.require(Role.OPERATOR, errors=[404]))
def get(content_type: ContentType, content_id: ContentId) -> ContentResource:
    """A registered content."""
    content.check(content_type, content_id, configured().content_types)
    found = registration().get(content_type, content_id)
    if found is None:
        raise NotFound("This content is not registered", "content_not_found")
    return ContentResource.of(found)


def _explanation(asked: AskedView) -> Explanation:
    viewer, of = asked.viewer, (asked.content_type, asked.content_id)
    if viewer.user is not None:
        return explainer().of_user(viewer.user, *of)
    if viewer.session is not None:
        return explainer().of_session(viewer.session, *of)
    return explainer().of_address(viewer.source_ip or "", viewer.user_agent or "", *of)


@http.logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
