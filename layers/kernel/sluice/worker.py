"""The worker of a chain: an SQS handler that runs one step for each message."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.records import RecordProcessor
from sluice.steps import Step, StepChain

logger = Logger()

type Handler = Callable[[dict[str, object], LambdaContext], PartialItemFailureResponse]


def handler_of(chain: Callable[[], StepChain[Any]]) -> Handler:
    """The handler of a function that runs the steps of `chain`, which is asked for at the first message."""
    processor = RecordProcessor(EventType.SQS)

    def run_step(record: SQSRecord) -> None:
        step = Step.parse(record.body)
        logger.append_keys(campaign_id=step.campaign_id, step=step.number)
        chain().run(step, record.message_id)

    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
        return process_partial_response(event, run_step, processor, context)

    return handler
