"""SQS: apply what providers told, a whole batch at once."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from broadcasts.webhooks import bootstrap
from broadcasts.webhooks.applying import Letter
from broadcasts.webhooks.bootstrap import EventsSettings as Settings
from sluice import settings
from sluice.log import logger

applier = settings.once(Settings, bootstrap.applier)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, list[dict[str, str]]], _context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    letters = [Letter(each["messageId"], each["body"]) for each in event["Records"]]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in applier().take(letters)]}
