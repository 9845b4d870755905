"""Schedule: wake overdue campaigns, and publish outbox rows that were left behind."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache

from aws_lambda_powertools.utilities.typing import LambdaContext

from operations import chains
from operations.overdue import Overdue, wake_all
from sluice import aws, platform, settings
from sluice.chained import items_in
from sluice.clock import SystemClock
from sluice.log import logger
from sluice.outbox import relay_of
from sluice.wake import step_message

_LEFT_BEHIND = timedelta(minutes=5)
_MOST_EVENTS = 500


Settings = chains.settings(
    "outbox_table", "event_bus", and_all=(*chains.TABLES, *(each.queue_url for each in chains.CHAINS))
)


@cache
def contexts() -> tuple[Overdue, ...]:
    """The overdue campaigns of each chain."""
    read = vars(settings.read(Settings))
    return tuple(
        Overdue(
            items_in(read[chain.table]),
            chain.live,
            platform.items_in(read[chain.table]),
            sender(read[chain.queue_url]),
            SystemClock(),
            chain.settles,
        )
        for chain in chains.CHAINS
    )


def sender(queue_url: str) -> Callable[[str, int], None]:
    """Sends steps to a queue."""
    sqs = aws.client("sqs")

    def send(campaign_id: str, step: int) -> None:
        sqs.send_message(QueueUrl=queue_url, MessageBody=step_message(campaign_id, step))

    return send


relay = settings.once(Settings, relay_of)


@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, object], _context: LambdaContext) -> dict[str, int]:
    try:
        woken = wake_all(contexts())
    finally:  # An error in waking campaigns must not keep events unpublished.
        published = relay().publish_overdue(_LEFT_BEHIND, _MOST_EVENTS)
    logger.info("Swept", woken=woken, published=published)
    return {"woken": woken, "published": published}
