"""HTTP routes: who may call them, and how often."""

import re
from collections.abc import Iterator
from typing import Any

from local.routes import operations_of, unconditional
from tests.template.project import Project, as_list, invoked_by, refers_to, text_of

# Everybody may call these.
OPEN_ROUTES = {
    "POST /api/v1/campaigns/{campaign_id}/clicks",
    "POST /api/v1/campaigns/{campaign_id}/impressions",
    "POST /api/v1/campaigns/{campaign_id}/impressions/batch",
    "POST /api/v1/campaigns/{campaign_id}/impressions/token",
    "GET /api/views/{content_type}/{content_id}",
    "POST /api/views",
    "POST /api/views/batch",
    "POST /api/views/counts",
    "GET /console",
    "GET /console/{proxy+}",
    "GET /health",
    "GET /webhooks/meta/{instance}",
    "POST /webhooks/evolution/{instance}",
    "POST /webhooks/evolution/{instance}/{event}",
    "POST /webhooks/meta/{instance}",
}
# Where load balancers and monitors look; all else is under /api/, or as its source has it (S4-3), or where providers
# tell of messages.
HEALTH = "/health"
ROOTS = ("/api/", "/v2/", "/webhooks/")
# The page, and all that it loads: the one greedy path.
CONSOLE = ("/console", "/console/{proxy+}")
# An API of its own, whose route the team's identity provider opens.
SESSION_API = "SessionApi"
SESSION = "POST /session"
# The functions that have a URL beside the API, each with the one whose routes it answers there, and the condition.
URLS = {"ViewsTrackUrlFunction": ("ViewsTrackApiFunction", "HasTrackUrl")}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


# AWS takes 500 in a stack. A function is about six, with its role, logs and alarms; a route is none.
MOST_RESOURCES = 440
# The role that each API takes to invoke functions. The console's function knows SessionApi, so ApiRole, which names
# that function, cannot be SessionApi's too: each would need the other first.
API_ROLES = {"Api": "ApiRole", SESSION_API: "SessionApiRole"}
URI = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${%s.Arn}/invocations"


def resources_leave_room(project: Project) -> list[str]:
    count = len(project.resources)
    if count <= MOST_RESOURCES:
        return []
    return [f"Resources: {count} are more than {MOST_RESOURCES}: let the alarms of a kind share one"]


def routes_are_paths_of_the_api(project: Project) -> list[str]:
    """SAM makes an AWS::Lambda::Permission of each HttpApi event."""
    return [
        f"{function}.{name}: write it as a path of Api's DefinitionBody"
        for function in project.functions
        for name, event in project.triggers(function).items()
        if event["Type"] == "HttpApi"
    ]


def routes_name_their_method(project: Project) -> list[str]:
    problems = []
    for route in project.routes():
        method, _, path = route.partition(" ")
        if method not in METHODS:
            problems.append(f"{route}: let its method be one of {', '.join(sorted(METHODS))}")
        if route != SESSION and path not in (HEALTH, *CONSOLE) and (not path.startswith(ROOTS) or "+}" in path):
            problems.append(f"{route}: let it be one path under {' or '.join(ROOTS)}")
    return problems


def path_parameters_are_declared(project: Project) -> list[str]:
    problems = []
    for route, operation in project.routes().items():
        named = sorted(re.findall(r"\{([^}+]+)\+?\}", route))
        declared = sorted(
            each["name"]
            for each in operation.get("parameters", [])
            if (each["in"], each.get("required")) == ("path", True)
        )
        if declared != named:
            problems.append(
                f"{route}: let parameters be those of its path, each required: {', '.join(named) or 'none'}"
            )
    return problems


def _operations(project: Project) -> Iterator[tuple[str, str, dict[str, Any], str | None]]:
    """Each route: its API, its key, its operation, and the condition without which it is not there."""
    for api, body in project.http_apis.items():
        for path, method, operation, condition in operations_of(body):
            yield api, f"{method.upper()} {path}", operation, condition or project.resources[api].get("Condition")


def routes_invoke_a_function_by_the_apis_role(project: Project) -> list[str]:
    problems = []
    for api, route, operation, _ in _operations(project):
        integration = operation.get("x-amazon-apigateway-integration", {})
        function = invoked_by(operation)
        if function not in project.functions or text_of(integration["uri"]) != URI % function:
            problems.append(f"{route}: let x-amazon-apigateway-integration be that of a function of the template")
        if integration.get("credentials") != {"Fn::GetAtt": [API_ROLES[api], "Arn"]}:
            problems.append(f"{route}: let the credentials of its integration be !GetAtt {API_ROLES[api]}.Arn")
        how = [integration.get(name) for name in ("type", "httpMethod", "payloadFormatVersion")]
        if how != ["aws_proxy", "POST", "2.0"]:
            problems.append(f"{route}: let its integration be an aws_proxy by POST with payloads of version 2.0")
    return problems


def the_apis_role_invokes_what_is_behind_routes(project: Project) -> list[str]:
    """And nothing else: an integration that names another function is refused."""
    problems = []
    for api, role in API_ROLES.items():
        behind = {invoked_by(operation) for of, _, operation, _ in _operations(project) if of == api}
        problems += _invokes(project, role, behind)
        trust = project.resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        problems += [
            f"{role}: let apigateway.amazonaws.com alone assume it"
            for statement in as_list(trust)
            if statement.get("Principal") != {"Service": "apigateway.amazonaws.com"}
        ]
    return problems


def _invokes(project: Project, role: str, behind: set[str]) -> list[str]:
    problems = []
    allowed = set()
    for _, statement in project.statements(role):
        problems += [
            f"{role}: take {action} away: it invokes functions"
            for action in as_list(statement.get("Action", []))
            if action != "lambda:InvokeFunction"
        ]
        for each in as_list(statement.get("Resource", [])):
            _, resource = unconditional(each)
            function = refers_to(resource)
            allowed.add(function)
            if text_of(resource) != f"${{{function}.Arn}}" or function not in behind:
                problems.append(f"{role}: take {text_of(resource)} away: no route invokes it")
    return problems + [f"{role}: let it invoke {function}, which a route does" for function in sorted(behind - allowed)]


def routes_are_behind_the_authorizer(project: Project) -> list[str]:
    problems = []
    for route, operation in project.routes().items():
        guards = [name for each in operation.get("security", []) for name in each if name != "NONE"]
        if not guards and route not in OPEN_ROUTES:
            problems.append(f"{route}: put it behind the authorizer, or add it to OPEN_ROUTES")
        if guards and route in OPEN_ROUTES:
            problems.append(f"{route}: set security: *Open, or take it from OPEN_ROUTES")
    problems += [f"{route}: take it from OPEN_ROUTES: it is gone" for route in OPEN_ROUTES - project.routes().keys()]
    return problems


def open_routes_are_throttled(project: Project) -> list[str]:
    """S1-52."""
    problems = []
    for name, stage in project.of_type("AWS::ApiGatewayV2::Stage").items():
        throttled = {"Api": OPEN_ROUTES, SESSION_API: {SESSION}}.get(refers_to(stage["ApiId"]), set())
        for route in sorted(throttled):
            _, limits = unconditional(stage.get("RouteSettings", {}).get(route, {}))
            if not limits.get("ThrottlingRateLimit") or not limits.get("ThrottlingBurstLimit"):
                problems.append(f"{name}: give {route} a ThrottlingRateLimit and a ThrottlingBurstLimit of its own")
        default = stage.get("DefaultRouteSettings", {})
        if not default.get("ThrottlingRateLimit") or not default.get("ThrottlingBurstLimit"):
            problems.append(f"{name}: give DefaultRouteSettings a ThrottlingRateLimit and a ThrottlingBurstLimit")
        problems += [
            f"{name}: RouteSettings names no route: {route}"
            for route in stage.get("RouteSettings", {}).keys() - project.routes().keys()
        ]
    return problems


def routes_are_there_when_their_function_is(project: Project) -> list[str]:
    """And so are their settings and the permission to invoke it: CloudFormation refuses what names no resource."""
    problems = []
    template = project.template["Resources"]
    conditions = {name: template.get(name, {}).get("Condition") for name in project.functions}
    for _, route, operation, condition in _operations(project):
        function = invoked_by(operation)
        if conditions.get(function) != condition:
            problems.append(f"{route}: let its condition be that of {function}")
    routes = project.routes()
    for name, stage in project.of_type("AWS::ApiGatewayV2::Stage").items():
        whole = project.resources[name].get("Condition")
        for route, limits in stage.get("RouteSettings", {}).items():
            function = invoked_by(routes.get(route, {}))
            if (unconditional(limits)[0] or whole) != conditions.get(function):
                problems.append(f"RouteSettings of {route}: let their condition be that of {function}")
    for role in API_ROLES.values():
        whole = template[role].get("Condition")
        for _, statement in project.statements(role):
            for each in as_list(statement.get("Resource", [])):
                condition, resource = unconditional(each)
                if (condition or whole) != conditions.get(refers_to(resource)):
                    problems.append(f"{role}: let the condition of {refers_to(resource)} be that of the function")
    return problems


def no_function_behind_the_api_knows_it(project: Project) -> list[str]:
    """The API names its functions, so one that names the API, or what does, closes a circle that no deploy resolves."""
    after = {name for name, resource in project.resources.items() if "${Api}" in _names(resource)} | {"Api"}
    if SESSION_API in after:  # the console's function knows it
        return [f"{SESSION_API}: take Api away: the origin of the console is a parameter"]
    return [
        f"{name}: take {each} away: an address of the API comes with the request"
        for name in sorted({invoked_by(operation) for operation in project.routes().values()})
        for each in sorted(after)
        if any(f"${{{each}}}" in _names(of) for of in (project.functions[name], *project.allowed(name)))
    ]


def sessions_are_opened_by_the_identity_provider_alone(project: Project) -> list[str]:
    """For the console's pages, and nothing of what they send is written down."""
    problems = []
    api = project.template["Resources"][SESSION_API]["Properties"]
    (jwt,) = [
        scheme["x-amazon-apigateway-authorizer"]
        for scheme in project.resources[SESSION_API]["Properties"]["Body"]["components"]["securitySchemes"].values()
    ] or [{}]
    wanted = {"issuer": {"Ref": "OidcIssuer"}, "audience": [{"Ref": "OidcAudience"}]}
    if (jwt.get("type"), jwt.get("jwtConfiguration")) != ("jwt", wanted):
        problems.append(f"{SESSION_API}: let its authorizer be one of JWTs by OidcIssuer for OidcAudience")
    if jwt.get("identitySource") != "$request.header.Authorization":
        problems.append(f"{SESSION_API}: let the token be in the Authorization header, which nobody writes down")
    cors = {"AllowOrigins": [{"Ref": "ConsoleOrigin"}], "AllowMethods": ["POST"], "AllowHeaders": ["authorization"]}
    if {name: value for name, value in api.get("CorsConfiguration", {}).items() if name != "MaxAge"} != cors:
        problems.append(f"{SESSION_API}: let its CorsConfiguration allow POST from ConsoleOrigin alone, with a token")
    if "AccessLogSettings" in api:
        problems.append(f"{SESSION_API}: take AccessLogSettings away: its requests carry tokens of another system")
    return problems


def tickets_are_written_down_nowhere(project: Project) -> list[str]:
    """The address that opens a socket holds its ticket, and a log of the gateway would hold the address."""
    apis = project.of_type("AWS::ApiGatewayV2::Api")
    problems = []
    for name, stage in project.of_type("AWS::ApiGatewayV2::Stage").items():
        if apis[refers_to(stage["ApiId"])].get("ProtocolType") != "WEBSOCKET":
            continue
        if "AccessLogSettings" in stage:
            problems.append(f"{name}: take AccessLogSettings away: they may write a ticket down")
        for route in (stage.get("DefaultRouteSettings", {}), *stage.get("RouteSettings", {}).values()):
            problems += [
                f"{name}: take {setting} away: it writes tickets down"
                for setting in ("DataTraceEnabled", "LoggingLevel")
                if setting in route
            ]
    return problems


def _names(value: Any) -> str:
    """What a value refers to, each as `${Name}`."""
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, *_]}:
            return f"${{{name}}}"
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            return "".join(f"${{{name}}}" for name in re.findall(r"\$\{(\w+)", text))
        case dict():
            return "".join(map(_names, value.values()))
        case list():
            return "".join(map(_names, value))
    return ""


def forms_may_be_posted_from_the_console(project: Project) -> list[str]:
    """Any page may post to a bucket of forms, as the signed form is the guard; the console's policy names each."""
    problems = []
    allowed = text_of(project.functions["ConsoleSiteFunction"]["Environment"]["Variables"]["CONNECT_ORIGINS"]).split()
    for name, bucket in project.of_type("AWS::S3::Bucket").items():
        rules = bucket.get("CorsConfiguration", {}).get("CorsRules", [])
        if [(rule["AllowedOrigins"], rule["AllowedMethods"]) for rule in rules] != [(["*"], ["POST"])]:
            problems.append(f"{name}: let its CorsConfiguration allow POST, and nothing else, from everywhere")
        # S3's client writes the one in the partition aws, and the other elsewhere.
        problems += [
            f"ConsoleSiteFunction: let CONNECT_ORIGINS name {origin}"
            for where in ("", "${AWS::Region}.")
            if (origin := f"https://${{{name}}}.s3.{where}${{AWS::URLSuffix}}") not in allowed
        ]
    return problems


def urls_are_few_and_off_and_bounded(project: Project) -> list[str]:
    """A Function URL is open to all and has no throttle but the concurrency of its function."""
    problems = [f"{name}: remove its URL, or add it to URLS" for name in sorted(project.urls.keys() - URLS.keys())]
    for name, (_, condition) in URLS.items():
        if name not in project.urls:
            problems.append(f"{name}: give it a FunctionUrlConfig, or take it from URLS")
        if not project.functions[name].get("ReservedConcurrentExecutions"):
            problems.append(f"{name}: set ReservedConcurrentExecutions: nothing else throttles its URL")
        problems += [
            f"{each}: set Condition: {condition}"
            for each, resource in project.resources.items()
            if (each == name or name in text_of(resource.get("Properties", {})))
            and resource.get("Condition") != condition
        ]
    return problems


def urls_answer_as_the_routes_do(project: Project) -> list[str]:
    """The same code with the same settings and permissions, for the same other sites."""
    problems = []
    for name, (other, _) in URLS.items():
        ours, theirs = (project.template["Resources"][each]["Properties"] for each in (name, other))
        problems += [
            f"{name}: let its {part} be that of {other}"
            for part in ("Environment", "Policies", "VpcConfig", "Timeout", "MemorySize")
            if ours.get(part) != theirs.get(part)
        ]
        for_others = project.template["Resources"]["Api"]["Properties"]["CorsConfiguration"]
        cors = project.urls.get(name, {}).get("Cors", {})
        # Of the API's methods a URL's function has one.
        if _with_methods(cors, ["POST"]) != _with_methods(for_others, ["POST"]) or cors != _with_methods(
            cors, ["POST"]
        ):
            problems.append(f"{name}: let Cors be the API's, for POST")
    return problems


def _with_methods(cors: Any, methods: list[str]) -> Any:
    match cors:
        case {"Fn::If": [condition, then, otherwise]}:
            return {"Fn::If": [condition, then | {"AllowMethods": methods}, otherwise]}
    return None


RULES = (
    resources_leave_room,
    routes_are_paths_of_the_api,
    path_parameters_are_declared,
    routes_invoke_a_function_by_the_apis_role,
    the_apis_role_invokes_what_is_behind_routes,
    routes_name_their_method,
    routes_are_behind_the_authorizer,
    open_routes_are_throttled,
    routes_are_there_when_their_function_is,
    no_function_behind_the_api_knows_it,
    sessions_are_opened_by_the_identity_provider_alone,
    tickets_are_written_down_nowhere,
    forms_may_be_posted_from_the_console,
    urls_are_few_and_off_and_bounded,
    urls_answer_as_the_routes_do,
)
