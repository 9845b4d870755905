"""HTTP: the state of tracking and the sync, and why a view would count or not."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from sluice import http, settings
from sluice.roles import Role
from views import content
from views.diagnosis import bootstrap
from views.diagnosis.bootstrap import DiagnosisSettings as Settings
from views.diagnosis.explaining import Explanation
from views.diagnosis.schemas import AskedView, ExplanationResource, StatsResource

app = http.resolver()


configured = settings.once(Settings, lambda read: read)
rules = settings.once(Settings, Settings.rules)
stats_reader = settings.once(Settings, bootstrap.stats_reader)
explainer = settings.once(Settings, bootstrap.explainer)


@app.get("/api/admin/views/stats", **http.require(Role.OPERATOR))
def stats() -> StatsResource:
    """Return the state of tracking and the sync (S2-28)."""
    return StatsResource.of(stats_reader().read(), rules())


@app.post("/api/admin/views/explain", **http.require(Role.OPERATOR))
def explain(body: Annotated[AskedView, Body()]) -> ExplanationResource:
    """Return whether a view by this viewer would count now, and why. Nothing is counted or kept."""
    content.check(body.content_type, body.content_id, configured().content_types)
    return ExplanationResource.of(_explanation(body))


def _explanation(asked: AskedView) -> Explanation:
    viewer, of = asked.viewer, (asked.content_type, asked.content_id)
    if viewer.user is not None:
        return explainer().of_user(viewer.user, *of)
    if viewer.session is not None:
        return explainer().of_session(viewer.session, viewer.source_ip or "", viewer.user_agent or "", *of)
    return explainer().of_address(viewer.source_ip or "", viewer.user_agent or "", *of)


handler = http.handler_of(app)
