"""SQS: make the deliveries of an event, test an endpoint, and replay what came in a range."""

from dataclasses import dataclass

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from hooks import bootstrap
from hooks.bootstrap import HooksSettings
from hooks.fanning import FanOut
from hooks.messages import parse
from hooks.queue import events_queue
from sluice import settings
from sluice.clock import SystemClock
from sluice.log import logger
from sluice.records import handler_of


@dataclass(frozen=True)
class Settings(HooksSettings):
    hooks_events_queue_url: str


def _fan_out(read: Settings) -> FanOut:
    queue = events_queue(read.hooks_events_queue_url)
    return FanOut(bootstrap.store(read), bootstrap.wake(read), queue.ask, SystemClock())


fan_out = settings.once(Settings, _fan_out)


def take(record: SQSRecord) -> None:
    fan_out().take(parse(record.body))


handler = handler_of(EventType.SQS, take, logger)
