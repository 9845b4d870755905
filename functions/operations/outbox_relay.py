"""Stream: put each new outbox row on the event bus."""

from dataclasses import dataclass
from functools import cache

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from sluice import aws, settings
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.errors import Unreadable
from sluice.log import logger
from sluice.outbox import EventItem, Relay
from sluice.records import handler_of


@dataclass(frozen=True)
class Settings:
    """What the relay reads from the environment."""

    outbox_table: str
    event_bus: str


@cache
def relay() -> Relay:
    read = settings.read(Settings)
    bind(EventItem, read.outbox_table)
    return Relay(aws.client("events"), read.event_bus, SystemClock())


def publish(record: DynamoDBRecord) -> None:
    keys = record.dynamodb.keys if record.dynamodb else None
    if not keys or "id" not in keys:
        raise Unreadable("The stream record has no key")
    logger.append_keys(event_id=keys["id"])
    relay().publish(keys["id"])


handler = handler_of(EventType.DynamoDBStreams, publish, logger)
