"""BroadcastsEventsQueue, as those meet it who have events: the webhooks, and the sandbox."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from broadcasts.ports import Event
from broadcasts.webhooks import messages
from sluice import aws
from sluice.errors import Unavailable


class EventsQueue:
    """Puts events on the queue at a URL, by botocore's client of SQS."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, instance_id: str, events: Iterable[Event], delay_seconds: int = 0) -> None:
        """Put events of an instance, after a delay of up to 900 s. Raises Unavailable; some may be there then."""
        try:
            for body in messages.bodies(instance_id, events):
                self._sqs.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"Events could not be sent: {aws.why('SQS', error)}") from error


def events_queue(url: str) -> EventsQueue:
    """The queue at a URL."""
    return EventsQueue(aws.client("sqs"), url)
