"""Writes docs/openapi.json from the code: `python -m local.openapi`, or with `--check` shows what has drifted.

The paths of the template's API say which functions serve HTTP; each one's module has its resolver in `app`.
"""

import argparse
import difflib
import importlib
import inspect
import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer
from pydantic import TypeAdapter
from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped]

from local.routes import routes_in

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "openapi.json"
SOURCES = [ROOT / "functions", ROOT / "layers" / "kernel"]
DESCRIPTION = "Releases work in measured batches. Every answer is JSON; times are UTC (RFC 3339)."
TOKEN = (
    "A token for this API (HS256). The role that a route names is the lowest it takes: user, service, operator, admin."
)
# The shape of what the gateway refuses by itself: no token, too many requests.
MESSAGE = {"type": "object", "title": "Message", "properties": {"message": {"type": "string"}}, "required": ["message"]}
# The console's page is no part of the API.
OUTSIDE = "/console"
# Powertools adds these to every schema, though nothing here answers them.
UNUSED = ("HTTPValidationError", "ResponseValidationError", "ValidationError")


def modules(template: dict[str, Any]) -> Iterator[tuple[str, dict[tuple[str, str], bool]]]:
    """Each module that serves HTTP, with its routes as (method, path), and whether a token is needed for them."""
    found = [route for route in routes_in(template) if not route.path.startswith(OUTSIDE)]
    for name in dict.fromkeys(route.function for route in found):
        routes = {
            (route.method.lower(), route.path): route.authorizer is not None
            for route in found
            if route.function == name
        }
        yield template["Resources"][name]["Properties"]["Handler"].rpartition(".")[0], routes


def document(template: dict[str, Any], version: str) -> dict[str, Any]:
    """The OpenAPI document of every module there is. Raises ValueError where template and code disagree."""
    from sluice.envelope import Problem  # found only once SOURCES are on the path
    from sluice.http.routes import SECURITY_SCHEME

    schemes = {SECURITY_SCHEME: HTTPBearer(bearerFormat="JWT", description=TOKEN)}
    merge = OpenAPIMerge(title="Sluice", version=version, description=DESCRIPTION, on_conflict="error")
    problem = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}")
    merge.add_schema({"components": {"schemas": {**problem.pop("$defs"), "Problem": problem, "Message": MESSAGE}}})
    seen: dict[str, tuple[str, Any]] = {}
    for module, routes in modules(template):
        if find_spec(module) is None:
            continue
        # The hot path has no resolver: `routes` beside it documents what it serves.
        package = module.rpartition(".")[0]
        documented = f"{package}.routes" if package and find_spec(f"{package}.routes") else module
        app = importlib.import_module(documented).app
        schema = json.loads(app.get_openapi_json_schema(security_schemes=schemes))
        for name in UNUSED:
            schema.get("components", {}).get("schemas", {}).pop(name, None)
        _compare_routes(module, routes, schema)
        _compare_models(module, schema, seen)
        _describe(app, schema)
        merge.add_schema(schema)
    return merge.get_openapi_schema()


def _compare_routes(module: str, expected: dict[tuple[str, str], bool], schema: dict[str, Any]) -> None:
    served = {
        (method, path): operation.get("security") != [{}]
        for path, operations in schema.get("paths", {}).items()
        for method, operation in operations.items()
    }
    if served != expected:
        differing = sorted(dict(served.items() ^ expected.items()))
        raise ValueError(
            f"template.yaml and {module} disagree about {differing}: which routes there are, or which need a token"
        )


def _compare_models(module: str, schema: dict[str, Any], seen: dict[str, tuple[str, Any]]) -> None:
    """Merging would silently let the last of two models of one name win."""
    for name, model in schema.get("components", {}).get("schemas", {}).items():
        owner, other = seen.setdefault(name, (module, model))
        if other != model:
            raise ValueError(f"{owner} and {module} both have a model {name}, and they differ: rename one")


def _describe(app: Any, schema: dict[str, Any]) -> None:
    """Summaries from the routes' docstrings, which Powertools leaves alone, and no `security` on open routes."""
    for route in (*app._static_routes, *app._dynamic_routes):
        operation = schema["paths"].get(route.openapi_path, {}).get(route.method.lower(), {})
        if documented := inspect.getdoc(route.func):
            operation["summary"], _, rest = documented.partition("\n")
            if rest.strip():
                operation["description"] = rest.strip()
        if operation.get("security") == [{}]:
            del operation["security"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the document has drifted")
    check = parser.parse_args(arguments).check

    sys.path[:0] = [str(source) for source in SOURCES]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    fresh = document(yaml_parse((ROOT / "template.yaml").read_text()), version)
    text = json.dumps(fresh, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if not check:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(text)
        return 0
    stored = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    sys.stdout.writelines(
        difflib.unified_diff(stored.splitlines(True), text.splitlines(True), "docs/openapi.json", "the code")
    )
    return int(stored != text)


if __name__ == "__main__":
    sys.exit(main())
