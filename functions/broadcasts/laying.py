"""Steps that lay the rows of an accepted list down, object by object (amendment 3)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from broadcasts.campaign import Broadcast, Change
from broadcasts.row import Row
from broadcasts.sending import laid
from broadcasts.store import BroadcastStore

LAID_AT_ONCE = 99
"""Rows of a transaction, beside the check of the campaign: 100 is DynamoDB's limit."""


@dataclass(frozen=True)
class Laying:
    """Lays rows down. Groups are the same at each repeat: all rows of a group are there, or none."""

    store: BroadcastStore
    read: Callable[[Broadcast, int], list[Row]]
    """The rows of an object of the list, by its number."""
    rows_of_object: int = 2000

    def __call__(self, campaign: Broadcast, now: datetime) -> Change | None:
        """Lay the next object down, and return what its step commits; None when the campaign has moved on."""
        rows = self.read(campaign, campaign.laid // self.rows_of_object)
        for group in batched(rows, LAID_AT_ONCE, strict=False):
            if self.store.lay(campaign, group):
                continue
            present = self.store.get(campaign.id)
            if present is None or (present.step, present.status) != (campaign.step, campaign.status):
                return None
        return laid(campaign, len(rows), now)
