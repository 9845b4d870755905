"""Schedule: begin a check of all participations, and write the canary that the stream reports."""

from dataclasses import dataclass
from functools import cache

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import settings
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.log import logger
from sluice.requests import Requester
from sluice.wake import WakeSettings, wake_of
from sponsorships import monitor
from sponsorships.items import SponsorshipsItem
from sponsorships.monitoring.commands import Runs
from sponsorships.store import RunStore

ACTOR = "schedule"


@dataclass(frozen=True)
class Settings(WakeSettings):
    sponsorships_table: str
    sponsorships_queue_url: str
    sponsorships_queue_arn: str


@cache
def runs() -> Runs:
    read = settings.read(Settings)
    bind(SponsorshipsItem, read.sponsorships_table)
    wake = wake_of(read, read.sponsorships_queue_url, read.sponsorships_queue_arn)
    return Runs(RunStore(Database()), wake, SystemClock())


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
    """`{"kind": "light"}` every few minutes, `{"kind": "deep"}` once a night."""
    deep = event.get("kind") == "deep"
    if not deep:
        look_at_stream()
    run = runs().start(deep, Requester(ACTOR, context.aws_request_id))
    logger.info("Checking", run=run)
    return {"run": getattr(run, "id", None)}


def look_at_stream() -> None:
    """Write the canary, and say in the log when the stream brought neither of the last two (S3-31, S3-33)."""
    clock = runs().clock
    found = monitor.read(monitor.CANARY, monitor.SIGNAL)
    if monitor.is_silent(found[monitor.CANARY], found[monitor.SIGNAL]):
        logger.error("Stream silent", since=found[monitor.SIGNAL].last_at)  # an alarm counts these lines
    monitor.send_canary(clock.now())
