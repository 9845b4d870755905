"""The OpenAPI document is the code's."""

import json
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from local import openapi

NUMBERS = count()
ROUTE = """
from sluice import http
from sluice.roles import Role
from pydantic import BaseModel

class {model}(BaseModel):
    {field}: int

app = http.resolver()

@app.get("{path}", **http.{declared})
def get() -> {model}:
    \"\"\"What it is for.

    And more.
    \"\"\"
"""


@pytest.fixture
def a_module(tmp_path, monkeypatch):
    """Makes a handler's module and answers its part of a template."""
    monkeypatch.syspath_prepend(tmp_path)
    names: list[str] = []

    def make(
        path: str,
        declared: str = "public()",
        model: str = "Thing",
        field: str = "size",
        served_at: str = "",
        **operation: Any,
    ) -> Any:
        names.append(f"made_for_openapi_{next(NUMBERS)}")
        text = ROUTE.format(path=path, declared=declared, model=model, field=field)
        (tmp_path / f"{names[-1]}.py").write_text(text)
        return a_function(names[-1], "get", served_at or path, **operation)

    yield make
    for name in names:
        sys.modules.pop(name, None)


OPEN = {"security": [{"NONE": []}]}


def a_function(module: str, method: str, *paths: str, **operation: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A function's properties, and its paths in the API's body."""
    name = module.title().replace(".", "").replace("_", "")
    integration = {"uri": {"Fn::Sub": f"arn:/${{{name}.Arn}}/invocations"}}
    each = {"x-amazon-apigateway-integration": integration, **operation}
    return {name: {"Properties": {"Handler": f"{module}.handler"}}}, {path: {method: each} for path in paths}


def document(*functions: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    """The document of a template with these functions."""
    resources, paths = {}, {}
    for function, its_paths in functions:
        resources |= function
        paths |= its_paths
    api = {"DefinitionBody": {"paths": paths}, "Auth": {"DefaultAuthorizer": "Token"}}
    return openapi.document({"Resources": {"Api": {"Properties": api}, **resources}}, "1.2.3")


def test_every_module_with_http_routes_is_in_the_document(a_module):
    worker, unwritten = a_function("no.such", "get"), a_function("unwritten", "get", "/z")

    merged = document(a_module("/a", **OPEN), a_module("/b", "require(Role.USER)"), worker, unwritten)

    assert set(merged["paths"]) == {"/a", "/b"}
    assert merged["info"]["version"] == "1.2.3"


def test_a_module_without_a_resolver_is_documented_by_the_one_beside_it():
    """The hot path has none: what it imports is most of a cold start."""
    tracking = a_function("views.track.api", "post", "/api/views", "/api/views/batch", **OPEN)

    merged = document(tracking)

    operation = merged["paths"]["/api/views"]["post"]
    assert operation["summary"].startswith("Count a view")
    assert {"NewView", "TrackedView"} <= merged["components"]["schemas"].keys()
    assert "security" not in operation
    assert {"400", "413", "429", "500", "503"} < operation["responses"].keys()


def test_protected_routes_carry_the_token_scheme_and_open_ones_none(a_module):
    merged = document(a_module("/a", **OPEN), a_module("/b", "require(Role.SERVICE)"))

    assert merged["paths"]["/b"]["get"]["security"] == [{"token": ["service"]}]
    assert "security" not in merged["paths"]["/a"]["get"]
    assert "security" not in merged
    assert merged["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_a_routes_docstring_says_what_it_is_for(a_module):
    operation = document(a_module("/a", **OPEN))["paths"]["/a"]["get"]

    assert (operation["summary"], operation["description"]) == ("What it is for.", "And more.")


def test_every_reference_is_to_a_schema_that_is_there_and_422_is_nowhere(a_module):
    merged = document(a_module("/a", "public(errors=[404, 409])", **OPEN))

    text = json.dumps(merged)
    schemas = merged["components"]["schemas"]
    assert {"Thing", "Problem", "FieldError", "Message"} == set(schemas)
    assert all(f'"#/components/schemas/{name}"' in text for name in schemas)
    assert "422" not in text


@pytest.mark.parametrize(("declared", "operation"), [("public()", {}), ("require(Role.USER)", OPEN)])
def test_a_template_and_a_route_that_disagree_about_the_token_are_refused(a_module, declared, operation):
    with pytest.raises(ValueError, match="need a token"):
        document(a_module("/a", declared, **operation))


def test_a_route_that_the_template_does_not_know_is_refused(a_module):
    with pytest.raises(ValueError, match="which routes"):
        document(a_module("/a", served_at="/other", **OPEN))


def test_two_different_models_of_one_name_are_refused(a_module):
    with pytest.raises(ValueError, match="Thing"):
        document(a_module("/a", **OPEN), a_module("/b", field="weight", **OPEN))


def test_check_fails_and_shows_the_difference_when_the_document_has_drifted(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(openapi, "DOCUMENT", tmp_path / "docs" / "openapi.json")
    monkeypatch.setattr(sys, "path", list(sys.path))

    before = openapi.main(["--check"])
    shown = capsys.readouterr().out
    written = openapi.main([])
    after = openapi.main(["--check"])

    assert (before, written, after) == (1, 0, 0)
    assert "Problem" in shown


def test_the_document_in_the_repository_is_the_codes(monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", list(sys.path))

    drifted = openapi.main(["--check"])

    assert not drifted, f"run `python -m local.openapi`:\n{capsys.readouterr().out}"


NO_COMMANDS = {
    "POST /api/views": "A view is deduplicated by its viewer's state in Redis.",
    "POST /api/views/batch": "",
    "POST /api/admin/redrive": "A repeat moves what is left.",
    "POST /api/admin/live": "The stored answer would hold the ticket.",
    "POST /api/admin/tokens": "The stored answer would hold the token.",
    "POST /api/views/counts": "It reads.",
    "POST /api/admin/views/counts": "It reads.",
    "POST /api/admin/fake-views/simulate": "It reads.",
    "POST /api/admin/fake-views/{campaign_id}/simulate": "It reads.",
    "POST /api/admin/views/explain": "It reads.",
    "POST /api/v1/campaigns/{campaign_id}/impressions/token": "It writes nothing.",
    "POST /api/v1/campaigns/{campaign_id}/impressions/tokens": "It writes nothing.",
    "POST /api/v1/campaigns/{campaign_id}/impressions": "An impression's key is its viewer: a repeat counts nothing.",
    "POST /api/v1/campaigns/{campaign_id}/impressions/batch": "As one impression: a viewer is counted once.",
    "POST /api/v1/campaigns/{campaign_id}/clicks": "A row is clicked once.",
    "POST /v2/campaigns/{campaign_id}/claims": "A person is paid once: a repeat finds the share paid.",
    "POST /v2/campaigns/{campaign_id}/media": "It writes nothing.",
    "PUT /v2/sandbox/accounts/{handle}": "It sets the whole account.",
    "PUT /v2/sandbox/posts/{post_id}/engagement": "It sets the whole of it.",
    "POST /api/campaigns/simulate": "It reads.",
    "POST /api/campaigns/{campaign_id}/simulate": "It reads.",
    "POST /api/campaigns/{campaign_id}/recipients/import": "A second form that nobody uploads by expires in a day.",
    "POST /api/instances/{instance_id}/test": "It asks the provider.",
    "POST /api/media": "It writes nothing.",
    "POST /webhooks/evolution/{instance}": "A row that stands where it is told to stand stays there.",
    "POST /webhooks/evolution/{instance}/{event}": "As without the event.",
    "POST /webhooks/meta/{instance}": "As that of Evolution.",
    "POST /api/admin/views/sync": "A sync moves what is pending, and takes back nothing that anybody commanded.",
}
"""Routes that take a body and no Idempotency-Key, and why."""


def test_every_route_that_changes_something_documents_its_idempotency_key():
    paths = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text())["paths"]
    keyless = {
        f"{method.upper()} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in ("post", "put", "patch", "delete")
        and not any(each["name"].lower() == "idempotency-key" for each in operation.get("parameters", []))
    }

    assert keyless == NO_COMMANDS.keys()


def test_every_route_that_takes_a_key_documents_the_conflict_of_a_key_that_was_used_before():
    paths = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text())["paths"]
    lacking = [
        f"{method.upper()} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if any(each["name"].lower() == "idempotency-key" for each in operation.get("parameters", []))
        and "409" not in operation["responses"]
    ]

    assert lacking == []
