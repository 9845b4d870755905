"""Queues, streams and the loops through them."""

import json
from collections.abc import Iterator
from typing import Any

from tests.template.project import EventSource, Project, as_list, refers_to

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
RUNS_BEFORE_VISIBLE = 6
DEFAULT_VISIBILITY = 30
DEFAULT_RETENTION = 4 * 86_400
LEAST_RECEIVES = 5
# Queues of fewer attempts, because the requirements say so; MaximumConcurrency keeps throttles from using them up.
RECEIVES = {"ViewsQueue": 3}  # S2-32
# What fails open: a hint that is lost is one that nobody waits for, so it has no dead letters and no lag to speak of.
FAILS_OPEN = {"OperationsLiveNotifierFunction"}
# What a page shows of a campaign, and what is counted for it beside: a broadcast's sent and delivered messages.
_HINTED = {"dynamodb": {"Keys": {"part": {"S": ["campaign", {"prefix": "count#"}]}}}}
MOST_RETRIES = 100
LEAST_AGE = 60
MOST_AGE = 86_400  # a stream keeps a record no longer


def visibility_outlasts_six_runs(project: Project) -> list[str]:
    problems = []
    for source in project.queue_sources:
        timeout = project.number(project.functions[source.function].get("Timeout"), 3)
        window = project.number(source.properties.get("MaximumBatchingWindowInSeconds"), 0)
        visibility = project.number(project.queues[source.origin].get("VisibilityTimeout"), DEFAULT_VISIBILITY)
        least = RUNS_BEFORE_VISIBLE * timeout + window
        if visibility < least:
            problems.append(f"{source.origin}: raise VisibilityTimeout from {visibility} to {least} s or more")
    return problems


def queue_sources_report_each_failure(project: Project) -> list[str]:
    return [_report_each_failure(source) for source in project.queue_sources if not _reports_each_failure(source)]


def _reports_each_failure(source: EventSource) -> bool:
    return "ReportBatchItemFailures" in source.properties.get("FunctionResponseTypes", [])


def _report_each_failure(source: EventSource) -> str:
    return f"{source.name}: add FunctionResponseTypes: [ReportBatchItemFailures]"


def source_queues_have_dead_letters(project: Project) -> list[str]:
    problems = []
    for source in project.queue_sources:
        queue = project.queues[source.origin]
        redrive = queue.get("RedrivePolicy", {})
        dead_letters = refers_to(redrive.get("deadLetterTargetArn", ""))
        if dead_letters not in project.queues:
            problems.append(f"{source.origin}: add a RedrivePolicy to a dead-letter queue of the template")
            continue
        receives = project.number(redrive.get("maxReceiveCount"), 0)
        if source.origin in RECEIVES and receives != RECEIVES[source.origin]:
            problems.append(f"{source.origin}: set maxReceiveCount to {RECEIVES[source.origin]}")
        if source.origin not in RECEIVES and receives < LEAST_RECEIVES:
            problems.append(f"{source.origin}: raise maxReceiveCount to {LEAST_RECEIVES} or more: throttles count too")
        # A dead letter keeps the age it had: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide
        kept = project.number(project.queues[dead_letters].get("MessageRetentionPeriod"), DEFAULT_RETENTION)
        if kept < project.number(queue.get("MessageRetentionPeriod"), DEFAULT_RETENTION):
            problems.append(f"{dead_letters}: raise MessageRetentionPeriod to that of {source.origin} or more")
    return problems


def dead_letters_of(project: Project) -> set[str]:
    """Queues that something lets its failures fall into."""
    found = {
        refers_to(queue.get("RedrivePolicy", {}).get("deadLetterTargetArn", "")) for queue in project.queues.values()
    }
    for resource in project.resources.values():
        for name, value in _pairs(resource.get("Properties", {})):
            if name == "OnFailure":
                found.add(refers_to(value.get("Destination", "")))
            if name == "DeadLetterConfig":
                found.add(refers_to(value.get("Arn", value.get("TargetArn", ""))))
    return found & project.queues.keys()


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield name, each
            yield from _pairs(each)
    elif isinstance(value, list):
        for each in value:
            yield from _pairs(each)


def dead_letters_have_alarms(project: Project) -> list[str]:
    return [
        f"{queue}: add an alarm that rings at the first ApproximateNumberOfMessagesVisible"
        for queue in sorted(dead_letters_of(project))
        if not any(
            alarm["Threshold"] == 0 and alarm["ComparisonOperator"] == "GreaterThanThreshold"
            for alarm in project.alarms_on("ApproximateNumberOfMessagesVisible", "QueueName", queue)
        )
    ]


def source_queues_have_age_alarms(project: Project) -> list[str]:
    return [
        f"{source.origin}: add an alarm on ApproximateAgeOfOldestMessage"
        for source in project.queue_sources
        if not project.alarms_on("ApproximateAgeOfOldestMessage", "QueueName", source.origin)
    ]


def schedules_have_dead_letters(project: Project) -> list[str]:
    """What a schedule could not bring to its queue is nowhere else: nothing runs then, and nothing fails."""
    problems = []
    for name, schedule in project.of_type("AWS::Scheduler::Schedule").items():
        target = schedule["Target"]
        if refers_to(target["Arn"]) in project.queues:
            dead_letters = refers_to(target.get("DeadLetterConfig", {}).get("Arn", ""))
            may_send = {
                refers_to(resource)
                for _, statement in project.statements(refers_to(target["RoleArn"]))
                if "sqs:SendMessage" in as_list(statement["Action"])
                for resource in as_list(statement["Resource"])
            }
            if dead_letters not in project.queues:
                problems.append(f"{name}: set Target.DeadLetterConfig to a queue of the template")
            elif dead_letters not in may_send:
                problems.append(f"{name}: let its role send to {dead_letters} too")
    return problems


def rules_may_send_to_their_queues(project: Project) -> list[str]:
    """A queue's policy is what lets the bus send to it; without one an event is dropped, and nothing fails."""
    problems = []
    for name, rule in project.of_type("AWS::Events::Rule").items():
        for target in rule["Targets"]:
            dead_letters = refers_to(target.get("DeadLetterConfig", {}).get("Arn", ""))
            if dead_letters not in project.queues:
                problems.append(f"{name}: set DeadLetterConfig of its target to a queue of the template")
            for queue in {refers_to(target["Arn"]), dead_letters} & project.queues.keys():
                if not _lets_in(project, queue, name):
                    problems.append(f"{queue}: add a queue policy that lets events.amazonaws.com send for {name} alone")
    return problems


def _lets_in(project: Project, queue: str, rule: str) -> bool:
    return any(
        statement.get("Principal") == {"Service": "events.amazonaws.com"}
        and as_list(statement["Action"]) == ["sqs:SendMessage"]
        and queue in map(refers_to, as_list(statement["Resource"]))
        and statement.get("Condition") == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}}
        for policy in project.of_type("AWS::SQS::QueuePolicy").values()
        if queue in map(refers_to, policy["Queues"])
        for statement in policy["PolicyDocument"]["Statement"]
    )


def queue_names_say_what_is_in_them(project: Project) -> list[str]:
    dead_letters = dead_letters_of(project)
    return [
        f"{queue}: name it <Context>{kind}"
        for queue in project.queues
        if not queue.endswith(kind := "DeadLetters" if queue in dead_letters else "Queue")
    ]


def queues_are_encrypted(project: Project) -> list[str]:
    return [
        f"{name}: set SqsManagedSseEnabled: true"
        for name, queue in project.queues.items()
        if queue.get("SqsManagedSseEnabled") is not True and "KmsMasterKeyId" not in queue
    ]


def stream_sources_are_bounded(project: Project) -> list[str]:
    """A stream retries for ever unless told otherwise, and one poison record blocks its shard for a day."""
    problems = []
    for source in project.stream_sources:
        retries = project.number(source.properties.get("MaximumRetryAttempts"), -1)
        age = project.number(source.properties.get("MaximumRecordAgeInSeconds"), -1)
        on_failure = source.properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
        if not 0 <= retries <= MOST_RETRIES:
            problems.append(f"{source.name}: set MaximumRetryAttempts between 0 and {MOST_RETRIES}")
        if not LEAST_AGE <= age < MOST_AGE:
            problems.append(f"{source.name}: set MaximumRecordAgeInSeconds from {LEAST_AGE} to less than {MOST_AGE}")
        if source.properties.get("BisectBatchOnFunctionError") is not True:
            problems.append(f"{source.name}: set BisectBatchOnFunctionError: true")
        if not _reports_each_failure(source):
            problems.append(_report_each_failure(source))
        if source.function in FAILS_OPEN:
            if retries or age != LEAST_AGE:
                problems.append(
                    f"{source.name}: set MaximumRetryAttempts: 0 and MaximumRecordAgeInSeconds: {LEAST_AGE}"
                )
        elif refers_to(on_failure) not in project.queues:
            problems.append(f"{source.name}: add an OnFailure destination: a queue of the template")
    return problems


def stream_sources_have_lag_alarms(project: Project) -> list[str]:
    return [
        f"{source.function}: add an alarm on IteratorAge"
        for source in project.stream_sources
        if source.function not in FAILS_OPEN and not project.alarms_on("IteratorAge", "FunctionName", source.function)
    ]


def stream_filters_compare_no_numbers(project: Project) -> list[str]:
    """A stream's numbers are strings, so that a numeric filter matches nothing and says nothing."""
    return [
        f"{source.name}: filter on no number, which DynamoDB streams write as a string"
        for source in project.stream_sources
        if any(map(_compares_numbers, _patterns(source)))
    ]


def hints_are_of_campaigns_and_of_what_is_counted_for_them(project: Project) -> list[str]:
    return [
        f"{source.name}: let `campaign` and `count#` through its filter, and nothing else"
        for source in project.stream_sources
        if source.function in FAILS_OPEN and _patterns(source) != [_HINTED]
    ]


def _patterns(source: EventSource) -> list[Any]:
    return [json.loads(each["Pattern"]) for each in source.properties.get("FilterCriteria", {}).get("Filters", [])]


def _compares_numbers(pattern: Any) -> bool:
    if isinstance(pattern, dict):
        return "numeric" in pattern or any(map(_compares_numbers, pattern.values()))
    if isinstance(pattern, list):
        return any(map(_compares_numbers, pattern))
    return isinstance(pattern, int | float) and not isinstance(pattern, bool)


def streams_do_not_feed_themselves(project: Project) -> list[str]:
    """A function that changes rows of the table whose stream feeds it sees inserts only, and inserts none."""
    problems = []
    for source in project.stream_sources:
        actions = {
            action
            for statement in project.allowed(source.function)
            if source.origin in map(refers_to, as_list(statement["Resource"]))
            for action in as_list(statement["Action"])
        }
        if "dynamodb:UpdateItem" in actions:
            patterns = _patterns(source)
            if not patterns or any(pattern.get("eventName") != ["INSERT"] for pattern in patterns):
                problems.append(f"{source.name}: let only INSERT through its filter, or its own updates feed it")
        if actions & {"dynamodb:PutItem", "dynamodb:BatchWriteItem"}:
            problems.append(f"{source.function}: take PutItem on {source.origin} away, or its own rows feed it")
    return problems


def loops_are_allowed_where_they_are(project: Project) -> list[str]:
    """AWS drops about the 17th hop of a loop without a word, unless the function says Allow; the rest keep the net."""
    loops = {source.function for source in project.loops}
    allowed = {name for name, function in project.functions.items() if function.get("RecursiveLoop") == "Allow"}
    problems = [f"{name}: it sends to the queue that feeds it: set RecursiveLoop: Allow" for name in loops - allowed]
    problems += [f"{name}: it feeds no loop: remove RecursiveLoop" for name in allowed - loops]
    if "RecursiveLoop" in project.template["Globals"]["Function"]:
        problems.append("Globals: move RecursiveLoop to the functions that feed their own queue")
    return problems


def loop_workers_are_bounded(project: Project) -> list[str]:
    """S1-48: more workers by a number, and each with one batch."""
    problems = []
    for source in project.loops:
        if "MaximumConcurrency" not in source.properties.get("ScalingConfig", {}):
            problems.append(f"{source.name}: set ScalingConfig.MaximumConcurrency")
        if project.number(source.properties.get("BatchSize"), 10) != 1:
            problems.append(f"{source.name}: set BatchSize: 1, or a timeout repeats the whole batch")
    return problems


RULES = (
    visibility_outlasts_six_runs,
    queue_sources_report_each_failure,
    source_queues_have_dead_letters,
    dead_letters_have_alarms,
    schedules_have_dead_letters,
    source_queues_have_age_alarms,
    rules_may_send_to_their_queues,
    queue_names_say_what_is_in_them,
    queues_are_encrypted,
    stream_sources_are_bounded,
    stream_sources_have_lag_alarms,
    stream_filters_compare_no_numbers,
    hints_are_of_campaigns_and_of_what_is_counted_for_them,
    streams_do_not_feed_themselves,
    loops_are_allowed_where_they_are,
    loop_workers_are_bounded,
)
