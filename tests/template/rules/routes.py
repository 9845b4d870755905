"""HTTP routes: who may call them, and how often."""

from tests.template.project import Project

# Everybody may call these.
OPEN_ROUTES = {
    "GET /api/views/{content_type}/{content_id}",
    "POST /api/views",
    "POST /api/views/batch",
    "POST /api/views/counts",
    "GET /health",
}
# Where load balancers and monitors look; all else is under /api/.
HEALTH = "/health"
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def routes_name_their_method(project: Project) -> list[str]:
    problems = []
    for function in project.functions:
        for name, event in project.triggers(function).items():
            if event["Type"] == "HttpApi":
                properties = event.get("Properties", {})
                if str(properties.get("Method", "")).upper() not in METHODS:
                    problems.append(f"{function}.{name}: let Method be one of {', '.join(sorted(METHODS))}")
                path = str(properties.get("Path", ""))
                if path != HEALTH and (not path.startswith("/api/") or "+}" in path):
                    problems.append(f"{function}.{name}: let Path be one path under /api/")
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


RULES = (routes_name_their_method, routes_are_behind_the_authorizer, open_routes_are_throttled)
