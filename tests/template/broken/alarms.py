"""Alarms, broken."""

from tests.template.broken.copy import Broken
from tests.template.edits import drop, head_chapters, put, revoke
from tests.template.rules import alarms

BROKEN = [
    Broken(
        alarms.alarms_ring_somewhere,
        "an alarm that nobody hears",
        drop("ThrottlesAlarm.AlarmActions"),
        "ThrottlesAlarm: set AlarmActions: [!Ref AlarmTopic]",
    ),
    Broken(
        alarms.alarms_ring_somewhere,
        "an alarm that is switched off",
        put("ThrottlesAlarm.ActionsEnabled", False),
        "ThrottlesAlarm: set AlarmActions: [!Ref AlarmTopic]",
    ),
    Broken(
        alarms.alarms_say_what_to_do,
        "an alarm that explains nothing",
        drop("ThrottlesAlarm.AlarmDescription"),
        "ThrottlesAlarm: let AlarmDescription say what to do",
    ),
    Broken(
        alarms.alarms_say_what_to_do,
        "an alarm that only complains",
        put("ThrottlesAlarm.AlarmDescription", "Lambda refused invocations. That is bad."),
        "ThrottlesAlarm: let AlarmDescription say what to do",
    ),
    Broken(
        alarms.alarms_have_a_chapter,
        "an alarm without a chapter",
        head_chapters(without="ThrottlesAlarm"),
        "ThrottlesAlarm: add a heading `## ... ThrottlesAlarm ...` to docs/operations.md",
    ),
    Broken(
        alarms.alarms_have_a_chapter,
        "a chapter without an alarm",
        head_chapters(also="OldAlarm"),
        "docs/operations.md: OldAlarm is no alarm",
    ),
    Broken(
        alarms.bridges_are_possible_and_heard,
        "a function that writes entries and may not look for others",
        revoke("BoostsWorkerFunction", "dynamodb:Query", "AuditTable"),
        "BoostsWorkerFunction: give it Query on AuditTable",
    ),
    Broken(
        alarms.bridges_are_possible_and_heard,
        "a bridge of which nobody hears",
        drop("Resources.OperationsStopBridgedFilter"),
        "OperationsStopFunction: add a filter to its log group that makes RestoresBridged",
    ),
    Broken(
        alarms.bridges_are_possible_and_heard,
        "a filter for another line",
        put("OperationsStopBridgedFilter.FilterPattern", '{ $.message = "Bridged" }'),
        "OperationsStopFunction: add a filter to its log group that makes RestoresBridged",
    ),
    Broken(
        alarms.metrics_of_log_lines_are_watched,
        "an alarm on a metric that is spelt in another way",
        put("ViewsParkedAlarm.MetricName", "Parked"),
        "ViewsParkedAlarm: add a filter that makes Parked",
    ),
    Broken(
        alarms.metrics_of_log_lines_are_watched,
        "an alarm on a metric of another stack",
        put("ViewsRedisMemoryAlarm.Namespace.Fn::If.2", "Sluice"),
        "ViewsRedisMemoryAlarm: add a filter that makes RedisUsedMemoryBytes",
    ),
    Broken(
        alarms.metrics_of_log_lines_are_watched,
        "a metric for nobody",
        drop("Resources.ViewsOldestPendingAlarm"),
        "ViewsOldestPendingFilter: add an alarm on OldestPendingSeconds, or remove it",
    ),
]
