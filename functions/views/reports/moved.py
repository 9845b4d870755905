"""Up to when the sync has moved everything: what the database can tell of, and what Redis alone knows."""

from datetime import datetime

from sluice.dynamodb import transient_as_unavailable
from views.items import ControlItem


def moved_until() -> datetime | None:
    """When the last epoch that is closed was opened; None: nothing was moved yet."""
    with transient_as_unavailable():
        epochs = list(ControlItem.query("sync", ControlItem.part == "control", consistent_read=True))
        if epochs and not epochs[0].closed_at:
            before = f"sync:{int(epochs[0].epoch) - 1}"
            epochs = list(ControlItem.query(before, ControlItem.part == "epoch", consistent_read=True))
    # Epoch 0 numbers the shards and moves nothing.
    return epochs[0].opened_at if epochs and epochs[0].epoch else None
