"""Dead letters, and how they get back on their queues.

One by one, and a message leaves the dead letters only after its copy was accepted: it may come twice, which every
worker survives, and is never lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from operations.heads import AuditLog
from sluice import aws, platform, queues
from sluice.audit import Head
from sluice.clock import Clock
from sluice.errors import Conflicting, Unavailable
from sluice.platform import PlatformItem
from sluice.requests import Keyed, Requester, carry_out

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

logger = Logger(child=True)

MOST = 100
"""Messages that one call moves."""
_AT_ONCE = 10
_HIDDEN_SECONDS = 60
"""How long a message that is being moved is out of sight for others: longer than the function may run."""
_ACTION = "DEAD_LETTERS_REDRIVEN"
RESTORED = "REDRIVES_RESTORED"
_BUSY = "Other requests put dead letters back at the same time: retry"


@dataclass(frozen=True)
class Ends:
    """The URLs of a queue and of its dead letters."""

    queue: str
    dead_letters: str


@dataclass(frozen=True)
class Redriven:
    """What a call moved, and what it left behind: too many for one call, or held by another call."""

    queue: str
    moved: int
    left: int


@dataclass(frozen=True)
class DeadLetters:
    """Puts dead letters back. `ends` are by the name of the queue."""

    audit_log: AuditLog
    platform_items: type[PlatformItem]
    sqs: "SQSClient"
    ends: Mapping[str, Ends]
    clock: Clock

    def redrive(self, name: str, requester: Requester) -> Redriven:
        """Put at most 100 dead letters back on a queue. Raises Conflicting while the platform is stopped."""
        ends = self.ends[name]
        # Before anything is received: a message that was is hidden from the next call for a minute.
        if platform.is_stopped(self.platform_items):
            raise _stopped()
        # After a move, SQS may still count what was deleted for a while.
        depth = queues.depth(self.sqs, ends.dead_letters)
        before = depth.waiting + depth.in_flight
        messages = self._receive(ends.dead_letters)
        if messages:
            self._record(name, len(messages), requester)
            self._move(ends, messages)
            logger.info("Redriven", queue=name, messages=[message["MessageId"] for message in messages])
        return Redriven(name, len(messages), max(before - len(messages), 0))

    def _receive(self, dead_letters: str) -> list["MessageTypeDef"]:
        """At most MOST messages, each once though SQS may deliver it twice, with the receipt that is valid."""
        found: dict[str, MessageTypeDef] = {}
        while len(found) < MOST:
            try:
                answer = self.sqs.receive_message(
                    QueueUrl=dead_letters,
                    MaxNumberOfMessages=min(_AT_ONCE, MOST - len(found)),
                    VisibilityTimeout=_HIDDEN_SECONDS,
                    WaitTimeSeconds=1,  # asks all of SQS's servers, where 0 asks some
                    MessageAttributeNames=["All"],
                )
            except (BotoCoreError, ClientError) as error:
                raise Unavailable(f"The dead letters cannot be read: {aws.why('SQS', error)}") from error
            messages = answer.get("Messages", [])
            if not messages:
                break
            found |= {message["MessageId"]: message for message in messages}
        return list(found.values())

    def _move(self, ends: Ends, messages: list["MessageTypeDef"]) -> None:
        """One by one: a batch of ten may be larger than SQS takes. Raises Unavailable; what was moved stays moved."""
        for message in messages:
            try:
                self.sqs.send_message(
                    QueueUrl=ends.queue,
                    MessageBody=message["Body"],
                    MessageAttributes=message.get("MessageAttributes", {}),
                )
                self.sqs.delete_message(QueueUrl=ends.dead_letters, ReceiptHandle=message["ReceiptHandle"])
            except (BotoCoreError, ClientError) as error:
                why = aws.why("SQS", error)
                raise Unavailable(f"Not all dead letters were put back: {why}. Retry in a minute", 60) from error

    def _record(self, name: str, messages: int, requester: Requester) -> None:
        """Before the first message moves, so that none moves without an entry, nor after a stop was answered."""

        def attempt(_keyed: Keyed[Head] | None, now: datetime) -> Head | None:
            after = {"queue": name, "messages": messages}
            committed = self.audit_log.record(_ACTION, requester.subject, after, now, open_in=self.platform_items)
            if committed is None and platform.is_stopped(self.platform_items):
                raise _stopped()
            return committed

        carry_out(attempt, None, lambda _: True, self.clock, _BUSY)


def _stopped() -> Conflicting:
    message = "The platform is stopped: dead letters stay where they are until it is resumed"
    return Conflicting(message, "stopped")
