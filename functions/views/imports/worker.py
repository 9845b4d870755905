"""SQS: run one step of an import of existing counts."""

from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import settings
from sluice.clock import SystemClock
from sluice.records import RecordProcessor
from sluice.steps import Step, StepChain
from views.imports.batches import ImportBatches
from views.imports.bootstrap import ImportSettings as Settings
from views.imports.bootstrap import store, wake
from views.imports.store import State

logger = Logger()
processor = RecordProcessor(EventType.SQS)


@cache
def chain() -> StepChain[State]:
    read = settings.read(Settings)
    return StepChain(ImportBatches(store(read)), wake(read), SystemClock())


def run_step(record: SQSRecord) -> None:
    step = Step.parse(record.body)
    logger.append_keys(campaign_id=step.campaign_id, step=step.number)
    chain().run(step, record.message_id)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, run_step, processor, context)
