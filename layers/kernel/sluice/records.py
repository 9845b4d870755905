"""Records of a queue or a stream, handed to a function one by one. A record that fails is logged and put back."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    FailureResponse,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

type Handler = Callable[[dict[str, object], LambdaContext], PartialItemFailureResponse]

logger = Logger(child=True)


class RecordProcessor(BatchProcessor):
    """Powertools' processor does not log failures.

    A record that is put back is not an error of the function, even if it is the only one: it is delivered again.
    """

    def __init__(self, event_type: EventType) -> None:
        super().__init__(event_type, raise_on_entire_batch_failure=False)

    def failure_handler(self, record: Any, exception: Any) -> FailureResponse:
        logger.error("Put back: it failed", exc_info=exception)
        return super().failure_handler(record, exception)


def handler_of(event_type: EventType, take: Callable[[Any], None], logger: Logger) -> Handler:
    """The handler of a function that takes records one by one; `take` may add keys to `logger`."""
    processor = RecordProcessor(event_type)

    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
        return process_partial_response(event, take, processor, context)

    return handler
