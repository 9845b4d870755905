"""The corrections of MiniStack, apart from it."""

from datetime import UTC, datetime

import pytest

from local.ministack import begin_again, with_a_number, with_its_time, with_one_metric, with_the_bodys_tags

AT = datetime(2026, 11, 21, 0, 0, 1, 500_000, tzinfo=UTC).timestamp()
TARGET = {"Arn": "a", "Input": '{"scheduled_at": "<aws.scheduler.scheduled-time>"}'}


@pytest.mark.parametrize(
    ("expression", "moment"),
    [
        ("cron(0 0 * * ? *)", "2026-11-21T00:00:00Z"),
        ("rate(1 minute)", "2026-11-21T00:00:01Z"),
        ("at(2026-11-20T23:59:59)", "2026-11-20T23:59:59Z"),
    ],
)
def test_a_schedules_message_says_for_when_it_was(expression, moment):
    assert with_its_time(TARGET, expression, AT) == {"Arn": "a", "Input": f'{{"scheduled_at": "{moment}"}}'}


def test_what_asks_for_no_time_stays_as_it_is():
    body = '{"campaign_id": "bst_1", "step": 1}'

    assert with_its_time({"Input": body}, "at(2026-11-21T00:00:01)", AT)["Input"] == body


def test_an_alarm_over_several_metrics_is_deployed_over_the_first() -> None:
    stat = {"Metric": {"Namespace": "sluice", "MetricName": "Refused"}, "Period": 3600, "Stat": "Sum"}
    metrics = [{"Id": "percent", "Expression": "100 * refused"}, {"Id": "refused", "MetricStat": stat}]

    alarm = with_one_metric({"Threshold": 50, "Metrics": metrics})

    assert alarm == {
        "Threshold": 50,
        "Namespace": "sluice",
        "MetricName": "Refused",
        "Period": 3600,
        "Statistic": "Sum",
    }


def test_an_alarm_over_one_metric_is_deployed_as_it_is() -> None:
    alarm = {"Threshold": 50, "Namespace": "sluice", "MetricName": "Refused"}

    assert with_one_metric(alarm) == alarm


def test_a_concurrency_that_a_parameter_says_is_a_number() -> None:
    source = {"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": "5"}}

    assert with_a_number(source) == {"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 5}}


def test_an_event_source_without_a_concurrency_stays_as_it_is() -> None:
    assert with_a_number({"BatchSize": 10}) == {"BatchSize": 10}


def test_an_api_has_the_tags_of_its_body_and_its_own_stand_above() -> None:
    """SAM writes those of an HTTP API into the body: `ms-custom-id` is one."""
    written = [{"name": name, "x-amazon-apigateway-tag-value": "of the body"} for name in ("ms-custom-id", "a")]

    api = with_the_bodys_tags({"Body": {"tags": written}, "Tags": {"a": "its own"}})

    assert api["Tags"] == {"ms-custom-id": "of the body", "a": "its own"}
    assert with_the_bodys_tags({"Name": "x"}) == {"Name": "x", "Tags": {}}


def test_readers_of_streams_begin_again() -> None:
    positions = {("000000000000", "us-east-1", "relay"): 812, ("000000000000", "us-east-1", "hints"): 3}

    begin_again(positions)

    assert set(positions.values()) == {0}
    assert len(positions) == 2
