"""The worker of a chain: an SQS handler that runs one step for each message."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from sluice import records
from sluice.log import logger
from sluice.records import Handler
from sluice.steps import Step, StepChain


def handler_of(chain: Callable[[], StepChain[Any]]) -> Handler:
    """The handler of a function that runs the steps of a chain; `chain` is called at the first message."""
    return dispatcher_of(lambda _: chain())


def dispatcher_of(chain_of: Callable[[Step], StepChain[Any]]) -> Handler:
    """The handler of a function that runs the steps of several chains, which share a queue."""

    def run_step(record: SQSRecord) -> None:
        step = Step.parse(record.body)
        logger.append_keys(campaign_id=step.campaign_id, step=step.number)
        chain_of(step).run(step, record.message_id)

    return records.handler_of(EventType.SQS, run_step, logger)
