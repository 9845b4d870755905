"""Queues: how many messages wait, and how many a worker has taken."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sluice import aws
from sluice.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Depth:
    """Messages of a queue: due, taken by a worker, not due yet."""

    waiting: int
    in_flight: int
    delayed: int


def depth(sqs: "SQSClient", url: str) -> Depth:
    """The messages of a queue, as SQS estimates them. Raises Unavailable."""
    try:
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"A queue cannot be read: {aws.why('SQS', error)}") from error
    return Depth(
        waiting=int(answer["ApproximateNumberOfMessages"]),
        in_flight=int(answer["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(answer["ApproximateNumberOfMessagesDelayed"]),
    )
