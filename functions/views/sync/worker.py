"""SQS: run one step of the sync, or open an epoch at its time; or rebuild what Redis lost of registered content.

The stop of the operations is not looked at: a sync releases nothing, it moves views that have been counted already.
"""

from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import settings
from sluice.records import RecordProcessor
from views import messages
from views.messages import EpochStep
from views.sync import bootstrap
from views.sync.bootstrap import WorkerSettings as Settings
from views.sync.inbox import Inbox

logger = Logger()
processor = RecordProcessor(EventType.SQS)


@cache
def inbox() -> Inbox:
    return bootstrap.inbox(settings.read(Settings))


def run_step(record: SQSRecord) -> None:
    message = messages.parse(record.body)
    if isinstance(message, EpochStep):
        logger.append_keys(epoch=message.epoch, step=message.step)
    inbox().take(message, record.message_id)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, run_step, processor, context)
