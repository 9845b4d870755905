"""Schedule: wake overdue campaigns, and publish outbox rows that were left behind."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from operations.overdue import Overdue
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
    outbox_table: str
    event_bus: str


@cache
def overdue_boosts() -> Overdue:
    read = settings.read(Settings)
    sqs = aws.client("sqs")

    def send(campaign_id: str, step: int) -> None:
        sqs.send_message(QueueUrl=read.boosts_queue_url, MessageBody=step_message(campaign_id, step))

    return Overdue(items_in(read.boosts_table), platform.items_in(read.boosts_table), send, SystemClock())


@cache
def relay() -> Relay:
    read = settings.read(Settings)
    bind(EventItem, read.outbox_table)
    return Relay(aws.client("events"), read.event_bus, SystemClock())


@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, object], _context: LambdaContext) -> dict[str, int]:
    try:
        woken = overdue_boosts().wake()
    finally:  # What keeps campaigns asleep must not keep events unpublished.
        published = relay().publish_overdue(_LEFT_BEHIND, _MOST_EVENTS)
    logger.info("Swept", woken=woken, published=published)
    return {"woken": woken, "published": published}
