"""HooksEventsQueue, as a long replay meets it."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hooks.messages import ReplayAsked, message_of
from sluice import aws
from sluice.errors import Unavailable


class EventsQueue:
    """Puts the rest of replays on the queue at a URL, by botocore's client of SQS."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def ask(self, asked: ReplayAsked) -> None:
        """Ask for the rest of a replay. Asking twice is harmless. Raises Unavailable."""
        try:
            self._sqs.send_message(QueueUrl=self._url, MessageBody=message_of(asked))
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"The rest of the replay could not be sent: {aws.why('SQS', error)}") from error


def events_queue(url: str) -> EventsQueue:
    """The queue at a URL."""
    return EventsQueue(aws.client("sqs"), url)
