"""Routes, broken."""

from tests.template.broken.copy import Broken
from tests.template.edits import add, all_of, drop, grant, put
from tests.template.project import real
from tests.template.rules import routes

_PATHS = "Api.DefinitionBody.paths"
_CREATE = f"{_PATHS}./api/admin/fake-views.post"
_OPEN = "GET /api/views/{content_type}/{content_id}"
_OPEN_OPERATION = f"{_PATHS}./api/views/{{content_type}}/{{content_id}}.get"
_INTEGRATION = "x-amazon-apigateway-integration"
_CONSOLE = "GET /console/{proxy+}"
_CONSOLE_ITEM = f"{_PATHS}./console/{{proxy+}}"
_OPERATION_OF_CONSOLE = real().template["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"]["/console"][
    "Fn::If"
][1]
_BY_THE_SESSIONS_ROLE = "SessionApiRole.Policies.0.PolicyDocument.Statement.0"
_SESSION = "SessionApi.DefinitionBody.paths./session.post"
_JWT = "SessionApi.Auth.Authorizers.OidcAuthorizer"
_BY_THE_ROLE = "ApiRole.Policies.0.PolicyDocument.Statement.0"

_TOPICS = {f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(500)}

BROKEN = [
    Broken(
        routes.resources_leave_room,
        "more than a stack has room for",
        all_of(*(add(name, topic) for name, topic in _TOPICS.items())),
        f"Resources: {len(real().resources) + len(_TOPICS)} are more than 440: let the alarms of a kind share one",
    ),
    Broken(
        routes.routes_are_paths_of_the_api,
        "a route that makes a resource",
        put(
            "BoostsApiFunction.Events",
            {"New": {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Api"}, "Method": "GET", "Path": "/api/new"}}},
        ),
        "BoostsApiFunction.New: write it as a path of Api's DefinitionBody",
    ),
    Broken(
        routes.path_parameters_are_declared,
        "a path whose parameter is not declared",
        drop(f"{_OPEN_OPERATION}.parameters.1"),
        f"{_OPEN}: let parameters be those of its path, each required: content_id, content_type",
    ),
    Broken(
        routes.path_parameters_are_declared,
        "a parameter that is in no path",
        put(f"{_CREATE}.parameters", [{"name": "campaign_id", "in": "path", "required": True}]),
        "POST /api/admin/fake-views: let parameters be those of its path, each required: none",
    ),
    Broken(
        routes.path_parameters_are_declared,
        "a parameter that need not be there",
        put(f"{_OPEN_OPERATION}.parameters.0.required", False),
        f"{_OPEN}: let parameters be those of its path, each required: content_id, content_type",
    ),
    Broken(
        routes.routes_invoke_a_function_by_the_apis_role,
        "a route that ends nowhere",
        drop(f"{_CREATE}.{_INTEGRATION}"),
        "POST /api/admin/fake-views: let x-amazon-apigateway-integration be that of a function of the template",
    ),
    Broken(
        routes.routes_invoke_a_function_by_the_apis_role,
        "a route to what is no function",
        put(f"{_CREATE}.{_INTEGRATION}.uri", {"Fn::Sub": routes.URI % "BoostsTable"}),
        "POST /api/admin/fake-views: let x-amazon-apigateway-integration be that of a function of the template",
    ),
    Broken(
        routes.routes_invoke_a_function_by_the_apis_role,
        "a function that is called otherwise than by the gateway",
        put(f"{_CREATE}.{_INTEGRATION}.uri", {"Fn::GetAtt": ["BoostsApiFunction", "Arn"]}),
        "POST /api/admin/fake-views: let x-amazon-apigateway-integration be that of a function of the template",
    ),
    Broken(
        routes.routes_invoke_a_function_by_the_apis_role,
        "a route that nothing allows to invoke its function",
        drop(f"{_CREATE}.{_INTEGRATION}.credentials"),
        "POST /api/admin/fake-views: let the credentials of its integration be !GetAtt ApiRole.Arn",
    ),
    Broken(
        routes.routes_invoke_a_function_by_the_apis_role,
        "the caller's own credentials",
        put(f"{_CREATE}.{_INTEGRATION}.credentials", "arn:aws:iam::*:user/*"),
        "POST /api/admin/fake-views: let the credentials of its integration be !GetAtt ApiRole.Arn",
    ),
    Broken(
        routes.routes_invoke_a_function_by_the_apis_role,
        "events of another version",
        put(f"{_CREATE}.{_INTEGRATION}.payloadFormatVersion", "1.0"),
        "POST /api/admin/fake-views: let its integration be an aws_proxy by POST with payloads of version 2.0",
    ),
    Broken(
        routes.the_apis_role_invokes_what_is_behind_routes,
        "a function that the API may not invoke",
        drop(f"{_BY_THE_ROLE}.Resource.0"),
        "ApiRole: let it invoke OperationsAuditFunction, which a route does",
    ),
    Broken(
        routes.the_apis_role_invokes_what_is_behind_routes,
        "a function that the API may invoke for no route",
        put(f"{_BY_THE_ROLE}.Resource.0", {"Fn::GetAtt": ["BoostsWorkerFunction", "Arn"]}),
        "ApiRole: take ${BoostsWorkerFunction.Arn} away: no route invokes it",
    ),
    Broken(
        routes.the_apis_role_invokes_what_is_behind_routes,
        "versions of a function",
        put(f"{_BY_THE_ROLE}.Resource.0", {"Fn::Sub": "${OperationsAuditFunction.Arn}:*"}),
        "ApiRole: take ${OperationsAuditFunction.Arn}:* away: no route invokes it",
    ),
    Broken(
        routes.the_apis_role_invokes_what_is_behind_routes,
        "an API that may do more",
        put(f"{_BY_THE_ROLE}.Action", ["lambda:InvokeFunction", "lambda:UpdateFunctionCode"]),
        "ApiRole: take lambda:UpdateFunctionCode away: it invokes functions",
    ),
    Broken(
        routes.the_apis_role_invokes_what_is_behind_routes,
        "a role that others may take",
        put("ApiRole.AssumeRolePolicyDocument.Statement.0.Principal", {"AWS": "*"}),
        "ApiRole: let apigateway.amazonaws.com alone assume it",
    ),
    Broken(
        routes.routes_name_their_method,
        "a route for every method",
        put(f"{_PATHS}./api/admin/fake-views.x-amazon-apigateway-any-method", {}),
        "X-AMAZON-APIGATEWAY-ANY-METHOD /api/admin/fake-views: let its method be one of DELETE, GET, PATCH, POST, PUT",
    ),
    Broken(
        routes.routes_name_their_method,
        "a route for every path",
        put(f"{_PATHS}./api/{{proxy+}}", {"get": {}}),
        "GET /api/{proxy+}: let it be one path under /api/ or /v2/ or /webhooks/",
    ),
    Broken(
        routes.routes_name_their_method,
        "the default route",
        put(f"{_PATHS}./$default", {"get": {}}),
        "GET /$default: let it be one path under /api/ or /v2/ or /webhooks/",
    ),
    Broken(
        routes.routes_name_their_method,
        "a second greedy path",
        put(f"{_PATHS}./console/files/{{proxy+}}", {"get": {}}),
        "GET /console/files/{proxy+}: let it be one path under /api/ or /v2/ or /webhooks/",
    ),
    Broken(
        routes.routes_name_their_method,
        "a path that only begins like the console's",
        put(f"{_PATHS}./consoles", {"get": {}}),
        "GET /consoles: let it be one path under /api/ or /v2/ or /webhooks/",
    ),
    Broken(
        routes.path_parameters_are_declared,
        "a greedy parameter that is not declared",
        drop(f"{_CONSOLE_ITEM}.Fn::If.1.get.parameters"),
        f"{_CONSOLE}: let parameters be those of its path, each required: proxy",
    ),
    Broken(
        routes.routes_are_behind_the_authorizer,
        "a console that only those see who have a token in a header",
        drop(f"{_CONSOLE_ITEM}.Fn::If.1.get.security"),
        f"{_CONSOLE}: set security: *Open, or take it from OPEN_ROUTES",
    ),
    Broken(
        routes.open_routes_are_throttled,
        "a console without a limit of its own",
        drop(f"Api.RouteSettings.{_CONSOLE}.Fn::If.1.ThrottlingBurstLimit"),
        f"ApiApiGatewayDefaultStage: give {_CONSOLE} a ThrottlingRateLimit and a ThrottlingBurstLimit of its own",
    ),
    Broken(
        routes.routes_are_there_when_their_function_is,
        "a route whose function may not be there",
        put(f"{_PATHS}./console", _OPERATION_OF_CONSOLE),
        "GET /console: let its condition be that of ConsoleSiteFunction",
    ),
    Broken(
        routes.routes_are_there_when_their_function_is,
        "a function that is always there, behind a route that may not be",
        drop("Resources.ConsoleSiteFunction.Condition"),
        f"{_CONSOLE}: let its condition be that of ConsoleSiteFunction",
    ),
    Broken(
        routes.routes_are_there_when_their_function_is,
        "settings of a route that may not be there",
        put(f"Api.RouteSettings.{_CONSOLE}", {"ThrottlingRateLimit": 20, "ThrottlingBurstLimit": 40}),
        f"RouteSettings of {_CONSOLE}: let their condition be that of ConsoleSiteFunction",
    ),
    Broken(
        routes.routes_are_there_when_their_function_is,
        "a permission to invoke what may not be there",
        put(f"{_BY_THE_ROLE}.Resource.20", {"Fn::GetAtt": ["ConsoleSiteFunction", "Arn"]}),
        "ApiRole: let the condition of ConsoleSiteFunction be that of the function",
    ),
    Broken(
        routes.no_function_behind_the_api_knows_it,
        "a function that is told the API's address",
        put("BoostsApiFunction.Environment.Variables.API", {"Fn::Sub": "https://${Api}.example.org"}),
        "BoostsApiFunction: take Api away: an address of the API comes with the request",
    ),
    Broken(
        routes.no_function_behind_the_api_knows_it,
        "a function that may change the API",
        grant("BoostsApiFunction", "apigateway:PATCH", {"Fn::Sub": "arn:aws:apigateway:::/apis/${Api}"}),
        "BoostsApiFunction: take Api away: an address of the API comes with the request",
    ),
    Broken(
        routes.no_function_behind_the_api_knows_it,
        "an API of sessions that is told the address of the other",
        put("SessionApi.CorsConfiguration.AllowOrigins", [{"Fn::Sub": "https://${Api}.example.org"}]),
        "SessionApi: take Api away: the origin of the console is a parameter",
    ),
    Broken(
        routes.the_apis_role_invokes_what_is_behind_routes,
        "an API of sessions that may invoke what stands behind the other",
        put(f"{_BY_THE_SESSIONS_ROLE}.Resource", [{"Fn::GetAtt": ["OperationsTokensFunction", "Arn"]}]),
        "SessionApiRole: take ${OperationsTokensFunction.Arn} away: no route invokes it",
    ),
    Broken(
        routes.routes_invoke_a_function_by_the_apis_role,
        "a session by the role that closes the circle",
        put(f"{_SESSION}.x-amazon-apigateway-integration.credentials", {"Fn::GetAtt": ["ApiRole", "Arn"]}),
        "POST /session: let the credentials of its integration be !GetAtt SessionApiRole.Arn",
    ),
    Broken(
        routes.routes_are_there_when_their_function_is,
        "a session for which there may be no API",
        drop("Resources.OperationsSessionFunction.Condition"),
        "POST /session: let its condition be that of OperationsSessionFunction",
    ),
    Broken(
        routes.routes_are_behind_the_authorizer,
        "sessions for everybody",
        put(f"{_SESSION}.security", [{"NONE": []}]),
        "POST /session: put it behind the authorizer, or add it to OPEN_ROUTES",
    ),
    Broken(
        routes.open_routes_are_throttled,
        "sessions without a limit of their own",
        drop("SessionApi.RouteSettings"),
        "SessionApiApiGatewayDefaultStage: give POST /session a ThrottlingRateLimit and a ThrottlingBurstLimit "
        "of its own",
    ),
    Broken(
        routes.sessions_are_opened_by_the_identity_provider_alone,
        "sessions by whatever the provider vouches for",
        put(f"{_JWT}.JwtConfiguration.audience", [{"Ref": "OidcAudience"}, "https://graph.example.com"]),
        "SessionApi: let its authorizer be one of JWTs by OidcIssuer for OidcAudience",
    ),
    Broken(
        routes.sessions_are_opened_by_the_identity_provider_alone,
        "a token of the provider in an address",
        put(f"{_JWT}.IdentitySource", "$request.querystring.token"),
        "SessionApi: let the token be in the Authorization header, which nobody writes down",
    ),
    Broken(
        routes.sessions_are_opened_by_the_identity_provider_alone,
        "sessions for pages of other sites",
        put("SessionApi.CorsConfiguration.AllowOrigins", ["*"]),
        "SessionApi: let its CorsConfiguration allow POST from ConsoleOrigin alone, with a token",
    ),
    Broken(
        routes.sessions_are_opened_by_the_identity_provider_alone,
        "an access log of sessions",
        put(
            "SessionApi.AccessLogSettings",
            {"DestinationArn": {"Fn::GetAtt": ["ApiAccessLogs", "Arn"]}, "Format": "$context.requestId"},
        ),
        "SessionApi: take AccessLogSettings away: its requests carry tokens of another system",
    ),
    Broken(
        routes.forms_may_be_posted_from_the_console,
        "a bucket that takes forms from no page",
        drop("PromotionsMediaBucket.CorsConfiguration"),
        "PromotionsMediaBucket: let its CorsConfiguration allow POST, and nothing else, from everywhere",
    ),
    Broken(
        routes.forms_may_be_posted_from_the_console,
        "a bucket that pages may read",
        put("BroadcastsBucket.CorsConfiguration.CorsRules.0.AllowedMethods", ["GET", "POST"]),
        "BroadcastsBucket: let its CorsConfiguration allow POST, and nothing else, from everywhere",
    ),
    Broken(
        routes.forms_may_be_posted_from_the_console,
        "a page that may not post where the form says",
        drop("ConsoleSiteFunction.Environment.Variables.CONNECT_ORIGINS.Fn::Join.1.2"),
        "ConsoleSiteFunction: let CONNECT_ORIGINS name https://${BroadcastsBucket}.s3.${AWS::URLSuffix}",
    ),
    Broken(
        routes.routes_are_behind_the_authorizer,
        "a command that everybody may give",
        put(f"{_PATHS}./api/admin/fake-views/{{campaign_id}}/execute.post.security", [{"NONE": []}]),
        "POST /api/admin/fake-views/{campaign_id}/execute: put it behind the authorizer, or add it to OPEN_ROUTES",
    ),
    Broken(
        routes.routes_are_behind_the_authorizer,
        "no authorizer at all",
        drop("Api.Auth"),
        "POST /api/admin/fake-views: put it behind the authorizer, or add it to OPEN_ROUTES",
    ),
    Broken(
        routes.routes_are_behind_the_authorizer,
        "an open route that is closed",
        drop(f"{_OPEN_OPERATION}.security"),
        f"{_OPEN}: set security: *Open, or take it from OPEN_ROUTES",
    ),
    Broken(
        routes.routes_are_behind_the_authorizer,
        "an open route that is gone",
        drop(_OPEN_OPERATION),
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
        routes.tickets_are_written_down_nowhere,
        "an access log of the socket",
        put("LiveStage.AccessLogSettings", {"DestinationArn": {"Fn::GetAtt": ["ApiAccessLogs", "Arn"]}, "Format": "-"}),
        "LiveStage: take AccessLogSettings away: they may write a ticket down",
    ),
    Broken(
        routes.tickets_are_written_down_nowhere,
        "what the gateway does at a connection is logged",
        put("LiveStage.DefaultRouteSettings.LoggingLevel", "INFO"),
        "LiveStage: take LoggingLevel away: it writes tickets down",
    ),
    Broken(
        routes.open_routes_are_throttled,
        "a limit for no route",
        put("Api.RouteSettings.GET /api/view", {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1}),
        "ApiApiGatewayDefaultStage: RouteSettings names no route: GET /api/view",
    ),
]
