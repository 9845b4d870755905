"""Reads the reports: refusals, a content's history, the most viewed; and until when the sync has moved everything."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sluice import boosts, totals
from sluice.dynamodb import read_batch, readable, transient_as_unavailable, values_of
from sluice.totals import Kind, TotalItem, key
from views.content import Content
from views.items import DAYS, AdjustedItem, ControlItem, DailyItem, PlatformDayItem, RefusedHourItem, RefusedItem, id_of
from views.keys import content_field
from views.reports.history import History, HistoryDay, ListedAdjustment, Overall
from views.reports.period import Period
from views.reports.ranking import Ranked, RankedContent
from views.reports.refusals import Refusals, RefusalsPlace, Summary, Wanted

# For one page. Each takes a few milliseconds, and a rule that refuses little needs one for each hour.
MOST_QUERIES = 500

_AFTER_RULES = "$"  # the character after `#`, and none of a rule's


def moved_until() -> datetime | None:
    """When the last closed epoch was opened; None before the first."""
    control = ControlItem.present()
    if control and not control.closed_at:
        control = ControlItem.past(control.epoch - 1)
    # Epoch 0 numbers the shards and moves nothing.
    return control.opened_at if control and control.epoch else None


def history(content: Content, period: Period, zone: ZoneInfo) -> History:
    """The history of a content (type, id), in days of `zone`; a day without views has zeros."""
    organic = _organic_days(content, period)
    boosted = totals.read_boosted_days(*content, period.days)
    adjustments = _adjustments(content)
    of_period = [each for each in adjustments if each.at.astimezone(zone).date() in period]
    adjusted = dict.fromkeys(period.days, 0)
    for each in of_period:
        adjusted[each.at.astimezone(zone).date()] += each.views
    total = totals.read_all([content])[content]
    overall = Overall(total.organic, total.boosted, total.imported, sum(each.views for each in adjustments))
    days = [HistoryDay(day, organic.get(day.isoformat(), 0), boosted[day], adjusted[day]) for day in period.days]
    return History(days, of_period, overall)


def platform_days(period: Period) -> list[HistoryDay]:
    """The days of all contents together; a day without views has zeros."""
    with transient_as_unavailable():
        of_period = PlatformDayItem.part.between(period.first.isoformat(), period.last.isoformat())
        items = PlatformDayItem.query(DAYS, of_period, consistent_read=True)
        found = dict(readable(items, lambda item: (item.part, (int(item.views), int(item.adjusted)))))
    boosted = boosts.read_days(period.days)
    return [
        HistoryDay(day, organic=organic, boosted=boosted[day], adjusted=adjusted)
        for day in period.days
        for organic, adjusted in [found.get(day.isoformat(), (0, 0))]
    ]


def _organic_days(content: Content, period: Period) -> dict[str, int]:
    with transient_as_unavailable():
        of_period = DailyItem.part.between(period.first.isoformat(), period.last.isoformat())
        items = DailyItem.query(id_of(content), of_period, consistent_read=True)
        return dict(readable(items, lambda item: (item.part, int(item.views))))


def _adjustments(content: Content) -> list[ListedAdjustment]:
    """All adjustments of a content. They are made by hand, so they are few."""
    with transient_as_unavailable():
        items = AdjustedItem.query(id_of(content), AdjustedItem.part.startswith("adjusted#"), consistent_read=True)
        return list(readable(items, lambda item: ListedAdjustment(**values_of(item, ListedAdjustment))))


def most_viewed(content_type: str, limit: int, after: Ranked | None) -> tuple[list[RankedContent], Ranked | None]:
    """At most `limit` contents, and the place of the next page, if there are more."""
    ranked, is_more = _ranked(content_type, limit, after)
    shown = ranked[:limit]
    found = totals.read_all((content_type, each.content_id) for each in shown)
    places = [
        RankedContent(each.content_id, each.organic, found[content_type, each.content_id].boosted) for each in shown
    ]
    return places, shown[-1] if shown and is_more else None


def _ranked(content_type: str, limit: int, after: Ranked | None) -> tuple[list[Ranked], bool]:
    """The contents of a type with the most organic views in the database, in that order, from after a place.

    The index lags behind the counters by moments.
    """
    place = None
    if after is not None:
        last = key(Kind.ORGANIC, content_type, after.content_id)
        place = {"key": {"S": last}, "ranked": {"S": content_type}, "views": {"N": str(after.organic)}}
    with transient_as_unavailable():
        items = TotalItem.by_views.query(
            content_type, scan_index_forward=False, limit=limit + 1, last_evaluated_key=place
        )
        found = list(readable(items, _rank))
    return found, items.total_count > limit


def _rank(item: TotalItem) -> Ranked:
    _, _, content_id = item.key.split("#", 2)
    return Ranked(content_id, int(item.views))


def refusals_page(
    wanted: Wanted, limit: int, begin: RefusalsPlace | None = None
) -> tuple[list[Refusals], RefusalsPlace | None]:
    """At most `limit` rows in the order of their hours, rules and contents, and the place of the next page, if any.

    A page may have fewer rows and still a next page, because the reads for one page are bounded.
    """
    if wanted.content:
        return _page_of_content(wanted, limit, begin)
    found: list[Refusals] = []
    for number, (day, low, high) in enumerate(_ranges(wanted, begin)):
        if number == MOST_QUERIES:
            return found, RefusalsPlace(day, low)
        with transient_as_unavailable():
            between = RefusedItem.part.between(low, high)
            left = limit - len(found)
            items = RefusedItem.query(f"refused#{day}", between, limit=left + 1, consistent_read=True)
            read = list(readable(items, _refusals))
        if items.total_count > left:
            key_of_last = items.last_evaluated_key
            last = key_of_last["part"]["S"] if key_of_last else max(map(_part, read), default=high)
            return found + [each for each in read if _part(each) < last], RefusalsPlace(day, last)
        found += read
    return found, None


def summary(wanted: Wanted) -> Summary:
    """How many were refused, by which rules and when."""
    by_rules: Counter[tuple[str, ...]] = Counter()
    by_hour: Counter[tuple[str, str]] = Counter()
    for day in wanted.period.days:
        for each in _of_content(wanted, day) if wanted.content else _hours(wanted, day):
            by_rules[each.rules] += each.refusals
            by_hour[each.day, each.hour] += each.refusals
    return Summary(dict(by_rules), dict(sorted(by_hour.items())))


def _ranges(wanted: Wanted, begin: RefusalsPlace | None) -> Iterator[tuple[str, str, str]]:
    """Days, and the ranges of `part` with wanted rows. Without a rule, all wanted hours of the day."""
    for day in _days_from(wanted, begin):
        first_hour, last_hour = wanted.period.of_day(day)
        ranges = [(first_hour, f"{last_hour}{_AFTER_RULES}")]
        if wanted.rule:
            groups = [f"{each.hour}#{'+'.join(each.rules)}" for each in _hours(wanted, day)]
            ranges = [(f"{group}#", f"{group}{_AFTER_RULES}") for group in groups]
        for low, high in ranges:
            first = max(low, begin.part) if begin and begin.day == day.isoformat() else low
            if first < high:
                yield day.isoformat(), first, high


def _page_of_content(
    wanted: Wanted, limit: int, begin: RefusalsPlace | None
) -> tuple[list[Refusals], RefusalsPlace | None]:
    found: list[Refusals] = []
    for day in _days_from(wanted, begin):
        for each in _of_content(wanted, day):
            part = _part(each)
            if begin and begin.day == each.day and part < begin.part:
                continue
            if len(found) == limit:
                return found, RefusalsPlace(each.day, part)
            found.append(each)
    return found, None


def _days_from(wanted: Wanted, begin: RefusalsPlace | None) -> list[date]:
    return [day for day in wanted.period.days if not begin or day.isoformat() >= begin.day]


def _hours(wanted: Wanted, day: date) -> list[Refusals]:
    """The sums over all contents, which also say which hours and rules there are."""
    first_hour, last_hour = wanted.period.of_day(day)
    with transient_as_unavailable():
        of_period = RefusedHourItem.part.between(first_hour, f"{last_hour}{_AFTER_RULES}")
        items = RefusedHourItem.query(f"refused_hours#{day.isoformat()}", of_period, consistent_read=True)
        sums = list(readable(items, lambda item: _refusals_at(day.isoformat(), item.part, int(item.refusals))))
    return [each for each in sums if wanted.rule in (None, *each.rules)]


def _of_content(wanted: Wanted, day: date) -> list[Refusals]:
    """One content's rows, read by their keys."""
    assert wanted.content
    content = content_field(*wanted.content)
    names = [(f"refused#{each.day}", f"{_part(each)}#{content}") for each in _hours(wanted, day)]
    return sorted(read_batch(RefusedItem, names, _refusals), key=_part)


def _refusals(item: RefusedItem) -> Refusals:
    return _refusals_at(item.id.removeprefix("refused#"), item.part, int(item.refusals))


def _refusals_at(day: str, part: str, refusals: int) -> Refusals:
    hour, rules, *content = part.split("#")
    return Refusals(day, hour, tuple(rules.split("+")), "".join(content), refusals)


def _part(refusals: Refusals) -> str:
    content = [refusals.content] if refusals.content else []
    return "#".join([refusals.hour, "+".join(refusals.rules), *content])
