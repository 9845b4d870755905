"""Stream: ask for a look at each participation whose document was changed, and report the canary.

It writes to no table, so nothing that it does can feed it. The filter may let any record through: only those that it
knows have an effect, and that effect is a message.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from sluice import aws, settings
from sluice.clock import rfc3339
from sluice.log import logger
from sluice.records import handler_of


@dataclass(frozen=True)
class Settings:
    sponsorships_checks_queue_url: str


@cache
def queue() -> tuple[Any, str]:
    """botocore's client of SQS, and the URL of the queue of checks."""
    return aws.client("sqs"), settings.read(Settings).sponsorships_checks_queue_url


def message_of(record: dict[str, Any]) -> dict[str, str] | None:
    """What to ask for because of a record: a look, or that the canary is noted. None for any other record."""
    stream = record.get("dynamodb", {})
    names = {name: value.get("S", "") for name, value in stream.get("Keys", {}).items()}
    row, part = names.get("id", ""), names.get("part", "")
    if (row, part) == ("monitor", "canary"):
        written_at = datetime.fromtimestamp(float(stream["ApproximateCreationDateTime"]), UTC)
        return {"canary": rfc3339(written_at)}
    campaign_id, colon, streamer = row.partition(":")
    is_participation = row.startswith("spn_") and colon and streamer and part == "campaign"
    if record.get("eventName") != "MODIFY" or not is_participation:
        return None
    return {"campaign_id": campaign_id, "streamer": streamer, "source": "stream"}


def look(record: DynamoDBRecord) -> None:
    message = message_of(record.raw_event)
    if message is None:
        return
    sqs, url = queue()
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))


handler = handler_of(EventType.DynamoDBStreams, look, logger)
