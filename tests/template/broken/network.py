"""The network of the views, broken."""

from tests.template.broken.copy import Broken
from tests.template.edits import drop, put
from tests.template.rules import network

_IN_NETWORK = {"SubnetIds": [{"Ref": "NetworkSubnetA"}], "SecurityGroupIds": [{"Ref": "ViewsAccess"}]}
_ENDPOINT = "rediss://${Cache.Endpoint.Address}:${Cache.Endpoint.Port}"

BROKEN = [
    Broken(
        network.functions_are_where_the_cache_is,
        "a function that cannot reach the cache",
        drop("ViewsCountsApiFunction.VpcConfig"),
        "ViewsCountsApiFunction: it has a REDIS_URL: set VpcConfig to the cache's network, if OwnsCache",
    ),
    Broken(
        network.functions_are_where_the_cache_is,
        "a function in a network that is not always there",
        put("ViewsTrackApiFunction.VpcConfig", _IN_NETWORK),
        "ViewsTrackApiFunction: it has a REDIS_URL: set VpcConfig to the cache's network, if OwnsCache",
    ),
    Broken(
        network.functions_are_where_the_cache_is,
        "a function cut off from what it needs",
        put("OperationsAuthorizerFunction.VpcConfig", _IN_NETWORK),
        "OperationsAuthorizerFunction: it has no REDIS_URL: remove VpcConfig, or it reaches nothing else",
    ),
    Broken(
        network.functions_speak_with_the_cache_there_is,
        "plain text to a cache that speaks TLS",
        put(
            "ViewsSyncApiFunction.Environment.Variables.REDIS_URL.Fn::If.1.Fn::Sub", "redis://${Cache.Endpoint.Address}"
        ),
        f"ViewsSyncApiFunction: let REDIS_URL be {_ENDPOINT} if OwnsCache, else the parameter",
    ),
    Broken(
        network.functions_speak_with_the_cache_there_is,
        "a cluster taken for one server",
        put("ViewsSyncWorkerFunction.Environment.Variables.REDIS_MODE", {"Ref": "RedisMode"}),
        "ViewsSyncWorkerFunction: let REDIS_MODE be cluster if OwnsCache, else the parameter",
    ),
    Broken(
        network.the_network_is_made_with_the_cache,
        "an endpoint that is paid for and not used",
        drop("Resources.SqsEndpoint.Condition"),
        "SqsEndpoint: set Condition: OwnsCache",
    ),
    Broken(
        network.secrets_come_by_reference,
        "the name of a secret instead of it",
        put("ViewsTrackApiFunction.Environment.Variables.VIEWS_SECRET", {"Ref": "ViewsSecret"}),
        "ViewsTrackApiFunction: let VIEWS_SECRET be {{resolve:secretsmanager:${...}:SecretString}}",
    ),
    Broken(
        network.secrets_come_by_reference,
        "a secret in the template",
        put("ViewsTrackApiFunction.Environment.Variables.VIEWER_TOKEN_SECRET", '{"current": "hush"}'),
        "ViewsTrackApiFunction: let VIEWER_TOKEN_SECRET be {{resolve:secretsmanager:${...}:SecretString}}",
    ),
    Broken(
        network.secrets_come_by_reference,
        "a secret that everybody knows",
        put("ViewsSecret.SecretString", '{"current": "hush"}'),
        "ViewsSecret: let it be generated: GenerateSecretString",
    ),
    Broken(
        network.what_holds_a_password_is_not_shown,
        "a password in the console",
        drop("Parameters.RedisUrl.NoEcho"),
        "RedisUrl: set NoEcho: true",
    ),
    Broken(
        network.what_holds_a_password_is_not_shown,
        "a password among the outputs",
        put("Outputs.RedisUrl", {"Value": {"Fn::Sub": "${RedisUrl}"}}),
        "Outputs: leave RedisUrl out",
    ),
    Broken(
        network.closed_epochs_outlive_their_workers,
        "a worker that may run longer than an epoch waits",
        put("ViewsSyncWorkerFunction.Timeout", 60),
        "ViewsSyncApiFunction: let SYNC_TIMEOUT_SECONDS be 60, the longest Timeout of the sync's functions",
    ),
    Broken(
        network.closed_epochs_outlive_their_workers,
        "a command that may run longer than an epoch waits",
        put("ViewsSyncApiFunction.Timeout", 29),
        "ViewsSyncWorkerFunction: let SYNC_TIMEOUT_SECONDS be 29, the longest Timeout of the sync's functions",
    ),
    Broken(
        network.closed_epochs_outlive_their_workers,
        "a wait that ends too early",
        put("ViewsSyncWorkerFunction.Environment.Variables.SYNC_TIMEOUT_SECONDS", 5),
        "ViewsSyncWorkerFunction: let SYNC_TIMEOUT_SECONDS be 15, the longest Timeout of the sync's functions",
    ),
    Broken(
        network.the_sync_is_scheduled_in_the_zone_of_its_days,
        "midnight somewhere else",
        drop("ViewsSyncSchedule.ScheduleExpressionTimezone"),
        "ViewsSyncSchedule: set ScheduleExpressionTimezone: !Ref TimeZone",
    ),
    Broken(
        network.the_sync_is_scheduled_in_the_zone_of_its_days,
        "a message that does not know its day",
        put("ViewsSyncSchedule.Target.Input", "{}"),
        "ViewsSyncSchedule: let Input carry <aws.scheduler.scheduled-time>: a late message is of its day",
    ),
]
