"""HTTP: contents' views with their parts."""

from collections.abc import Sequence
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from sluice import http, settings
from sluice.roles import Role
from views import content
from views.counts import bootstrap
from views.counts.bootstrap import CountsSettings as Settings
from views.counts.display import Source
from views.counts.schemas import Contents, FewContents, ViewCount, ViewCounts
from views.schemas import ContentId, ContentName, ContentType

app = http.resolver()

OneSource = Annotated[
    Source | None, Query(description="Count only the views in the database, or only the pending views in Redis.")
]


configured = settings.once(Settings, lambda read: read)
display = settings.once(Settings, bootstrap.display)


@app.get("/api/views/<content_type>/<content_id>", **http.public(errors=[404]))
def get(content_type: ContentType, content_id: ContentId, source: OneSource = None) -> ViewCount:
    """Return the views of a content, with organic and boosted views as separate parts (S2-9, S2-18, decision 10)."""
    asked = content.check(content_type, content_id, configured().content_types)
    return ViewCount.of(asked, display().show([asked], source)[asked], source)


@app.post("/api/views/counts", **http.public())
def get_few(body: Annotated[FewContents, Body()], source: OneSource = None) -> ViewCounts:
    """Return the views of up to 20 contents (S2-19)."""
    return _counts(body.items, source)


@app.post("/api/admin/views/counts", **http.require(Role.SERVICE))
def get_many(body: Annotated[Contents, Body()], source: OneSource = None) -> ViewCounts:
    """Return the views of up to 100 contents, as the open route does for up to 20 (S2-11)."""
    return _counts(body.items, source)


def _counts(items: Sequence[ContentName], source: Source | None) -> ViewCounts:
    asked = [
        content.check(item.content_type, item.content_id, configured().content_types, f"items.{number}.")
        for number, item in enumerate(items)
    ]
    shown = display().show(asked, source)
    return ViewCounts(items=[ViewCount.of(each, shown[each], source) for each in asked])


handler = http.handler_of(app)
