"""Wake: bring a campaign's step to its queue at a time (design section 3)."""

import json
import math
import re
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sluice import aws
from sluice.clock import Clock, SystemClock
from sluice.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
LONGEST_DELAY_SECONDS = 900
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
_SCHEDULE_NAME = re.compile(r"[0-9a-zA-Z-_.]{1,64}")


@dataclass(frozen=True)
class WakeSettings:
    """What a function that wakes steps reads from the environment, beside its queue."""

    schedule_group: str
    wake_role_arn: str


@dataclass(frozen=True)
class Wake:
    """Up to 15 minutes ahead by an SQS delay, further by a one-time schedule. Sending twice is harmless."""

    sqs: "SQSClient"
    scheduler: "EventBridgeSchedulerClient"
    clock: Clock
    _: KW_ONLY
    queue_url: str
    queue_arn: str
    schedule_group: str
    role_arn: str

    def __call__(self, campaign_id: str, step: int, at: datetime) -> None:
        """Bring `step` to the queue at `at` or a second later; a past time means now. Raises Unavailable."""
        try:
            self._send(campaign_id, step, at)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"The next step could not be sent: {aws.why('AWS', error)}") from error

    def _send(self, campaign_id: str, step: int, at: datetime) -> None:
        delay_seconds = max(0, math.ceil((at - self.clock.now()).total_seconds()))
        if delay_seconds <= LONGEST_DELAY_SECONDS:
            body = step_message(campaign_id, step)
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body, DelaySeconds=delay_seconds)
        else:
            self._schedule(campaign_id, step, at)

    def _schedule(self, campaign_id: str, step: int, at: datetime) -> None:
        whole_second = (at.astimezone(UTC) + timedelta(microseconds=999_999)).replace(microsecond=0)
        try:
            self.scheduler.create_schedule(
                # wake_at never changes without step, so a name always means one time.
                Name=schedule_name(campaign_id, step),
                GroupName=self.schedule_group,
                ScheduleExpression=f"at({whole_second:%Y-%m-%dT%H:%M:%S})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self.queue_arn,
                    "RoleArn": self.role_arn,
                    "Input": step_message(campaign_id, step),
                },
            )
        except self.scheduler.exceptions.ConflictException:
            return  # The schedule exists: the message that created it was delivered twice.


def wake_of(settings: WakeSettings, queue_url: str, queue_arn: str) -> Wake:
    """Brings steps to a queue."""
    return Wake(
        aws.client("sqs"),
        aws.client("scheduler"),
        SystemClock(),
        queue_url=queue_url,
        queue_arn=queue_arn,
        schedule_group=settings.schedule_group,
        role_arn=settings.wake_role_arn,
    )


def schedule_name(campaign_id: str, step: int) -> str:
    """The name of a step's schedule: `bst_01JD...-7`.

    An id with a suffix, such as `spn_01JD...:nina`, is no name that EventBridge accepts, or too long: 20 hex digits of
    its SHA-256 then stand for the suffix.
    """
    name = f"{campaign_id}-{step}"
    if _SCHEDULE_NAME.fullmatch(name):
        return name
    return f"{campaign_id.partition(':')[0]}-{sha256(campaign_id.encode()).hexdigest()[:20]}-{step}"


def step_message(campaign_id: str, step: int) -> str:
    """The body of a queue message: `{"campaign_id": ..., "step": n}`."""
    return json.dumps({"campaign_id": campaign_id, "step": step})
