"""SQS, as far as Sluice uses it: queues with delays and visibility timeouts. Judged against moto by its tests."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

_GONE = "AWS.SimpleQueueService.NonExistentQueue"


@dataclass
class _Message:
    id: str
    body: str
    sent_at: float
    visible_at: float
    is_delayed: bool
    attributes: dict[str, Any]
    receives: int = 0


@dataclass
class _Queue:
    visibility_timeout: int
    messages: list[_Message] = field(default_factory=list)


class Sqs:
    """Answers calls. Its clock is the one that tests set."""

    def __init__(self) -> None:
        self._declared: dict[str, int] = {}
        self._queues: dict[str, _Queue] = {}
        self._numbers = count(1)

    def declare(self, url: str, visibility_timeout: int) -> None:
        self._declared[url] = visibility_timeout
        self.forget()

    def forget(self) -> None:
        """Empty every queue; those that were deleted are there again."""
        self._queues = {url: _Queue(timeout) for url, timeout in self._declared.items()}

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        queue = self._queues.get(arguments["QueueUrl"])
        if queue is None:
            raise ClientError({"Error": {"Code": _GONE, "Message": "The queue does not exist."}}, operation)
        calls: dict[str, Callable[[_Queue, dict[str, Any]], dict[str, Any]]] = {
            "SendMessage": self._send,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "DeleteQueue": self._delete_queue,
            "GetQueueAttributes": self._attributes,
        }
        return calls[operation](queue, arguments)

    def _send(self, queue: _Queue, arguments: dict[str, Any]) -> dict[str, Any]:
        delay, now = arguments.get("DelaySeconds", 0), time.time()
        if not 0 <= delay <= 900:
            error = {"Code": "InvalidParameterValue", "Message": "DelaySeconds is 0 to 900"}
            raise ClientError({"Error": error}, "SendMessage")
        name, attributes = f"message-{next(self._numbers)}", arguments.get("MessageAttributes", {})
        message = _Message(name, arguments["MessageBody"], now, now + delay, bool(delay), attributes)
        queue.messages.append(message)
        return {"MessageId": message.id}

    def _receive(self, queue: _Queue, arguments: dict[str, Any]) -> dict[str, Any]:
        now = time.time()
        timeout = arguments.get("VisibilityTimeout", queue.visibility_timeout)
        found = [each for each in queue.messages if each.visible_at <= now][: arguments.get("MaxNumberOfMessages", 1)]
        for message in found:
            message.receives += 1
            message.visible_at, message.is_delayed = now + timeout, False
        named = "All" in arguments.get("MessageAttributeNames", ())
        return {"Messages": [_received(each, named) for each in found]} if found else {}

    def _delete(self, queue: _Queue, arguments: dict[str, Any]) -> dict[str, Any]:
        name = arguments["ReceiptHandle"].partition("/")[0]
        queue.messages = [each for each in queue.messages if each.id != name]
        return {}

    def _delete_queue(self, _queue: _Queue, arguments: dict[str, Any]) -> dict[str, Any]:
        del self._queues[arguments["QueueUrl"]]
        return {}

    def _attributes(self, queue: _Queue, arguments: dict[str, Any]) -> dict[str, Any]:
        now, wanted = time.time(), set(arguments.get("AttributeNames", ()))
        hidden = [each for each in queue.messages if each.visible_at > now]
        delayed = sum(each.is_delayed for each in hidden)
        attributes = {
            "ApproximateNumberOfMessages": len(queue.messages) - len(hidden),
            "ApproximateNumberOfMessagesNotVisible": len(hidden) - delayed,
            "ApproximateNumberOfMessagesDelayed": delayed,
            "VisibilityTimeout": queue.visibility_timeout,
        }
        return {"Attributes": {name: str(value) for name, value in attributes.items() if wanted & {name, "All"}}}


def _received(message: _Message, with_attributes: bool) -> dict[str, Any]:
    named = {"MessageAttributes": message.attributes} if with_attributes and message.attributes else {}
    return named | {
        "MessageId": message.id,
        "ReceiptHandle": f"{message.id}/{message.receives}",
        "Body": message.body,
        "Attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(message.sent_at * 1000)),
        },
    }
