"""SQS: run one step of a boost campaign."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from boosts.bootstrap import WorkerSettings as Settings
from boosts.bootstrap import chain
from sluice.steps import Step

__all__ = ["Settings", "handler"]

logger = Logger()
# A put-back message is no error of the function: the batch is one message, and SQS delivers it again.
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


def run_step(record: SQSRecord) -> None:
    step = Step.parse(record.body)
    logger.append_keys(campaign_id=step.campaign_id, step=step.number)
    chain().run(step, record.message_id)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, run_step, processor, context)
