"""SQS: count the rows of a participation, and begin to settle it if they reach its target."""

from dataclasses import dataclass

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from sluice.commit import CommitSettings
from sluice.log import logger
from sluice.records import handler_of
from sluice.wake import WakeSettings


@dataclass(frozen=True)
class Settings(CommitSettings, WakeSettings):
    sponsorships_table: str
    sponsorships_queue_url: str
    sponsorships_queue_arn: str
    impression_secret_arn: str
    gap_seconds: int


def check(_record: SQSRecord) -> None:
    raise NotImplementedError


handler = handler_of(EventType.SQS, check, logger)
