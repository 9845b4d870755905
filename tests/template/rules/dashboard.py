"""The dashboard: what should be seen is on it, and what it refers to is there."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.template.project import Project, text_of
from tests.template.rules.queues import dead_letters_of

DASHBOARD = "Dashboard"
# Of a widget: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
MOST_ALARMS = 100
# Of one graph: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
MOST_METRICS = 500
AGE, DEPTH = "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"
# What a search for names of this stack begins with; a search without it shows what other stacks of the account do.
OF_THE_STACK = '="${AWS::StackName}-"'


@dataclass(frozen=True)
class Case:
    """The dashboard as one set of conditions makes it."""

    held: frozenset[str]
    text: str

    @cached_property
    def widgets(self) -> list[dict[str, Any]]:
        """None where the text is no JSON, which has a rule of its own."""
        try:
            found: list[dict[str, Any]] = json.loads(self.text)["widgets"]
        except json.JSONDecodeError:
            return []
        return found

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [each["properties"] for each in self.widgets if each["type"] == kind]

    @property
    def metrics(self) -> Counter[tuple[str, ...]]:
        """How often each metric that is named is shown: namespace, name, then dimensions with their values."""
        return Counter(each for widget in self.of_type("metric") for each in _metrics(widget))

    @property
    def searches(self) -> list[tuple[str, str]]:
        """What is searched for: the names of namespace and dimensions, and the terms."""
        return re.findall(
            r"SEARCH\('\{([^}]+)\} ([^']+)'",
            " ".join(
                each["expression"]
                for widget in self.of_type("metric")
                for metric in widget["metrics"]
                for each in metric
                if isinstance(each, dict) and "expression" in each
            ),
        )


def _metrics(widget: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """`.` stands for what the metric before has there, `...` for all that it has before what follows."""
    before: list[str] = []
    for metric in widget["metrics"]:
        names = [each for each in metric if isinstance(each, str)]
        if names[:1] == ["..."]:
            names = [*before[: len(before) - len(names) + 1], *names[1:]]
        if names:
            before = [before[place] if name == "." else name for place, name in enumerate(names)]
            yield tuple(before)


def _cases(project: Project) -> list[Case]:
    """With no condition, with all, and with each alone."""
    conditions = project.template["Conditions"]
    sets = [frozenset[str](), *(frozenset({each}) for each in conditions), frozenset(conditions)]
    body = project.resources[DASHBOARD]["Properties"]["DashboardBody"]
    return [Case(held, _text(body, held)) for held in sets]


def _text(value: Any, held: frozenset[str]) -> str:
    match value:
        case {"Fn::If": [condition, then, otherwise]}:
            return _text(then if condition in held else otherwise, held)
        case {"Fn::Sub": [text, values]}:
            return re.sub(
                r"\$\{(\w+)\}", lambda found: _text(values[found[1]], held) if found[1] in values else found[0], text
            )
    return text_of(value)


def _is_there(project: Project, name: str, held: frozenset[str]) -> bool:
    condition = project.resources[name].get("Condition")
    return condition is None or condition in held


def the_dashboard_is_json(project: Project) -> list[str]:
    problems = []
    for case in _cases(project):
        try:
            json.loads(case.text)
        except json.JSONDecodeError as error:
            problems.append(f"{DASHBOARD}: with {_named(case.held)} its body is no JSON: {error}")
    return problems


def _named(held: frozenset[str]) -> str:
    return " and ".join(sorted(held)) or "no condition"


def the_dashboard_shows_every_alarm(project: Project) -> list[str]:
    problems = set()
    for case in _cases(project):
        shown = Counter(arn for widget in case.of_type("alarm") for arn in widget["alarms"])
        for name in project.alarms:
            arn = f"${{{name}.Arn}}"
            count = shown[arn]
            if count > 1:
                problems.add(f"{name}: leave it once in the alarms of {DASHBOARD}")
            if not count and case.widgets and _is_there(project, name, case.held):
                problems.add(_advice(project, name, f'"{arn}"', "the alarms"))
        problems |= {
            f"{DASHBOARD}: {len(widget['alarms'])} alarms are more than {MOST_ALARMS}: begin another widget"
            for widget in case.of_type("alarm")
            if len(widget["alarms"]) > MOST_ALARMS
        }
    return sorted(problems)


def _advice(project: Project, name: str, what: str, where: str) -> str:
    condition = project.resources[name].get("Condition")
    by = f", by a value of its !Sub with !If [{condition}, ...]" if condition else ""
    return f"{name}: add {what} to {where} of {DASHBOARD} in template.yaml{by}"


def the_dashboard_shows_every_queue(project: Project) -> list[str]:
    """Of a queue the age of its oldest message, and of dead letters how many there are."""
    problems = set()
    dead_letters = dead_letters_of(project)
    for case in _cases(project):
        for name in project.queues:
            metric, where = (DEPTH, "the dead letters") if name in dead_letters else (AGE, "the oldest messages")
            value = f"${{{name}.QueueName}}"
            count = case.metrics["AWS/SQS", metric, "QueueName", value]
            if count > 1:
                problems.add(f"{name}: leave it once in {where} of {DASHBOARD}")
            if not count and case.widgets and _is_there(project, name, case.held):
                problems.add(_advice(project, name, f'["...", "{value}"]', where))
    return sorted(problems)


def the_dashboard_refers_to_what_is_there(project: Project) -> list[str]:
    """Also where a condition takes a resource away: CloudFormation refuses such a reference."""
    problems = set()
    for case in _cases(project):
        for reference in re.findall(r"\$\{([^}]+)\}", case.text):
            name = reference.partition(".")[0]
            if name.startswith("AWS::") or name in project.template["Parameters"]:
                continue
            if name not in project.resources:
                problems.add(f"{DASHBOARD}: it refers to {name}, which is not in the template: remove it")
            elif not _is_there(project, name, case.held):
                condition = project.resources[name]["Condition"]
                problems.add(f"{DASHBOARD}: {name} is not always there: put it in a value with !If [{condition}, ...]")
    return sorted(problems)


def the_dashboard_shows_a_bounded_number_of_metrics(project: Project) -> list[str]:
    """Those that are named, and those that a search finds in this stack."""
    indexes = sum(len(each.get("GlobalSecondaryIndexes", [])) for each in project.tables.values())
    found_by = {
        "AWS/Lambda,FunctionName": len(project.functions),
        "AWS/DynamoDB,TableName": len(project.tables),
        "AWS/DynamoDB,GlobalSecondaryIndexName,TableName": indexes,
    }
    problems = set()
    for case in _cases(project):
        for schema, terms in case.searches:
            if schema not in found_by:
                problems.add(f"{DASHBOARD}: say in rules/dashboard.py how many metrics a search of {schema} finds")
            if OF_THE_STACK not in terms or terms.count("MetricName=") != 1:
                problems.add(f"{DASHBOARD}: let each search be for one MetricName, of names with {OF_THE_STACK}")
        count = case.metrics.total() + sum(found_by.get(schema, 0) for schema, _ in case.searches)
        if count > MOST_METRICS:
            problems.add(f"{DASHBOARD}: {count} metrics are more than {MOST_METRICS}: show fewer")
    return sorted(problems)


RULES = (
    the_dashboard_is_json,
    the_dashboard_shows_every_alarm,
    the_dashboard_shows_every_queue,
    the_dashboard_refers_to_what_is_there,
    the_dashboard_shows_a_bounded_number_of_metrics,
)
