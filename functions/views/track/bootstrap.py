"""Where tracking's settings, viewers and Redis meet: for what counts a view, and for what explains one."""

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sluice import keyring
from views.rules import RuleSettings
from views.settings import ViewsSettings
from views.track import counter
from views.track.counter import ViewCounter
from views.viewers import Viewers


@dataclass(frozen=True)
class TrackingSettings(RuleSettings, ViewsSettings):
    """What the functions that recognise viewers and decide on views read from the environment."""

    time_zone: ZoneInfo
    content_types: tuple[str, ...]
    honour_do_not_track: bool
    literal_user_keys: bool
    views_secret: str


def recognised(settings: TrackingSettings, subject_of: Callable[[str], str | None]) -> Viewers:
    """Recognises viewers. Raises Misconfigured."""
    return Viewers(
        keyring.usable(settings.views_secret, "views secret"),
        settings.time_zone,
        subject_of,
        settings.rules(),
        settings.view_shards,
        names_users=settings.literal_user_keys,
    )


def deciding(settings: TrackingSettings) -> ViewCounter:
    """Decides on views by the rules, in Redis, which is connected to when it is first asked. Raises Misconfigured."""
    return ViewCounter(
        lambda: counter.nodes(settings.redis_url, settings.redis_mode),
        settings.rules(),
        settings.time_zone,
        settings.view_shards,
    )
