"""HTTP: contents' views with their parts."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import http, settings, totals
from sluice.dynamodb import bind
from sluice.totals import TotalItem
from views import content
from views.bootstrap import ViewsSettings, reader
from views.breaker import Breaker
from views.counts.display import Display, Source
from views.schemas import Contents, ViewCount, ViewCounts

app = http.resolver()

OneSource = Annotated[
    Source | None, Query(description="Count only what the database has, or only what Redis has pending.")
]


@dataclass(frozen=True)
class Settings(ViewsSettings):
    """What the function reads from the environment."""

    content_types: tuple[str, ...]


@cache
def configured() -> Settings:
    return settings.read(Settings)


@cache
def display() -> Display:
    read = configured()
    bind(TotalItem, read.totals_table)
    return Display(lambda: reader(read), totals.read_all, Breaker())


@app.get("/api/views/<content_type>/<content_id>", **http.public(errors=[404]))
def get(
    content_type: Annotated[str, Path(description="One of the installation's content types.", examples=["video"])],
    content_id: Annotated[str, Path(description="The content's id.", examples=["abc123"])],
    source: OneSource = None,
) -> ViewCount:
    """How many views a content has, organic and boosted apart (S2-9, S2-18, decision 10)."""
    content.check(content_type, content_id, configured().content_types)
    asked = (content_type, content_id)
    return ViewCount.of(asked, display().show([asked], source)[asked], source)


@app.post("/api/views/counts", **http.public())
def get_many(body: Annotated[Contents, Body()], source: OneSource = None) -> ViewCounts:
    """The views of up to 100 contents (S2-11, S2-19)."""
    for number, item in enumerate(body.items):
        content.check(item.content_type, item.content_id, configured().content_types, f"items.{number}.")
    asked = [(item.content_type, item.content_id) for item in body.items]
    shown = display().show(asked, source)
    return ViewCounts(items=[ViewCount.of(each, shown[each], source) for each in asked])


@http.logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
