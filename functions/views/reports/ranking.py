"""Ranking: the most viewed contents of a type, by organic views alone; boosted ones stand beside and never count."""

from dataclasses import dataclass

from sluice.totals import read_all
from views import totals
from views.totals import Ranked


@dataclass(frozen=True)
class Place:
    """A content in the ranking. `boosted` has no part in where it stands."""

    content_id: str
    organic: int
    boosted: int


def most_viewed(content_type: str, limit: int, after: Ranked | None) -> tuple[list[Place], Ranked | None]:
    """At most `limit` contents, and the one to go on after, if there are more."""
    ranked = totals.most_viewed(content_type, limit + 1, after)
    shown = ranked[:limit]
    found = read_all((content_type, each.content_id) for each in shown)
    places = [Place(each.content_id, each.organic, found[content_type, each.content_id].boosted) for each in shown]
    return places, shown[-1] if len(ranked) > limit else None
