"""HTTP: whether the API answers, and for operators how the platform is."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from operations.checkup import Doctor
from operations.schemas import Alive, Health
from sluice import aws, http, platform, settings
from sluice.chained import items_in
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.outbox import EventItem
from sluice.roles import Role

app = http.resolver()


@dataclass(frozen=True)
class Settings:
    """What the function reads from the environment. A queue's URL is named as what is shown of it."""

    boosts_table: str
    views_table: str
    outbox_table: str
    boosts_queue_url: str
    boosts_dead_letters_url: str
    views_sync_queue_url: str
    views_dead_letters_url: str
    views_imports_queue_url: str
    views_imports_dead_letters_url: str
    outbox_dead_letters_url: str


@cache
def doctor() -> Doctor:
    read = settings.read(Settings)
    bind(EventItem, read.outbox_table)
    overdue_in = {"overdue_campaigns": items_in(read.boosts_table), "overdue_imports": items_in(read.views_table)}
    queue_urls = {name.removesuffix("_url"): url for name, url in vars(read).items() if name.endswith("_url")}
    queue_urls["views_queue"] = queue_urls.pop("views_sync_queue")  # its name in the API is older than the wings
    return Doctor(overdue_in, platform.items_in(read.boosts_table), aws.client("sqs"), queue_urls, SystemClock())


@app.get("/health", **http.public())
def alive() -> Alive:
    """Whether the API answers. It looks at nothing behind it, so that anyone may ask."""
    return Alive()


@app.get("/api/admin/health", **http.require(Role.OPERATOR))
def health() -> Health:
    """How the platform is: database, queues, what is overdue, unpublished events, and what to do about them."""
    return Health.of(doctor().check())


@http.logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
