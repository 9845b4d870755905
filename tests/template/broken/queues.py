"""Queues, streams and loops, broken."""

from tests.template.broken.copy import Broken
from tests.template.edits import drop, grant, put, rename, revoke
from tests.template.rules import queues

_WORKER_SOURCE = "BoostsWorkerFunction.Events.Steps.Properties"
_RELAY_SOURCE = "OperationsOutboxRelayFunction.Events.Rows.Properties"

BROKEN = [
    Broken(
        queues.visibility_outlasts_six_runs,
        "visibility of less than six runs",
        put("BoostsQueue.VisibilityTimeout", 89),
        "BoostsQueue: raise VisibilityTimeout from 89 to 90 s or more",
    ),
    Broken(
        queues.visibility_outlasts_six_runs,
        "the default visibility",
        drop("BoostsQueue.VisibilityTimeout"),
        "BoostsQueue: raise VisibilityTimeout from 30 to 90 s or more",
    ),
    Broken(
        queues.visibility_outlasts_six_runs,
        "a longer timeout",
        put("BoostsWorkerFunction.Timeout", 21),
        "BoostsQueue: raise VisibilityTimeout from 120 to 126 s or more",
    ),
    Broken(
        queues.visibility_outlasts_six_runs,
        "a batching window",
        put(f"{_WORKER_SOURCE}.MaximumBatchingWindowInSeconds", 31),
        "BoostsQueue: raise VisibilityTimeout from 120 to 121 s or more",
    ),
    Broken(
        queues.queue_sources_report_each_failure,
        "no report of single failures",
        drop(f"{_WORKER_SOURCE}.FunctionResponseTypes"),
        "BoostsWorkerFunctionSteps: add FunctionResponseTypes: [ReportBatchItemFailures]",
    ),
    Broken(
        queues.source_queues_have_dead_letters,
        "no redrive policy",
        drop("BoostsQueue.RedrivePolicy"),
        "BoostsQueue: add a RedrivePolicy to a dead-letter queue of the template",
    ),
    Broken(
        queues.source_queues_have_dead_letters,
        "dead letters elsewhere",
        put("BoostsQueue.RedrivePolicy.deadLetterTargetArn", "arn:aws:sqs:us-east-1:123456789012:other"),
        "BoostsQueue: add a RedrivePolicy to a dead-letter queue of the template",
    ),
    Broken(
        queues.source_queues_have_dead_letters,
        "too few receives",
        put("BoostsQueue.RedrivePolicy.maxReceiveCount", 4),
        "BoostsQueue: raise maxReceiveCount to 5 or more: throttles count too",
    ),
    Broken(
        queues.source_queues_have_dead_letters,
        "other than the three attempts that are required",
        put("ViewsQueue.RedrivePolicy.maxReceiveCount", 5),
        "ViewsQueue: set maxReceiveCount to 3",
    ),
    Broken(
        queues.source_queues_have_dead_letters,
        "dead letters that vanish before the queue's own would",
        drop("BoostsDeadLetters.MessageRetentionPeriod"),
        "BoostsDeadLetters: raise MessageRetentionPeriod to that of BoostsQueue or more",
    ),
    Broken(
        queues.dead_letters_have_alarms,
        "no alarm on a queue's dead letters",
        drop("Resources.BoostsDeadLettersAlarm"),
        "BoostsDeadLetters: add an alarm that rings at the first ApproximateNumberOfMessagesVisible",
    ),
    Broken(
        queues.dead_letters_have_alarms,
        "an alarm that rings at the second dead letter",
        put("BoostsDeadLettersAlarm.Threshold", 1),
        "BoostsDeadLetters: add an alarm that rings at the first ApproximateNumberOfMessagesVisible",
    ),
    Broken(
        queues.dead_letters_have_alarms,
        "an alarm on another queue",
        put("BoostsDeadLettersAlarm.Dimensions.0.Value", {"Fn::GetAtt": ["BoostsQueue", "QueueName"]}),
        "BoostsDeadLetters: add an alarm that rings at the first ApproximateNumberOfMessagesVisible",
    ),
    Broken(
        queues.dead_letters_have_alarms,
        "no alarm on a stream's failures",
        drop("Resources.OperationsOutboxDeadLettersAlarm"),
        "OperationsOutboxDeadLetters: add an alarm that rings at the first ApproximateNumberOfMessagesVisible",
    ),
    Broken(
        queues.source_queues_have_age_alarms,
        "no alarm on the oldest message",
        drop("Resources.BoostsOldestMessageAlarm"),
        "BoostsQueue: add an alarm on ApproximateAgeOfOldestMessage",
    ),
    Broken(
        queues.queue_names_say_what_is_in_them,
        "a queue of another name",
        rename("BoostsQueue", "BoostsSteps"),
        "BoostsSteps: name it <Context>Queue",
    ),
    Broken(
        queues.queue_names_say_what_is_in_them,
        "dead letters that are called a queue",
        rename("BoostsDeadLetters", "BoostsDeadQueue"),
        "BoostsDeadQueue: name it <Context>DeadLetters",
    ),
    Broken(
        queues.queues_are_encrypted,
        "no encryption",
        put("BoostsDeadLetters.SqsManagedSseEnabled", False),
        "BoostsDeadLetters: set SqsManagedSseEnabled: true",
    ),
    Broken(
        queues.stream_sources_are_bounded,
        "retries for ever",
        drop(f"{_RELAY_SOURCE}.MaximumRetryAttempts"),
        "OperationsOutboxRelayFunctionRows: set MaximumRetryAttempts between 0 and 100",
    ),
    Broken(
        queues.stream_sources_are_bounded,
        "records of any age",
        put(f"{_RELAY_SOURCE}.MaximumRecordAgeInSeconds", -1),
        "OperationsOutboxRelayFunctionRows: set MaximumRecordAgeInSeconds from 60 to less than 86400",
    ),
    Broken(
        queues.stream_sources_are_bounded,
        "no bisection",
        drop(f"{_RELAY_SOURCE}.BisectBatchOnFunctionError"),
        "OperationsOutboxRelayFunctionRows: set BisectBatchOnFunctionError: true",
    ),
    Broken(
        queues.stream_sources_are_bounded,
        "no report of single failures",
        drop(f"{_RELAY_SOURCE}.FunctionResponseTypes"),
        "OperationsOutboxRelayFunctionRows: add FunctionResponseTypes: [ReportBatchItemFailures]",
    ),
    Broken(
        queues.stream_sources_are_bounded,
        "nowhere for failures to go",
        drop(f"{_RELAY_SOURCE}.DestinationConfig"),
        "OperationsOutboxRelayFunctionRows: add an OnFailure destination: a queue of the template",
    ),
    Broken(
        queues.stream_sources_have_lag_alarms,
        "no alarm on the lag",
        drop("Resources.OperationsOutboxLagAlarm"),
        "OperationsOutboxRelayFunction: add an alarm on IteratorAge",
    ),
    Broken(
        queues.stream_filters_compare_no_numbers,
        "a numeric operator",
        put(
            f"{_RELAY_SOURCE}.FilterCriteria.Filters.0.Pattern",
            '{"eventName": ["INSERT"], "dynamodb": {"NewImage": {"number": {"N": [{"numeric": [">", 1]}]}}}}',
        ),
        "OperationsOutboxRelayFunctionRows: filter on no number, which DynamoDB streams write as a string",
    ),
    Broken(
        queues.stream_filters_compare_no_numbers,
        "a participation that is chosen by its impressions",
        put(
            "SponsorshipsMonitoringStreamFunction.Events.Rows.Properties.FilterCriteria.Filters.0.Pattern",
            '{"dynamodb": {"NewImage": {"impressions": {"N": [{"numeric": [">=", 2000]}]}}}}',
        ),
        "SponsorshipsMonitoringStreamFunctionRows: filter on no number, which DynamoDB streams write as a string",
    ),
    Broken(
        queues.streams_do_not_feed_themselves,
        "a monitoring that puts the edit that it found right by itself",
        grant(
            "SponsorshipsMonitoringStreamFunction",
            "dynamodb:UpdateItem",
            {"Fn::GetAtt": ["SponsorshipsTable", "Arn"]},
        ),
        "SponsorshipsMonitoringStreamFunctionRows: let only INSERT through its filter, or its own updates feed it",
    ),
    Broken(
        queues.rules_may_send_to_their_queues,
        "a bus that may not send",
        drop("Resources.SponsorshipsChecksQueuePolicy"),
        "SponsorshipsChecksQueue: add a queue policy that lets events.amazonaws.com send for SponsorshipsChecksRule "
        "alone",
    ),
    Broken(
        queues.rules_may_send_to_their_queues,
        "every bus that may send",
        drop("SponsorshipsChecksQueuePolicy.PolicyDocument.Statement.0.Condition"),
        "SponsorshipsChecksQueue: add a queue policy that lets events.amazonaws.com send for SponsorshipsChecksRule "
        "alone",
    ),
    Broken(
        queues.rules_may_send_to_their_queues,
        "an event that nobody misses",
        drop("SponsorshipsChecksRule.Targets.0.DeadLetterConfig"),
        "SponsorshipsChecksRule: set DeadLetterConfig of its target to a queue of the template",
    ),
    Broken(
        queues.stream_filters_compare_no_numbers,
        "a bare number",
        put(
            f"{_RELAY_SOURCE}.FilterCriteria.Filters.0.Pattern",
            '{"eventName": ["INSERT"], "dynamodb": {"NewImage": {"number": {"N": [1]}}}}',
        ),
        "OperationsOutboxRelayFunctionRows: filter on no number, which DynamoDB streams write as a string",
    ),
    Broken(
        queues.hints_are_of_campaigns_and_of_what_is_counted_for_them,
        "claims that are hinted, and deliveries that are not",
        put(
            "OperationsLiveNotifierFunction.Events.Broadcasts.Properties.FilterCriteria.Filters.0.Pattern",
            '{"dynamodb": {"Keys": {"part": {"S": ["campaign"]}}}}',
        ),
        "OperationsLiveNotifierFunctionBroadcasts: let `campaign` and `count#` through its filter, and nothing else",
    ),
    Broken(
        queues.streams_do_not_feed_themselves,
        "no filter on a stream whose function updates the table",
        drop(f"{_RELAY_SOURCE}.FilterCriteria"),
        "OperationsOutboxRelayFunctionRows: let only INSERT through its filter, or its own updates feed it",
    ),
    Broken(
        queues.streams_do_not_feed_themselves,
        "a filter that lets updates through",
        put(f"{_RELAY_SOURCE}.FilterCriteria.Filters.0.Pattern", '{"eventName": ["INSERT", "MODIFY"]}'),
        "OperationsOutboxRelayFunctionRows: let only INSERT through its filter, or its own updates feed it",
    ),
    Broken(
        queues.streams_do_not_feed_themselves,
        "a function that may add to what feeds it",
        grant("OperationsOutboxRelayFunction", "dynamodb:PutItem", {"Fn::GetAtt": ["OutboxTable", "Arn"]}),
        "OperationsOutboxRelayFunction: take PutItem on OutboxTable away, or its own rows feed it",
    ),
    Broken(
        queues.loops_are_allowed_where_they_are,
        "a loop that AWS would stop",
        drop("BoostsWorkerFunction.RecursiveLoop"),
        "BoostsWorkerFunction: it sends to the queue that feeds it: set RecursiveLoop: Allow",
    ),
    Broken(
        queues.loops_are_allowed_where_they_are,
        "a loop that AWS is told to stop",
        put("BoostsWorkerFunction.RecursiveLoop", "Terminate"),
        "BoostsWorkerFunction: it sends to the queue that feeds it: set RecursiveLoop: Allow",
    ),
    Broken(
        queues.loops_are_allowed_where_they_are,
        "no net under a function without a loop",
        put("BoostsApiFunction.RecursiveLoop", "Allow"),
        "BoostsApiFunction: it feeds no loop: remove RecursiveLoop",
    ),
    Broken(
        queues.loops_are_allowed_where_they_are,
        "a worker that no longer feeds itself",
        revoke("BoostsWorkerFunction", "sqs:SendMessage", "BoostsQueue"),
        "BoostsWorkerFunction: it feeds no loop: remove RecursiveLoop",
    ),
    Broken(
        queues.loops_are_allowed_where_they_are,
        "loops allowed to all",
        put("Globals.Function.RecursiveLoop", "Allow"),
        "Globals: move RecursiveLoop to the functions that feed their own queue",
    ),
    Broken(
        queues.loop_workers_are_bounded,
        "a loop of any width",
        drop(f"{_WORKER_SOURCE}.ScalingConfig"),
        "BoostsWorkerFunctionSteps: set ScalingConfig.MaximumConcurrency",
    ),
    Broken(
        queues.loop_workers_are_bounded,
        "batches of several steps",
        put(f"{_WORKER_SOURCE}.BatchSize", 2),
        "BoostsWorkerFunctionSteps: set BatchSize: 1, or a timeout repeats the whole batch",
    ),
    Broken(
        queues.loop_workers_are_bounded,
        "batches of the default size",
        drop(f"{_WORKER_SOURCE}.BatchSize"),
        "BoostsWorkerFunctionSteps: set BatchSize: 1, or a timeout repeats the whole batch",
    ),
    Broken(
        queues.schedules_have_dead_letters,
        "a midnight that nobody misses",
        drop("ViewsSyncSchedule.Target.DeadLetterConfig"),
        "ViewsSyncSchedule: set Target.DeadLetterConfig to a queue of the template",
    ),
    Broken(
        queues.schedules_have_dead_letters,
        "a dead letter that cannot be sent",
        drop("ViewsSyncScheduleRole.Policies.0.PolicyDocument.Statement.0.Resource.1"),
        "ViewsSyncSchedule: let its role send to ViewsDeadLetters too",
    ),
]
