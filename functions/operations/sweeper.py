"""Schedule: wake overdue campaigns, and publish outbox rows that were left behind."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from operations.overdue import Overdue, wake_all
from sluice import aws, platform, settings
from sluice.chained import items_in
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.outbox import EventItem, Relay
from sluice.wake import step_message

logger = Logger()

_LEFT_BEHIND = timedelta(minutes=5)
_MOST_EVENTS = 500


@dataclass(frozen=True)
class Settings:
    """What the sweeper reads from the environment."""

    boosts_table: str
    boosts_queue_url: str
    views_table: str
    views_imports_queue_url: str
    outbox_table: str
    event_bus: str


@cache
def contexts() -> tuple[Overdue, ...]:
    """Each context's overdue campaigns; of the views these are the imports."""
    read = settings.read(Settings)
    queues = {read.boosts_table: read.boosts_queue_url, read.views_table: read.views_imports_queue_url}
    return tuple(
        Overdue(items_in(table), platform.items_in(table), sender(url), SystemClock()) for table, url in queues.items()
    )


def sender(queue_url: str) -> Callable[[str, int], None]:
    """Puts steps on a queue."""
    sqs = aws.client("sqs")

    def send(campaign_id: str, step: int) -> None:
        sqs.send_message(QueueUrl=queue_url, MessageBody=step_message(campaign_id, step))

    return send


@cache
def relay() -> Relay:
    read = settings.read(Settings)
    bind(EventItem, read.outbox_table)
    return Relay(aws.client("events"), read.event_bus, SystemClock())


@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, object], _context: LambdaContext) -> dict[str, int]:
    try:
        woken = wake_all(contexts())
    finally:  # What keeps campaigns asleep must not keep events unpublished.
        published = relay().publish_overdue(_LEFT_BEHIND, _MOST_EVENTS)
    logger.info("Swept", woken=woken, published=published)
    return {"woken": woken, "published": published}
