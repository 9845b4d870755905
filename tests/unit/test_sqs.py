"""The model of SQS, judged by moto: both are asked the same, and answer the same."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError

from tests.account import Account, account
from tests.factories import NOON
from tests.sqs import Sqs

QUEUE = "BoostsQueue"


@pytest.fixture
def both() -> Iterator[tuple[Account, Sqs]]:
    with account() as aws:
        model = Sqs()
        timeout = int(aws.resources[QUEUE]["Properties"]["VisibilityTimeout"])
        model.declare(aws.ref(QUEUE), timeout)
        yield aws, model


@pytest.mark.parametrize("seed", range(3))
def test_the_model_of_sqs_answers_as_moto_does(both: tuple[Account, Sqs], seed: int) -> None:
    aws, model = both
    client, random, url = aws.client("sqs"), Random(seed), aws.ref(QUEUE)
    receipts: list[tuple[str, str]] = []

    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(60):
            match random.randrange(5):
                case 0 | 1:
                    delay = random.choice([0, 0, 1, 900])
                    sent = {"QueueUrl": url, "MessageBody": f"{number}", "DelaySeconds": delay}
                    client.send_message(**sent)
                    model.call("SendMessage", sent)
                case 2:
                    asked: dict[str, Any] = {"QueueUrl": url, "MaxNumberOfMessages": random.randrange(1, 4)}
                    if random.random() < 0.5:
                        asked["VisibilityTimeout"] = random.choice([0, 5])
                    theirs = client.receive_message(**asked, WaitTimeSeconds=0, AttributeNames=["All"])
                    ours = model.call("ReceiveMessage", asked)
                    assert told(ours) == told(theirs)
                    pairs = zip(theirs.get("Messages", []), ours.get("Messages", []), strict=True)
                    receipts += [(one["ReceiptHandle"], other["ReceiptHandle"]) for one, other in pairs]
                case 3 if receipts:
                    theirs, ours = receipts.pop()
                    client.delete_message(QueueUrl=url, ReceiptHandle=theirs)
                    model.call("DeleteMessage", {"QueueUrl": url, "ReceiptHandle": ours})
                case 4:
                    clock.shift(timedelta(seconds=random.choice([1, 10, 1000])))
            assert counts(model, url) == {
                name: value
                for name, value in client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
                    "Attributes"
                ].items()
                if name in counts(model, url)
            }


@pytest.mark.parametrize("names", [["All"], []])
def test_the_model_of_sqs_gives_a_messages_attributes_to_who_asks(both: tuple[Account, Sqs], names: list[str]) -> None:
    aws, model = both
    attributes = {"kind": {"StringValue": "odd", "DataType": "String"}}
    sent: dict[str, Any] = {"QueueUrl": aws.ref(QUEUE), "MessageBody": "a", "MessageAttributes": attributes}
    asked: dict[str, Any] = {"QueueUrl": aws.ref(QUEUE), "MessageAttributeNames": names}
    aws.client("sqs").send_message(**sent)
    model.call("SendMessage", sent)

    (theirs,) = aws.client("sqs").receive_message(**asked)["Messages"]
    (ours,) = model.call("ReceiveMessage", asked)["Messages"]

    assert ours.get("MessageAttributes") == theirs.get("MessageAttributes") == (attributes if names else None)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("SendMessage", {"MessageBody": "a", "DelaySeconds": 901}), ("GetQueueAttributes", {"AttributeNames": ["All"]})],
)
def test_what_sqs_refuses_is_refused_by_the_model(
    both: tuple[Account, Sqs], operation: str, arguments: dict[str, Any]
) -> None:
    aws, model = both
    client, url = aws.client("sqs"), aws.ref(QUEUE)
    if operation == "GetQueueAttributes":
        client.delete_queue(QueueUrl=url)
        model.call("DeleteQueue", {"QueueUrl": url})

    with pytest.raises(ClientError) as theirs:
        client._make_api_call(operation, {"QueueUrl": url} | arguments)
    with pytest.raises(ClientError) as ours:
        model.call(operation, {"QueueUrl": url} | arguments)

    assert ours.value.response["Error"]["Code"] == theirs.value.response["Error"]["Code"]


def told(answer: dict[str, Any]) -> list[tuple[str, str]]:
    messages = answer.get("Messages", [])
    return [(message["Body"], message["Attributes"]["ApproximateReceiveCount"]) for message in messages]


def counts(model: Sqs, url: str) -> dict[str, str]:
    asked = {"QueueUrl": url, "AttributeNames": ["All"]}
    attributes: dict[str, str] = model.call("GetQueueAttributes", asked)["Attributes"]
    return attributes
