"""Alarms: each rings somewhere, and says what to do."""

import re
from typing import Any

from tests.template.project import Project, as_list, metrics_of, refers_to, text_of

# What somebody woken at night can do.
ADVICE = re.compile(r"\b(call|check|find|fix|look|lower|purge|raise|read|redrive|restart|rotate|stop|wait)\b", re.I)
HEADING = re.compile(r"^## .*$", re.MULTILINE)


def alarms_ring_somewhere(project: Project) -> list[str]:
    topics = project.of_type("AWS::SNS::Topic")
    return [
        f"{name}: set AlarmActions: [!Ref AlarmTopic]"
        for name, alarm in project.alarms.items()
        if not {refers_to(action) for action in alarm.get("AlarmActions", [])} & topics.keys()
        or alarm.get("ActionsEnabled") is False
    ]


def alarms_say_what_to_do(project: Project) -> list[str]:
    """First what is the matter, then what to do."""
    return [
        f"{name}: let AlarmDescription say what to do"
        for name, alarm in project.alarms.items()
        if not re.search(r"[.;:,] ", alarm.get("AlarmDescription", "")) or not ADVICE.search(alarm["AlarmDescription"])
    ]


def alarms_have_a_chapter(project: Project) -> list[str]:
    """docs/operations.md has a `## ` heading with each alarm's logical id, and none with the id of an alarm gone."""
    named = {word for heading in HEADING.findall(project.operations) for word in re.findall(r"\w+Alarm\b", heading)}
    problems = [
        f"{name}: add a heading `## ... {name} ...` to docs/operations.md"
        for name in sorted(project.alarms.keys() - named)
    ]
    problems += [f"docs/operations.md: {name} is no alarm" for name in sorted(named - project.alarms.keys())]
    return problems


def _cases(value: Any) -> list[str]:
    """What a value may be, each as text: of a condition both sides."""
    match value:
        case {"Fn::If": [_, then, otherwise]}:
            return [*_cases(then), *_cases(otherwise)]
    return [text_of(value)]


def metrics_of_log_lines_are_watched(project: Project) -> list[str]:
    """An alarm on a metric that nothing makes never rings, and a metric without an alarm is paid for all the same."""
    made = {
        (text_of(each["MetricNamespace"]), each["MetricName"]): name
        for name, made_by in project.of_type("AWS::Logs::MetricFilter").items()
        for each in made_by["MetricTransformations"]
    }
    watched = {
        (namespace, metric): name
        for name, alarm in project.alarms.items()
        for each in metrics_of(alarm)
        for namespace, metric in zip(_cases(each["Namespace"]), _cases(each["MetricName"]), strict=True)
        if not namespace.startswith("AWS/")
    }
    problems = [f"{watched[each]}: add a filter that makes {each[1]}" for each in watched.keys() - made.keys()]
    return problems + [
        f"{made[each]}: add an alarm on {each[1]}, or remove it" for each in made.keys() - watched.keys()
    ]


def bridges_are_possible_and_heard(project: Project) -> list[str]:
    """Who writes audit entries may look for those that a restore left ahead, and says so to the alarm."""
    heard = {
        text_of(each["LogGroupName"])
        for each in project.of_type("AWS::Logs::MetricFilter").values()
        if [made["MetricName"] for made in each["MetricTransformations"]] == ["RestoresBridged"]
        and each["FilterPattern"] == '{ $.message = "A restore was bridged" }'
    }
    problems = []
    for name, function in project.functions.items():
        allowed = {
            action
            for statement in project.allowed(name)
            if "AuditTable" in map(refers_to, as_list(statement["Resource"]))
            for action in as_list(statement["Action"])
        }
        if "dynamodb:PutItem" not in allowed:
            continue
        if "dynamodb:Query" not in allowed:
            problems.append(f"{name}: give it Query on AuditTable")
        if text_of(function["LoggingConfig"]["LogGroup"]) not in heard:
            problems.append(f"{name}: add a filter to its log group that makes RestoresBridged")
    return problems


RULES = (
    alarms_ring_somewhere,
    alarms_say_what_to_do,
    alarms_have_a_chapter,
    metrics_of_log_lines_are_watched,
    bridges_are_possible_and_heard,
)
