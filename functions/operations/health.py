"""HTTP: whether the API answers, and for operators how the platform is."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from operations.checkup import Doctor, Queues
from operations.schemas import Alive, Health
from sluice import aws, http, platform, settings
from sluice.chained import items_in
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.outbox import EventItem
from sluice.roles import Role

app = http.resolver()


@dataclass(frozen=True)
class Settings(Queues):
    """What the function reads from the environment."""

    boosts_table: str
    outbox_table: str


@cache
def doctor() -> Doctor:
    read = settings.read(Settings)
    bind(EventItem, read.outbox_table)
    items, platform_items = items_in(read.boosts_table), platform.items_in(read.boosts_table)
    return Doctor(items, platform_items, aws.client("sqs"), read, SystemClock())


@app.get("/health", **http.public())
def alive() -> Alive:
    """Whether the API answers. It looks at nothing behind it, so that anyone may ask."""
    return Alive()


@app.get("/api/admin/health", **http.require(Role.OPERATOR))
def health() -> Health:
    """How the platform is: database, queues, overdue campaigns, unpublished events, and what to do about them."""
    return Health.of(doctor().check())


@http.logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
