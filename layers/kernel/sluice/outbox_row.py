"""An event's row in the outbox, in DynamoDB's own form: for a hot path, which does without PynamoDB.

The same row as `sluice.outbox` writes, which the relay publishes.
"""

import json
from datetime import datetime
from typing import Any

from sluice.clock import rfc3339
from sluice.ids import new_id

PENDING = "pending"


def row(name: str, data: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The item to put, on condition that there is none with its `id`."""
    texts = {
        "id": new_id("evt", now),
        "name": name,
        "data": json.dumps(data),
        "status": PENDING,
        "created_at": rfc3339(now),
    }
    return {attribute: {"S": text} for attribute, text in texts.items()}
