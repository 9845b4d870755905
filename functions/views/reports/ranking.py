"""Ranking: the most viewed contents of a type by organic views. Boosted views are shown and never change it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ranked:
    """A content's place in the ranking of its type."""

    content_id: str
    organic: int


@dataclass(frozen=True)
class RankedContent(Ranked):
    """A content in the ranking, with its boosted views."""

    boosted: int
