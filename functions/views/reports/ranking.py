"""Ranking: the most viewed contents of a type, by organic views alone; boosted ones stand beside and never count."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ranked:
    """A content's place in the ranking of its type."""

    content_id: str
    organic: int


@dataclass(frozen=True)
class RankedContent(Ranked):
    """A content in the ranking. `boosted` has no part in where it stands."""

    boosted: int
