"""What would happen to a view now, and why: the tracking script decides, and counts nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sluice.clock import Clock
from sluice.errors import Invalid
from views import keys, viewers
from views.beside import ALONE, Beside
from views.held import Standing
from views.rules import (
    BOT,
    COOLDOWN,
    DAILY_LIMIT,
    DAILY_VIEWED,
    DO_NOT_TRACK,
    NETWORK_LIMIT,
    SESSION_LIMIT,
    TOO_MANY_CONTENTS,
    UNREGISTERED,
    Calendar,
    Decision,
    Rules,
    ViewMoment,
)
from views.viewers import Viewers, ViewRequest


class Unit(StrEnum):
    """What a rule counts."""

    SECONDS = "seconds"
    VIEWS = "views"
    CONTENTS = "contents"


_UNITS: Mapping[str, Unit] = {
    COOLDOWN: Unit.SECONDS,
    DAILY_VIEWED: Unit.VIEWS,
    SESSION_LIMIT: Unit.VIEWS,
    DAILY_LIMIT: Unit.VIEWS,
    NETWORK_LIMIT: Unit.VIEWS,
    TOO_MANY_CONTENTS: Unit.CONTENTS,
}


class Decider(Protocol):
    """Decides; `views.track.counter.ViewCounter` says how."""

    def explain(
        self,
        viewer: str,
        content_type: str,
        content_id: str,
        now: datetime,
        reasons: Sequence[str] = (),
        beside: Beside = ALONE,
    ) -> Decision: ...


class StandingShards(Protocol):
    """The viewer shards; `views.shards.store.RedisShards` says what it does."""

    def standing(self, viewer: str, shards: int, content: str, beside: Beside = ALONE) -> Standing: ...


@dataclass(frozen=True)
class RuleStanding:
    """One rule, its limit, and how much of it the viewer has used. None for a rule without a limit."""

    rule: str
    is_on: bool
    refuses: bool
    limit: int | None = None
    used: int | None = None

    @property
    def unit(self) -> Unit | None:
        """Of `limit` and `used`."""
        return _UNITS.get(self.rule)


@dataclass(frozen=True)
class Explanation:
    """The decision about a view, and how every rule stands."""

    decision: Decision
    rules: tuple[RuleStanding, ...]


@dataclass(frozen=True)
class Explainer:
    """Explains. `recognised` accepts a plain subject where tracking needs a token: the caller is an operator."""

    recognised: Viewers
    counter: Decider
    shards: Callable[[], StandingShards]
    clock: Clock
    calendar: Calendar
    rules: Rules
    _: KW_ONLY
    shard_count: int
    honours_do_not_track: bool

    def of_user(self, subject: str, content_type: str, content_id: str) -> Explanation:
        """What would happen to a view with a token of `subject`, by a browser that is not a bot."""
        return self._explain(ViewRequest({"authorization": subject}, ""), content_type, content_id, ())

    def of_session(
        self, session: str, source_ip: str, user_agent: str, content_type: str, content_id: str
    ) -> Explanation:
        """What would happen to a view with this session, by a browser that is not a bot. Without the address and the
        user agent, what counted without the session is not known. Raises Invalid when tracking would not accept the
        session.
        """
        request = ViewRequest({"user-agent": user_agent}, source_ip, session)
        if self.recognised.recognise(request, self.clock.now()).session != session:
            message = "This session is forged or over: tracking goes by address and user agent then"
            raise Invalid.of("viewer.session", message)
        return self._explain(request, content_type, content_id, ())

    def of_address(self, source_ip: str, user_agent: str, content_type: str, content_id: str) -> Explanation:
        """What would happen to a view from this address by this browser, without a token or a session."""
        request = ViewRequest({"user-agent": user_agent}, source_ip)
        reasons = viewers.reasons_not_to_count(request, honours_do_not_track=self.honours_do_not_track)
        return self._explain(request, content_type, content_id, reasons)

    def _explain(
        self, request: ViewRequest, content_type: str, content_id: str, reasons: tuple[str, ...]
    ) -> Explanation:
        now = self.clock.now()
        viewer = self.recognised.recognise(request, now)
        beside = viewer.beside if request.source_ip else ALONE
        content = keys.content_field(content_type, content_id)
        standing = self.shards().standing(viewer.key, self.shard_count, content, beside)
        is_unknown = self.rules.registered_only or viewer.key.startswith("anon:")
        decision = self.counter.explain(viewer.key, content_type, content_id, now, reasons, beside)
        moment = self.calendar.moment(now)
        return Explanation(decision, tuple(self._standings(standing, beside, moment, decision, is_unknown=is_unknown)))

    def _standings(
        self, standing: Standing, beside: Beside, moment: ViewMoment, decision: Decision, *, is_unknown: bool
    ) -> list[RuleStanding]:
        rules = self.rules
        limits: Mapping[str, tuple[bool, int | None, int | None]] = {
            COOLDOWN: (rules.cooldown_seconds > 0, rules.cooldown_seconds, _seconds_since_last(standing, moment)),
            DAILY_VIEWED: (rules.once_per_day, 1, int(_is_of_today(standing, moment))),
            SESSION_LIMIT: (
                rules.max_per_session > 0 and rules.session_seconds > 0,
                rules.max_per_session,
                _views_in_session(standing, moment, rules),
            ),
            DAILY_LIMIT: (
                rules.max_per_day > 0,
                rules.max_per_day,
                standing.views if standing.day >= moment.day_start else 0,
            ),
            UNREGISTERED: (rules.registered_only, None, None),
            TOO_MANY_CONTENTS: (
                rules.max_contents > 0,
                rules.max_unknown_contents if is_unknown else rules.max_contents,
                standing.unknown_contents if is_unknown else standing.pending_contents,
            ),
            NETWORK_LIMIT: (
                rules.network_limit > 0,
                rules.network_limit,
                standing.network_views if beside.network else None,
            ),
            BOT: (True, None, None),
            DO_NOT_TRACK: (self.honours_do_not_track, None, None),
        }
        return [
            RuleStanding(rule, is_on, rule in decision.reasons, limit, used)
            for rule, (is_on, limit, used) in limits.items()
        ]


def _seconds_since_last(standing: Standing, moment: ViewMoment) -> int | None:
    return None if standing.last_view is None else max(0, moment.now - standing.last_view) // 1000


def _is_of_today(standing: Standing, moment: ViewMoment) -> bool:
    return standing.last_view is not None and standing.last_view >= moment.day_start


def _views_in_session(standing: Standing, moment: ViewMoment, rules: Rules) -> int:
    is_over = moment.now - standing.session_start >= rules.session_seconds * 1000
    return 0 if is_over else standing.session_views
