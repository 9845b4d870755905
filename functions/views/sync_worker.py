"""SQS: run one step of the sync, or open an epoch at its time.

The stop of the operations is not looked at: a sync releases nothing, it moves views that have been counted already.
"""

import json
from datetime import datetime
from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import settings
from sluice.errors import Unreadable
from sluice.records import RecordProcessor
from views import bootstrap
from views.bootstrap import SyncSettings as Settings
from views.epochs import Message, Sync

logger = Logger()
processor = RecordProcessor(EventType.SQS)


@cache
def sync() -> Sync:
    return bootstrap.sync(settings.read(Settings))


def run_step(record: SQSRecord) -> None:
    at = scheduled_at(record.body)
    if at is not None:
        started = sync().start_scheduled(at)
        logger.info("Scheduled sync", scheduled_at=at.isoformat(), outcome=started.outcome.value)
        return
    message = Message.parse(record.body)
    logger.append_keys(epoch=message.epoch, step=message.step)
    sync().run(message, record.message_id)


def scheduled_at(body: str) -> datetime | None:
    """When the schedule's message was due: `{"scheduled_at": "2026-11-21T00:00:00Z"}`; None for a step.

    Raises Unreadable for what names no moment.
    """
    try:
        fields = json.loads(body)
        if not isinstance(fields, dict) or "scheduled_at" not in fields:
            return None
        at = datetime.fromisoformat(fields["scheduled_at"])
    except (ValueError, TypeError, RecursionError) as error:
        raise Unreadable("The message is no JSON, or its scheduled_at no time") from error
    if at.tzinfo is None:
        raise Unreadable("The message's scheduled_at names no time zone")
    return at


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, run_step, processor, context)
