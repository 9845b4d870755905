"""Who may do what: exact actions on exact resources."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any
from unittest.mock import patch

from pynamodb.connection import Connection

from operations.chains import CHAINS
from operations.overdue import claim
from sluice.chained import PART, items_in
from tests.template.project import Project, as_list, refers_to, text_of

_AWS_MANAGED = "arn:aws:iam::aws:policy/service-role/"
# Those that SAM attaches: to write logs, and to read what feeds the function. Nothing more of AWS's own is taken.
LOGS = f"{_AWS_MANAGED}AWSLambdaBasicExecutionRole"
READS_QUEUE = f"{_AWS_MANAGED}AWSLambdaSQSQueueExecutionRole"
READS_STREAM = f"{_AWS_MANAGED}AWSLambdaDynamoDBExecutionRole"
IN_VPC = f"{_AWS_MANAGED}AWSLambdaVPCAccessExecutionRole"

# `${ScheduleGroup}`, `${BoostsTable.Arn}` and `${PromotionsMediaBucket.Arn}` stand for whichever is named.
_SCHEDULES = re.compile(
    r"arn:\$\{AWS::Partition\}:scheduler:\$\{AWS::Region\}:\$\{AWS::AccountId\}:schedule/\$\{(\w+)\}/\*"
)
_INDEXES = re.compile(r"\$\{(\w+)\.Arn\}/index/\*")
_OBJECTS = re.compile(r"\$\{(\w+)\.Arn\}/(\w+/)?\*")
# Parameters under a path of the stack's own: a name for each user, or instance, cannot stand here.
_PARAMETERS = tuple(
    f"arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/${{AWS::StackName}}/{path}/*"
    for path in ("connections", "instances")
)
# WhatsApp numbers of the account: an instance names its own, and none is a resource of the stack.
# Connections of the socket: a page that opens one is no resource of the stack.
_CONNECTIONS = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${LiveApi}/live/POST/@connections/*"
_NUMBERS = "arn:${AWS::Partition}:social-messaging:${AWS::Region}:${AWS::AccountId}:phone-number-id/*"

_READ_ITEMS = ("BatchGetItem", "ConditionCheckItem", "DescribeTable", "GetItem", "Query", "Scan")
_READ_STREAMS = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
READS = frozenset(f"dynamodb:{name}" for name in (*_READ_ITEMS, *_READ_STREAMS))

# Who may change a table, and how. What is not here may not.
WRITERS: dict[str, dict[str, set[str]]] = {
    "BoostsTable": {
        "BoostsApiFunction": {"PutItem", "UpdateItem"},
        "BoostsWorkerFunction": {"PutItem", "UpdateItem"},
        "OperationsRedriveFunction": {"PutItem"},
        "OperationsSessionFunction": {"PutItem"},
        "OperationsStopFunction": {"PutItem"},
        "OperationsSweeperFunction": {"UpdateItem"},
        "OperationsTokensFunction": {"PutItem"},
    },
    "SponsorshipsTable": {
        "SponsorshipsRecordingApiFunction": {"PutItem", "UpdateItem"},
        "OperationsStopFunction": {"PutItem"},
        "OperationsSweeperFunction": {"UpdateItem"},
        "SponsorshipsApiFunction": {"PutItem", "UpdateItem"},
        "SponsorshipsMonitoringApiFunction": {"DeleteItem", "PutItem", "UpdateItem"},
        "SponsorshipsMonitoringScheduleFunction": {"PutItem", "UpdateItem"},
        "SponsorshipsMonitoringWorkerFunction": {"PutItem", "UpdateItem"},
        "SponsorshipsWorkerFunction": {"PutItem", "UpdateItem"},
    },
    "PromotionsTable": {
        "OperationsStopFunction": {"PutItem"},
        "OperationsSweeperFunction": {"UpdateItem"},
        "PromotionsApiFunction": {"DeleteItem", "PutItem", "UpdateItem"},
        "PromotionsTrackingScheduleFunction": {"PutItem", "UpdateItem"},
        "PromotionsWorkerFunction": {"DeleteItem", "PutItem", "UpdateItem"},
    },
    "BroadcastsTable": {
        "BroadcastsApiFunction": {"PutItem", "UpdateItem"},
        "BroadcastsImportsWorkerFunction": {"PutItem", "UpdateItem"},
        "BroadcastsListsApiFunction": {"DeleteItem", "PutItem", "UpdateItem"},
        "BroadcastsWebhooksWorkerFunction": {"UpdateItem"},
        "BroadcastsWorkerFunction": {"DeleteItem", "PutItem", "UpdateItem"},
        "OperationsStopFunction": {"PutItem"},
        "OperationsSweeperFunction": {"UpdateItem"},
    },
    "HooksTable": {
        "HooksApiFunction": {"DeleteItem", "PutItem", "UpdateItem"},
        "HooksFanoutFunction": {"DeleteItem", "PutItem", "UpdateItem"},
        "HooksWorkerFunction": {"PutItem", "UpdateItem"},
        "OperationsStopFunction": {"PutItem"},
        "OperationsSweeperFunction": {"UpdateItem"},
    },
    "LiveTable": {
        "OperationsLiveApiFunction": {"PutItem"},
        "OperationsLiveNotifierFunction": {"DeleteItem"},
        "OperationsLiveSocketFunction": {"DeleteItem", "PutItem", "UpdateItem"},
    },
    "MessagesTable": {
        "BroadcastsListsApiFunction": {"DeleteItem", "PutItem", "UpdateItem"},
        "BroadcastsWebhooksWorkerFunction": {"DeleteItem", "PutItem", "UpdateItem"},
        "BroadcastsWorkerFunction": {"DeleteItem", "PutItem", "UpdateItem"},
    },
    "LedgerTable": {
        "PromotionsApiFunction": {"PutItem", "UpdateItem"},
        "PromotionsWorkerFunction": {"PutItem", "UpdateItem"},
        "SponsorshipsApiFunction": {"PutItem", "UpdateItem"},
        "SponsorshipsWorkerFunction": {"PutItem", "UpdateItem"},
        "WalletsApiFunction": {"PutItem", "UpdateItem"},
    },
    # Nobody may change or remove an entry, by the policy too.
    "AuditTable": {
        "BroadcastsApiFunction": {"PutItem"},
        "BroadcastsImportsWorkerFunction": {"PutItem"},
        "BroadcastsListsApiFunction": {"PutItem"},
        "BroadcastsWorkerFunction": {"PutItem"},
        "PromotionsTrackingScheduleFunction": {"PutItem"},
        "BoostsApiFunction": {"PutItem"},
        "BoostsWorkerFunction": {"PutItem"},
        "HooksApiFunction": {"PutItem"},
        "HooksWorkerFunction": {"PutItem"},
        "OperationsRedriveFunction": {"PutItem"},
        "OperationsSessionFunction": {"PutItem"},
        "OperationsStopFunction": {"PutItem"},
        "OperationsTokensFunction": {"PutItem"},
        "PromotionsApiFunction": {"PutItem"},
        "PromotionsWorkerFunction": {"PutItem"},
        "SponsorshipsApiFunction": {"PutItem"},
        "SponsorshipsMonitoringApiFunction": {"PutItem"},
        "SponsorshipsMonitoringWorkerFunction": {"PutItem"},
        "SponsorshipsWorkerFunction": {"PutItem"},
        "ViewsAdjustmentsApiFunction": {"PutItem"},
        "ViewsImportsApiFunction": {"PutItem"},
        "ViewsImportsWorkerFunction": {"PutItem"},
        "ViewsRegisteredApiFunction": {"PutItem"},
        "WalletsApiFunction": {"PutItem"},
    },
    "OutboxTable": {
        "BroadcastsApiFunction": {"PutItem"},
        "BroadcastsImportsWorkerFunction": {"PutItem"},
        "BroadcastsListsApiFunction": {"PutItem"},
        "BroadcastsWebhooksWorkerFunction": {"PutItem"},
        "BroadcastsWorkerFunction": {"PutItem"},
        "PromotionsTrackingScheduleFunction": {"PutItem"},
        "BoostsApiFunction": {"PutItem"},
        "BoostsWorkerFunction": {"PutItem"},
        "HooksApiFunction": {"PutItem"},
        "HooksWorkerFunction": {"PutItem"},
        "OperationsOutboxRelayFunction": {"UpdateItem"},
        "OperationsStopFunction": {"PutItem"},
        "OperationsSweeperFunction": {"UpdateItem"},
        "PromotionsApiFunction": {"PutItem"},
        "PromotionsWorkerFunction": {"PutItem"},
        "SponsorshipsRecordingApiFunction": {"PutItem"},
        "SponsorshipsApiFunction": {"PutItem"},
        "SponsorshipsMonitoringApiFunction": {"PutItem"},
        "SponsorshipsMonitoringWorkerFunction": {"PutItem"},
        "SponsorshipsWorkerFunction": {"PutItem"},
        "ViewsAdjustmentsApiFunction": {"PutItem"},
        "ViewsImportsApiFunction": {"PutItem"},
        "ViewsImportsWorkerFunction": {"PutItem"},
        "ViewsRegisteredApiFunction": {"PutItem"},
        "WalletsApiFunction": {"PutItem"},
    },
    "RequestsTable": {
        "BroadcastsApiFunction": {"PutItem"},
        "BroadcastsListsApiFunction": {"PutItem"},
        "BoostsApiFunction": {"PutItem"},
        "HooksApiFunction": {"PutItem"},
        "OperationsStopFunction": {"PutItem"},
        "PromotionsApiFunction": {"PutItem"},
        "SponsorshipsApiFunction": {"PutItem"},
        "SponsorshipsMonitoringApiFunction": {"PutItem"},
        "ViewsAdjustmentsApiFunction": {"PutItem"},
        "ViewsImportsApiFunction": {"PutItem"},
        "ViewsRegisteredApiFunction": {"PutItem"},
        "WalletsApiFunction": {"PutItem"},
    },
    "TotalsTable": {
        "BoostsWorkerFunction": {"UpdateItem"},
        "ViewsAdjustmentsApiFunction": {"UpdateItem"},
        "ViewsImportsWorkerFunction": {"UpdateItem"},
        "ViewsSyncWorkerFunction": {"UpdateItem"},
    },
    "ViewsTable": {
        "OperationsStopFunction": {"PutItem"},
        "OperationsSweeperFunction": {"UpdateItem"},
        "ViewsImportsApiFunction": {"PutItem", "UpdateItem"},
        "ViewsImportsWorkerFunction": {"PutItem", "UpdateItem"},
        "ViewsTrackApiFunction": {"PutItem"},
        "ViewsTrackUrlFunction": {"PutItem"},
        "ViewsAdjustmentsApiFunction": {"PutItem", "UpdateItem"},
        "ViewsRegisteredApiFunction": {"PutItem"},
        "ViewsSyncApiFunction": {"UpdateItem"},
        "ViewsSyncWorkerFunction": {"PutItem", "UpdateItem"},
    },
}

# Each kind of total has one owner, whose functions the policy holds to the keys of that kind.
TOTALS = "TotalsTable"
TOTALS_KEYS = {
    "BoostsWorkerFunction": ["boosted#*"],
    "ViewsAdjustmentsApiFunction": ["organic#*"],
    "ViewsImportsWorkerFunction": ["organic#*"],
    "ViewsSyncWorkerFunction": ["organic#*"],
}

# An account, and an entry, of the ledger is written by those alone whose money it is. What comes from outside, or goes
# there, is the wallets' alone.
LEDGER = "LedgerTable"
_OF_SPONSORSHIPS = ["wallet#*", "budget#spn_*", "reserved#spn_*", "entry#*spn_*"]
_OF_PROMOTIONS = ["wallet#*", "budget#prm_*", "reserved#prm_*", "entry#*prm_*"]
LEDGER_KEYS = {
    "PromotionsApiFunction": _OF_PROMOTIONS,
    "PromotionsWorkerFunction": _OF_PROMOTIONS,
    "SponsorshipsApiFunction": _OF_SPONSORSHIPS,
    "SponsorshipsWorkerFunction": _OF_SPONSORSHIPS,
    "WalletsApiFunction": ["entry#dep#*", "entry#wdr#*", "outside#*", "wallet#*"],
}

# What was boosted, synced or imported is never paid: no function of sponsorships or of promotions can see it.
COUNTED_ELSEWHERE = {"BoostsTable", "TotalsTable", "ViewsTable"}

# What those may write of the views' table that do not move views themselves.
VIEWS = "ViewsTable"
VIEWS_KEYS = {
    "ViewsTrackApiFunction": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["viewer#*"]}},
    "ViewsTrackUrlFunction": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["viewer#*"]}},
    "ViewsRegisteredApiFunction": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["content#*", "registered#*"]}},
    "ViewsAdjustmentsApiFunction": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["content#*"]}},
    "ViewsSyncApiFunction": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["sync"]}},
    "ViewsImportsApiFunction": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["imports", "imp_*"]}},
    "ViewsImportsWorkerFunction": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["imp_*"]}},
}

# An adjustment is in its content's rows, and in the sum of the day.
ADJUSTMENTS = "ViewsAdjustmentsApiFunction"
VIEWS_DAYS = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["days"]}}

# What recording may write of the sponsorships' table, by action: it is open to all. Of participations, which have a
# colon, it marks what they reached; campaigns, statements and keys are out of its reach.
RECORDING = "SponsorshipsRecordingApiFunction"
SPONSORSHIPS = "SponsorshipsTable"
RECORDED = {"PutItem": ["imp#*"], "UpdateItem": ["imp#*", "tally#*", "refused#*", "spn_*:*"]}

# What functions of broadcasts may write, and delete, of their tables: no limit of an owner by what sends, no row of a
# campaign by what lists owners' things, nothing at all by what hears webhooks.
_OF_LISTS = [
    "ins_*",
    "tpl_*",
    "instances",
    "instances#*",
    "templates",
    "templates#*",
    "number#*",
    "owner#*",
    "contacts#*",
]
_OF_CONTACTS = ["contact#*", "suppressed#*"]
BROADCASTS_KEYS = {
    "BroadcastsApiFunction": {"BroadcastsTable": [["brd_*"]]},
    "BroadcastsImportsWorkerFunction": {"BroadcastsTable": [["brd_*"]]},
    "BroadcastsListsApiFunction": {"BroadcastsTable": [_OF_LISTS], "MessagesTable": [_OF_CONTACTS]},
    "BroadcastsWebhooksWorkerFunction": {
        "BroadcastsTable": [["brd_*", "ins_*"]],
        "MessagesTable": [["brd_*", "message#*", "contact#*"], ["suppressed#*"]],
    },
    "BroadcastsWorkerFunction": {
        "BroadcastsTable": [["brd_*", "ins_*", "quota#*"], ["brd_*"]],
        "MessagesTable": [["brd_*", "message#*", "contact#*", "sandbox#*", "suppressed#*"], ["brd_*"]],
    },
}

# What the reports may read of it: a viewer's row is none of it.
REPORTS = "ViewsReportsApiFunction"
REPORTED = {"sync", "sync:*", "refused#*", "refused_hours#*", "content#*", "days"}

# What functions of operations may write of the contexts' tables: the item that each is about.
ONE_ITEM = {
    "OperationsRedriveFunction": ["redrives"],
    "OperationsSessionFunction": ["tokens"],
    "OperationsStopFunction": ["platform"],
    "OperationsTokensFunction": ["tokens"],
}
SWEEPER = "OperationsSweeperFunction"

# Who may hold a secret: have it in the environment, or read it. Whoever reads a function's configuration has it too.
HOLDERS = {
    "BroadcastsContactsSecret": {
        "BroadcastsApiFunction",
        "BroadcastsImportsWorkerFunction",
        "BroadcastsListsApiFunction",
        "BroadcastsWebhooksWorkerFunction",
    },
    "HooksSecret": {"HooksApiFunction", "HooksWorkerFunction"},
    "ImpressionSecret": {
        "SponsorshipsApiFunction",
        "SponsorshipsMonitoringApiFunction",
        "SponsorshipsMonitoringWorkerFunction",
        "SponsorshipsRecordingApiFunction",
        "SponsorshipsWorkerFunction",
    },
    "PromotionsOperatorKey": {"PromotionsEscrowFunction"},
    "TokenSecret": {"OperationsAuthorizerFunction", "OperationsSessionFunction", "OperationsTokensFunction"},
    "ViewerTokenSecret": {"SponsorshipsRecordingApiFunction", "ViewsTrackApiFunction", "ViewsTrackUrlFunction"},
    "ViewsSecret": {"ViewsDiagnosisApiFunction", "ViewsTrackApiFunction", "ViewsTrackUrlFunction"},
}


def actions_are_exact(project: Project) -> list[str]:
    problems = []
    for holder, statement in project.statements():
        problems += [
            f"{holder}: name each action instead of {action}"
            for action in as_list(statement.get("Action", []))
            if "*" in action or "?" in action
        ]
        if "NotAction" in statement:
            problems.append(f"{holder}: name each action instead of NotAction")
    return problems


def resources_are_exact(project: Project) -> list[str]:
    problems = []
    groups, buckets = project.of_type("AWS::Scheduler::ScheduleGroup"), project.of_type("AWS::S3::Bucket")
    for holder, statement in project.statements():
        for text in map(text_of, as_list(statement.get("Resource", []))):
            schedules, indexes = _SCHEDULES.fullmatch(text), _INDEXES.fullmatch(text)
            objects = _OBJECTS.fullmatch(text)
            is_own = (schedules and schedules[1] in groups) or (indexes and indexes[1] in project.tables)
            is_own = is_own or (objects and objects[1] in buckets) or text in (*_PARAMETERS, _NUMBERS, _CONNECTIONS)
            if ("*" in text or "?" in text) and not is_own:
                problems.append(f"{holder}: name the resource instead of {text}")
        if "NotResource" in statement:
            problems.append(f"{holder}: name each resource instead of NotResource")
    return problems


def no_managed_policy_widens_a_role(project: Project) -> list[str]:
    readers = {READS_QUEUE: project.queue_sources, READS_STREAM: project.stream_sources}
    allowed = {
        refers_to(function["Role"]): {LOGS}
        | {policy for policy, sources in readers.items() if name in {source.function for source in sources}}
        | ({IN_VPC} if "VpcConfig" in function else set())
        for name, function in project.functions.items()
    }
    return [
        f"{role}: write its statements instead of attaching {text_of(policy)}"
        for role, properties in project.of_type("AWS::IAM::Role").items()
        for policy in properties.get("ManagedPolicyArns", [])
        if text_of(policy) not in allowed.get(role, set())
    ]


def _passing(project: Project) -> Iterator[tuple[str, dict[str, Any]]]:
    for holder, statement in project.statements():
        if any(action.lower() == "iam:passrole" for action in as_list(statement.get("Action", []))):
            yield holder, statement


def roles_are_passed_to_the_scheduler_alone(project: Project) -> list[str]:
    condition = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    return [
        f"{holder}: give iam:PassRole the condition iam:PassedToService: scheduler.amazonaws.com"
        for holder, statement in _passing(project)
        if statement.get("Condition") != condition
    ]


def the_console_may_do_nothing(project: Project) -> list[str]:
    """It is open to all and answers from memory. What it shows, the page asks the API for, with a person's token."""
    actions = {action for each in project.allowed("ConsoleSiteFunction") for action in as_list(each["Action"])}
    return [f"ConsoleSiteFunction: take {action} away" for action in sorted(actions)]


def schedule_roles_trust_the_scheduler_alone(project: Project) -> list[str]:
    roles = project.of_type("AWS::IAM::Role")
    wanted = {
        refers_to(each["Target"]["RoleArn"]): "a schedule's Target"
        for each in project.of_type("AWS::Scheduler::Schedule").values()
    }
    wanted |= {
        refers_to(resource): holder
        for holder, statement in _passing(project)
        for resource in as_list(statement["Resource"])
    }
    problems = []
    for name, holder in wanted.items():
        if name not in roles:
            problems.append(f"{holder}: pass a role of the template")
            continue
        for statement in as_list(roles[name]["AssumeRolePolicyDocument"]["Statement"]):
            if statement.get("Principal") not in (
                {"Service": "scheduler.amazonaws.com"},
                {"Service": ["scheduler.amazonaws.com"]},
            ):
                problems.append(f"{name}: let scheduler.amazonaws.com alone assume it")
            account = statement.get("Condition", {}).get("StringEquals", {}).get("aws:SourceAccount")
            # SAM makes the role of a ScheduleV2 event without one.
            if name in project.template["Resources"] and account != {"Ref": "AWS::AccountId"}:
                problems.append(f"{name}: add the condition aws:SourceAccount: !Ref AWS::AccountId")
    return problems


def _writes(project: Project) -> Iterator[tuple[str, str, set[str], dict[str, Any]]]:
    """Function, table, the actions by which it may change it, and the statement that says so."""
    for function in project.functions:
        for statement in project.allowed(function):
            actions = set(as_list(statement.get("Action", []))) - READS
            changes = {action.partition(":")[2] for action in actions if action.startswith("dynamodb:")}
            for resource in as_list(statement.get("Resource", [])):
                if changes and refers_to(resource) in project.tables:
                    yield function, refers_to(resource), changes, statement


def tables_have_the_writers_they_should(project: Project) -> list[str]:
    found: dict[str, dict[str, set[str]]] = {table: {} for table in project.tables}
    for function, table, changes, _ in _writes(project):
        found[table].setdefault(function, set()).update(changes)
    problems = []
    for table, writers in found.items():
        expected = WRITERS.get(table, {})
        for function in sorted(writers.keys() | expected.keys()):
            more = writers.get(function, set()) - expected.get(function, set())
            less = expected.get(function, set()) - writers.get(function, set())
            problems += [f"{function}: take {each} on {table} away, or add it to WRITERS" for each in sorted(more)]
            problems += [f"{function}: give it {each} on {table}, or take it from WRITERS" for each in sorted(less)]
    return problems


def totals_are_written_by_their_owners_alone(project: Project) -> list[str]:
    """The labelled and the measured never mix: boosts add to `boosted#` totals, the views to `organic#` ones."""
    problems = []
    for function, table, _, statement in _writes(project):
        if table != TOTALS:
            continue
        keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
        if function not in TOTALS_KEYS:
            problems.append(f"{function}: take writing {TOTALS} away: no kind of total is its own")
        elif keys != TOTALS_KEYS[function]:
            problems.append(f"{function}: hold it to dynamodb:LeadingKeys {TOTALS_KEYS[function]} of {TOTALS}")
    return problems


def ledger_accounts_are_written_by_their_owners_alone(project: Project) -> list[str]:
    problems = []
    for function, table, _, statement in _writes(project):
        if table != LEDGER:
            continue
        keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
        if function not in LEDGER_KEYS:
            problems.append(f"{function}: take writing {LEDGER} away: no account is its own")
        elif keys != LEDGER_KEYS[function]:
            problems.append(f"{function}: hold it to dynamodb:LeadingKeys {LEDGER_KEYS[function]} of {LEDGER}")
    return problems


def what_is_counted_elsewhere_is_never_paid(project: Project) -> list[str]:
    """Neither to read nor to write: a boosted view cannot become an impression."""
    return [
        f"{function}: take {table} away: what it counts is never paid"
        for function in project.functions
        if function.startswith(("Sponsorships", "Promotions"))
        for statement in project.allowed(function)
        for resource in as_list(statement.get("Resource", []))
        if (table := refers_to(resource)) in COUNTED_ELSEWHERE
    ]


def money_comes_from_outside_by_the_wallets_alone(project: Project) -> list[str]:
    return [
        f"{function}: take {key} of {LEDGER} away: WalletsApiFunction alone moves money from outside"
        for function, table, _, statement in _writes(project)
        if table == LEDGER and function != "WalletsApiFunction"
        for key in as_list(
            statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ["*"])
        )
        if fnmatch("outside#USD", key)
    ]


def the_stop_and_the_redrive_write_one_item(project: Project) -> list[str]:
    """They may write into the contexts' tables: of campaigns and their counters they may touch none."""
    beside = {"AuditTable", "OutboxTable", "RequestsTable"}
    return [
        f"{function}: hold it to dynamodb:LeadingKeys {ONE_ITEM[function]} of {table}"
        for function, table, _, statement in _writes(project)
        if function in ONE_ITEM
        and table not in beside
        and statement.get("Condition") != {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ONE_ITEM[function]}}
    ]


def claimed_attributes() -> list[str]:
    """The attributes that the sweeper's claim of a campaign names, its condition included: as the code sends it."""
    sent: list[dict[str, Any]] = []
    campaign = items_in("table")("bst_1", PART, step=1, sweeps=0)
    with patch.object(Connection, "dispatch", lambda _, operation, arguments: sent.append({operation: arguments})):
        claim(campaign, datetime(2026, 11, 20, tzinfo=UTC))
    ((operation, arguments),) = sent[0].items()
    assert (operation, arguments["ReturnValues"]) == ("UpdateItem", "NONE")
    return sorted({*arguments["Key"], *arguments["ExpressionAttributeNames"].values()})


def the_sweeper_claims_and_changes_nothing_else(project: Project) -> list[str]:
    """Of each chain's table it updates campaigns alone, and of those what a claim names: batches and rows have ids
    that begin like their campaign's.
    """
    attributes = claimed_attributes()
    keys = {chain.table.title().replace("_", ""): [f"{each}_*" for each in chain.prefixes] for chain in CHAINS}
    return [
        f"{SWEEPER}: hold {action} to {', '.join(keys[table])} and {', '.join(attributes)} of {table}"
        for function, table, actions, statement in _writes(project)
        for action in sorted(actions)
        if function == SWEEPER and table in keys
        if statement.get("Condition")
        != {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys[table]},
            "ForAllValues:StringEquals": {"dynamodb:Attributes": attributes},
            "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
        }
    ]


def open_routes_cannot_reach_the_sync(project: Project) -> list[str]:
    """Tracking is open to all: the sync's items, and counts that are shown, are out of its reach. So they are of all
    others that write the views' table and are not the sync.
    """
    return [
        f"{function}: hold it to {wanted} of {VIEWS}"
        for function, table, actions, statement in _writes(project)
        if table == VIEWS and function in VIEWS_KEYS
        if (wanted := _of_actions(function, actions)) != statement.get("Condition")
    ]


def _of_actions(function: str, actions: set[str]) -> dict[str, Any]:
    """The platform's days are added to by UpdateItem, and a content's rows are not."""
    is_of_days = (function, actions) == (ADJUSTMENTS, {"UpdateItem"})
    return VIEWS_DAYS if is_of_days else VIEWS_KEYS[function]


def recording_reaches_rows_and_tallies_alone(project: Project) -> list[str]:
    """Recording is open to all: no campaign, statement, key or grant is in its reach."""
    return [
        f"{RECORDING}: hold {action} to dynamodb:LeadingKeys {RECORDED[action]} of {SPONSORSHIPS}"
        for function, table, actions, statement in _writes(project)
        for action in sorted(actions)
        if function == RECORDING and table == SPONSORSHIPS
        if statement.get("Condition") != {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": RECORDED[action]}}
    ]


def broadcasts_write_what_is_theirs(project: Project) -> list[str]:
    """S5-55: a limit that an operator sets is no limit where whoever sends may change it."""
    problems = []
    for function, wanted in BROADCASTS_KEYS.items():
        found: dict[str, list[Any]] = {}
        for writer, table, _, statement in _writes(project):
            if writer == function and table in ("BroadcastsTable", "MessagesTable"):
                keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
                found.setdefault(table, []).append(keys)
        problems += [
            f"{function}: hold it to dynamodb:LeadingKeys {wanted.get(table)} of {table}"
            for table in sorted(found.keys() | wanted.keys())
            if found.get(table) != wanted.get(table)
        ]
    return problems


def reports_never_say_who(project: Project) -> list[str]:
    """Rows of viewers are in the same table: the policy, and not the code alone, keeps the reports away from them."""
    problems = []
    for statement in project.allowed(REPORTS):
        tables = {refers_to(each) for each in as_list(statement.get("Resource", []))}
        keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ["*"])
        if VIEWS in tables and not set(as_list(keys)) <= REPORTED:
            problems.append(f"{REPORTS}: hold it to dynamodb:LeadingKeys {sorted(REPORTED)} of {VIEWS}")
        if "BoostsTable" in tables and as_list(keys) != ["usage#*"]:
            problems.append(f"{REPORTS}: hold it to dynamodb:LeadingKeys ['usage#*'] of BoostsTable")
    return problems


def secrets_have_the_holders_they_should(project: Project) -> list[str]:
    """The secret of the tokens that open routes is the authorizer's alone: no open route's function can mint one."""
    problems = []
    for secret in project.of_type("AWS::SecretsManager::Secret"):
        roles = {refers_to(project.functions[name]["Role"]) for name in HOLDERS[secret]}
        holders = {name for name, resource in project.resources.items() if _names(resource, secret)}
        problems += [
            f"{name}: take {secret} away, or add it to HOLDERS" for name in sorted(holders - HOLDERS[secret] - roles)
        ]
        problems += [
            f"{name}: give it {secret}, or take it from HOLDERS"
            for name in sorted(HOLDERS[secret])
            if not holders & {name, refers_to(project.functions[name]["Role"])}
        ]
    return problems


def _names(resource: dict[str, Any], secret: str) -> bool:
    """Whether a resource refers to the secret anywhere, by Ref, GetAtt or Sub."""
    text = json.dumps(resource.get("Properties", {}))
    return f'"{secret}"' in text or re.search(rf"\$\{{{secret}[.}}]", text) is not None


def schedules_are_made_in_the_stacks_own_group(project: Project) -> list[str]:
    """So that the group, when it is deleted with the stack, takes all of them with it."""
    problems = []
    (group,) = project.of_type("AWS::Scheduler::ScheduleGroup")
    own = f"arn:${{AWS::Partition}}:scheduler:${{AWS::Region}}:${{AWS::AccountId}}:schedule/${{{group}}}/*"
    for holder, statement in project.statements():
        makes = "scheduler:createschedule" in map(str.lower, as_list(statement.get("Action", [])))
        if makes and [text_of(each) for each in as_list(statement.get("Resource", []))] != [own]:
            problems.append(f"{holder}: let it create schedules in {group} alone")
    for name, function in project.functions.items():
        variables = function.get("Environment", {}).get("Variables", {})
        if "SCHEDULE_GROUP" in variables and variables["SCHEDULE_GROUP"] != {"Ref": group}:
            problems.append(f"{name}: let SCHEDULE_GROUP be !Ref {group}")
    for name, schedule in project.of_type("AWS::Scheduler::Schedule").items():
        if schedule.get("GroupName") != {"Ref": group}:
            problems.append(f"{name}: let GroupName be !Ref {group}")
    if project.resources[group].get("DeletionPolicy", "Delete") != "Delete":
        problems.append(f"{group}: let it be deleted with the stack")
    return problems


RULES = (
    actions_are_exact,
    resources_are_exact,
    no_managed_policy_widens_a_role,
    roles_are_passed_to_the_scheduler_alone,
    schedule_roles_trust_the_scheduler_alone,
    tables_have_the_writers_they_should,
    totals_are_written_by_their_owners_alone,
    ledger_accounts_are_written_by_their_owners_alone,
    what_is_counted_elsewhere_is_never_paid,
    money_comes_from_outside_by_the_wallets_alone,
    the_stop_and_the_redrive_write_one_item,
    the_sweeper_claims_and_changes_nothing_else,
    open_routes_cannot_reach_the_sync,
    recording_reaches_rows_and_tallies_alone,
    broadcasts_write_what_is_theirs,
    reports_never_say_who,
    secrets_have_the_holders_they_should,
    schedules_are_made_in_the_stacks_own_group,
    the_console_may_do_nothing,
)
