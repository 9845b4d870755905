"""Reads the routes of HTTP APIs from their OpenAPI bodies: as the template has them, or as CloudFormation gets them.

MiniStack creates an HTTP API without these routes, so `add_routes` adds them after a deploy.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.aws import DeployedStack
from local.errors import LocalError

CORS_PARAMETERS = {"Api": "CorsOrigins", "SessionApi": "ConsoleOrigin"}
"""Which parameter names the origins whose pages may call an API."""
_FUNCTION = re.compile(r"\$\{(\w+)\.Arn\}|\"Fn::GetAtt\": \[\"(\w+)\", \"Arn\"\]")


@dataclass(frozen=True)
class Authorizer:
    name: str
    function: str
    """Logical id."""
    identity_sources: tuple[str, ...]
    seconds_cached: int
    simple_responses: bool


@dataclass(frozen=True)
class JwtAuthorizer:
    """API Gateway's own, which asks an issuer for its keys."""

    name: str
    identity_sources: tuple[str, ...]
    issuer: str
    audience: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    key: str
    """Method and path, such as `GET /api/views/{content_type}/{content_id}`."""
    function: str
    """Logical id."""
    authorizer: str | None
    condition: str | None = field(default=None, compare=False)
    """The condition of the template without which there is no such route."""

    @property
    def method(self) -> str:
        return self.key.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.key.partition(" ")[2]


def routes_in(template: dict[str, Any], api: str = "Api") -> list[Route]:
    """The routes of a template as written, in its order."""
    properties = template["Resources"][api]["Properties"]
    return routes_of(properties["DefinitionBody"], properties.get("Auth", {}).get("DefaultAuthorizer"))


def add_routes(stack: DeployedStack) -> int:
    """Makes the routes of every HTTP API those of the template, whatever they were. The number of routes."""
    template = stack.client("cloudformation").get_template(StackName=stack.name, TemplateStage="Processed")
    # What its condition leaves out is no resource of the stack.
    there = stack.resources()
    bodies = {
        name: resource["Properties"]["Body"]
        for name, resource in template["TemplateBody"]["Resources"].items()
        if name in there and "Body" in resource.get("Properties", {})
    }
    return sum(_add_routes_of(stack, there, name, body) for name, body in bodies.items())


def _add_routes_of(stack: DeployedStack, resources: Mapping[str, str], api: str, body: dict[str, Any]) -> int:
    api_id = resources[api]
    gateway, parameters = stack.client("apigatewayv2"), _parameters(stack)
    account, region = "000000000000", stack.session.region_name

    def invocation_of(function: str) -> str:
        arn = f"arn:aws:lambda:{region}:{account}:function:{resources[function]}"
        return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"

    def settings_of(authorizer: Authorizer | JwtAuthorizer) -> dict[str, Any]:
        if isinstance(authorizer, JwtAuthorizer):
            jwt = {"Issuer": authorizer.issuer, "Audience": list(authorizer.audience)}
            return {"AuthorizerType": "JWT", "JwtConfiguration": jwt}
        return {
            "AuthorizerType": "REQUEST",
            "AuthorizerUri": invocation_of(authorizer.function),
            "AuthorizerPayloadFormatVersion": "2.0",
            "EnableSimpleResponses": authorizer.simple_responses,
            "AuthorizerResultTtlInSeconds": authorizer.seconds_cached,
        }

    cors = cors_of(body, parameters, CORS_PARAMETERS[api])
    if cors:
        gateway.update_api(ApiId=api_id, CorsConfiguration=cors)

    _clear(gateway, api_id)
    authorizers = {each.name: each for each in authorizers_of(body, parameters)}
    authorizer_ids = {
        name: gateway.create_authorizer(
            ApiId=api_id, Name=name, IdentitySource=list(authorizer.identity_sources), **settings_of(authorizer)
        )["AuthorizerId"]
        for name, authorizer in authorizers.items()
    }
    integration_ids: dict[str, str] = {}
    routes = [each for each in routes_of(body) if each.condition is None or each.function in resources]
    for wanted in routes:
        if wanted.function not in integration_ids:
            integration_ids[wanted.function] = gateway.create_integration(
                ApiId=api_id,
                IntegrationType="AWS_PROXY",
                IntegrationMethod="POST",
                IntegrationUri=invocation_of(wanted.function),
                PayloadFormatVersion="2.0",
            )["IntegrationId"]
        security = {"AuthorizationType": "NONE"}
        if wanted.authorizer:
            kind = "JWT" if isinstance(authorizers[wanted.authorizer], JwtAuthorizer) else "CUSTOM"
            security = {"AuthorizationType": kind, "AuthorizerId": authorizer_ids[wanted.authorizer]}
        target = f"integrations/{integration_ids[wanted.function]}"
        gateway.create_route(ApiId=api_id, RouteKey=wanted.key, Target=target, **security)
    return len(routes)


def _clear(gateway: Any, api_id: str) -> None:
    for route in gateway.get_routes(ApiId=api_id)["Items"]:
        gateway.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    for integration in gateway.get_integrations(ApiId=api_id)["Items"]:
        gateway.delete_integration(ApiId=api_id, IntegrationId=integration["IntegrationId"])
    for authorizer in gateway.get_authorizers(ApiId=api_id)["Items"]:
        gateway.delete_authorizer(ApiId=api_id, AuthorizerId=authorizer["AuthorizerId"])


def _parameters(stack: DeployedStack) -> dict[str, str]:
    (described,) = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}


def cors_of(body: dict[str, Any], parameters: Mapping[str, str], parameter: str) -> dict[str, Any]:
    """The API's CORS configuration, as its own API takes it; nothing when `parameter` names no origin."""
    if "x-amazon-apigateway-cors" not in body:
        return {}
    configured = unconditional(body["x-amazon-apigateway-cors"])[1]
    origins = [origin for origin in parameters.get(parameter, "").split(",") if origin]
    if not origins:
        return {}
    named = {name[0].upper() + name[1:]: value for name, value in configured.items()}
    # MiniStack's translator puts a parameter's default here.
    return named | {"AllowOrigins": origins}


def authorizers_of(
    body: dict[str, Any], parameters: Mapping[str, str] | None = None
) -> list[Authorizer | JwtAuthorizer]:
    """The authorizers of a body; `parameters`: the values that a JWT one may refer to."""
    found: list[Authorizer | JwtAuthorizer] = []
    for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
        settings = scheme["x-amazon-apigateway-authorizer"]
        sources = settings.get("identitySource", [])
        identity_sources = tuple(sources.split(",") if isinstance(sources, str) else sources)
        if settings.get("type") == "jwt":
            jwt = settings["jwtConfiguration"]
            issuer, *audience = (_value(each, parameters or {}) for each in (jwt["issuer"], *jwt["audience"]))
            found.append(JwtAuthorizer(name, identity_sources, issuer, tuple(audience)))
            continue
        found.append(
            Authorizer(
                name=name,
                function=_function(settings["authorizerUri"]),
                identity_sources=identity_sources,
                seconds_cached=int(settings.get("authorizerResultTtlInSeconds", 0)),
                simple_responses=bool(settings.get("enableSimpleResponses", False)),
            )
        )
    return found


def _value(value: Any, parameters: Mapping[str, str]) -> str:
    return parameters[value["Ref"]] if isinstance(value, dict) else str(value)


def routes_of(body: dict[str, Any], default: str | None = None) -> list[Route]:
    """The routes of a body. Those that name no authorizer have `default`, which SAM writes into what it generates."""
    found = []
    for path, method, operation, condition in operations_of(body):
        security = operation.get("security") or [{default: []} if default else {}]
        # `security: [{NONE: []}]` is how SAM writes an open route.
        schemes = [name for scheme in security for name in scheme if name != "NONE"]
        if len(schemes) > 1:
            raise LocalError(f"{method.upper()} {path} names several authorizers; the embedded stack knows one.")
        found.append(
            Route(
                key=f"{'ANY' if method == 'x-amazon-apigateway-any-method' else method.upper()} {path}",
                function=_function(operation["x-amazon-apigateway-integration"]["uri"]),
                authorizer=schemes[0] if schemes else None,
                condition=condition,
            )
        )
    return found


def operations_of(body: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], str | None]]:
    """Of a body each operation: its path, its method, what it is, and the condition that its path has."""
    for path, item in body["paths"].items():
        condition, operations = unconditional(item)
        for method, operation in operations.items():
            yield path, method, operation, condition


def unconditional(value: Any) -> tuple[str | None, Any]:
    """What a value is when its condition holds, and that condition: `!If [Condition, value, !Ref AWS::NoValue]`."""
    match value:
        case {"Fn::If": [condition, then, {"Ref": "AWS::NoValue"}]}:
            return condition, then
    return None, value


def _function(uri: Any) -> str:
    """The logical id of the function that an invocation's address names."""
    text = json.dumps(uri)
    match = _FUNCTION.search(text)
    if not match:
        raise LocalError(f"The template's HTTP API names no function in {text}.")
    return match[1] or match[2]
