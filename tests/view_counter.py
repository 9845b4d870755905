"""The counter of views, asked for one view at a time."""

from collections.abc import Sequence
from datetime import datetime

from views.beside import ALONE, Beside
from views.rules import Decision
from views.track import counter


class ViewCounter(counter.ViewCounter):
    def track(
        self,
        viewer: str,
        content_type: str,
        content_id: str,
        now: datetime,
        reasons: Sequence[str] = (),
        beside: Beside = ALONE,
    ) -> Decision:
        return self.track_many(viewer, [(content_type, content_id)], now, reasons, beside)[0]
