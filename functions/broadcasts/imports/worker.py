"""SQS: check a file of recipients, and give its campaign the rows."""

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from broadcasts.checks_queue import asked
from broadcasts.imports.bootstrap import CheckSettings as Settings
from broadcasts.imports.bootstrap import checks
from sluice import records, settings
from sluice.log import logger

built = settings.once(Settings, checks)


def check(record: SQSRecord) -> None:
    campaign_id, import_id = asked(record.body)
    logger.append_keys(campaign_id=campaign_id, import_id=import_id)
    built().run(campaign_id, import_id)


handler = records.handler_of(EventType.SQS, check, logger)
