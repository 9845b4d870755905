"""An admin's corrections of organic views, and the list of them."""

from sluice import requests, totals
from sluice.clock import Clock
from sluice.errors import Conflicting, Unavailable
from sluice.ids import new_id
from sluice.requests import Keyed
from views.adjustments.adjustment import PREFIX, Adjusted, Adjustment, Place
from views.adjustments.store import AdjustmentStore
from views.content import Content

# Each attempt lost against the sync, an import or another adjustment of the same content.
_ATTEMPTS = 20


class Adjustments:
    def __init__(self, store: AdjustmentStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def adjust(
        self, content: Content, views: int, reason: str, actor: str, keyed: Keyed[Adjusted]
    ) -> Adjusted | requests.Answer:
        """Adjust a content's organic views, or return the earlier answer of the Idempotency-Key.

        Raises Conflicting when they would fall below zero.
        """
        for _ in range(_ATTEMPTS):
            now = self._clock.now()
            before = totals.read(*content).organic
            # After the views: if a copy of this request has taken them, this is its answer, and not a conflict.
            if answer := requests.find(keyed.request, now):
                return answer
            if before + views < 0:
                message = f"{content[0]} {content[1]} has {before} organic views in the database, fewer than {-views}"
                raise Conflicting(message, "views_below_zero")
            adjustment = Adjustment(new_id(PREFIX, now), views, reason, actor, now)
            adjusted = Adjusted(content, adjustment, before + views)
            if self._store.commit(adjusted, self._store.head(content), keyed):
                return adjusted
        raise Unavailable("The content's views are changing too fast")

    def page(self, content: Content, limit: int, after: Place | None) -> tuple[list[Adjustment], Place | None]:
        """At most `limit` adjustments, newest first, from after a place; and the place of the next page, if any."""
        return self._store.page(content, limit, after)
