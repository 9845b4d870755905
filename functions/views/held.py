"""The content of the viewer shards as values, and the errors of reading them. `views.shards.store` reads them."""

import re
from dataclasses import dataclass
from enum import Enum

from sluice.errors import SluiceError, Unavailable
from views.rules import ViewMoment

_ENTRY = re.compile(r"((?:(?P<epoch>[0-9]+):)?(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}):)?(?P<views>[0-9]+)")


class Taken(Enum):
    """What an epoch takes from a shard."""

    VIEWS = "views"
    REFUSALS = "refusals"


class RedisAway(Unavailable):
    """Raised when Redis does not answer."""


class Outdated(SluiceError):
    """Raised when a shard is in a later epoch: the caller's epoch is done, and the caller must stop."""


@dataclass(frozen=True)
class Part:
    """Views of one content that belong to one epoch and one day. `day` is None for the epoch's own."""

    epoch: int
    views: int
    day: str | None = None


def parts_of(value: str, epoch: int) -> tuple[Part, ...]:
    """The views of one content, of a field of `pending` or `syncing` (`2026-11-26:3;2026-11-25:40;`, of `epoch`) or of
    `parked` (`7:2026-11-26:3;`). A bare number, as older releases wrote it, is of the epoch's day.

    Entries that cannot be read, as when the field was written by hand, are left out.
    """
    found = [_ENTRY.fullmatch(entry) for entry in value.split(";")]
    return tuple(Part(int(each["epoch"] or epoch), int(each["views"]), each["day"]) for each in found if each)


def is_readable(value: str) -> bool:
    """Whether `parts_of` leaves nothing out."""
    return all(_ENTRY.fullmatch(entry) for entry in value.split(";") if entry)


@dataclass(frozen=True)
class AwayView:
    """A view that the database took while Redis did not answer: the viewer's key, the content and the time."""

    viewer: str
    content: str
    moment: ViewMoment


@dataclass(frozen=True)
class Seen:
    """What one shard held of one content at one moment. `parts` are what a sync has taken and not dropped."""

    epoch: int
    pending: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class ShardStats:
    """How one shard stands. Times are in milliseconds, 0 where there is nothing so old."""

    epoch: int
    pending_contents: int
    syncing_contents: int
    parked_contents: int
    refused_fields: int
    pending_views: int
    pending_since: int
    syncing_since: int
    viewers: int
    sessions: int
    unknown_contents: int
    """Pending contents whose ids nobody vouches for."""
    refused_too_many: int
    """Views that were refused for too many contents since the last epoch."""
    is_registry_complete: int
    """1 when it has all registered contents, else 0."""


@dataclass(frozen=True)
class Standing:
    """What the rules remember of one viewer and one content. Times are in milliseconds."""

    day: int = 0
    views: int = 0
    """Counted views of all contents on that day."""
    last_view: int | None = None
    """The content's last counted view; None when it has none."""
    session_start: int = 0
    session_views: int = 0
    pending_contents: int = 0
    unknown_contents: int = 0
    network_views: int = 0
    """Counted views of the content by anonymous viewers of the viewer's network, on the day."""
