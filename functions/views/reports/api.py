"""HTTP: refusals, a content's history and the most viewed contents, from the database."""

from dataclasses import dataclass
from datetime import UTC, date
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from sluice import exports, http, settings
from sluice.boosts import BoostedDaysItem
from sluice.clock import SystemClock, rfc3339
from sluice.dynamodb import bind
from sluice.roles import Role
from sluice.totals import TotalItem
from views import content
from views.items import ViewsItem
from views.reports import store
from views.reports.export import history_csv, ranking_csv, refusals_csv
from views.reports.period import Period, hours, period
from views.reports.refusals import Wanted
from views.reports.schemas import (
    DayResource,
    FirstDay,
    FirstHour,
    HistoryResource,
    LastDay,
    LastHour,
    OneContent,
    OneRule,
    PlatformDays,
    RankedResource,
    RankingPage,
    RefusalsPage,
    RefusalsSummary,
    ranking_place,
    refusals_place,
)
from views.schemas import ContentId, ContentType

REFUSALS = "/api/admin/views/refusals"
HISTORY = "/api/admin/views/<content_type>/<content_id>/history"
DAYS = "/api/admin/views/days"
TOP = "/api/admin/views/top"

MOST_DAYS_OF_REFUSALS = 31
USUAL_DAYS_OF_HISTORY = 30
MOST_DAYS_OF_HISTORY = 366

RankedType = Annotated[str, Query(alias="content_type", description="One of the installation's content types.")]

app = http.resolver()


@dataclass(frozen=True)
class Settings:
    views_table: str
    totals_table: str
    boosts_table: str
    time_zone: ZoneInfo
    content_types: tuple[str, ...]


@cache
def configured() -> Settings:
    read = settings.read(Settings)
    bind(ViewsItem, read.views_table)
    bind(TotalItem, read.totals_table)
    bind(BoostedDaysItem, read.boosts_table)
    return read


def wanted(first: date | None, last: date | None, rule: str | None, named: str | None) -> Wanted:
    """The requested refusals; by default today's. Days are in UTC, as their hours are."""
    content_types = configured().content_types
    today = SystemClock().now().astimezone(UTC).date()
    asked = hours(first, last, today, most_days=MOST_DAYS_OF_REFUSALS)
    return Wanted(asked, rule, content.named(named, content_types, "content") if named else None)


def days_of_history(first: date | None, last: date | None) -> Period:
    today = SystemClock().now().astimezone(configured().time_zone).date()
    return period(first, last, today, usual=USUAL_DAYS_OF_HISTORY, most=MOST_DAYS_OF_HISTORY)


@app.get(REFUSALS, **http.require(Role.OPERATOR))
def list_refusals(
    first: FirstHour = None,
    last: LastHour = None,
    rule: OneRule = None,
    named: OneContent = None,
    limit: http.Limit = http.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> RefusalsPage:
    """List refused views by hour, rules and content, oldest first. Up to 31 days or so many hours, in UTC."""
    asked = wanted(first, last, rule, named)
    found, following = store.refusals_page(asked, limit, refusals_place(cursor, asked.period))
    return RefusalsPage.of(found, following, moved_until=store.moved_until())


@app.get(f"{REFUSALS}/summary", **http.require(Role.OPERATOR))
def sum_refusals(
    first: FirstHour = None, last: LastHour = None, rule: OneRule = None, named: OneContent = None
) -> RefusalsSummary:
    """Sum the refused views by rule and hour. Up to 31 days or so many hours, in UTC."""
    return RefusalsSummary.of(store.summary(wanted(first, last, rule, named)), store.moved_until())


@app.get(f"{REFUSALS}/export", **http.require(Role.OPERATOR, media=exports.MEDIA))
def export_refusals(
    first: FirstHour = None,
    last: LastHour = None,
    rule: OneRule = None,
    named: OneContent = None,
    limit: http.CsvLimit = http.MAX_CSV_LINES,
    cursor: http.Cursor = None,
) -> Response[str]:
    """Return refused views as CSV. The `Link` header has the next part."""
    asked = wanted(first, last, rule, named)
    found, following = store.refusals_page(asked, limit, refusals_place(cursor, asked.period))
    query = {
        "from": rfc3339(asked.period.first),
        "to": rfc3339(asked.period.last),
        "rule": rule,
        "content": named,
        "limit": limit,
    }
    text = refusals_csv(found, with_header=cursor is None)
    return http.csv_answer(text, query, following)


@app.get(DAYS, **http.require(Role.OPERATOR))
def days(first: FirstDay = None, last: LastDay = None) -> PlatformDays:
    """Return the organic, boosted and adjusted views of all contents together per day. By default 30 days, at most 366.

    Organic and boosted views stay apart. Pending views are not included: see `moved_until`.
    """
    found = store.platform_days(days_of_history(first, last))
    items = [DayResource.model_validate(day) for day in found]
    return PlatformDays(items=items, moved_until=store.moved_until(), time_zone=configured().time_zone.key)


@app.get(HISTORY, **http.require(Role.OPERATOR, errors=[404]))
def history(
    content_type: ContentType, content_id: ContentId, first: FirstDay = None, last: LastDay = None
) -> HistoryResource:
    """Return a content's organic, boosted and adjusted views per day. By default 30 days, at most 366."""
    asked = content.check(content_type, content_id, configured().content_types)
    found = store.history(asked, days_of_history(first, last), configured().time_zone)
    return HistoryResource.of(asked, found, store.moved_until())


@app.get(f"{HISTORY}/export", **http.require(Role.OPERATOR, errors=[404], media=exports.MEDIA))
def export_history(
    content_type: ContentType, content_id: ContentId, first: FirstDay = None, last: LastDay = None
) -> Response[str]:
    """Return a content's views per day as CSV."""
    asked = content.check(content_type, content_id, configured().content_types)
    found = store.history(asked, days_of_history(first, last), configured().time_zone)
    return http.csv_answer(history_csv(asked, found.days), {})


@app.get(TOP, **http.require(Role.OPERATOR))
def top(content_type: RankedType, limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None) -> RankingPage:
    """List the most viewed contents of a type, by organic views only (S2-30)."""
    content.check_type(content_type, configured().content_types)
    found, following = store.most_viewed(content_type, limit, ranking_place(cursor))
    places = map(RankedResource.of, found)
    return RankingPage.of(places, following, moved_until=store.moved_until(), content_type=content_type)


@app.get(f"{TOP}/export", **http.require(Role.OPERATOR, media=exports.MEDIA))
def export_top(
    content_type: RankedType, limit: http.CsvLimit = http.MAX_CSV_LINES, cursor: http.Cursor = None
) -> Response[str]:
    """Return the most viewed contents of a type as CSV. The `Link` header has the next part."""
    content.check_type(content_type, configured().content_types)
    found, following = store.most_viewed(content_type, limit, ranking_place(cursor))
    text = ranking_csv(content_type, found, with_header=cursor is None)
    query = {"content_type": content_type, "limit": limit}
    return http.csv_answer(text, query, following)


handler = http.handler_of(app)
