"""The dashboard, broken."""

import json
from typing import Any

from tests.template.broken.copy import Broken
from tests.template.edits import add, put, replace
from tests.template.rules import dashboard
from tests.template_reader import source

BODY = "Dashboard.DashboardBody.Fn::Sub.0"
_ALARM = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors", "Namespace": "AWS/Lambda"}}
_QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {}}
_SEARCH = """SEARCH('{AWS/Lambda,FunctionName} FunctionName="${AWS::StackName}-" MetricName="Errors"', 'Sum', 300)"""
# One more search than there is room for.
_FUNCTIONS = sum(each["Type"] == "AWS::Serverless::Function" for each in source()["Resources"].values())
_SEARCHES = dashboard.MOST_METRICS // _FUNCTIONS + 1


def _body(kind: str, **properties: Any) -> str:
    """A dashboard of one widget."""
    return json.dumps({"widgets": [{"type": kind, "properties": properties}]})


BROKEN = [
    Broken(
        dashboard.the_dashboard_is_json,
        "a comma too few",
        put(BODY, '{"widgets": [1 2]}'),
        "Dashboard: with no condition its body is no JSON: Expecting ',' delimiter: line 1 column 16 (char 15)",
    ),
    Broken(
        dashboard.the_dashboard_is_json,
        "a comma too few where a condition holds",
        put(
            "Dashboard.DashboardBody.Fn::Sub",
            ['{"widgets": [1${More}]}', {"More": {"Fn::If": ["HasHedera", " 2", ""]}}],
        ),
        "Dashboard: with HasHedera its body is no JSON: Expecting ',' delimiter: line 1 column 16 (char 15)",
    ),
    Broken(
        dashboard.the_dashboard_shows_every_alarm,
        "a new alarm",
        add("GamesFailedAlarm", _ALARM),
        'GamesFailedAlarm: add "${GamesFailedAlarm.Arn}" to the alarms of Dashboard in template.yaml',
    ),
    Broken(
        dashboard.the_dashboard_shows_every_alarm,
        "a new alarm that is not always there",
        add("GamesFailedAlarm", _ALARM | {"Condition": "HasHedera"}),
        'GamesFailedAlarm: add "${GamesFailedAlarm.Arn}" to the alarms of Dashboard in template.yaml, '
        "by a value of its !Sub with !If [HasHedera, ...]",
    ),
    Broken(
        dashboard.the_dashboard_shows_every_alarm,
        "an alarm that is there twice",
        replace(BODY, '"${ThrottlesAlarm.Arn}"', '"${ThrottlesAlarm.Arn}", "${ThrottlesAlarm.Arn}"'),
        "ThrottlesAlarm: leave it once in the alarms of Dashboard",
    ),
    Broken(
        dashboard.the_dashboard_shows_every_alarm,
        "more alarms than a widget takes",
        put(BODY, _body("alarm", alarms=["a"] * 101)),
        "Dashboard: 101 alarms are more than 100: begin another widget",
    ),
    Broken(
        dashboard.the_dashboard_shows_every_queue,
        "a new queue",
        add("GamesQueue", _QUEUE),
        'GamesQueue: add ["...", "${GamesQueue.QueueName}"] to the oldest messages of Dashboard in template.yaml',
    ),
    Broken(
        dashboard.the_dashboard_shows_every_queue,
        "dead letters that are shown by the age of the oldest",
        replace(BODY, '["...", "${BoostsDeadLetters.QueueName}"]', '["...", "${BoostsQueue.QueueName}"]'),
        'BoostsDeadLetters: add ["...", "${BoostsDeadLetters.QueueName}"] to the dead letters of Dashboard in '
        "template.yaml",
    ),
    Broken(
        dashboard.the_dashboard_shows_every_queue,
        "another metric of queues",
        replace(BODY, '"AWS/SQS", "ApproximateAgeOfOldestMessage"', '"AWS/SQS", "NumberOfMessagesSent"'),
        'BoostsQueue: add ["...", "${BoostsQueue.QueueName}"] to the oldest messages of Dashboard in template.yaml',
    ),
    Broken(
        dashboard.the_dashboard_shows_every_queue,
        "a queue that is there twice",
        replace(
            BODY,
            '["...", "${BoostsQueue.QueueName}"]',
            '["...", "${BoostsQueue.QueueName}"], [".", ".", ".", "${BoostsQueue.QueueName}"]',
        ),
        "BoostsQueue: leave it once in the oldest messages of Dashboard",
    ),
    Broken(
        dashboard.the_dashboard_refers_to_what_is_there,
        "a function that is gone",
        replace(BODY, "${BoostsWorkerFunction}", "${OldWorkerFunction}"),
        "Dashboard: it refers to OldWorkerFunction, which is not in the template: remove it",
    ),
    Broken(
        dashboard.the_dashboard_refers_to_what_is_there,
        "an alarm that is not always there",
        replace(BODY, "${ConsoleAlarms}", '"${ConsoleSiteErrorsAlarm.Arn}",'),
        "Dashboard: ConsoleSiteErrorsAlarm is not always there: put it in a value with !If [HasConsole, ...]",
    ),
    Broken(
        dashboard.the_dashboard_shows_a_bounded_number_of_metrics,
        "more metrics than a graph shows",
        put(BODY, _body("metric", metrics=[["AWS/Lambda", str(number)] for number in range(501)])),
        "Dashboard: 501 metrics are more than 500: show fewer",
    ),
    Broken(
        dashboard.the_dashboard_shows_a_bounded_number_of_metrics,
        "many searches",
        put(BODY, _body("metric", metrics=[[{"expression": _SEARCH}]] * _SEARCHES)),
        f"Dashboard: {_SEARCHES * _FUNCTIONS} metrics are more than 500: show fewer",
    ),
    Broken(
        dashboard.the_dashboard_shows_a_bounded_number_of_metrics,
        "a search in the whole account",
        replace(BODY, 'FunctionName=\\"${AWS::StackName}-\\" ', ""),
        'Dashboard: let each search be for one MetricName, of names with ="${AWS::StackName}-"',
    ),
    Broken(
        dashboard.the_dashboard_shows_a_bounded_number_of_metrics,
        "a search of nobody knows how many",
        replace(BODY, "{AWS/DynamoDB,TableName}", "{AWS/DynamoDB,Operation,TableName}"),
        "Dashboard: say in rules/dashboard.py how many metrics a search of AWS/DynamoDB,Operation,TableName finds",
    ),
]
