"""What the rules look at: the template, as written and as AWS gets it, and everything that must agree with it."""

import json
import pickle
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import cfnlint

from local.routes import operations_of, unconditional
from operations import chains
from sluice.dynamodb import Bound
from tests import packages
from tests.packages import module_names
from tests.template_reader import ROOT, source, translate

EVENTS = ROOT / "events"
OPERATIONS = ROOT / "docs" / "operations.md"
# The functions whose code is a folder of its own, beside functions/.
SITES = {"ConsoleSiteFunction": "console"}
LAYER = "AWS::Serverless::LayerVersion"


@dataclass
class Model:
    """What a PynamoDB model takes for granted about its table."""

    name: str
    attributes: set[str]
    key_types: dict[str, str]
    keys: dict[str, str]
    indexes: dict[str, tuple[dict[str, str], str]]
    """Each index's keys, as attribute name to HASH or RANGE, and its projection."""


@dataclass(frozen=True)
class EventSource:
    """A queue or a stream that invokes a function."""

    name: str
    function: str
    origin: str
    properties: dict[str, Any]


@dataclass
class Project:
    """The template and its surroundings; a broken copy differs from the real one in one thing."""

    template: dict[str, Any]
    events: dict[str, str]
    """Text of each file under events/, by its path there."""
    operations: str
    """Text of docs/operations.md; empty when there is none."""
    settings: dict[str, set[str]]
    """Names of the environment that each handler module's `Settings` reads."""
    models: dict[str, list[Model]]
    """By table; under "" those of no table."""
    lifecycle: dict[str, dict[str, Any]]
    """Lambda's runtimes with their dates, as cfn-lint ships them."""
    today: date

    def copy(self) -> "Project":
        """A copy that can be broken."""
        # A quarter of the time that copy.deepcopy takes.
        kept = pickle.dumps({each.name: getattr(self, each.name) for each in fields(self)})
        return Project(**pickle.loads(kept))

    @cached_property
    def resources(self) -> dict[str, Any]:
        """The resources as CloudFormation gets them."""
        return self._resources_like(real()) or translate(self.template)["Resources"]

    def _resources_like(self, other: "Project") -> dict[str, Any]:
        """What they come to if they differ from another's in resources alone, each translated by itself; else nothing.

        Not by itself: a layer, whose name holds a digest that functions refer to, and a function that adds a route.
        """
        ours, theirs = self.template["Resources"], other.template["Resources"]
        changed = {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}
        layers = {name for each in (ours, theirs) for name in each if each[name]["Type"] == LAYER}
        adding = {name for name in changed for each in (ours, theirs) if name in each and adds_a_route(each[name])}
        if self is other or changed & layers or adding or {**self.template, "Resources": theirs} != other.template:
            return {}
        before = other._translated_alone(changed | layers)
        kept = {name: resource for name, resource in other.resources.items() if name not in before}
        return kept | self._translated_alone(changed | layers)

    def _translated_alone(self, names: set[str]) -> dict[str, Any]:
        """What some of the resources come to."""
        some = {name: each for name, each in self.template["Resources"].items() if name in names}
        found: dict[str, Any] = translate({**self.template, "Resources": some})["Resources"]
        return found

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id to properties of each resource of a type."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        return self.of_type("AWS::Lambda::Function")

    @property
    def queues(self) -> dict[str, dict[str, Any]]:
        return self.of_type("AWS::SQS::Queue")

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        return self.of_type("AWS::DynamoDB::Table")

    @property
    def alarms(self) -> dict[str, dict[str, Any]]:
        return self.of_type("AWS::CloudWatch::Alarm")

    def triggers(self, function: str) -> dict[str, dict[str, Any]]:
        """The events of a function, as written: name to `{Type, Properties}`. Routes are none: see `routes_to`."""
        found: dict[str, dict[str, Any]] = self.template["Resources"][function]["Properties"].get("Events", {})
        return found

    @property
    def urls(self) -> dict[str, dict[str, Any]]:
        """The Function URLs, by the function that each is of."""
        return {refers_to(each["TargetFunctionArn"]): each for each in self.of_type("AWS::Lambda::Url").values()}

    @property
    def sources(self) -> list[EventSource]:
        return [
            EventSource(name, refers_to(each["FunctionName"]), refers_to(each["EventSourceArn"]), each)
            for name, each in self.of_type("AWS::Lambda::EventSourceMapping").items()
        ]

    @property
    def queue_sources(self) -> list[EventSource]:
        return [each for each in self.sources if "StreamArn" not in text_of(each.properties["EventSourceArn"])]

    @property
    def stream_sources(self) -> list[EventSource]:
        return [each for each in self.sources if "StreamArn" in text_of(each.properties["EventSourceArn"])]

    def number(self, value: Any, default: int) -> int:
        """A number of the template; of a parameter, its default."""
        if value is None:
            return default
        if isinstance(value, dict):
            value = self.template["Parameters"][refers_to(value)]["Default"]
        return int(value)

    def statements(self, role: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement that allows something, with the logical id of what holds it; `role`: only that role's."""
        for name, resource in self.resources.items():
            if role is None or name == role or _is_attached(resource, role):
                for document in _documents(resource.get("Properties", {})):
                    for statement in as_list(document.get("Statement", [])):
                        if statement.get("Effect", "Allow") == "Allow":
                            yield name, statement

    def allowed(self, function: str) -> Iterator[dict[str, Any]]:
        """The statements of a function's role."""
        for _, statement in self.statements(refers_to(self.functions[function]["Role"])):
            yield statement

    def may_send_to(self, function: str, queue: str) -> bool:
        return any(
            "sqs:sendmessage" in map(str.lower, as_list(statement.get("Action", [])))
            and queue in map(refers_to, as_list(statement.get("Resource", [])))
            for statement in self.allowed(function)
        )

    @property
    def loops(self) -> list[EventSource]:
        """The sources whose function may send to the very queue that feeds it."""
        return [each for each in self.queue_sources if self.may_send_to(each.function, each.origin)]

    @property
    def http_apis(self) -> dict[str, dict[str, Any]]:
        """Logical id to OpenAPI body of each HTTP API."""
        return {name: api["Body"] for name, api in self.of_type("AWS::ApiGatewayV2::Api").items() if "Body" in api}

    @property
    def sockets(self) -> dict[str, list[str]]:
        """The functions of WebSockets, each with its routes."""
        integrations, found = self.of_type("AWS::ApiGatewayV2::Integration"), defaultdict(list)
        for route in self.of_type("AWS::ApiGatewayV2::Route").values():
            integration = integrations[refers_to(route["Target"])]
            found[refers_to(integration["IntegrationUri"])].append(route["RouteKey"])
        return found

    def routes(self) -> dict[str, dict[str, Any]]:
        """Route key, such as `GET /api/x`, to its OpenAPI operation."""
        return {
            f"{method.upper()} {path}": operation
            for body in self.http_apis.values()
            for path, method, operation, _ in operations_of(body)
        }

    def routes_to(self, function: str) -> list[str]:
        """The keys of the routes that invoke a function."""
        return [key for key, operation in self.routes().items() if invoked_by(operation) == function]

    @property
    def authorizers(self) -> set[str]:
        """The functions that decide who gets in."""
        return {
            refers_to(authorizer["FunctionArn"])
            for resource in self.template["Resources"].values()
            if resource["Type"] == "AWS::Serverless::HttpApi"
            for authorizer in resource["Properties"].get("Auth", {}).get("Authorizers", {}).values()
            if "FunctionArn" in authorizer
        }

    def alarms_on(self, metric: str, dimension: str, resource: str) -> list[dict[str, Any]]:
        """The alarms on a metric of one resource: what they are, and what that metric is to them."""
        return [
            alarm | watched
            for alarm in self.alarms.values()
            for watched in metrics_of(alarm)
            if watched["MetricName"] == metric
            and any(
                each["Name"] == dimension and refers_to(each["Value"]) == resource
                for each in watched.get("Dimensions", [])
            )
        ]


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """What an alarm watches, each with its statistic: one metric, or those of which it computes another."""
    if "Metrics" not in alarm:
        return [alarm]
    return [
        each["MetricStat"]["Metric"] | {"Statistic": each["MetricStat"]["Stat"]}
        for _, each in map(unconditional, alarm["Metrics"])
        if "MetricStat" in each
    ]


def invoked_by(operation: dict[str, Any]) -> str:
    """The function behind an operation; empty when there is none."""
    return refers_to(operation.get("x-amazon-apigateway-integration", {}).get("uri"))


def adds_a_route(resource: dict[str, Any]) -> bool:
    """Whether a function's events write into an API, which then has to be there."""
    events = resource.get("Properties", {}).get("Events", {}) if is_sams(resource) else {}
    return any(each.get("Type") in ("Api", "HttpApi") for each in events.values())


def is_sams(resource: dict[str, Any]) -> bool:
    """Whether SAM translates it; what is not its own it leaves as it is."""
    return str(resource["Type"]).startswith("AWS::Serverless::")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text_of(value: Any) -> str:
    """A value as one text, what it refers to as `${Name}` or `${Name.Attribute}`."""
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": [text, values]}:
            return re.sub(r"\$\{(\w+)\}", lambda found: text_of(values.get(found[1], {"Ref": found[1]})), text)
        case {"Fn::Sub": text}:
            return str(text)
        case {"Fn::Join": [separator, list(parts)]}:
            return str(separator).join(map(text_of, parts))
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else str(value)


def refers_to(value: Any) -> str:
    """The first logical id that a value refers to; empty when it refers to none."""
    found = re.search(r"\$\{(?!AWS::)(\w+)", text_of(value))
    return found[1] if found else ""


def _documents(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "PolicyDocument":
                yield each
            else:
                yield from _documents(each)
    elif isinstance(value, list):
        for each in value:
            yield from _documents(each)


def _is_attached(resource: dict[str, Any], role: str) -> bool:
    return role in map(refers_to, resource.get("Properties", {}).get("Roles", []))


@cache
def real() -> Project:
    """The project as it is. Break a copy of it."""
    template = source()
    handlers = [
        resource["Properties"]["Handler"].rpartition(".")[0]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    return Project(
        template=template,
        events={
            str(path.relative_to(EVENTS)): path.read_text() for path in sorted(EVENTS.rglob("*")) if path.is_file()
        },
        operations=OPERATIONS.read_text() if OPERATIONS.exists() else "",
        settings={module: _settings(module) for module in handlers},
        models=_models(),
        lifecycle=json.loads(
            (Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "LmbdRuntimeLifecycle.json").read_text()
        ),
        today=datetime.now(UTC).date(),
    )


def _settings(module: str) -> set[str]:
    kind = getattr(import_module(module), "Settings", None)
    if is_dataclass(kind):
        return {each.name.upper() for each in fields(kind)}
    return {name.upper() for name in getattr(kind, "_fields", ())}  # of a NamedTuple, which takes less to import


def _models() -> dict[str, list[Model]]:
    found: dict[str, list[Model]] = {}
    for module in module_names():
        import_module(module)
    for kind in _descendants(Bound):
        # Other tests make some of their own, as the sweeper does.
        if getattr(import_module(kind.__module__), kind.__name__, None) is kind and not _is_base(kind):
            for table in _tables_of(kind):
                found.setdefault(table, []).append(_model(kind))
    return found


def _tables_of(kind: type[Bound]) -> list[str]:
    """`BoostsTable` for what is bound in the context `boosts`, `AuditTable` for what is in the kernel's `sluice.audit`.

    A model belongs to the module of its Meta, which `bind` gives the name of its table. A module of the kernel that
    calls `bound_to` makes models for the table of every chain.
    """
    module = kind.Meta.__module__
    context, _, of_kernel = module.partition(".")
    # Of a context with several tables: `class MessagesItem(Bound)` has the Meta of MessagesTable.
    stem = kind.Meta.__qualname__.partition(".")[0].removesuffix("Item")
    if context != "sluice" and f"{stem}Table" in _resource_names():
        return [f"{stem}Table"]
    names = [of_kernel if context == "sluice" else context]
    if f"bound_to({kind.__name__}, " in packages.text_of(module):
        names = [each.removesuffix("_table") for each in chains.TABLES]
    tables = [f"{name.title()}Table" for name in names]
    return [table if table in _resource_names() else "" for table in tables]


@cache
def _resource_names() -> frozenset[str]:
    return frozenset(source()["Resources"])


def _is_base(kind: type[Bound]) -> bool:
    """Whether the models of several contexts extend it, each with the Meta of its table."""
    return kind.Meta is Bound.Meta and bool(kind.__subclasses__())


def _descendants(kind: type[Bound]) -> Iterator[type[Bound]]:
    for child in kind.__subclasses__():
        if child.__module__ in module_names():
            yield child
            yield from _descendants(child)


def _model(kind: type[Bound]) -> Model:
    schema: dict[str, Any] = kind._get_schema()  # type: ignore[assignment]
    indexes = [*schema["global_secondary_indexes"], *schema["local_secondary_indexes"]]
    return Model(
        name=kind.__name__,
        attributes={attribute.attr_name for attribute in kind.get_attributes().values()},
        key_types=types_of(schema["attribute_definitions"]),
        keys=keys_of(schema["key_schema"]),
        indexes={
            each["index_name"]: (keys_of(each["key_schema"]), each["projection"]["ProjectionType"]) for each in indexes
        },
    )


def types_of(definitions: list[dict[str, str]]) -> dict[str, str]:
    return {each["AttributeName"]: each["AttributeType"] for each in definitions}


def keys_of(schema: list[dict[str, str]]) -> dict[str, str]:
    return {each["AttributeName"]: each["KeyType"] for each in sorted(schema, key=lambda each: each["KeyType"])}
