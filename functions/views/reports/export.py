"""The reports as CSV."""

from collections.abc import Iterable

from sluice import exports
from sluice.clock import rfc3339
from views.reports.history import HistoryDay
from views.reports.ranking import RankedContent
from views.reports.refusals import Refusals

_REFUSALS = ("hour", "rules", "content_type", "content_id", "refusals")
_HISTORY = ("content_type", "content_id", "date", "organic", "boosted", "adjusted")
_RANKING = ("content_type", "content_id", "organic", "boosted")


def refusals_csv(items: Iterable[Refusals], *, with_header: bool) -> str:
    """A line per hour, combination of rules (joined by spaces) and content."""
    lines = (
        [rfc3339(each.at), " ".join(each.rules), each.content_type, each.content_id, each.refusals] for each in items
    )
    return exports.text_of(_REFUSALS, lines, with_header=with_header)


def history_csv(content: tuple[str, str], days: Iterable[HistoryDay]) -> str:
    """A line per day."""
    lines = ([*content, day.date.isoformat(), day.organic, day.boosted, day.adjusted] for day in days)
    return exports.text_of(_HISTORY, lines, with_header=True)


def ranking_csv(content_type: str, places: Iterable[RankedContent], *, with_header: bool) -> str:
    """A line per content, the most viewed first."""
    lines = ([content_type, each.content_id, each.organic, each.boosted] for each in places)
    return exports.text_of(_RANKING, lines, with_header=with_header)
