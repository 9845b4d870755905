"""Which views count: the rules, when they are asked, and what they answer.

`track.lua` is what runs. What they mean is `decide` in tests/rules_model.py: the script must agree with it on every
history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sluice.clock import day_start, next_midnight
from sluice.errors import Misconfigured

COOLDOWN = "cooldown"
DAILY_VIEWED = "daily_viewed"
SESSION_LIMIT = "session_limit"
DAILY_LIMIT = "daily_limit"
BOT = "bot"
DO_NOT_TRACK = "do_not_track"
UNREGISTERED = "unregistered"
TOO_MANY_CONTENTS = "too_many_contents"
NETWORK_LIMIT = "network_limit"

Reason = Literal[
    "cooldown",
    "daily_viewed",
    "session_limit",
    "daily_limit",
    "unregistered",
    "too_many_contents",
    "network_limit",
    "bot",
    "do_not_track",
]

LONGEST_SECONDS = 45 * 86_400  # the script keeps a session's age in 4 bytes of milliseconds: 49 days
LONGEST_DAY_SECONDS = 25 * 3600  # when summer time ends
SHORTEST_DAY_SECONDS = 23 * 3600


@dataclass(frozen=True)
class Rules:
    """The limits; the defaults are the sources' own. Any of them at zero, or False, is switched off."""

    max_per_session: int = 3
    """S2-2: views of one content by one viewer in one session."""
    max_per_day: int = 100
    """S2-3: views of all contents by one viewer in one day of the configured zone."""
    once_per_day: bool = True
    """S2-4: one view of a content by a viewer in such a day."""
    cooldown_seconds: int = 5 * 60
    """S2-5: from a counted view of a content to the next that may count."""
    session_seconds: int = 24 * 3600
    """S2-6: a session begins with the first counted view of the content, and does not slide (decision 15)."""
    registered_only: bool = False
    """Views of registered contents only, where a shard knows them all."""
    max_contents: int = 100_000
    """Contents that one shard keeps pending views of, and fields that it keeps refusals in, until the next sync.

    Of contents whose ids nobody vouches for, a tenth: `track.lua` says which. Registered contents always pass.
    """
    network_limit: int = 0
    """Counted views of one content by all anonymous viewers of one network in one day of the configured zone."""

    def __post_init__(self) -> None:
        """Raises Misconfigured for a limit that is negative or too long to be kept."""
        for name in (
            *("max_per_session", "max_per_day", "cooldown_seconds", "session_seconds", "max_contents"),
            "network_limit",
        ):
            if getattr(self, name) < 0:
                raise Misconfigured(f"{name} must be 0 (off) or more")
        for name in ("cooldown_seconds", "session_seconds"):
            if getattr(self, name) > LONGEST_SECONDS:
                raise Misconfigured(f"{name} must be at most {LONGEST_SECONDS}")
        for name, most in (
            ("max_per_session", 2**16 - 1),
            ("max_per_day", 2**32 - 1),
            ("network_limit", 2**32 - 1),
            ("max_contents", 2**32 - 1),
        ):
            if getattr(self, name) > most:
                raise Misconfigured(f"{name} must be at most {most}")

    @property
    def memory_seconds(self) -> int:
        """How long after a counted view any rule can still ask for it."""
        return max(self.session_seconds, self.cooldown_seconds, LONGEST_DAY_SECONDS)

    @property
    def max_unknown_contents(self) -> int:
        """The part of `max_contents` that may be unknown."""
        return -(-self.max_contents // 10)

    @property
    def carry_over_seconds(self) -> int:
        """How long after midnight a view of the day before can still refuse one.

        With one view a day, a session has no more views than the days that it touches: it may be too short for its
        limit.
        """
        sessions = self.session_seconds if self.max_per_session else 0
        if self.once_per_day and self.max_per_session > self.session_seconds // SHORTEST_DAY_SECONDS + 1:
            sessions = 0
        return max(self.cooldown_seconds, sessions)


@dataclass(frozen=True)
class RuleSettings:
    """The variables that say what the rules are: the same for who counts and for who explains."""

    max_views_per_session: int
    max_views_per_day: int
    once_per_day: bool
    cooldown_seconds: int
    session_seconds: int
    registered_only: bool
    max_contents: int
    network_limit: int

    def rules(self) -> Rules:
        """Raises Misconfigured."""
        return Rules(
            max_per_session=self.max_views_per_session,
            max_per_day=self.max_views_per_day,
            once_per_day=self.once_per_day,
            cooldown_seconds=self.cooldown_seconds,
            session_seconds=self.session_seconds,
            registered_only=self.registered_only,
            max_contents=self.max_contents,
            network_limit=self.network_limit,
        )


@dataclass(frozen=True)
class ViewMoment:
    """A moment and the day it is in, in milliseconds since 1970, with the day's name (`2026-11-20`) and the hour in UTC
    (`2026-11-20T08`).
    """

    now: int
    day_start: int
    day_end: int
    day: str
    hour: str


class Calendar:
    """Turns times into moments of the days of one zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._hour = (0, 0, "")
        self._day = (0, 0, "")

    def moment(self, now: datetime) -> ViewMoment:
        """The moment, whose day and hour are worked out only when they are others than the last time."""
        milliseconds = _milliseconds(now)
        if not self._day[0] <= milliseconds < self._day[1]:
            end = next_midnight(now, self._zone)
            date = now.astimezone(self._zone).date()
            self._day = (_milliseconds(day_start(date, self._zone)), _milliseconds(end), date.isoformat())
        if not self._hour[0] <= milliseconds < self._hour[1]:
            start_of_hour = milliseconds - milliseconds % 3_600_000
            self._hour = (start_of_hour, start_of_hour + 3_600_000, now.astimezone(UTC).strftime("%Y-%m-%dT%H"))
        return ViewMoment(milliseconds, *self._day, self._hour[2])


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Decision:
    """Whether a view counts. If not: every rule that refused it, and when all of them would let it pass."""

    reasons: tuple[str, ...] = ()
    retry_after_seconds: int | None = None
    """Rounded up: not a moment before that does it count. None when waiting does not help (a bot), or until when is not
    known (too many contents: until a sync).
    """

    @property
    def is_counted(self) -> bool:
        return not self.reasons

    @property
    def reason(self) -> str | None:
        """The first of the reasons."""
        return self.reasons[0] if self.reasons else None

    @classmethod
    def after(cls, reasons: Sequence[str], wait_milliseconds: int) -> "Decision":
        """A refusal that ends, as far as is known, in `wait_milliseconds`."""
        return cls(tuple(reasons), -(-wait_milliseconds // 1000))


COUNTED = Decision()
