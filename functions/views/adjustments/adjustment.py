"""Adjustments: corrections of a content's organic views, each with its reason and audited."""

from dataclasses import dataclass
from datetime import datetime

from views.content import Content

PREFIX = "adj"
"""The prefix of an adjustment's id."""
MOST_VIEWS = 10**9


@dataclass(frozen=True)
class Adjustment:
    """Views that were added to a content's organic views; below 0: taken away."""

    id: str
    views: int
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True)
class Adjusted:
    """An adjustment, and the organic views in the database after it."""

    content: Content
    adjustment: Adjustment
    organic: int


@dataclass(frozen=True)
class Place:
    """A place in the list of a content's adjustments: after the adjustment `id`."""

    id: str
