"""SQS: run one step of the sync, or open an epoch at its time; or rebuild what Redis lost of registered content.

The stop of the operations is not looked at: a sync releases nothing, it moves views that have been counted already.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import settings
from sluice.clock import SystemClock
from sluice.dynamodb import Database
from sluice.errors import Unreadable
from sluice.records import RecordProcessor
from views import bootstrap
from views.bootstrap import SYNC_REDIS_SECONDS, SyncSettings
from views.registered.rebuild import Page, Rebuild
from views.registered.store import Registry
from views.shards.store import RedisShards
from views.sync.epochs import Message, Outcome, Sync

logger = Logger()
processor = RecordProcessor(EventType.SQS)


@dataclass(frozen=True)
class Settings(SyncSettings):
    """What the function reads from the environment."""

    registered_only: bool


@cache
def sync() -> Sync:
    return bootstrap.sync(settings.read(Settings))


@cache
def shards() -> RedisShards:
    return bootstrap.redis_shards(settings.read(Settings), SYNC_REDIS_SECONDS)


@cache
def rebuild() -> Rebuild:
    read = settings.read(Settings)
    store = bootstrap.store(read)

    def recorded() -> range:
        control = store.control()
        return range(control.shards if control else 0)

    send = bootstrap.sender(read.views_sync_queue_url)
    is_wanted = read.registered_only
    return Rebuild(Registry(Database(), read.views_table), shards, recorded, send, SystemClock(), is_wanted=is_wanted)


def run_step(record: SQSRecord) -> None:
    page = Page.parse(record.body)
    if page is not None:
        rebuild().run(page)
        return
    at = scheduled_at(record.body)
    if at is not None:
        started = sync().start_scheduled(at)
        logger.info("Scheduled sync", scheduled_at=at.isoformat(), outcome=started.outcome.value)
        # Where an epoch opens it does this; and a message that was passed on must not fail, or it is passed on again.
        if started.outcome is Outcome.NOTHING_PENDING:
            rebuild().ensure()
        return
    message = Message.parse(record.body)
    logger.append_keys(epoch=message.epoch, step=message.step)
    if sync().run(message, record.message_id) and message.step == 0:
        rebuild().ensure()


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
