"""How many requests each network allows, and what is left of them. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Family(StrEnum):
    """Requests that share a budget."""

    POSTS = "posts"
    METRICS = "metrics"
    ENGAGERS = "engagers"


@dataclass(frozen=True)
class Limit:
    """At most so many requests in a window of so many seconds, for all users of a server."""

    most: int
    seconds: int


LIMITS = {
    # https://docs.joinmastodon.org/api/rate-limits/: 300 requests in 5 minutes, of all families.
    "mastodon": {Family.POSTS: Limit(60, 300), Family.METRICS: Limit(120, 300), Family.ENGAGERS: Limit(120, 300)},
    # https://docs.x.com/x-api/fundamentals/rate-limits: per user; here for all users, which is less.
    "x": {Family.POSTS: Limit(100, 900), Family.METRICS: Limit(900, 900), Family.ENGAGERS: Limit(75, 900)},
    "sandbox": {family: Limit(10_000, 60) for family in Family},
}


@dataclass(frozen=True)
class Left:
    """What is left of a budget in the present window."""

    family: Family
    used: int
    most: int
    window_seconds: int
    blocked_until: datetime | None
    last_success: datetime | None
