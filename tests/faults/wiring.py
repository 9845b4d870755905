"""What feeds what, as the template says it: queues, event sources, schedules, routes. Nothing is written again here."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from local.routes import routes_of

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_DAILY = re.compile(r"cron\((\d+) (\d+) \* \* \? \*\)")
# What AWS takes where the template says nothing.
_VISIBILITY_SECONDS, _BATCH_SIZE = 30, 10
_DOCUMENT = Path(__file__).parents[2] / "docs/openapi.json"
_KEYED = [
    (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
    for path, operations in json.loads(_DOCUMENT.read_text())["paths"].items()
    for method, operation in operations.items()
    if any(parameter["name"].lower() == "idempotency-key" for parameter in operation.get("parameters", []))
]
"""The routes that document an Idempotency-Key."""


def is_keyed(method: str, path: str) -> bool:
    """Whether the route takes an Idempotency-Key."""
    return any(method == each and pattern.fullmatch(path) for each, pattern in _KEYED)


# A hint changes nothing that is kept of a campaign, and is let go when it fails: tests/integration/test_live.py.
NOT_FED = {"OperationsLiveNotifierFunction"}


@dataclass(frozen=True)
class QueueSource:
    """A queue that feeds a function."""

    queue: str
    function: str
    batch_size: int
    takes_failures: bool


@dataclass(frozen=True)
class StreamSource:
    """A table's stream that feeds a function."""

    table: str
    function: str
    batch_size: int
    takes_failures: bool
    bisects: bool
    attempts: int
    on_failure: str | None
    filters: tuple[dict[str, Any], ...]

    def passes(self, record: dict[str, Any]) -> bool:
        return not self.filters or any(_matches(pattern, record) for pattern in self.filters)


@dataclass(frozen=True)
class QueueRules:
    """What a queue does with its messages."""

    visibility: timedelta
    dead_letters: str | None
    max_receives: int | None


@dataclass(frozen=True)
class Recurring:
    """A schedule of the template, and what it sends where: a function, or a queue."""

    name: str
    expression: str
    zone: ZoneInfo
    target: str
    input: str

    def next_after(self, moment: datetime) -> datetime:
        if rate := _RATE.fullmatch(self.expression):
            period = timedelta(**{f"{rate[2]}s": int(rate[1])}) / timedelta(seconds=1)
            return datetime.fromtimestamp((moment.timestamp() // period + 1) * period, moment.tzinfo)
        daily = _DAILY.fullmatch(self.expression)
        assert daily, f"{self.expression} is not understood"
        local = moment.astimezone(self.zone)
        found = local.replace(hour=int(daily[2]), minute=int(daily[1]), second=0, microsecond=0)
        return (found if found > local else found + timedelta(days=1)).astimezone(moment.tzinfo)


@dataclass(frozen=True)
class BusRule:
    """A rule of the bus: events of these names send their data to a queue; without names, each event comes whole."""

    names: tuple[str, ...]
    queue: str

    def message(self, name: str, detail: str) -> str | None:
        """What an event sends to the queue; None if it is none of the rule's."""
        if not self.names:
            return json.dumps({"source": "sluice", "detail-type": name, "detail": json.loads(detail)})
        return json.dumps(json.loads(detail)["data"]) if name in self.names else None


@dataclass(frozen=True)
class Route:
    """A method and a path of the API, and the function behind it."""

    method: str
    pattern: re.Pattern[str]
    function: str


class Wiring:
    """The template's resources, asked what the world needs to know."""

    def __init__(self, resources: dict[str, Any], value: Any, packages: Collection[str]) -> None:
        """`value(x)` resolves an intrinsic function to text. Only functions of `packages` are fed."""
        self._resources = resources
        self._value = value
        self.queues = {name: self._queue(each) for name, each in self._of("AWS::SQS::Queue")}
        handlers = {name: str(each["Handler"]) for name, each in self._of("AWS::Lambda::Function")}
        self.handlers = {name: path for name, path in handlers.items() if is_in(path, packages)}
        fed = set(self.handlers) - NOT_FED
        mappings = [each for _, each in self._of("AWS::Lambda::EventSourceMapping")]
        sources = [each for each in mappings if each["FunctionName"]["Ref"] in fed]
        self.queue_sources = [self._queue_source(each) for each in sources if _of_what(each)[0] in self.queues]
        self.stream_sources = [self._stream_source(each) for each in sources if _of_what(each)[1] == "StreamArn"]
        fed |= {source.queue for source in self.queue_sources}
        rules = [_bus_rule(each) for _, each in self._of("AWS::Events::Rule")]
        self.bus_rules = [rule for rule in rules if rule.queue in fed]
        recurring = [self._recurring(name, each) for name, each in self._of("AWS::Scheduler::Schedule")]
        self.recurring = [schedule for schedule in recurring if schedule.target in fed]
        # One without is for an operator to fill.
        self.secrets = [
            name for name, each in self._of("AWS::SecretsManager::Secret") if "GenerateSecretString" in each
        ]
        self.routes = [
            route for _, api in self._of("AWS::ApiGatewayV2::Api") for route in _routes(api.get("Body", {"paths": {}}))
        ]
        # The most literal path first, as API Gateway chooses.
        self.routes.sort(key=lambda route: route.pattern.pattern.count("[^/]"))

    def may_loop(self, function: str) -> bool:
        """Whether AWS leaves it alone when it feeds itself."""
        return bool(self._resources[function]["Properties"].get("RecursiveLoop") == "Allow")

    def timeout(self, function: str) -> timedelta:
        """How long it may run."""
        return timedelta(seconds=self._resources[function]["Properties"]["Timeout"])

    def function_of(self, method: str, path: str) -> str:
        return next(route.function for route in self.routes if route.method == method and route.pattern.fullmatch(path))

    def _of(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        return [(name, each.get("Properties", {})) for name, each in self._resources.items() if each["Type"] == kind]

    def _queue(self, properties: dict[str, Any]) -> QueueRules:
        redrive = properties.get("RedrivePolicy")
        return QueueRules(
            timedelta(seconds=properties.get("VisibilityTimeout", _VISIBILITY_SECONDS)),
            redrive["deadLetterTargetArn"]["Fn::GetAtt"][0] if redrive else None,
            int(redrive["maxReceiveCount"]) if redrive else None,
        )

    def _queue_source(self, properties: dict[str, Any]) -> QueueSource:
        return QueueSource(
            _of_what(properties)[0],
            properties["FunctionName"]["Ref"],
            properties.get("BatchSize", _BATCH_SIZE),
            "ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        )

    def _stream_source(self, properties: dict[str, Any]) -> StreamSource:
        on_failure = properties.get("DestinationConfig", {}).get("OnFailure")
        filters = properties.get("FilterCriteria", {}).get("Filters", [])
        return StreamSource(
            _of_what(properties)[0],
            properties["FunctionName"]["Ref"],
            properties["BatchSize"],
            "ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            properties.get("BisectBatchOnFunctionError", False),
            properties["MaximumRetryAttempts"],
            on_failure["Destination"]["Fn::GetAtt"][0] if on_failure else None,
            tuple(json.loads(each["Pattern"]) for each in filters),
        )

    def _recurring(self, name: str, properties: dict[str, Any]) -> Recurring:
        return Recurring(
            name,
            self._value(properties["ScheduleExpression"]),
            ZoneInfo(self._value(properties.get("ScheduleExpressionTimezone", "UTC"))),
            properties["Target"]["Arn"]["Fn::GetAtt"][0],
            properties["Target"].get("Input", "{}"),
        )


def is_in(module: str, packages: Collection[str]) -> bool:
    """Whether a module, or what is in it, belongs to one of these packages."""
    return any(module == each or module.startswith(f"{each}.") for each in packages)


def _of_what(properties: dict[str, Any]) -> tuple[str, str]:
    name, attribute = properties["EventSourceArn"]["Fn::GetAtt"]
    return name, attribute


def _bus_rule(properties: dict[str, Any]) -> BusRule:
    pattern, (target,) = properties["EventPattern"], properties["Targets"]
    names = tuple(pattern.get("detail-type", ()))
    assert {*pattern, "detail-type"} == {"source", "detail-type"}, f"{pattern} is not understood"
    assert target.get("InputPath") == ("$.detail.data" if names else None), f"{target} is not understood"
    return BusRule(names, target["Arn"]["Fn::GetAtt"][0])


def _matches(pattern: dict[str, Any], record: dict[str, Any]) -> bool:
    return all(
        _matches(wanted, record.get(name, {}))
        if isinstance(wanted, dict)
        else any(_is(record.get(name), each) for each in wanted)
        for name, wanted in pattern.items()
    )


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, str) and value.startswith(wanted["prefix"])
    return bool(value == wanted)


def _routes(body: dict[str, Any]) -> list[Route]:
    return [
        Route(each.method, re.compile(re.sub(r"\{[^}]+\}", "[^/]+", each.path)), each.function)
        for each in routes_of(body)
    ]
