"""Routes, broken."""

from tests.template.broken.copy import Broken
from tests.template.edits import add, all_of, drop, put
from tests.template.project import real
from tests.template.rules import routes

_API_EVENTS = "BoostsApiFunction.Events"
_OPEN = "GET /api/views/{content_type}/{content_id}"

_TOPICS = {f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(500)}

BROKEN = [
    Broken(
        routes.resources_leave_room,
        "more than a stack has room for",
        all_of(*(add(name, topic) for name, topic in _TOPICS.items())),
        f"Resources: {len(real().resources) + len(_TOPICS)} of 500: "
        "let the routes of a function share one AWS::Lambda::Permission",
    ),
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
        "BoostsApiFunction.Create: let Path be one path under /api/ or /v2/",
    ),
    Broken(
        routes.routes_name_their_method,
        "the default route",
        put(f"{_API_EVENTS}.Create.Properties.Path", "/$default"),
        "BoostsApiFunction.Create: let Path be one path under /api/ or /v2/",
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
                    "SponsorshipsRecordingApiFunction.Events.Batch",
                    "SponsorshipsRecordingApiFunction.Events.Click",
                    "SponsorshipsRecordingApiFunction.Events.Impression",
                    "SponsorshipsRecordingApiFunction.Events.Token",
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
        routes.urls_are_few_and_off_and_bounded,
        "a way in beside the API",
        put("ViewsCountsApiFunction.FunctionUrlConfig", {"AuthType": "NONE"}),
        "ViewsCountsApiFunction: remove its URL, or add it to URLS",
    ),
    Broken(
        routes.urls_are_few_and_off_and_bounded,
        "a URL that is gone",
        drop("ViewsTrackUrlFunction.FunctionUrlConfig"),
        "ViewsTrackUrlFunction: give it a FunctionUrlConfig, or take it from URLS",
    ),
    Broken(
        routes.urls_are_few_and_off_and_bounded,
        "a URL without a throttle",
        drop("ViewsTrackUrlFunction.ReservedConcurrentExecutions"),
        "ViewsTrackUrlFunction: set ReservedConcurrentExecutions: nothing else throttles its URL",
    ),
    Broken(
        routes.urls_are_few_and_off_and_bounded,
        "a URL that is always on",
        drop("Resources.ViewsTrackUrlFunction.Condition"),
        "ViewsTrackUrlFunctionUrl: set Condition: HasTrackUrl",
    ),
    Broken(
        routes.urls_are_few_and_off_and_bounded,
        "an alarm on a function that is not there",
        drop("Resources.ViewsTrackUrlErrorsAlarm.Condition"),
        "ViewsTrackUrlErrorsAlarm: set Condition: HasTrackUrl",
    ),
    Broken(
        routes.urls_answer_as_the_routes_do,
        "other rules at the URL",
        put("ViewsTrackUrlFunction.Environment.Variables.ONCE_PER_DAY", "false"),
        "ViewsTrackUrlFunction: let its Environment be that of ViewsTrackApiFunction",
    ),
    Broken(
        routes.urls_answer_as_the_routes_do,
        "a URL that the pages of any site may call",
        put("ViewsTrackUrlFunction.FunctionUrlConfig.Cors", {"AllowOrigins": ["*"], "AllowMethods": ["POST"]}),
        "ViewsTrackUrlFunction: let Cors be the API's, for POST",
    ),
    Broken(
        routes.urls_answer_as_the_routes_do,
        "a URL for other methods",
        put("ViewsTrackUrlFunction.FunctionUrlConfig.Cors.Fn::If.1.AllowMethods", ["*"]),
        "ViewsTrackUrlFunction: let Cors be the API's, for POST",
    ),
    Broken(
        routes.open_routes_are_throttled,
        "a limit for no route",
        put("Api.RouteSettings.GET /api/view", {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1}),
        "ApiApiGatewayDefaultStage: RouteSettings names no route: GET /api/view",
    ),
]
