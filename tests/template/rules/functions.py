"""Functions: their names, settings, logs, events and limits."""

import json
from datetime import date, timedelta
from typing import Any

from tests.template.project import SITES, Project, as_list, refers_to, text_of
from tests.template_reader import ROOT

# Powertools reads these by itself.
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
API_SECONDS = 30
AUTHORIZER_SECONDS = 10
NOTICE = timedelta(days=365)


def _module(function: dict[str, Any]) -> str:
    module, _, _ = function["Handler"].rpartition(".")
    return str(module)


def names_follow_their_modules(project: Project) -> list[str]:
    """`boosts.worker` is BoostsWorkerFunction, and writes to BoostsWorkerLogs; `promotions.escrow_function` has no
    second `Function` in its name. A folder of its own has one module, and its function's name stands in SITES.
    """
    problems = []
    for name, function in project.functions.items():
        stem = _module(function).removesuffix("_function").replace("_", ".").title().replace(".", "")
        if name in SITES:
            stem = name.removesuffix("Function")
        if name != f"{stem}Function":
            problems.append(f"{name}: name it {stem}Function, after its module")
        logs = refers_to(function.get("LoggingConfig", {}).get("LogGroup", ""))
        if logs != f"{stem}Logs":
            problems.append(f"{name}: name its log group {stem}Logs")
    return problems


def names_say_their_kind(project: Project) -> list[str]:
    kinds = {"AWS::DynamoDB::Table": "Table", "AWS::CloudWatch::Alarm": "Alarm", "AWS::Logs::LogGroup": "Logs"}
    return [
        f"{name}: let its name end in {kinds[resource['Type']]}"
        for name, resource in project.resources.items()
        if not name.endswith(kinds.get(resource["Type"], ""))
    ]


def handlers_exist(project: Project) -> list[str]:
    return [
        f"{name}: let Handler name a module under {SITES.get(name, 'functions')}/, and `handler` in it"
        for name, function in project.functions.items()
        if not (ROOT / SITES.get(name, "functions") / _module(function).replace(".", "/")).with_suffix(".py").is_file()
        or not function["Handler"].endswith(".handler")
    ]


def environments_are_settings(project: Project) -> list[str]:
    problems = []
    for name, function in project.functions.items():
        module = _module(function)
        variables = function.get("Environment", {}).get("Variables", {}).keys() - POWERTOOLS
        settings = project.settings.get(module, set())
        problems += [f"{name}: {each} is read by no Settings of {module}" for each in sorted(variables - settings)]
        problems += [f"{name}: set {each}, which {module} reads" for each in sorted(settings - variables)]
    return problems


def parameters_are_used(project: Project) -> list[str]:
    used = json.dumps([project.template.get(part, {}) for part in ("Conditions", "Globals", "Resources")])
    return [
        f"{name}: use the parameter, or remove it"
        for name in project.template["Parameters"]
        if f'{{"Ref": "{name}"}}' not in used and f"${{{name}}}" not in used
    ]


def functions_have_their_own_logs(project: Project) -> list[str]:
    problems = []
    groups = project.of_type("AWS::Logs::LogGroup")
    takers: dict[str, str] = {}
    for name, function in sorted(project.functions.items()):
        config = function.get("LoggingConfig", {})
        logs = refers_to(config.get("LogGroup", ""))
        if logs not in groups:
            problems.append(f"{name}: give it a log group of the template")
        elif takers.setdefault(logs, name) != name:
            problems.append(f"{name}: give it a log group of its own: {logs} is that of {takers[logs]}")
        if config.get("LogFormat") != "JSON":
            problems.append(f"{name}: set LoggingConfig.LogFormat: JSON")
    return problems


def logs_have_retention(project: Project) -> list[str]:
    """S1-51."""
    return [
        f"{name}: set RetentionInDays: !Ref LogRetentionDays"
        for name, logs in project.of_type("AWS::Logs::LogGroup").items()
        if logs.get("RetentionInDays") != {"Ref": "LogRetentionDays"}
    ]


def functions_take_what_the_parameters_say(project: Project) -> list[str]:
    problems = []
    for name, function in project.functions.items():
        if function.get("Runtime") != {"Ref": "PythonRuntime"}:
            problems.append(f"{name}: take Runtime from the parameter PythonRuntime")
        if function.get("Architectures") != [{"Ref": "Architecture"}]:
            problems.append(f"{name}: take Architectures from the parameter Architecture")
        problems += [f"{name}: set {each}" for each in ("MemorySize", "Timeout") if each not in function]
    return problems


def functions_answer_before_the_gateway_gives_up(project: Project) -> list[str]:
    problems = []
    for name, function in project.functions.items():
        seconds = project.number(function.get("Timeout"), 3)
        if project.routes_to(name) and seconds >= API_SECONDS:
            problems.append(f"{name}: lower Timeout below {API_SECONDS} s: the gateway waits no longer")
        if name in project.authorizers and seconds >= AUTHORIZER_SECONDS:
            problems.append(f"{name}: lower Timeout below {AUTHORIZER_SECONDS} s: the gateway waits no longer")
    return problems


def runtimes_are_far_from_deprecation(project: Project) -> list[str]:
    parameter = project.template["Parameters"]["PythonRuntime"]
    problems = []
    for runtime in {parameter["Default"], *parameter["AllowedValues"]}:
        ends = project.lifecycle.get(runtime, {}).get("deprecated")
        if not runtime.startswith("python") or not ends:
            problems.append(f"PythonRuntime: {runtime} is no Python runtime of Lambda")
        elif date.fromisoformat(ends) - project.today < NOTICE:
            problems.append(f"PythonRuntime: {runtime} is deprecated on {ends}: move to a newer one")
    return problems


def every_trigger_has_its_event_file(project: Project) -> list[str]:
    """A file in events/<context>/ (of a wing: events/<context>/<wing>/) for each trigger and route: tests and people
    call it.
    """
    problems = []
    expected = {}
    for name, function in project.functions.items():
        stem = _module(function).replace(".", "/")
        if name in SITES:
            stem = f"{SITES[name]}/{stem}"
        for event, trigger in project.triggers(name).items():
            expected[f"{stem}-{event.lower()}.json"] = trigger
        if routes := project.routes_to(name):
            files = [path for path in project.events if path.startswith(f"{stem}-") and path not in expected]
            expected |= {path: {"Type": "Route", "Function": name} for path in files}
            problems += _not_of_one_file(stem, routes, [_event(project.events[path]) for path in files])
        if name in project.authorizers:
            expected[f"{stem}.json"] = {"Type": "Authorizer"}
        if name in project.urls:
            expected[f"{stem}.json"] = {"Type": "Url"}
        for route in project.sockets.get(name, ()):
            expected[f"{stem}-{route.removeprefix('$')}.json"] = {"Type": "Socket", "Route": route}
    problems += [f"events/{path}: write the event of this trigger" for path in sorted(expected.keys() - project.events)]
    problems += [f"events/{path}: remove it: no trigger has it" for path in sorted(project.events.keys() - expected)]
    for path in sorted(expected.keys() & project.events):
        event = _event(project.events[path])
        mismatches = ["write it as JSON"] if event is None else _mismatches(expected[path], event, project)
        problems += [f"events/{path}: {problem}" for problem in mismatches]
    return problems


def _event(text: str) -> dict[str, Any] | None:
    """The event of a file, if it is JSON."""
    try:
        event: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    return event


def _not_of_one_file(stem: str, routes: list[str], events: list[dict[str, Any] | None]) -> list[str]:
    """A file of a route may have any name behind its function's: its `routeKey` says which route it is of."""
    keys = [event.get("routeKey") for event in events if event is not None]
    return [
        f"events/{stem}-*.json: let one file have the event of {route}" for route in routes if keys.count(route) != 1
    ]


def _mismatches(trigger: dict[str, Any], event: dict[str, Any], project: Project) -> list[str]:
    properties = trigger.get("Properties", {})
    match trigger["Type"]:
        case "Route":
            found = {event.get("routeKey"), event.get("requestContext", {}).get("routeKey")}
            is_one = len(found) == 1 and found <= {*project.routes_to(trigger["Function"])}
            return [] if is_one else [f"let routeKey be a route of {trigger['Function']}"]
        case "Authorizer":
            return [] if event.get("routeKey") in project.routes() else ["let routeKey be a route of the template"]
        case "Url":
            # It knows no routes.
            found = {event.get("routeKey"), event.get("requestContext", {}).get("routeKey")}
            return [] if found == {"$default"} else ["let routeKey be $default, as a Function URL sends it"]
        case "Socket":
            found = event.get("requestContext", {}).get("routeKey")
            return [] if found == trigger["Route"] else [f"let routeKey be {trigger['Route']}"]
        case "SQS" | "DynamoDB" as kind:
            service = {"SQS": "aws:sqs", "DynamoDB": "aws:dynamodb"}[kind]
            origin = refers_to(properties["Queue" if kind == "SQS" else "Stream"])
            records = event.get("Records") or [{}]
            if all(
                record.get("eventSource") == service and origin in record.get("eventSourceARN", "")
                for record in as_list(records)
            ):
                return []
            return [f"let eventSource be {service}, and eventSourceARN that of {origin}"]
    return []


def alarms_watch_every_function(project: Project) -> list[str]:
    return [
        f"{name}: add an alarm on its Errors"
        for name in project.functions
        if not any(
            alarm["Namespace"] == "AWS/Lambda" and alarm.get("Statistic") == "Sum"
            for alarm in project.alarms_on("Errors", "FunctionName", name)
        )
    ]


def descriptions_begin_with_the_trigger(project: Project) -> list[str]:
    kinds = {"SQS": "SQS", "DynamoDB": "Stream", "ScheduleV2": "Schedule"}
    problems = []
    for name, function in project.functions.items():
        words = {kinds.get(event["Type"], event["Type"]) for event in project.triggers(name).values()}
        words |= {"Authorizer"} if name in project.authorizers else set()
        words |= {"WebSocket"} if name in project.sockets else set()
        words |= {"HTTP"} if name in project.urls or project.routes_to(name) else set()
        words = words or {"Invoke"}
        if text_of(function.get("Description", "")).partition(":")[0] not in words:
            problems.append(f"{name}: let Description begin with {' or '.join(sorted(words))}")
    return problems


RULES = (
    names_follow_their_modules,
    names_say_their_kind,
    handlers_exist,
    environments_are_settings,
    parameters_are_used,
    functions_have_their_own_logs,
    logs_have_retention,
    functions_take_what_the_parameters_say,
    functions_answer_before_the_gateway_gives_up,
    runtimes_are_far_from_deprecation,
    every_trigger_has_its_event_file,
    alarms_watch_every_function,
    descriptions_begin_with_the_trigger,
)
