"""HTTP routes: who may call them, and how often."""

from typing import Any

from tests.template.project import Project, text_of

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
    "GET /health",
}
# Where load balancers and monitors look; all else is under /api/, or as its source has it (S4-3).
HEALTH = "/health"
ROOTS = ("/api/", "/v2/")
# The functions that have a URL beside the API, each with the one whose routes it answers there, and the condition.
URLS = {"ViewsTrackUrlFunction": ("ViewsTrackApiFunction", "HasTrackUrl")}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


# AWS takes 500 in a stack. A route makes a permission, a function about six resources with its logs and alarms.
MOST_RESOURCES = 450


def resources_leave_room(project: Project) -> list[str]:
    count = len(project.resources)
    if count <= MOST_RESOURCES:
        return []
    return [f"Resources: {count} of 500: let the routes of a function share one AWS::Lambda::Permission"]


def routes_name_their_method(project: Project) -> list[str]:
    problems = []
    for function in project.functions:
        for name, event in project.triggers(function).items():
            if event["Type"] == "HttpApi":
                properties = event.get("Properties", {})
                if str(properties.get("Method", "")).upper() not in METHODS:
                    problems.append(f"{function}.{name}: let Method be one of {', '.join(sorted(METHODS))}")
                path = str(properties.get("Path", ""))
                if path != HEALTH and (not path.startswith(ROOTS) or "+}" in path):
                    problems.append(f"{function}.{name}: let Path be one path under {' or '.join(ROOTS)}")
    return problems


def routes_are_behind_the_authorizer(project: Project) -> list[str]:
    problems = []
    for route, operation in project.routes().items():
        guards = [name for each in operation.get("security", []) for name in each if name != "NONE"]
        if not guards and route not in OPEN_ROUTES:
            problems.append(f"{route}: put it behind the authorizer, or add it to OPEN_ROUTES")
        if guards and route in OPEN_ROUTES:
            problems.append(f"{route}: set Auth: {{Authorizer: NONE}}, or take it from OPEN_ROUTES")
    problems += [f"{route}: take it from OPEN_ROUTES: it is gone" for route in OPEN_ROUTES - project.routes().keys()]
    return problems


def open_routes_are_throttled(project: Project) -> list[str]:
    """S1-52."""
    problems = []
    for name, stage in project.of_type("AWS::ApiGatewayV2::Stage").items():
        for route in OPEN_ROUTES:
            limits = stage.get("RouteSettings", {}).get(route, {})
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
    routes_name_their_method,
    routes_are_behind_the_authorizer,
    open_routes_are_throttled,
    urls_are_few_and_off_and_bounded,
    urls_answer_as_the_routes_do,
)
