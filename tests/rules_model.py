"""What the rules mean: `track.lua` is what runs, and must agree with `decide` on every history."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from views.rules import (
    COOLDOWN,
    COUNTED,
    DAILY_LIMIT,
    DAILY_VIEWED,
    NETWORK_LIMIT,
    SESSION_LIMIT,
    TOO_MANY_CONTENTS,
    UNREGISTERED,
    Decision,
    Rules,
    ViewMoment,
)


@dataclass(frozen=True)
class Counted:
    """A view that counted: of what, when, and for which day."""

    content: str
    at: int
    day: int


def decide(
    rules: Rules,
    history: Sequence[Counted],
    content: str,
    moment: ViewMoment,
    *,
    pending: Collection[str] = (),
    registered: Collection[str] | None = None,
    unknown: int = 0,
    is_anonymous: bool = True,
    in_network: int = 0,
) -> Decision:
    """The decision on one more view by the viewer of `history`, which is in the order in which the views came.

    The history is the viewer's under all names: of a session, of today without one, of yesterday without one.

    Callers' clocks differ a little: where a view of the history is later than the moment, the stricter reading holds.
    `pending` are the contents that the viewer's shard has pending views of, and `unknown` is how many of them nobody
    vouches for; `registered` those that it knows to be registered, None when it does not know them all; `in_network` is
    how many views of the content by anonymous viewers of the network counted today. Each of these is asked alone: the
    registered contents first, the network last.
    """
    if rules.registered_only and registered is not None and content not in registered:
        return Decision((UNREGISTERED,))
    waits = _waits(rules, history, content, moment)
    if waits:
        return Decision.after(tuple(waits), max(waits.values()))
    is_registered = rules.registered_only and registered is not None
    if rules.max_contents and content not in pending and not is_registered:
        is_unknown = rules.registered_only or is_anonymous
        if len(pending) >= rules.max_contents or (is_unknown and unknown >= rules.max_unknown_contents):
            return Decision((TOO_MANY_CONTENTS,))
    if rules.network_limit and in_network >= rules.network_limit:
        return Decision.after((NETWORK_LIMIT,), moment.day_end - moment.now)
    return COUNTED


def _waits(rules: Rules, history: Sequence[Counted], content: str, moment: ViewMoment) -> dict[str, int]:
    """The rules about the viewer that refuse, and the milliseconds until each lets the view pass."""
    of_content = [view for view in history if view.content == content]
    waits: dict[str, int] = {}
    if of_content:
        last = max(view.at for view in of_content)
        if rules.cooldown_seconds and moment.now - last < rules.cooldown_seconds * 1000:
            waits[COOLDOWN] = last + rules.cooldown_seconds * 1000 - moment.now
        if rules.once_per_day and last >= moment.day_start:
            waits[DAILY_VIEWED] = moment.day_end - moment.now
        start, count = _session(rules, of_content)
        if (
            rules.max_per_session
            and rules.session_seconds
            and moment.now - start < rules.session_seconds * 1000
            and count >= rules.max_per_session
        ):
            waits[SESSION_LIMIT] = start + rules.session_seconds * 1000 - moment.now
    today = day_of(history, moment)
    if rules.max_per_day and sum(view.day == today for view in history) >= rules.max_per_day:
        waits[DAILY_LIMIT] = moment.day_end - moment.now
    return waits


def day_of(history: Sequence[Counted], moment: ViewMoment) -> int:
    """The start of the day that a view counts for: the moment's, or a later one already begun."""
    return max([moment.day_start, *(view.day for view in history)])


def _session(rules: Rules, views: Sequence[Counted]) -> tuple[int, int]:
    """When the last session began, and its views."""
    start, count = views[0].at, 0
    for view in views:
        if view.at - start >= rules.session_seconds * 1000:
            start, count = view.at, 0
        count += 1
    return start, count
