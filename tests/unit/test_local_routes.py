"""What the embedded stack reads from the OpenAPI body that SAM generates."""

from typing import Any

import pytest
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

from local.errors import LocalError
from local.routes import (
    CORS_PARAMETERS,
    Authorizer,
    JwtAuthorizer,
    Route,
    authorizers_of,
    cors_of,
    routes_in,
    routes_of,
)
from tests.template_reader import ROOT, source, translated


def an_address(function: str = "ThingsFunction") -> dict[str, str]:
    path = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${%s.Arn}/invocations"
    return {"Fn::Sub": path % function}


def a_body(method: str = "get", uri: Any = None, **operation: Any) -> dict[str, Any]:
    integration = {"x-amazon-apigateway-integration": {"uri": uri or an_address()}}
    return {"paths": {"/things/{id}": {method: integration | operation}}}


def an_authorizer(**settings: Any) -> dict[str, Any]:
    scheme = {"x-amazon-apigateway-authorizer": {"authorizerUri": an_address("GateFunction")} | settings}
    return {"components": {"securitySchemes": {"Token": scheme}}}


def test_the_routes_as_written_are_those_that_cloudformation_gets():
    written = routes_in(source())

    generated = routes_of(translated()["Resources"]["Api"]["Properties"]["Body"])

    assert len(generated) == len(written) > 0
    assert set(generated) == set(written)
    assert Route("GET /api/admin/audit/{entity}/verify", "OperationsAuditFunction", "TokenAuthorizer") in written
    assert Route("GET /health", "OperationsHealthFunction", None) in written


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sam_local_finds_the_same_routes():
    """`start-api` reads them from the template, without Docker; it adds an OPTIONS to each path. It does not see what
    stands in a condition, which is the console; and it has no authorizer that asks an issuer.
    """
    stacks, _ = SamLocalStackProvider.get_stacks(str(ROOT / "template.yaml"))

    served = ApiProvider(stacks).api.routes

    assert {
        Route(f"{method} {route.path}", route.function_name, route.authorizer_name)
        for route in served
        for method in route.methods
        if method != "OPTIONS"
    } == {
        *(route for route in routes_in(source()) if route.condition is None),
        Route("POST /session", "OperationsSessionFunction", None),
    }


def test_a_path_in_a_condition_has_its_routes_and_says_which_condition():
    body = a_body()
    body["paths"]["/page"] = {"Fn::If": ["HasPage", a_body()["paths"]["/things/{id}"], {"Ref": "AWS::NoValue"}]}

    always, page = routes_of(body)

    assert (always.key, always.condition) == ("GET /things/{id}", None)
    assert (page.key, page.condition) == ("GET /page", "HasPage")


def test_a_route_that_names_no_authorizer_has_that_of_its_api():
    body = a_body()
    body["paths"]["/open"] = {"post": a_body(security=[{"NONE": []}])["paths"]["/things/{id}"]["get"]}
    api = {"Properties": {"DefinitionBody": body, "Auth": {"DefaultAuthorizer": "Token"}}}

    found = routes_in({"Resources": {"Api": api}})

    assert [(route.method, route.path, route.authorizer) for route in found] == [
        ("GET", "/things/{id}", "Token"),
        ("POST", "/open", None),
    ]


def test_the_templates_authorizer_is_asked_on_every_request_with_the_authorization_header():
    found = authorizers_of(translated()["Resources"]["Api"]["Properties"]["Body"])

    header = "$request.header.Authorization"
    assert found == [Authorizer("TokenAuthorizer", "OperationsAuthorizerFunction", (header,), 0, True)]


def test_a_jwt_authorizer_has_its_issuer_and_audience_from_parameters_or_as_they_stand():
    jwt = {"issuer": {"Ref": "Issuer"}, "audience": [{"Ref": "Client"}, "other"]}
    settings = {"type": "jwt", "jwtConfiguration": jwt, "identitySource": "$request.header.Authorization"}
    scheme = {"type": "oauth2", "x-amazon-apigateway-authorizer": settings}

    found = authorizers_of(
        {"components": {"securitySchemes": {"Oidc": scheme}}}, {"Issuer": "https://id.example", "Client": "sluice"}
    )

    header = "$request.header.Authorization"
    assert found == [JwtAuthorizer("Oidc", (header,), "https://id.example", ("sluice", "other"))]


CORS = {"AllowMethods": ["GET", "POST"], "AllowHeaders": ["content-type", "authorization"], "MaxAge": 600}


@pytest.mark.parametrize(
    ("origins", "cors"),
    [
        ("", {}),
        ("https://a.example", CORS | {"AllowOrigins": ["https://a.example"]}),
        ("https://a.example,*", CORS | {"AllowOrigins": ["https://a.example", "*"]}),
    ],
)
def test_pages_of_other_sites_may_call_where_a_parameter_says_so_and_send_no_cookie(origins, cors):
    """Without an origin there is no configuration at all."""
    template = translated()

    found = cors_of(template["Resources"]["Api"]["Properties"]["Body"], {"CorsOrigins": origins}, "CorsOrigins")

    condition, _, otherwise = template["Resources"]["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"]["Fn::If"]
    joined = {"Fn::Join": ["", {"Ref": "CorsOrigins"}]}
    assert found == cors
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert source()["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [joined, ""]}]}


def test_pages_of_the_consoles_origin_alone_may_open_sessions():
    body = translated()["Resources"]["SessionApi"]["Properties"]["Body"]
    parameters = {"ConsoleOrigin": "https://a.example", "CorsOrigins": "https://b.example"}

    found = cors_of(body, parameters, CORS_PARAMETERS["SessionApi"])

    assert found == {
        "AllowOrigins": ["https://a.example"],
        "AllowMethods": ["POST"],
        "AllowHeaders": ["authorization"],
        "MaxAge": 600,
    }


def test_an_api_without_cors_has_none():
    assert cors_of({}, {"CorsOrigins": "*"}, "CorsOrigins") == {}


def test_a_function_is_found_by_its_name_or_by_its_arn():
    by_arn = {"Fn::Join": ["", ["arn:", {"Fn::GetAtt": ["OtherFunction", "Arn"]}, "/invocations"]]}

    assert [route.function for route in routes_of(a_body())] == ["ThingsFunction"]
    assert [route.function for route in routes_of(a_body(uri=by_arn))] == ["OtherFunction"]


def test_sams_name_for_any_method_is_the_gateways():
    assert routes_of(a_body("x-amazon-apigateway-any-method"))[0].key == "ANY /things/{id}"


@pytest.mark.parametrize(("security", "authorizer"), [([], None), ([{"NONE": []}], None), ([{"Token": []}], "Token")])
def test_a_route_is_open_when_it_names_no_authorizer_or_none(security, authorizer):
    assert routes_of(a_body(security=security))[0].authorizer == authorizer


def test_two_authorizers_on_one_route_are_refused():
    with pytest.raises(LocalError, match=r"GET /things/\{id\} names several authorizers"):
        routes_of(a_body(security=[{"Token": []}, {"Other": []}]))


def test_an_integration_without_a_function_is_refused():
    with pytest.raises(LocalError, match="names no function"):
        routes_of(a_body(uri="https://example.com"))


@pytest.mark.parametrize("sources", ["$request.header.A,$request.header.B", ["$request.header.A", "$request.header.B"]])
def test_identity_sources_may_be_a_list_or_a_text(sources):
    found = authorizers_of(an_authorizer(identitySource=sources, authorizerResultTtlInSeconds=5))

    assert found == [Authorizer("Token", "GateFunction", ("$request.header.A", "$request.header.B"), 5, False)]


def test_a_body_without_authorizers_has_none():
    assert authorizers_of(a_body()) == []
