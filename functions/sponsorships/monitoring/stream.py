"""Stream: ask for a check of each participation whose document was changed."""

from dataclasses import dataclass

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from sluice.log import logger
from sluice.records import handler_of


@dataclass(frozen=True)
class Settings:
    sponsorships_table: str
    sponsorships_checks_queue_url: str


def look(_record: DynamoDBRecord) -> None:
    logger.info("Left to the sweep")


handler = handler_of(EventType.DynamoDBStreams, look, logger)
