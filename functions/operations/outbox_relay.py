"""Stream: put each new outbox row on the event bus."""

from dataclasses import dataclass

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from sluice import settings
from sluice.errors import Unreadable
from sluice.log import logger
from sluice.outbox import relay_of
from sluice.records import handler_of


@dataclass(frozen=True)
class Settings:
    outbox_table: str
    event_bus: str


relay = settings.once(Settings, relay_of)


def publish(record: DynamoDBRecord) -> None:
    keys = record.dynamodb.keys if record.dynamodb else None
    if not keys or "id" not in keys:
        raise Unreadable("The stream record has no key")
    logger.append_keys(event_id=keys["id"])
    relay().publish(keys["id"])


handler = handler_of(EventType.DynamoDBStreams, publish, logger)
