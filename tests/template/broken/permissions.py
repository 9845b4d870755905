"""Permissions, broken."""

from tests.template.broken.copy import Broken
from tests.template.edits import add, drop, grant, put, restate, revoke
from tests.template.rules import permissions

_TOTALS = {"Fn::GetAtt": ["TotalsTable", "Arn"]}
_ALLOW_ALL = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}

BROKEN = [
    Broken(
        permissions.actions_are_exact,
        "every action of a service",
        grant("ViewsCountsApiFunction", "dynamodb:*", _TOTALS),
        "ViewsCountsApiFunctionRole: name each action instead of dynamodb:*",
    ),
    Broken(
        permissions.actions_are_exact,
        "one star among names",
        grant("ViewsCountsApiFunction", ["dynamodb:GetItem", "dynamodb:Batch*"], _TOTALS),
        "ViewsCountsApiFunctionRole: name each action instead of dynamodb:Batch*",
    ),
    Broken(
        permissions.actions_are_exact,
        "a separate policy that is too wide",
        add(
            "WidePolicy",
            {
                "Type": "AWS::IAM::Policy",
                "Properties": {
                    "PolicyName": "Wide",
                    "PolicyDocument": {"Statement": [_ALLOW_ALL]},
                    "Roles": [{"Ref": "WakeRole"}],
                },
            },
        ),
        "WidePolicy: name each action instead of dynamodb:*",
    ),
    Broken(
        permissions.actions_are_exact,
        "every action but one",
        grant("ViewsCountsApiFunction", [], _TOTALS, NotAction="dynamodb:PutItem"),
        "ViewsCountsApiFunctionRole: name each action instead of NotAction",
    ),
    Broken(
        permissions.resources_are_exact,
        "every resource",
        grant("ViewsCountsApiFunction", "dynamodb:GetItem", "*"),
        "ViewsCountsApiFunctionRole: name the resource instead of *",
    ),
    Broken(
        permissions.resources_are_exact,
        "every table",
        grant("ViewsCountsApiFunction", "dynamodb:GetItem", {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:*:*:table/x"}),
        "ViewsCountsApiFunctionRole: name the resource instead of arn:${AWS::Partition}:dynamodb:*:*:table/x",
    ),
    Broken(
        permissions.resources_are_exact,
        "all that belongs to a table",
        grant("ViewsCountsApiFunction", "dynamodb:Query", {"Fn::Sub": "${TotalsTable.Arn}/*"}),
        "ViewsCountsApiFunctionRole: name the resource instead of ${TotalsTable.Arn}/*",
    ),
    Broken(
        permissions.resources_are_exact,
        "all that belongs to a table, joined",
        grant("ViewsCountsApiFunction", "dynamodb:Query", {"Fn::Join": ["/", [_TOTALS, "*"]]}),
        "ViewsCountsApiFunctionRole: name the resource instead of ${TotalsTable.Arn}/*",
    ),
    Broken(
        permissions.resources_are_exact,
        "the schedules of every group",
        restate(
            "BoostsApiFunction",
            "scheduler:CreateSchedule",
            "ScheduleGroup",
            Resource={"Fn::Sub": "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/*"},
        ),
        "BoostsApiFunctionRole: name the resource instead of "
        "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/*",
    ),
    Broken(
        permissions.resources_are_exact,
        "every resource but one",
        grant("ViewsCountsApiFunction", "dynamodb:GetItem", [], NotResource=_TOTALS),
        "ViewsCountsApiFunctionRole: name each resource instead of NotResource",
    ),
    Broken(
        permissions.no_managed_policy_widens_a_role,
        "one of AWS's own policies",
        put("ViewsCountsApiFunction.Policies", ["arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"]),
        "ViewsCountsApiFunctionRole: write its statements instead of attaching "
        "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
    ),
    Broken(
        permissions.no_managed_policy_widens_a_role,
        "reading of queues by a function that none feeds",
        put("ViewsCountsApiFunction.Policies", [permissions.READS_QUEUE]),
        f"ViewsCountsApiFunctionRole: write its statements instead of attaching {permissions.READS_QUEUE}",
    ),
    Broken(
        permissions.no_managed_policy_widens_a_role,
        "one of AWS's own policies on our own role",
        put("WakeRole.ManagedPolicyArns", ["arn:aws:iam::aws:policy/AmazonSQSFullAccess"]),
        "WakeRole: write its statements instead of attaching arn:aws:iam::aws:policy/AmazonSQSFullAccess",
    ),
    Broken(
        permissions.roles_are_passed_to_the_scheduler_alone,
        "a role passed to any service",
        restate("BoostsWorkerFunction", "iam:PassRole", "WakeRole", Condition=None),
        "BoostsWorkerFunctionRole: give iam:PassRole the condition iam:PassedToService: scheduler.amazonaws.com",
    ),
    Broken(
        permissions.roles_are_passed_to_the_scheduler_alone,
        "a role passed to another service",
        restate(
            "BoostsApiFunction",
            "iam:PassRole",
            "WakeRole",
            Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        ),
        "BoostsApiFunctionRole: give iam:PassRole the condition iam:PassedToService: scheduler.amazonaws.com",
    ),
    Broken(
        permissions.schedule_roles_trust_the_scheduler_alone,
        "a role that another service may assume too",
        put(
            "WakeRole.AssumeRolePolicyDocument.Statement.0.Principal.Service",
            ["scheduler.amazonaws.com", "lambda.amazonaws.com"],
        ),
        "WakeRole: let scheduler.amazonaws.com alone assume it",
    ),
    Broken(
        permissions.schedule_roles_trust_the_scheduler_alone,
        "a role that the scheduler may assume for another account",
        drop("WakeRole.AssumeRolePolicyDocument.Statement.0.Condition"),
        "WakeRole: add the condition aws:SourceAccount: !Ref AWS::AccountId",
    ),
    Broken(
        permissions.schedule_roles_trust_the_scheduler_alone,
        "a role from elsewhere",
        restate("BoostsApiFunction", "iam:PassRole", "WakeRole", Resource="arn:aws:iam::123456789012:role/admin"),
        "BoostsApiFunctionRole: pass a role of the template",
    ),
    Broken(
        permissions.tables_have_the_writers_they_should,
        "a reader that may write",
        grant("ViewsCountsApiFunction", "dynamodb:PutItem", _TOTALS),
        "ViewsCountsApiFunction: take PutItem on TotalsTable away, or add it to WRITERS",
    ),
    Broken(
        permissions.tables_have_the_writers_they_should,
        "an audit trail that can be changed",
        grant("BoostsApiFunction", "dynamodb:UpdateItem", {"Fn::GetAtt": ["AuditTable", "Arn"]}),
        "BoostsApiFunction: take UpdateItem on AuditTable away, or add it to WRITERS",
    ),
    Broken(
        permissions.tables_have_the_writers_they_should,
        "writing in PartiQL",
        grant("OperationsAuditFunction", "dynamodb:PartiQLUpdate", {"Fn::GetAtt": ["AuditTable", "Arn"]}),
        "OperationsAuditFunction: take PartiQLUpdate on AuditTable away, or add it to WRITERS",
    ),
    Broken(
        permissions.tables_have_the_writers_they_should,
        "a writer that may not",
        revoke("BoostsWorkerFunction", "dynamodb:PutItem", "AuditTable"),
        "BoostsWorkerFunction: give it PutItem on AuditTable, or take it from WRITERS",
    ),
    Broken(
        permissions.totals_are_written_by_their_owners_alone,
        "a worker that may write organic totals",
        restate("BoostsWorkerFunction", "dynamodb:UpdateItem", "TotalsTable", Condition=None),
        "BoostsWorkerFunction: hold it to dynamodb:LeadingKeys ['boosted#*'] of TotalsTable",
    ),
    Broken(
        permissions.totals_are_written_by_their_owners_alone,
        "a worker that is held to too little",
        restate(
            "BoostsWorkerFunction",
            "dynamodb:UpdateItem",
            "TotalsTable",
            Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["boosted#*", "organic#*"]}},
        ),
        "BoostsWorkerFunction: hold it to dynamodb:LeadingKeys ['boosted#*'] of TotalsTable",
    ),
    Broken(
        permissions.totals_are_written_by_their_owners_alone,
        "a second statement without the condition",
        grant("BoostsWorkerFunction", "dynamodb:PutItem", _TOTALS),
        "BoostsWorkerFunction: hold it to dynamodb:LeadingKeys ['boosted#*'] of TotalsTable",
    ),
    Broken(
        permissions.totals_are_written_by_their_owners_alone,
        "another function that may write totals",
        grant("BoostsApiFunction", "dynamodb:UpdateItem", _TOTALS),
        "BoostsApiFunction: take writing TotalsTable away: no kind of total is its own",
    ),
    Broken(
        permissions.ledger_accounts_are_written_by_their_owners_alone,
        "an API that may write a campaign's money",
        restate(
            "WalletsApiFunction",
            "dynamodb:PutItem",
            "LedgerTable",
            Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["entry#*", "outside#*", "wallet#*"]}},
        ),
        "WalletsApiFunction: hold it to dynamodb:LeadingKeys "
        "['entry#dep#*', 'entry#wdr#*', 'outside#*', 'wallet#*'] of LedgerTable",
    ),
    Broken(
        permissions.money_comes_from_outside_by_the_wallets_alone,
        "another function that may make money",
        grant("BoostsApiFunction", "dynamodb:UpdateItem", {"Fn::GetAtt": ["LedgerTable", "Arn"]}),
        "BoostsApiFunction: take * of LedgerTable away: WalletsApiFunction alone moves money from outside",
    ),
    Broken(
        permissions.the_stop_and_the_redrive_write_one_item,
        "a stop that may write campaigns",
        restate("OperationsStopFunction", "dynamodb:PutItem", "BoostsTable", Condition=None),
        "OperationsStopFunction: hold it to dynamodb:LeadingKeys ['platform'] of BoostsTable",
    ),
    Broken(
        permissions.the_stop_and_the_redrive_write_one_item,
        "a redrive that may write campaigns",
        restate("OperationsRedriveFunction", "dynamodb:PutItem", "BoostsTable", Condition=None),
        "OperationsRedriveFunction: hold it to dynamodb:LeadingKeys ['redrives'] of BoostsTable",
    ),
    Broken(
        permissions.the_stop_and_the_redrive_write_one_item,
        "tokens that may write all of the boosts' table",
        restate("OperationsTokensFunction", "dynamodb:PutItem", "BoostsTable", Condition=None),
        "OperationsTokensFunction: hold it to dynamodb:LeadingKeys ['tokens'] of BoostsTable",
    ),
    Broken(
        permissions.the_stop_and_the_redrive_write_one_item,
        "sessions that may write all of the boosts' table",
        restate("OperationsSessionFunction", "dynamodb:PutItem", "BoostsTable", Condition=None),
        "OperationsSessionFunction: hold it to dynamodb:LeadingKeys ['tokens'] of BoostsTable",
    ),
    Broken(
        permissions.the_sweeper_claims_and_changes_nothing_else,
        "a sweeper that may change whatever a campaign has",
        restate(
            "OperationsSweeperFunction",
            "dynamodb:UpdateItem",
            "BoostsTable",
            Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["bst_*"]}},
        ),
        "OperationsSweeperFunction: hold UpdateItem to bst_* and id, part, step, sweep_at, sweeps of BoostsTable",
    ),
    Broken(
        permissions.the_sweeper_claims_and_changes_nothing_else,
        "a claim of more than the code names",
        restate(
            "OperationsSweeperFunction",
            "dynamodb:UpdateItem",
            "ViewsTable",
            Condition={
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["imp_*"]},
                "ForAllValues:StringEquals": {
                    "dynamodb:Attributes": ["id", "part", "status", "step", "sweep_at", "sweeps"]
                },
                "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
            },
        ),
        "OperationsSweeperFunction: hold UpdateItem to imp_* and id, part, step, sweep_at, sweeps of ViewsTable",
    ),
    Broken(
        permissions.totals_are_written_by_their_owners_alone,
        "a sync that may write boosted totals",
        restate(
            "ViewsSyncWorkerFunction",
            "dynamodb:UpdateItem",
            "TotalsTable",
            Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["*"]}},
        ),
        "ViewsSyncWorkerFunction: hold it to dynamodb:LeadingKeys ['organic#*'] of TotalsTable",
    ),
    Broken(
        permissions.open_routes_cannot_reach_the_sync,
        "tracking that may write whatever it likes",
        restate("ViewsTrackApiFunction", "dynamodb:PutItem", "ViewsTable", Condition=None),
        "ViewsTrackApiFunction: hold it to "
        "{'ForAllValues:StringLike': {'dynamodb:LeadingKeys': ['viewer#*']}} of ViewsTable",
    ),
    Broken(
        permissions.open_routes_cannot_reach_the_sync,
        "a command that may write how many views there were",
        restate(
            "ViewsSyncApiFunction",
            "dynamodb:UpdateItem",
            "ViewsTable",
            Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["sync", "content#*"]}},
        ),
        "ViewsSyncApiFunction: "
        "hold it to {'ForAllValues:StringEquals': {'dynamodb:LeadingKeys': ['sync']}} of ViewsTable",
    ),
    Broken(
        permissions.open_routes_cannot_reach_the_sync,
        "imports that may write what the sync keeps",
        restate("ViewsImportsWorkerFunction", "dynamodb:UpdateItem", "ViewsTable", Condition=None),
        "ViewsImportsWorkerFunction: hold it to "
        "{'ForAllValues:StringLike': {'dynamodb:LeadingKeys': ['imp_*']}} of ViewsTable",
    ),
    Broken(
        permissions.totals_are_written_by_their_owners_alone,
        "imports of boosted views",
        restate(
            "ViewsImportsWorkerFunction",
            "dynamodb:UpdateItem",
            "TotalsTable",
            Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["organic#*", "boosted#*"]}},
        ),
        "ViewsImportsWorkerFunction: hold it to dynamodb:LeadingKeys ['organic#*'] of TotalsTable",
    ),
    Broken(
        permissions.recording_reaches_rows_and_tallies_alone,
        "recording that may change a campaign",
        restate(
            "SponsorshipsRecordingApiFunction",
            "dynamodb:UpdateItem",
            "SponsorshipsTable",
            Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["imp#*", "tally#*", "refused#*", "spn_*"]}},
        ),
        "SponsorshipsRecordingApiFunction: hold UpdateItem to dynamodb:LeadingKeys "
        "['imp#*', 'tally#*', 'refused#*', 'spn_*:*'] of SponsorshipsTable",
    ),
    Broken(
        permissions.recording_reaches_rows_and_tallies_alone,
        "recording that may put a statement",
        restate("SponsorshipsRecordingApiFunction", "dynamodb:PutItem", "SponsorshipsTable", Condition=None),
        "SponsorshipsRecordingApiFunction: hold PutItem to dynamodb:LeadingKeys ['imp#*'] of SponsorshipsTable",
    ),
    Broken(
        permissions.ledger_accounts_are_written_by_their_owners_alone,
        "sponsorships that bring money from outside",
        restate(
            "SponsorshipsWorkerFunction",
            "dynamodb:PutItem",
            "LedgerTable",
            Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["wallet#*", "outside#*"]}},
        ),
        "SponsorshipsWorkerFunction: hold it to dynamodb:LeadingKeys "
        f"{permissions.LEDGER_KEYS['SponsorshipsWorkerFunction']} of LedgerTable",
    ),
    Broken(
        permissions.ledger_accounts_are_written_by_their_owners_alone,
        "a stranger with a hand on wallets",
        grant("BoostsWorkerFunction", "dynamodb:UpdateItem", {"Fn::GetAtt": ["LedgerTable", "Arn"]}),
        "BoostsWorkerFunction: take writing LedgerTable away: no account is its own",
    ),
    *(
        Broken(
            permissions.what_is_counted_elsewhere_is_never_paid,
            f"sponsorships that may {action} of {table}",
            grant(function, f"dynamodb:{action}", resource),
            f"{function}: take {table} away: what it counts is never paid",
        )
        for function, action, table, resource in (
            ("SponsorshipsWorkerFunction", "GetItem", "TotalsTable", {"Fn::GetAtt": ["TotalsTable", "Arn"]}),
            (
                "SponsorshipsMonitoringWorkerFunction",
                "Query",
                "ViewsTable",
                {"Fn::Sub": "${ViewsTable.Arn}/index/by_wake"},
            ),
            ("SponsorshipsMonitoringStreamFunction", "PutItem", "BoostsTable", {"Fn::GetAtt": ["BoostsTable", "Arn"]}),
        )
    ),
    Broken(
        permissions.tables_have_the_writers_they_should,
        "a stream function that writes what it was fed",
        grant("SponsorshipsMonitoringStreamFunction", "dynamodb:UpdateItem", {"Fn::GetAtt": ["AuditTable", "Arn"]}),
        "SponsorshipsMonitoringStreamFunction: take UpdateItem on AuditTable away, or add it to WRITERS",
    ),
    Broken(
        permissions.broadcasts_write_what_is_theirs,
        "a sender that may raise its owner's limit",
        restate(
            "BroadcastsWorkerFunction",
            "dynamodb:UpdateItem",
            "BroadcastsTable",
            Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["brd_*", "ins_*", "quota#*", "owner#*"]}},
        ),
        "BroadcastsWorkerFunction: hold it to dynamodb:LeadingKeys "
        "[['brd_*', 'ins_*', 'quota#*'], ['brd_*']] of BroadcastsTable",
    ),
    Broken(
        permissions.broadcasts_write_what_is_theirs,
        "owners' things that may be rows of campaigns",
        restate("BroadcastsListsApiFunction", "dynamodb:PutItem", "MessagesTable", Condition=None),
        "BroadcastsListsApiFunction: hold it to dynamodb:LeadingKeys [['contact#*', 'suppressed#*']] of MessagesTable",
    ),
    Broken(
        permissions.reports_never_say_who,
        "reports that may read whatever they like",
        restate("ViewsReportsApiFunction", "dynamodb:Query", "ViewsTable", Condition=None),
        f"ViewsReportsApiFunction: hold it to dynamodb:LeadingKeys {sorted(permissions.REPORTED)} of ViewsTable",
    ),
    Broken(
        permissions.reports_never_say_who,
        "reports that may read rows of viewers",
        grant("ViewsReportsApiFunction", "dynamodb:Query", {"Fn::Sub": "${ViewsTable.Arn}/index/by_unfolded"}),
        f"ViewsReportsApiFunction: hold it to dynamodb:LeadingKeys {sorted(permissions.REPORTED)} of ViewsTable",
    ),
    Broken(
        permissions.reports_never_say_who,
        "reports that may read campaigns",
        restate("ViewsReportsApiFunction", "dynamodb:BatchGetItem", "BoostsTable", Condition=None),
        "ViewsReportsApiFunction: hold it to dynamodb:LeadingKeys ['usage#*'] of BoostsTable",
    ),
    Broken(
        permissions.open_routes_cannot_reach_the_sync,
        "adjustments that may change more than the sum of a day",
        restate(
            "ViewsAdjustmentsApiFunction",
            "dynamodb:UpdateItem",
            "ViewsTable",
            Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["content#*", "days"]}},
        ),
        f"ViewsAdjustmentsApiFunction: hold it to {permissions.VIEWS_DAYS} of ViewsTable",
    ),
    Broken(
        permissions.secrets_have_the_holders_they_should,
        "an open route's function with the secret of admins in its environment",
        put(
            "ViewsTrackApiFunction.Environment.Variables.VIEWER_TOKEN_SECRET",
            {"Fn::Sub": "{{resolve:secretsmanager:${TokenSecret}:SecretString}}"},
        ),
        "ViewsTrackApiFunction: take TokenSecret away, or add it to HOLDERS",
    ),
    Broken(
        permissions.secrets_have_the_holders_they_should,
        "a part of the secret of admins, under another name",
        put(
            "ViewsCountsApiFunction.Environment.Variables.KEY",
            {"Fn::Sub": "{{resolve:secretsmanager:${TokenSecret.Id}:SecretString:current}}"},
        ),
        "ViewsCountsApiFunction: take TokenSecret away, or add it to HOLDERS",
    ),
    Broken(
        permissions.secrets_have_the_holders_they_should,
        "a function that may read the secret of admins",
        grant("BoostsApiFunction", "secretsmanager:GetSecretValue", {"Ref": "TokenSecret"}),
        "BoostsApiFunctionRole: take TokenSecret away, or add it to HOLDERS",
    ),
    Broken(
        permissions.secrets_have_the_holders_they_should,
        "a function that mints tokens for viewers with the secret of admins' tokens, or the other way round",
        put("OperationsTokensFunction.Environment.Variables.TOKEN_SECRET_ARN", {"Ref": "ViewerTokenSecret"}),
        "OperationsTokensFunction: take ViewerTokenSecret away, or add it to HOLDERS",
    ),
    Broken(
        permissions.secrets_have_the_holders_they_should,
        "another function of operations that may read the secret of admins",
        grant("OperationsStopFunction", "secretsmanager:GetSecretValue", {"Ref": "TokenSecret"}),
        "OperationsStopFunctionRole: take TokenSecret away, or add it to HOLDERS",
    ),
    Broken(
        permissions.secrets_have_the_holders_they_should,
        "an authorizer that believes viewers' tokens too",
        put("OperationsAuthorizerFunction.Environment.Variables.TOKEN_SECRET_ARN", {"Ref": "ViewerTokenSecret"}),
        "OperationsAuthorizerFunction: take ViewerTokenSecret away, or add it to HOLDERS",
    ),
    Broken(
        permissions.secrets_have_the_holders_they_should,
        "sessions that are signed as viewers' tokens are",
        put("OperationsSessionFunction.Environment.Variables.TOKEN_SECRET_ARN", {"Ref": "ViewerTokenSecret"}),
        "OperationsSessionFunction: take ViewerTokenSecret away, or add it to HOLDERS",
    ),
    Broken(
        permissions.secrets_have_the_holders_they_should,
        "tracking without its viewers' secret",
        put("ViewsTrackApiFunction.Environment.Variables.VIEWER_TOKEN_SECRET", ""),
        "ViewsTrackApiFunction: give it ViewerTokenSecret, or take it from HOLDERS",
    ),
    Broken(
        permissions.schedules_are_made_in_the_stacks_own_group,
        "schedules in every group",
        restate(
            "BoostsApiFunction",
            "scheduler:CreateSchedule",
            "ScheduleGroup",
            Resource={"Fn::Sub": "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/default/*"},
        ),
        "BoostsApiFunctionRole: let it create schedules in ScheduleGroup alone",
    ),
    Broken(
        permissions.schedules_are_made_in_the_stacks_own_group,
        "a group that is told by name",
        put("BoostsWorkerFunction.Environment.Variables.SCHEDULE_GROUP", "default"),
        "BoostsWorkerFunction: let SCHEDULE_GROUP be !Ref ScheduleGroup",
    ),
    Broken(
        permissions.schedules_are_made_in_the_stacks_own_group,
        "a period of the default group",
        drop("OperationsSweeperFunction.Events.Period.Properties.GroupName"),
        "OperationsSweeperFunctionPeriod: let GroupName be !Ref ScheduleGroup",
    ),
    Broken(
        permissions.schedules_are_made_in_the_stacks_own_group,
        "a group that outlives the stack",
        put("ScheduleGroup.DeletionPolicy", "Retain"),
        "ScheduleGroup: let it be deleted with the stack",
    ),
    Broken(
        permissions.the_console_may_do_nothing,
        "a console that reads a table",
        put(
            "ConsoleSiteFunction.Policies",
            [{"Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": _TOTALS}]}],
        ),
        "ConsoleSiteFunction: take dynamodb:GetItem away",
    ),
]
