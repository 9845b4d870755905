"""Routes, broken."""

from tests.template.broken.copy import Broken
from tests.template.edits import all_of, drop, put
from tests.template.rules import routes

_API_EVENTS = "BoostsApiFunction.Events"
_OPEN = "GET /api/views/{content_type}/{content_id}"

BROKEN = [
    Broken(
        routes.routes_name_their_method,
        "a route for every method",
        put(f"{_API_EVENTS}.Create.Properties.Method", "ANY"),
        "BoostsApiFunction.Create: let Method be one of DELETE, GET, PATCH, POST, PUT",
    ),
    Broken(
        routes.routes_name_their_method,
        "a route for every path",
        put(f"{_API_EVENTS}.Create.Properties.Path", "/api/{proxy+}"),
        "BoostsApiFunction.Create: let Path be one path under /api/",
    ),
    Broken(
        routes.routes_name_their_method,
        "the default route",
        put(f"{_API_EVENTS}.Create.Properties.Path", "/$default"),
        "BoostsApiFunction.Create: let Path be one path under /api/",
    ),
    Broken(
        routes.routes_are_behind_the_authorizer,
        "a command that everybody may give",
        put(f"{_API_EVENTS}.Execute.Properties.Auth", {"Authorizer": "NONE"}),
        "POST /api/admin/fake-views/{campaign_id}/execute: put it behind the authorizer, or add it to OPEN_ROUTES",
    ),
    Broken(
        routes.routes_are_behind_the_authorizer,
        "no authorizer at all",
        all_of(
            drop("Api.Auth"),
            *(
                drop(f"{event}.Properties.Auth")
                for event in (
                    "OperationsHealthFunction.Events.Alive",
                    "ViewsCountsApiFunction.Events.Bulk",
                    "ViewsCountsApiFunction.Events.Get",
                    "ViewsTrackApiFunction.Events.Track",
                    "ViewsTrackApiFunction.Events.Batch",
                )
            ),
        ),
        "POST /api/admin/fake-views: put it behind the authorizer, or add it to OPEN_ROUTES",
    ),
    Broken(
        routes.routes_are_behind_the_authorizer,
        "an open route that is closed",
        drop("ViewsCountsApiFunction.Events.Get.Properties.Auth"),
        f"{_OPEN}: set Auth: {{Authorizer: NONE}}, or take it from OPEN_ROUTES",
    ),
    Broken(
        routes.routes_are_behind_the_authorizer,
        "an open route that is gone",
        drop("ViewsCountsApiFunction.Events.Get"),
        f"{_OPEN}: take it from OPEN_ROUTES: it is gone",
    ),
    Broken(
        routes.open_routes_are_throttled,
        "an open route without a limit of its own",
        drop("Api.RouteSettings"),
        f"ApiApiGatewayDefaultStage: give {_OPEN} a ThrottlingRateLimit and a ThrottlingBurstLimit of its own",
    ),
    Broken(
        routes.open_routes_are_throttled,
        "closed routes without a limit",
        drop("Api.DefaultRouteSettings.ThrottlingRateLimit"),
        "ApiApiGatewayDefaultStage: give DefaultRouteSettings a ThrottlingRateLimit and a ThrottlingBurstLimit",
    ),
    Broken(
        routes.open_routes_are_throttled,
        "a limit for no route",
        put("Api.RouteSettings.GET /api/view", {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1}),
        "ApiApiGatewayDefaultStage: RouteSettings names no route: GET /api/view",
    ),
]
