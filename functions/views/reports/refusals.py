"""Refusals: how many views were refused, by which rules, when and of which content; never of which viewer."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from views.content import Content
from views.reports.period import Hours


@dataclass(frozen=True)
class Wanted:
    """The requested refusals: of a period, by `rule` (alone or with other rules), of `content` (type, id)."""

    period: Hours
    rule: str | None = None
    content: Content | None = None


@dataclass(frozen=True)
class Refusals:
    """Attempts to view a content (`story:123`; `*`: of several) that the same rules refused in one hour, in UTC."""

    day: str
    hour: str
    rules: tuple[str, ...]
    content: str
    refusals: int

    @property
    def at(self) -> datetime:
        """When the hour began."""
        return moment_of(self.day, self.hour)

    @property
    def content_type(self) -> str | None:
        """None where the content is `*`."""
        return self.content.partition(":")[0] if self.content_id else None

    @property
    def content_id(self) -> str | None:
        return self.content.partition(":")[2] or None


@dataclass(frozen=True)
class RefusalsPlace:
    """A place in a list of refusals: a row of a day; the row itself may be missing."""

    day: str
    part: str


@dataclass(frozen=True)
class Summary:
    """Refused attempts. `by_rules` and `by_hour` add up to them; `by_rule` counts an attempt for each of its rules."""

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


def moment_of(day: str, hour: str) -> datetime:
    """When an hour of a day began, in UTC."""
    return datetime.fromisoformat(f"{day}T{hour}:00:00+00:00")
