"""SQS: run one step of the sync, or open an epoch at its time; or rebuild what Redis lost of registered content.

The stop of the operations is not looked at: a sync releases nothing, it moves views that have been counted already.
"""

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from sluice import settings
from sluice.log import logger
from sluice.records import handler_of
from views import messages
from views.messages import EpochStep
from views.sync import bootstrap
from views.sync.bootstrap import WorkerSettings as Settings

inbox = settings.once(Settings, bootstrap.inbox)


def run_step(record: SQSRecord) -> None:
    message = messages.parse(record.body)
    if isinstance(message, EpochStep):
        logger.append_keys(epoch=message.epoch, step=message.step)
    inbox().take(message, record.message_id)


handler = handler_of(EventType.SQS, run_step, logger)
