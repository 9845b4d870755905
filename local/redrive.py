"""Puts the dead letters of every chain and of the sync back on their queues, the embedded stack's or one on AWS.

One by one, and a message leaves the dead letters only after its copy was accepted: it may come twice, which a step
survives, and is never lost.
"""

import argparse
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import DeployedStack
from local.choice import add_stack_options, chosen_stack
from local.errors import LocalError, run
from operations.chains import QUEUES

_HIDDEN_SECONDS = 60
"""How long a message being moved is out of sight for others."""


def redrive(stack: DeployedStack) -> list[str]:
    """The bodies of the messages that were moved."""
    names = [queue.logical_name for queue in QUEUES]
    urls = [(stack.output(f"{name}QueueUrl"), stack.output(f"{name}DeadLettersUrl")) for name in names]
    return [body for queue, dead_letters in urls for body in _redrive(stack.client("sqs"), queue, dead_letters)]


def _redrive(sqs: Any, queue: str, dead_letters: str) -> list[str]:
    moved: list[str] = []
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=dead_letters,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
        )
        # A message that dies again at once must not keep this going forever.
        messages = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
        if not messages:
            return moved
        for message in messages:
            seen.add(message["MessageId"])
            attributes: dict[str, Any] = message.get("MessageAttributes", {})
            sqs.send_message(QueueUrl=queue, MessageBody=message["Body"], MessageAttributes=attributes)
            sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
            moved.append(message["Body"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.redrive", description=__doc__)
    add_stack_options(parser)
    stack = chosen_stack(parser.parse_args())
    try:
        moved = redrive(stack)
    except (BotoCoreError, ClientError) as error:
        raise LocalError(f"The dead letters of {stack.name} were not all moved: {error}. Run it again.") from error
    for body in moved:
        print(f"moved  {body}")
    print(f"{len(moved)} dead letters put back on their queues." if moved else "There are no dead letters.")


if __name__ == "__main__":
    run(main)
