"""HTTP: a content's views with their parts."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import http, settings, totals
from sluice.dynamodb import bind
from sluice.totals import TotalItem
from views.content import check
from views.schemas import ViewCount

app = http.resolver()


@dataclass(frozen=True)
class Settings:
    """What the function reads from the environment."""

    totals_table: str
    content_types: tuple[str, ...]


@cache
def content_types() -> tuple[str, ...]:
    read = settings.read(Settings)
    bind(TotalItem, read.totals_table)
    return read.content_types


@app.get("/api/views/<content_type>/<content_id>", **http.public())
def get(
    content_type: Annotated[str, Path(description="One of the installation's content types.", examples=["video"])],
    content_id: Annotated[str, Path(description="The content's id.", examples=["abc123"])],
) -> ViewCount:
    """How many views a content has, organic and boosted apart (S2-9, decision 10)."""
    check(content_type, content_id, content_types())
    return ViewCount.of(content_type, content_id, totals.read(content_type, content_id))


@http.logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
