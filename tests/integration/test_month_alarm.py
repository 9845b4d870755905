"""The alarm at 80 % of the month: what the worker logs is what the template's filter reads."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import time_machine

from sluice import worker
from tests.account import Account
from tests.factories import NOON
from tests.integration.conftest import Functions
from tests.integration.console import Console
from tests.template_reader import source


@pytest.fixture
def console(aws: Account, functions: Functions) -> Iterator[Console]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Console(aws, functions, clock)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the worker prints, as CloudWatch gets it."""
    stream = StringIO()
    monkeypatch.setattr(worker.logger.registered_handler, "stream", stream)
    return stream


@pytest.mark.parametrize(("before", "rings"), [(3_998_999, False), (3_999_000, True), (4_200_000, True)])
def test_the_alarm_rings_with_the_batch_that_reaches_80_percent_of_the_month(
    console: Console, log: StringIO, before: int, rings: bool
) -> None:
    """S1-49."""

    campaign_id = console.running()
    console.put_usage(allotted=before + 2500, executed=before, d20=0)

    console.work(campaign_id, 1)

    (percent,) = metrics(console.aws, log.getvalue())
    alarm = alarm_on(console.aws)
    assert percent == pytest.approx((before + 1000) / 50_000)
    assert (percent >= alarm["Threshold"]) is rings


def test_a_batch_is_logged_with_its_views_and_nothing_personal(console: Console, log: StringIO) -> None:
    """S1-49."""

    campaign_id = console.running(video_id="somebodys-video")
    log.truncate(0)

    console.work(campaign_id, 1)

    out = log.getvalue().lstrip("\0")
    (line,) = [each for each in map(json.loads, out.splitlines()) if each["message"] == "Batch committed"]
    assert (line["campaign_id"], line["step"], line["views"], line["month_percent"]) == (campaign_id, 1, 1000, 0.02)
    assert "somebodys-video" not in out
    assert "ada" not in line.values()


def test_a_step_that_commits_no_batch_says_nothing_of_the_month(console: Console, log: StringIO) -> None:
    campaign_id = console.running()
    console.put_usage(allotted=5_000_000, executed=5_000_000, d20=0)

    console.work(campaign_id, 1)

    assert metrics(console.aws, log.getvalue()) == []


def test_the_line_is_logged_at_every_level_that_the_template_allows() -> None:
    level = source()["Parameters"]["LogLevel"]

    assert set(level["AllowedValues"]) <= {"DEBUG", "INFO"}


def metrics(aws: Account, out: str) -> list[float]:
    """The values that the template's filter takes from log lines, as CloudWatch would."""
    names = {f"{each['MetricNamespace']['Ref']}/{each['MetricName']}": each for each in filters(aws)}
    alarm = alarm_on(aws)
    transformation = names[f"{alarm['Namespace']['Ref']}/{alarm['MetricName']}"]
    field = transformation["MetricValue"].removeprefix("$.")
    assert transformation["pattern"] == f"{{ $.{field} = * }}"
    assert transformation["group"] == {"Ref": "BoostsWorkerLogs"}
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return [line[field] for line in lines if field in line]


def filters(aws: Account) -> list[dict[str, Any]]:
    return [
        transformation
        | {"pattern": resource["Properties"]["FilterPattern"]}
        | {"group": resource["Properties"]["LogGroupName"]}
        for resource in aws.resources.values()
        if resource["Type"] == "AWS::Logs::MetricFilter"
        for transformation in resource["Properties"]["MetricTransformations"]
    ]


def alarm_on(aws: Account) -> dict[str, Any]:
    alarm: dict[str, Any] = aws.resources["BoostsMonthlyCapAlarm"]["Properties"]
    assert (alarm["ComparisonOperator"], alarm["Statistic"]) == ("GreaterThanOrEqualToThreshold", "Maximum")
    return alarm
