"""The queue of the checks: each message names an import."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sluice import aws
from sluice.errors import Unavailable, Unreadable


@dataclass(frozen=True)
class ChecksQueue:
    """Sending a check twice is harmless."""

    sqs: Any
    url: str

    def send(self, campaign_id: str, import_id: str) -> None:
        """Ask for the check of an import. Raises Unavailable."""
        body = json.dumps({"campaign_id": campaign_id, "import_id": import_id})
        try:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"The check could not be started: {aws.why('SQS', error)}") from error


def asked(body: str) -> tuple[str, str]:
    """The campaign and the import that a message names. Raises Unreadable for anything else."""
    try:
        message = json.loads(body)
    except ValueError as error:
        raise Unreadable("The message is not JSON") from error
    if not isinstance(message, dict) or message.keys() != {"campaign_id", "import_id"}:
        raise Unreadable("The message is not an object of campaign_id and import_id")
    campaign_id, import_id = message["campaign_id"], message["import_id"]
    if not isinstance(campaign_id, str) or not isinstance(import_id, str):
        raise Unreadable("campaign_id or import_id is not a text")
    return campaign_id, import_id


def checks_queue(url: str) -> ChecksQueue:
    """The queue at that URL."""
    return ChecksQueue(aws.client("sqs"), url)
