"""An admin's corrections of organic views, and the list of them."""

from datetime import datetime

from sluice import totals
from sluice.clock import Clock
from sluice.errors import Conflicting
from sluice.ids import new_id
from sluice.requests import Answer, Keyed, Requester, carry_out
from views.adjustments.adjustment import PREFIX, Adjusted, Adjustment, Place
from views.adjustments.store import AdjustmentStore
from views.content import Content


class Adjustments:
    def __init__(self, store: AdjustmentStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def adjust(self, content: Content, views: int, reason: str, requester: Requester) -> Adjusted | Answer:
        """Adjust a content's organic views, or return the earlier answer of its Idempotency-Key.

        Raises Conflicting when they would fall below zero.
        """

        def attempt(keyed: Keyed[Adjusted] | None, now: datetime) -> Adjusted | None:
            before = totals.read(*content).organic
            if before + views < 0:
                message = f"{content[0]} {content[1]} has {before} organic views in the database, fewer than {-views}"
                raise Conflicting(message, "views_below_zero")
            adjustment = Adjustment(new_id(PREFIX, now), views, reason, requester.subject, now)
            adjusted = Adjusted(content, adjustment, before + views)
            return adjusted if self._store.commit(adjusted, self._store.head(content), keyed) else None

        def stands(answer: Answer) -> bool:
            return self._store.head(content).number >= answer.version

        busy = "The content's views are changing too fast"
        return carry_out(attempt, requester.keyed, stands, self._clock, busy)

    def page(self, content: Content, limit: int, after: Place | None) -> tuple[list[Adjustment], Place | None]:
        """At most `limit` adjustments, newest first, from after a place; and the place of the next page, if any."""
        return self._store.page(content, limit, after)
