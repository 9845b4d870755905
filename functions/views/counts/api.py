"""HTTP: contents' views with their parts."""

from functools import cache
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from sluice import http, settings
from views import content
from views.counts import bootstrap
from views.counts.bootstrap import CountsSettings as Settings
from views.counts.display import Display, Source
from views.counts.schemas import Contents, ViewCount, ViewCounts

app = http.resolver()

OneSource = Annotated[
    Source | None, Query(description="Count only the views in the database, or only the pending views in Redis.")
]


@cache
def configured() -> Settings:
    return settings.read(Settings)


@cache
def display() -> Display:
    return bootstrap.display(configured())


@app.get("/api/views/<content_type>/<content_id>", **http.public(errors=[404]))
def get(
    content_type: Annotated[str, Path(description="One of the installation's content types.", examples=["video"])],
    content_id: Annotated[str, Path(description="The content's id.", examples=["abc123"])],
    source: OneSource = None,
) -> ViewCount:
    """Return the views of a content, with organic and boosted views as separate parts (S2-9, S2-18, decision 10)."""
    content.check(content_type, content_id, configured().content_types)
    asked = (content_type, content_id)
    return ViewCount.of(asked, display().show([asked], source)[asked], source)


@app.post("/api/views/counts", **http.public())
def get_many(body: Annotated[Contents, Body()], source: OneSource = None) -> ViewCounts:
    """Return the views of up to 100 contents (S2-11, S2-19)."""
    for number, item in enumerate(body.items):
        content.check(item.content_type, item.content_id, configured().content_types, f"items.{number}.")
    asked = [(item.content_type, item.content_id) for item in body.items]
    shown = display().show(asked, source)
    return ViewCounts(items=[ViewCount.of(each, shown[each], source) for each in asked])


handler = http.handler_of(app)
