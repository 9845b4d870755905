"""SQS: run one step of a broadcast, wake the next, and make the calls that the step has claimed."""

from broadcasts import bootstrap
from broadcasts.bootstrap import StepSettings as Settings
from sluice import settings
from sluice.worker import handler_of

chain = settings.once(Settings, bootstrap.chain)
handler = handler_of(chain)
