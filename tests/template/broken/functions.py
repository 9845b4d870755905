"""Functions, broken."""

from datetime import date

from tests.template.broken.copy import Broken
from tests.template.edits import (
    all_of,
    delete_event,
    drop,
    on,
    put,
    read_setting,
    rename,
    replace_in_event,
    write_event,
)
from tests.template.project import real
from tests.template.rules import functions

BROKEN = [
    Broken(
        functions.names_follow_their_modules,
        "a function of another name",
        rename("BoostsWorkerFunction", "BoostsStepsFunction"),
        "BoostsStepsFunction: name it BoostsWorkerFunction, after its module",
    ),
    Broken(
        functions.names_follow_their_modules,
        "a log group of another name",
        rename("BoostsWorkerLogs", "BoostsStepsLogs"),
        "BoostsWorkerFunction: name its log group BoostsWorkerLogs",
    ),
    Broken(
        functions.names_say_their_kind,
        "a table of another name",
        rename("RequestsTable", "Requests"),
        "Requests: let its name end in Table",
    ),
    Broken(
        functions.names_say_their_kind,
        "an alarm of another name",
        rename("ThrottlesAlarm", "Throttles"),
        "Throttles: let its name end in Alarm",
    ),
    Broken(
        functions.names_say_their_kind,
        "a log group of another name",
        rename("ApiAccessLogs", "ApiAccess"),
        "ApiAccess: let its name end in Logs",
    ),
    Broken(
        functions.handlers_exist,
        "a module that is not there",
        put("ViewsCountsApiFunction.Handler", "views.count.handler"),
        "ViewsCountsApiFunction: let Handler name a module under functions/, and `handler` in it",
    ),
    Broken(
        functions.handlers_exist,
        "a module of another folder",
        put("ConsoleSiteFunction.Handler", "views.counts.api.handler"),
        "ConsoleSiteFunction: let Handler name a module under console/, and `handler` in it",
    ),
    Broken(
        functions.handlers_exist,
        "a handler of another name",
        put("ViewsCountsApiFunction.Handler", "views.counts.api.main"),
        "ViewsCountsApiFunction: let Handler name a module under functions/, and `handler` in it",
    ),
    Broken(
        functions.environments_are_settings,
        "a variable that nothing reads",
        put("ViewsCountsApiFunction.Environment.Variables.AUDIT_TABLE", {"Ref": "AuditTable"}),
        "ViewsCountsApiFunction: AUDIT_TABLE is read by no Settings of views.counts.api",
    ),
    Broken(
        functions.environments_are_settings,
        "a variable for all that nothing reads",
        put("Globals.Function.Environment.Variables.POWERTOOLS_DEV", "true"),
        "ViewsCountsApiFunction: POWERTOOLS_DEV is read by no Settings of views.counts.api",
    ),
    Broken(
        functions.environments_are_settings,
        "a variable that is not set",
        drop("BoostsWorkerFunction.Environment.Variables.TIME_ZONE"),
        "BoostsWorkerFunction: set TIME_ZONE, which boosts.worker reads",
    ),
    Broken(
        functions.environments_are_settings,
        "one more field of Settings",
        read_setting("operations.audit", "OUTBOX_TABLE"),
        "OperationsAuditFunction: set OUTBOX_TABLE, which operations.audit reads",
    ),
    Broken(
        functions.parameters_are_used,
        "a parameter that nothing uses",
        put("Parameters.Unused", {"Type": "String", "Default": ""}),
        "Unused: use the parameter, or remove it",
    ),
    Broken(
        functions.parameters_are_used,
        "a parameter that only an output uses",
        all_of(
            put("OperationsAuthorizerFunction.Environment.Variables.TOKEN_AUDIENCE", "sluice"),
            put("OperationsSessionFunction.Environment.Variables.TOKEN_AUDIENCE", "sluice"),
            put("OperationsTokensFunction.Environment.Variables.TOKEN_AUDIENCE", "sluice"),
            put("SponsorshipsRecordingApiFunction.Environment.Variables.VIEWER_TOKEN_AUDIENCE", "sluice-viewer"),
            put("ViewsTrackApiFunction.Environment.Variables.VIEWER_TOKEN_AUDIENCE", "sluice-viewer"),
            put("ViewsTrackUrlFunction.Environment.Variables.VIEWER_TOKEN_AUDIENCE", "sluice-viewer"),
        ),
        "TokenAudience: use the parameter, or remove it",
    ),
    Broken(
        functions.functions_have_their_own_logs,
        "no log group",
        drop("ViewsCountsApiFunction.LoggingConfig"),
        "ViewsCountsApiFunction: give it a log group of the template",
    ),
    Broken(
        functions.functions_have_their_own_logs,
        "a log group for two",
        put("BoostsWorkerFunction.LoggingConfig.LogGroup", {"Ref": "BoostsApiLogs"}),
        "BoostsWorkerFunction: give it a log group of its own: BoostsApiLogs is that of BoostsApiFunction",
    ),
    Broken(
        functions.functions_have_their_own_logs,
        "lines of plain text",
        put("Globals.Function.LoggingConfig.LogFormat", "Text"),
        "BoostsWorkerFunction: set LoggingConfig.LogFormat: JSON",
    ),
    Broken(
        functions.logs_have_retention,
        "log lines kept for ever",
        drop("BoostsWorkerLogs.RetentionInDays"),
        "BoostsWorkerLogs: set RetentionInDays: !Ref LogRetentionDays",
    ),
    Broken(
        functions.logs_have_retention,
        "log lines kept for a time of their own",
        put("ApiAccessLogs.RetentionInDays", 7),
        "ApiAccessLogs: set RetentionInDays: !Ref LogRetentionDays",
    ),
    Broken(
        functions.functions_take_what_the_parameters_say,
        "a runtime of its own",
        put("ViewsCountsApiFunction.Runtime", "python3.13"),
        "ViewsCountsApiFunction: take Runtime from the parameter PythonRuntime",
    ),
    Broken(
        functions.functions_take_what_the_parameters_say,
        "a processor of its own",
        put("ViewsCountsApiFunction.Architectures", ["arm64"]),
        "ViewsCountsApiFunction: take Architectures from the parameter Architecture",
    ),
    Broken(
        functions.functions_take_what_the_parameters_say,
        "Lambda's default memory",
        drop("Globals.Function.MemorySize"),
        "ViewsCountsApiFunction: set MemorySize",
    ),
    Broken(
        functions.functions_take_what_the_parameters_say,
        "Lambda's default timeout",
        drop("Globals.Function.Timeout"),
        "ViewsCountsApiFunction: set Timeout",
    ),
    Broken(
        functions.functions_answer_before_the_gateway_gives_up,
        "an answer that nobody waits for",
        put("BoostsApiFunction.Timeout", 30),
        "BoostsApiFunction: lower Timeout below 30 s: the gateway waits no longer",
    ),
    Broken(
        functions.functions_answer_before_the_gateway_gives_up,
        "an authorizer that nobody waits for",
        put("OperationsAuthorizerFunction.Timeout", 10),
        "OperationsAuthorizerFunction: lower Timeout below 10 s: the gateway waits no longer",
    ),
    Broken(
        functions.runtimes_are_far_from_deprecation,
        "a runtime about to be deprecated",
        on(date(2028, 7, 1)),
        "PythonRuntime: python3.13 is deprecated on 2029-06-30: move to a newer one",
    ),
    Broken(
        functions.runtimes_are_far_from_deprecation,
        "an old runtime among those allowed",
        put("Parameters.PythonRuntime.AllowedValues", ["python3.13", "python3.9"]),
        "PythonRuntime: python3.9 is deprecated on 2025-12-15: move to a newer one",
    ),
    Broken(
        functions.runtimes_are_far_from_deprecation,
        "another language",
        put("Parameters.PythonRuntime.Default", "nodejs22.x"),
        "PythonRuntime: nodejs22.x is no Python runtime of Lambda",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "a file that is gone",
        delete_event("boosts/worker-steps.json"),
        "events/boosts/worker-steps.json: write the event of this trigger",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "no event for the authorizer",
        delete_event("operations/authorizer.json"),
        "events/operations/authorizer.json: write the event of this trigger",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "a file too many",
        write_event("boosts/notes.txt", ""),
        "events/boosts/notes.txt: remove it: no trigger has it",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "what is no JSON",
        write_event("boosts/api-list.json", "{"),
        "events/boosts/api-list.json: write it as JSON",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "another route",
        replace_in_event("boosts/api-list.json", "GET /api/admin/fake-views", "GET /api/admin/boosts"),
        "events/boosts/api-list.json: let routeKey be a route of BoostsApiFunction",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "another route behind the gateway",
        replace_in_event(
            "boosts/api-list.json",
            '    "routeKey": "GET /api/admin/fake-views"',
            '    "routeKey": "POST /api/admin/fake-views"',
        ),
        "events/boosts/api-list.json: let routeKey be a route of BoostsApiFunction",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "a route without an event",
        delete_event("boosts/api-list.json"),
        "events/boosts/api-*.json: let one file have the event of GET /api/admin/fake-views",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "a route with two events",
        write_event("boosts/api-all.json", real().events["boosts/api-list.json"]),
        "events/boosts/api-*.json: let one file have the event of GET /api/admin/fake-views",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "an authorization for no route",
        replace_in_event("operations/authorizer.json", "GET /api/admin/fake-views", "GET /api/admin/boosts"),
        "events/operations/authorizer.json: let routeKey be a route of the template",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "a route that a Function URL does not know",
        replace_in_event("views/track/url.json", "$default", "POST /api/views"),
        "events/views/track/url.json: let routeKey be $default, as a Function URL sends it",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "a message of another queue",
        replace_in_event("boosts/worker-steps.json", ":BoostsQueue", ":Other"),
        "events/boosts/worker-steps.json: let eventSource be aws:sqs, and eventSourceARN that of BoostsQueue",
    ),
    Broken(
        functions.every_trigger_has_its_event_file,
        "a record of another service",
        replace_in_event("operations/outbox_relay-rows.json", "aws:dynamodb", "aws:kinesis"),
        "events/operations/outbox_relay-rows.json: "
        "let eventSource be aws:dynamodb, and eventSourceARN that of OutboxTable",
    ),
    Broken(
        functions.alarms_watch_every_function,
        "no alarm on a function's errors",
        drop("Resources.OperationsSweeperErrorsAlarm"),
        "OperationsSweeperFunction: add an alarm on its Errors",
    ),
    Broken(
        functions.descriptions_begin_with_the_trigger,
        "a description that begins with another trigger",
        put("BoostsWorkerFunction.Description", "HTTP: run one step of a boost campaign."),
        "BoostsWorkerFunction: let Description begin with SQS",
    ),
]
