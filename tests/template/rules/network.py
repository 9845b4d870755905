"""The network of the views: who is in it, and how those get what only others can reach."""

import json
import re
from typing import Any

from tests.template.project import Project, refers_to, text_of

OWN_CACHE = "OwnsCache"
CACHE = "Cache"
# Parameters that may hold one: redis://user:password@host.
WITH_PASSWORDS = {"RedisUrl"}
SECRET_STRING = re.compile(r"\{\{resolve:secretsmanager:\$\{(\w+)\}:SecretString\}\}")


# Secrets that come from elsewhere: the stack makes them empty, and somebody puts a value there.
GIVEN = {"PromotionsOperatorKey"}


def _variables(function: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = function.get("Environment", {}).get("Variables", {})
    return found


def functions_are_where_the_cache_is(project: Project) -> list[str]:
    """Those that speak with the stack's own cache are in its network; no other is, as nothing else is reached there."""
    own = {
        "Fn::If": [
            OWN_CACHE,
            {
                "SubnetIds": [{"Ref": "NetworkSubnetA"}, {"Ref": "NetworkSubnetB"}],
                "SecurityGroupIds": [{"Ref": "ViewsAccess"}],
            },
            {"Ref": "AWS::NoValue"},
        ]
    }
    problems = []
    for name, function in project.functions.items():
        needs = "REDIS_URL" in _variables(function)
        if needs and function.get("VpcConfig") != own:
            problems.append(f"{name}: it has a REDIS_URL: set VpcConfig to the cache's network, if {OWN_CACHE}")
        if not needs and "VpcConfig" in function:
            problems.append(f"{name}: it has no REDIS_URL: remove VpcConfig, or it reaches nothing else")
    return problems


def functions_speak_with_the_cache_there_is(project: Project) -> list[str]:
    """By TLS and as a cluster: a serverless cache is nothing else."""
    wanted = {
        "REDIS_URL": "rediss://${Cache.Endpoint.Address}:${Cache.Endpoint.Port}",
        "REDIS_MODE": "cluster",
    }
    given = {"REDIS_URL": {"Ref": "RedisUrl"}, "REDIS_MODE": {"Ref": "RedisMode"}}
    problems = []
    for name, function in project.functions.items():
        for variable, own in wanted.items():
            value = _variables(function).get(variable)
            if value is None:
                continue
            match value:
                case {"Fn::If": [condition, then, otherwise]}:
                    fits = condition == OWN_CACHE and text_of(then) == own and otherwise == given[variable]
                case _:
                    fits = False
            if not fits:
                problems.append(f"{name}: let {variable} be {own} if {OWN_CACHE}, else the parameter")
    return problems


def the_network_is_made_with_the_cache(project: Project) -> list[str]:
    kinds = ("AWS::EC2::", "AWS::ElastiCache::")
    return [
        f"{name}: set Condition: {OWN_CACHE}"
        for name, resource in project.resources.items()
        if resource["Type"].startswith(kinds) and resource.get("Condition") != OWN_CACHE
    ]


def secrets_come_by_reference(project: Project) -> list[str]:
    """There is no way to Secrets Manager from the network: CloudFormation brings the secrets, and makes them too."""
    secrets = project.of_type("AWS::SecretsManager::Secret")
    problems = []
    for name, function in project.functions.items():
        for variable, value in _variables(function).items():
            if variable.endswith("_SECRET"):
                found = SECRET_STRING.fullmatch(text_of(value))
                if not found or found[1] not in secrets:
                    problems.append(f"{name}: let {variable} be {{{{resolve:secretsmanager:${{...}}:SecretString}}}}")
    for name, secret in secrets.items():
        if "SecretString" in secret or ("GenerateSecretString" not in secret and name not in GIVEN):
            problems.append(f"{name}: let it be generated: GenerateSecretString")
    return problems


def what_holds_a_password_is_not_shown(project: Project) -> list[str]:
    """An address of Redis may hold one: the console, `describe-stacks` and the outputs do not show it."""
    shown = json.dumps(project.template["Outputs"]) + json.dumps(project.template.get("Metadata", {}))
    problems = []
    for name in WITH_PASSWORDS:
        if project.template["Parameters"][name].get("NoEcho") is not True:
            problems.append(f"{name}: set NoEcho: true")
        if f'"{name}"' in shown or f"${{{name}}}" in shown:
            problems.append(f"Outputs: leave {name} out")
    return problems


def closed_epochs_outlive_their_workers(project: Project) -> list[str]:
    """An epoch opens only when nobody of the last one can be left: after the longest that a function may run."""
    sync = {name: each for name, each in project.functions.items() if "SYNC_TIMEOUT_SECONDS" in _variables(each)}
    longest = max((project.number(function.get("Timeout"), 3) for function in sync.values()), default=0)
    return [
        f"{name}: let SYNC_TIMEOUT_SECONDS be {longest}, the longest Timeout of the sync's functions"
        for name, function in sync.items()
        if project.number(_variables(function)["SYNC_TIMEOUT_SECONDS"], 0) != longest
    ]


def the_sync_is_scheduled_in_the_zone_of_its_days(project: Project) -> list[str]:
    problems = []
    for name, schedule in project.of_type("AWS::Scheduler::Schedule").items():
        if refers_to(schedule["Target"]["Arn"]) in project.queues:
            if schedule.get("ScheduleExpressionTimezone") != {"Ref": "TimeZone"}:
                problems.append(f"{name}: set ScheduleExpressionTimezone: !Ref TimeZone")
            if "<aws.scheduler.scheduled-time>" not in schedule["Target"].get("Input", ""):
                problems.append(f"{name}: let Input carry <aws.scheduler.scheduled-time>: a late message is of its day")
    return problems


RULES = (
    functions_are_where_the_cache_is,
    functions_speak_with_the_cache_there_is,
    the_network_is_made_with_the_cache,
    secrets_come_by_reference,
    what_holds_a_password_is_not_shown,
    closed_epochs_outlive_their_workers,
    the_sync_is_scheduled_in_the_zone_of_its_days,
)
