"""Schedule: begin a check of all participations."""

from dataclasses import dataclass

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.commit import CommitSettings
from sluice.log import logger
from sluice.wake import WakeSettings


@dataclass(frozen=True)
class Settings(CommitSettings, WakeSettings):
    sponsorships_table: str
    sponsorships_queue_url: str
    sponsorships_queue_arn: str


@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, object], _context: LambdaContext) -> None:
    logger.info("No check is begun yet")
