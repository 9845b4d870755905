"""What the reports take and give."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, BeforeValidator, Field

from sluice import http
from sluice.http import Moment
from sluice.schemas import Page, Resource
from views import content
from views.content import Content
from views.reports.history import History, ListedAdjustment
from views.reports.period import Hours, day_of, day_or_hour_of
from views.reports.ranking import Ranked, RankedContent
from views.reports.refusals import RefusalsPlace, Summary, moment_of
from views.rules import Reason

# A person can read so many. The sums of the report include the others.
MOST_ADJUSTMENTS = 500

NOTE = "What came after moved_until is still in Redis, until the next sync moves it"
DISCLOSURE = "boosted views are promoted and stand apart from organic ones"


def _day(value: Any) -> date:
    return day_of(value)


def _day_or_hour(value: Any) -> date | datetime:
    return day_or_hour_of(value)


FirstDay = Annotated[date | None, BeforeValidator(_day), Query(alias="from", description="The first day.")]
LastDay = Annotated[date | None, BeforeValidator(_day), Query(alias="to", description="The last day.")]
FirstHour = Annotated[
    date | datetime | None,
    BeforeValidator(_day_or_hour),
    Query(alias="from", description="The first day, or the first hour, such as `2026-11-20T05:00:00Z`."),
]
LastHour = Annotated[
    date | datetime | None,
    BeforeValidator(_day_or_hour),
    Query(alias="to", description="The last day, or the last hour, which is included."),
]
OneRule = Annotated[
    Reason | None,
    Query(alias="rule", description="Only attempts that this rule refused, alone or together with others."),
]
OneContent = Annotated[
    str | None, Query(alias="content", description="Only refusals of this content.", examples=["story:123"])
]


class Report(BaseModel):
    """A report on views that the sync has moved to the database."""

    moved_until: Moment | None = Field(
        description="When the last finished sync took the pending views. Contents that it moved aside, and views of a "
        "shard that was new or had restarted, are not included: the next sync takes them. Null: there was no sync yet."
    )
    note: str = NOTE


class RefusalsOfHour(Resource):
    """Attempts to view a content that the same rules refused in one hour."""

    hour: Moment = Field(validation_alias="at")
    rules: list[str] = Field(
        description="All rules that refused these attempts.", examples=[["cooldown", "daily_viewed"]]
    )
    content_type: str | None = Field(description="Null for contents that had no room of their own in Redis.")
    content_id: str | None
    refusals: int


class RefusalsPage(Page[RefusalsOfHour], Report):
    """Refusals by hour, rules and content. A page may have fewer items than `limit` and still have a next page."""


class RefusalsByRules(BaseModel):
    """Attempts that exactly these rules refused."""

    rules: list[str]
    refusals: int


class RefusalsByHour(BaseModel):
    """Attempts that were refused in an hour."""

    hour: Moment
    refusals: int


class RefusalsSummary(Report):
    """Refused attempts. The numbers of `by_rules`, and also those of `by_hour`, add up to `attempts`."""

    attempts: int
    by_rule: dict[str, int] = Field(description="An attempt that several rules refused counts for each of them.")
    by_rules: list[RefusalsByRules]
    by_hour: list[RefusalsByHour] = Field(description="Hours without refusals are left out.")

    @classmethod
    def of(cls, summary: Summary, moved_until: datetime | None) -> "RefusalsSummary":
        return cls(
            moved_until=moved_until,
            attempts=summary.attempts,
            by_rule=summary.by_rule,
            by_rules=[RefusalsByRules(rules=list(rules), refusals=each) for rules, each in summary.by_rules.items()],
            by_hour=[RefusalsByHour(hour=moment_of(*hour), refusals=each) for hour, each in summary.by_hour.items()],
        )


class DayResource(Resource):
    """The views of a day, also if all are 0."""

    date: date
    organic: int = Field(description="Views by viewers, without `adjusted`. A day ends with the sync at midnight.")
    boosted: int = Field(description="Views that boost campaigns added. Below 0 if more were taken back.")
    adjusted: int = Field(description="Organic views that were added or taken away by hand.")


class PlatformDays(Report):
    """The views of all contents together, per day. Imported views have no day, so they are in none."""

    items: list[DayResource]
    time_zone: str = Field(description="The platform's time zone (TimeZone), in which days begin and end.")


class AdjustmentResource(Resource):
    """Organic views that were added or taken away by hand."""

    at: Moment
    views: int
    reason: str
    actor: str


class PeriodTotals(BaseModel):
    """The sums of a period's days."""

    organic: int
    boosted: int
    adjusted: int


class ContentTotals(Resource):
    """The present counters of a content: organic = organic of all days + imported + adjusted."""

    organic: int
    boosted: int
    imported: int | None = Field(
        description="Organic views that were imported from another system. Null if there was no import."
    )
    adjusted: int


class HistoryResource(Report):
    """The views of a content per day."""

    content_type: str
    content_id: str
    days: list[DayResource]
    totals: PeriodTotals
    adjustments: list[AdjustmentResource] = Field(
        description=f"The last {MOST_ADJUSTMENTS} of the period. The sums include all."
    )
    adjustments_left_out: int
    overall: ContentTotals
    disclosure: str | None = Field(description="Present if some of the views are boosted.")

    @classmethod
    def of(cls, named: Content, history: History, moved_until: datetime | None) -> "HistoryResource":
        listed: Sequence[ListedAdjustment] = history.adjustments[-MOST_ADJUSTMENTS:]
        is_boosted = history.overall.boosted or any(day.boosted for day in history.days)
        return cls(
            moved_until=moved_until,
            content_type=named[0],
            content_id=named[1],
            days=[DayResource.model_validate(day) for day in history.days],
            totals=PeriodTotals(
                organic=sum(day.organic for day in history.days),
                boosted=sum(day.boosted for day in history.days),
                adjusted=sum(day.adjusted for day in history.days),
            ),
            adjustments=[AdjustmentResource.model_validate(each) for each in listed],
            adjustments_left_out=len(history.adjustments) - len(listed),
            overall=ContentTotals.model_validate(history.overall),
            disclosure=DISCLOSURE if is_boosted else None,
        )


class RankedResource(BaseModel):
    """A content of the ranking."""

    content_id: str
    organic: int
    boosted: int = Field(description="Boosted views. They do not change the ranking.")
    disclosure: str | None = Field(description="Present if some of the views are boosted.")

    @classmethod
    def of(cls, place: RankedContent) -> "RankedResource":
        return cls(**vars(place), disclosure=DISCLOSURE if place.boosted else None)


class RankingPage(Page[RankedResource], Report):
    """The contents of a type with the most organic views."""

    content_type: str


def refusals_place(cursor: str | None, period: Hours) -> RefusalsPlace | None:
    """The place where a page of refusals begins. Raises Invalid for a cursor of another period."""
    days = set(map(date.isoformat, period.days))
    return http.place_of(cursor, RefusalsPlace, lambda place: place.day in days and place.part.isascii())


def ranking_place(cursor: str | None) -> Ranked | None:
    """The content after which a page of the ranking begins. Raises Invalid for the cursor of another list."""
    return http.place_of(cursor, Ranked, lambda place: content.is_id(place.content_id))
