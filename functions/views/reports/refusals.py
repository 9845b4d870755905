"""Refusals: how many views were refused, by which rules, when and of which content; never whose."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sluice.dynamodb import transient_as_unavailable
from views.items import RefusedHourItem, RefusedItem
from views.keys import content_field
from views.reports.period import Period

# Of one page; each takes a few milliseconds, and a rule that refused little may have a page full of hours.
MOST_QUERIES = 500

_FIRST_HOUR, _AFTER_HOURS = "00", "3"
_AFTER_RULES = "$"  # the character after `#`, and none of a rule's


@dataclass(frozen=True)
class Wanted:
    """Which refusals are asked for. `rule` is one of those that refused, `content` a type and an id."""

    period: Period
    rule: str | None = None
    content: tuple[str, str] | None = None


@dataclass(frozen=True)
class Refusals:
    """Attempts to view a content (`story:123`; `*`: of several) that the same rules refused in one hour, in UTC."""

    day: str
    hour: str
    rules: tuple[str, ...]
    content: str
    refusals: int


@dataclass(frozen=True)
class Place:
    """A place in a list of refusals: a row of a day, or where it would be."""

    day: str
    part: str


@dataclass(frozen=True)
class Summary:
    """Refused attempts; `by_rules` and `by_hour` add up to them, by rule an attempt counts for each that refused it."""

    by_rules: dict[tuple[str, ...], int]
    by_hour: dict[tuple[str, str], int]

    @property
    def attempts(self) -> int:
        return sum(self.by_rules.values())

    @property
    def by_rule(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for rules, refusals in self.by_rules.items():
            counts.update(dict.fromkeys(rules, refusals))
        return dict(counts)


def page(wanted: Wanted, limit: int, begin: Place | None = None) -> tuple[list[Refusals], Place | None]:
    """At most `limit` rows in the order of their hours, rules and contents, and the place to go on from, if any.

    There may be fewer and a place all the same: what is read for one page is bounded.
    """
    if wanted.content:
        return _page_of_content(wanted, limit, begin)
    found: list[Refusals] = []
    for number, (day, low, high) in enumerate(_ranges(wanted, begin)):
        if number == MOST_QUERIES:
            return found, Place(day, low)
        with transient_as_unavailable():
            between = RefusedItem.part.between(low, high)
            left = limit - len(found)
            items = list(RefusedItem.query(f"refused#{day}", between, limit=left + 1, consistent_read=True))
        found += [_refusals(item) for item in items]
        if len(found) > limit:
            return found[:limit], Place(day, items[-1].part)
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


def _ranges(wanted: Wanted, begin: Place | None) -> Iterator[tuple[str, str, str]]:
    """Days and the parts from which to which there is something wanted. Without a rule, all of a day."""
    for day in _days_from(wanted, begin):
        ranges = [(_FIRST_HOUR, _AFTER_HOURS)]
        if wanted.rule:
            groups = [f"{each.hour}#{'+'.join(each.rules)}" for each in _hours(wanted, day)]
            ranges = [(f"{group}#", f"{group}{_AFTER_RULES}") for group in groups]
        for low, high in ranges:
            first = max(low, begin.part) if begin and begin.day == day.isoformat() else low
            if first < high:
                yield day.isoformat(), first, high


def _page_of_content(wanted: Wanted, limit: int, begin: Place | None) -> tuple[list[Refusals], Place | None]:
    found: list[Refusals] = []
    for day in _days_from(wanted, begin):
        for each in _of_content(wanted, day):
            part = _part(each)
            if begin and begin.day == each.day and part < begin.part:
                continue
            if len(found) == limit:
                return found, Place(each.day, part)
            found.append(each)
    return found, None


def _days_from(wanted: Wanted, begin: Place | None) -> list[date]:
    return [day for day in wanted.period.days if not begin or day.isoformat() >= begin.day]


def _hours(wanted: Wanted, day: date) -> list[Refusals]:
    """The sums over all contents, which also say which hours and rules there are."""
    with transient_as_unavailable():
        items = list(RefusedHourItem.query(f"refused_hours#{day.isoformat()}", consistent_read=True))
    sums = [_refusals_at(day.isoformat(), item.part, int(item.refusals)) for item in items]
    return [each for each in sums if wanted.rule in (None, *each.rules)]


def _of_content(wanted: Wanted, day: date) -> list[Refusals]:
    """One content's rows, by name and not by looking through those of all others."""
    assert wanted.content
    content = content_field(*wanted.content)
    names = [(f"refused#{each.day}", f"{_part(each)}#{content}") for each in _hours(wanted, day)]
    with transient_as_unavailable():
        items = list(RefusedItem.batch_get(names, consistent_read=True))
    return sorted((_refusals(item) for item in items), key=_part)


def _refusals(item: RefusedItem) -> Refusals:
    return _refusals_at(item.id.removeprefix("refused#"), item.part, int(item.refusals))


def _refusals_at(day: str, part: str, refusals: int) -> Refusals:
    hour, rules, *content = part.split("#")
    return Refusals(day, hour, tuple(rules.split("+")), "".join(content), refusals)


def _part(refusals: Refusals) -> str:
    content = [refusals.content] if refusals.content else []
    return "#".join([refusals.hour, "+".join(refusals.rules), *content])
