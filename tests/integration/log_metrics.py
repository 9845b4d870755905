"""What the template's metric filters make of log lines, as CloudWatch would."""

import re
from fnmatch import fnmatchcase
from typing import Any

from tests.account import Account

_EXISTS = re.compile(r"\{ \$\.(\w+) = \* \}")
_IS = re.compile(r'\{ \$\.(\w+) = "([^"]*)" \}')


def metrics(aws: Account, logs: str, lines: list[dict[str, Any]]) -> dict[str, list[float]]:
    """The values of each metric that lines of a log group (its logical id) give."""
    found: dict[str, list[float]] = {}
    for resource in aws.resources.values():
        if resource["Type"] == "AWS::Logs::MetricFilter" and resource["Properties"]["LogGroupName"] == {"Ref": logs}:
            (made,) = resource["Properties"]["MetricTransformations"]
            for line in lines:
                if _matches(resource["Properties"]["FilterPattern"], line):
                    found.setdefault(made["MetricName"], []).append(_value(made["MetricValue"], line))
    return found


def rings(aws: Account, alarm: str, value: float) -> bool:
    """Whether a value is above the alarm's threshold, or at it where that is enough."""
    properties = aws.resources[alarm]["Properties"]
    threshold = properties["Threshold"]
    if isinstance(threshold, dict):
        threshold = aws.ref(threshold["Ref"])
    match properties["ComparisonOperator"]:
        case "GreaterThanThreshold":
            return value > float(threshold)
        case "GreaterThanOrEqualToThreshold":
            return value >= float(threshold)
        case operator:
            raise LookupError(f"{operator} is not understood")


def _matches(pattern: str, line: dict[str, Any]) -> bool:
    if found := _EXISTS.fullmatch(pattern):
        return found[1] in line
    found = _IS.fullmatch(pattern)
    assert found, f"{pattern} is not understood"
    return fnmatchcase(str(line.get(found[1], "")), found[2])


def _value(value: str, line: dict[str, Any]) -> float:
    return float(line[value.removeprefix("$.")] if value.startswith("$.") else value)
