"""SQS: put edits by hand right, and begin to settle a participation whose rows reach its target."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from sluice import settings
from sluice.clock import SystemClock
from sluice.commit import database
from sluice.errors import Unreadable
from sluice.ids import is_id
from sluice.log import logger
from sluice.records import handler_of
from sponsorships import monitor
from sponsorships.bootstrap import CheckSettings, secret, stores, wake
from sponsorships.campaign import PREFIX
from sponsorships.detection import STREAM, SWEEP, Detection
from sponsorships.edits import API
from sponsorships.impressions import participation_id
from sponsorships.settlement import WORKER, Settlement

_SOURCES = (API, STREAM, SWEEP, WORKER)


@dataclass(frozen=True)
class Settings(CheckSettings):
    gap_seconds: int


@dataclass(frozen=True)
class Message:
    """A request for a check. `is_event`: somebody asks for it; else a document was changed, and the stream saw it."""

    participation_id: str
    source: str
    is_event: bool


@cache
def detection() -> Detection:
    read = settings.read(Settings)
    _, participations = stores(read)
    settlement = Settlement(participations, secret(read), wake(read), SystemClock())
    return Detection(settlement, database(read), read.gap_seconds)


def parse(body: str) -> Message | datetime:
    """A message: a participation to look at, or when the canary was written that the stream brought.

    The data of `campaign.completion.check`, in the bus's envelope or without; or what the stream function sends. Raises
    Unreadable for anything else.
    """
    try:
        message: Any = json.loads(body)
        message = message["detail"]["data"] if "detail" in message else message
        if "canary" in message:
            return datetime.fromisoformat(message["canary"])
        found = participation_id(message["campaign_id"], message["streamer"])
        source = message["source"]
    except (ValueError, TypeError, KeyError) as error:
        raise Unreadable("The message is no request for a check") from error
    if not is_id(PREFIX, found, suffixed=True) or source not in _SOURCES:
        raise Unreadable("The message names no participation, or no detector")
    return Message(found, source, "thresholds" in message)


def take(record: SQSRecord) -> None:
    found = parse(record.body)
    if isinstance(found, datetime):
        detection()  # binds the table
        monitor.take_canary(found, detection().settlement.clock.now())
        return
    logger.append_keys(participation=found.participation_id, source=found.source)
    if found.is_event:
        detection().check(found.participation_id, found.source)
    else:
        detection().look(found.participation_id, found.source)


handler = handler_of(EventType.SQS, take, logger)
